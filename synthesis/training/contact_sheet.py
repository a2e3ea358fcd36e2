"""A picture of real slices above generated ones; the channels of one image lie in one column."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from synthesis.generate import SYNTHETIC_NOTE

_MARGIN, _LINE, _LEAST = 4, 20, 96

Images = npt.NDArray[np.floating]


def contact_sheet(blocks: Sequence[tuple[str, Images]]) -> bytes:
    """Draw sets of images as a PNG marked as synthetic.

    Parameters
    ----------
    blocks : sequence of (str, float ndarray (n, channels, size, size))
        Title and images, -1 black to 1 white. Column j of a block is image j, its channels below
        each other.
    """
    drawn = [(title, _block(images)) for title, images in blocks]
    width = max(picture.shape[1] for _, picture in drawn) + 2 * _MARGIN
    height = sum(picture.shape[0] + _LINE for _, picture in drawn) + _LINE + _MARGIN
    sheet = Image.new("L", (width, height), 0)
    pen, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(12), 0
    for title, picture in drawn:
        pen.text((_MARGIN, top + 2), title, fill=255, font=font)
        sheet.paste(Image.fromarray(picture), (_MARGIN, top + _LINE))
        top += _LINE + picture.shape[0]
    pen.text((_MARGIN, top + 2), SYNTHETIC_NOTE, fill=255, font=font)
    return marked_png(sheet)


def marked_png(picture: Image.Image) -> bytes:
    """Return a PNG whose text chunk says that it is synthetic."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Description", SYNTHETIC_NOTE)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=notes)
    return buffer.getvalue()


def grey(images: Images) -> npt.NDArray[np.uint8]:
    """Return 8-bit greys of values from -1 to 1."""
    return np.rint(np.clip((images + 1) / 2, 0, 1) * 255).astype(np.uint8)


def _block(images: Images) -> npt.NDArray[np.uint8]:
    zoom = -(-_LEAST // images.shape[-1])
    cells = grey(images).repeat(zoom, axis=2).repeat(zoom, axis=3)
    cells = np.pad(cells, [(0, 0), (0, 0), (0, _MARGIN), (0, _MARGIN)])
    count, channels, height, width = cells.shape
    return cells.transpose(1, 2, 0, 3).reshape(channels * height, count * width)

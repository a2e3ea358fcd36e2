"""The sample sheet of a segmentation: inputs, reference and what the network found, in colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from synthesis.data.layout import bounding_box
from synthesis.data.subjects import FloatVolume, Mask

Colour = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont
COLOURS = {1: (86, 180, 233), 2: (240, 228, 66), 3: (213, 94, 0)}
NAMES = {2: "oedema", 1: "necrosis", 3: "enhancing"}
NOTE = "FOUND BY A NETWORK - RESEARCH USE ONLY, NOT FOR DIAGNOSIS"

_RANGE = (-2.5, 4.0)
_OPACITY = 0.55
_MARGIN, _LINE = 4, 18
_LEAST_WIDTH = 128
_SLICES = 2


@dataclass(frozen=True, eq=False)
class LabelExample:
    """A held-out subject: inputs as z-scores, reference and found label map (BraTS 2023)."""

    name: str
    inputs: dict[str, FloatVolume]
    truth: Labels
    found: Labels
    mask: Mask


def label_sheet(examples: Sequence[LabelExample]) -> bytes:
    """Draw axial slices of held-out subjects as a PNG.

    Two slices per subject, those with most tumour in the reference at least an eighth of the brain
    apart, patient's right on the left: inputs, reference and network over the second input.

    Parameters
    ----------
    examples : sequence of LabelExample
        At least one.
    """
    rows = [(e.name, row) for e in examples for row in _rows(e)]
    titles = [*examples[0].inputs, "reference", "network"]
    font = ImageFont.load_default(12)
    height = max(cell.shape[0] for _, row in rows for cell in row) + _LINE
    width = max(cell.shape[1] for _, row in rows for cell in row) + _MARGIN
    size = (width * len(titles) + _MARGIN, height * len(rows) + 4 * _LINE)
    sheet = Image.new("RGB", size, 0)
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        pen.text((column * width + _MARGIN, 2), title, fill=(255,) * 3, font=font)
    for number, (name, row) in enumerate(rows):
        top = 2 * _LINE + number * height
        for column, cell in enumerate(row):
            sheet.paste(Image.fromarray(cell), (column * width + _MARGIN, top))
        pen.text((_MARGIN, top - _LINE + 4), name, fill=(160,) * 3, font=font)
    _legend(pen, font, size[1] - 2 * _LINE)
    pen.text((_MARGIN, size[1] - _LINE - 4), NOTE, fill=(255,) * 3, font=font)
    return _png(sheet)


def _legend(pen: ImageDraw.ImageDraw, font: Font, top: int) -> None:
    left = float(_MARGIN)
    for number, name in NAMES.items():
        pen.text((left, top), name, fill=COLOURS[number], font=font)
        left += font.getlength(name) + 4 * _MARGIN


def _rows(example: LabelExample) -> list[list[Colour]]:
    box = bounding_box(example.mask)
    images = [volume[box] for volume in example.inputs.values()]
    truth, found = example.truth[box], example.found[box]
    under = images[min(1, len(images) - 1)]
    rows = []
    for z in _fullest((truth > 0).sum(axis=(1, 2))):
        plain = [_grey(image[z]) for image in images]
        shown = [_coloured(_grey(under[z]), labels[z]) for labels in (truth, found)]
        rows.append([_enlarged(cell[::-1, ::-1]) for cell in (*plain, *shown)])
    return rows


def _fullest(counts: npt.NDArray[np.integer]) -> list[int]:
    """Return the slice with most tumour, and the next that is not beside it."""
    apart = max(1, len(counts) // 8)
    left, chosen = counts.astype(float), []
    for _ in range(min(_SLICES, len(counts))):
        best = int(left.argmax())
        chosen.append(best)
        left[max(0, best - apart) : best + apart + 1] = -1
    return sorted(chosen)


def _grey(image: FloatVolume) -> Colour:
    low, high = _RANGE
    shade = np.clip((image - low) / (high - low), 0.0, 1.0) * 255
    return np.repeat(np.where(image != 0, shade, 0).astype(np.uint8)[..., None], 3, axis=2)


def _coloured(grey: Colour, labels: Labels) -> Colour:
    out = grey.astype(np.float32)
    for number, colour in COLOURS.items():
        place = labels == number
        out[place] = (1 - _OPACITY) * out[place] + _OPACITY * np.array(colour, np.float32)
    return out.astype(np.uint8)


def _enlarged(cell: Colour) -> Colour:
    times = -(-_LEAST_WIDTH // cell.shape[1])
    return np.ascontiguousarray(cell.repeat(times, axis=0).repeat(times, axis=1))


def _png(sheet: Image.Image) -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Description", NOTE)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", pnginfo=notes)
    return buffer.getvalue()

"""Draw a target of the display check as a PNG. Two grey levels and no smoothing between them."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from readerstudy.readers.display_check_targets import LINES, Target

SIZE = 320  # pixels, both ways
LETTER = 64  # size of a low-contrast character, pixels
LARGE_LETTER = 260  # size of the character among lines, pixels


def png(target: Target) -> bytes:
    """Return a greyscale PNG of 320 by 320 pixels, without text, colour profile or gamma."""
    out = io.BytesIO()
    Image.fromarray(pixels(target)).save(out, format="PNG")
    return out.getvalue()


def pixels(target: Target) -> np.ndarray:
    """Return the patch as an array of 8-bit grey levels, shape (320, 320).

    A low-contrast target is its background with the character in its ink. The pattern of lines
    has lying lines of one pixel, and upright ones inside the character: both have the same mean,
    so that the character is there only while single pixels are shown.
    """
    if target.zone != LINES:
        inked = _mask(target.character, LETTER, target.offset)
        return np.where(inked, target.ink, target.background).astype(np.uint8)
    row, column = np.indices((SIZE, SIZE)) % 2
    inked = _mask(target.character, LARGE_LETTER, target.offset)
    lit = np.where(inked, column, row).astype(bool)
    return np.where(lit, target.ink, target.background).astype(np.uint8)


def _mask(character: str, size: int, offset: tuple[int, int]) -> np.ndarray:
    """Return where the character lies, as booleans of shape (320, 320)."""
    image = Image.new("1", (SIZE, SIZE))
    canvas = ImageDraw.Draw(image)
    canvas.fontmode = "1"
    middle = (SIZE // 2 + offset[0], SIZE // 2 + offset[1])
    canvas.text(middle, character, fill=1, font=_font(size), anchor="mm")
    return np.asarray(image, dtype=bool)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the typeface that comes with Pillow, the same on every machine."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("The display check needs a Pillow built with FreeType.")
    return font

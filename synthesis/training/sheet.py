"""The sample sheet: a picture of inputs, truth and prediction for a first look at a run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from synthesis.data.layout import bounding_box
from synthesis.data.subjects import FloatVolume, Mask
from synthesis.generate import SYNTHETIC_NOTE

Grey = npt.NDArray[np.uint8]

_DEPTHS = (0.35, 0.5, 0.65)
_INPUT_RANGE = (-2.5, 3.0)
_TARGET_RANGE = (-2.5, 5.0)
_ERROR_RANGE = (0.0, 3.0)
_MARGIN, _LINE = 4, 18
_LEAST_WIDTH = 112  # of a cell: its title must have room


@dataclass(frozen=True, eq=False)
class Example:
    """A held-out subject with its prediction, z-scores, to be looked at."""

    name: str
    inputs: dict[str, FloatVolume]
    truth: FloatVolume
    prediction: FloatVolume
    mask: Mask


def sample_sheet(examples: Sequence[Example], *, target: str) -> bytes:
    """Draw axial slices of held-out subjects as a PNG.

    One row per slice, three slices per subject, patient's right on the left of the picture:
    inputs, truth, prediction, absolute error (black 0, white 3 standard deviations). Marked as
    synthetic in the picture and in its text chunk.

    Parameters
    ----------
    examples : sequence of Example
        At least one.
    target : str
        Name of the predicted sequence.
    """
    rows = [(e.name, [_enlarged(cell) for cell in row]) for e in examples for row in _rows(e)]
    titles = [*examples[0].inputs, f"{target} real", f"{target} SYNTHETIC", "error"]
    cell_height = max(cell.shape[0] for _, row in rows for cell in row) + _LINE
    font = ImageFont.load_default(12)
    cell_width = max(cell.shape[1] for _, row in rows for cell in row) + _MARGIN
    widest = max(int(font.getlength(title)) for title in titles) + 2 * _MARGIN
    cell_width = max(cell_width, widest)
    size = (cell_width * len(titles) + _MARGIN, cell_height * len(rows) + 4 * _LINE)
    sheet = Image.new("L", size, 0)
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        pen.text((column * cell_width + _MARGIN, 2), title, fill=255, font=font)
    for number, (name, row) in enumerate(rows):
        top = 2 * _LINE + number * cell_height
        for column, cell in enumerate(row):
            sheet.paste(Image.fromarray(cell), (column * cell_width + _MARGIN, top))
        pen.text((_MARGIN, top - _LINE + 4), name, fill=160, font=font)
    pen.text((_MARGIN, size[1] - _LINE - 4), SYNTHETIC_NOTE, fill=255, font=font)
    return _png(sheet)


def _rows(example: Example) -> list[list[Grey]]:
    depth, *plane = bounding_box(example.mask)
    error = np.abs(example.prediction - example.truth)
    layers = [(volume, _INPUT_RANGE) for volume in example.inputs.values()]
    layers += [(example.truth, _TARGET_RANGE), (example.prediction, _TARGET_RANGE)]
    layers += [(error, _ERROR_RANGE)]
    numbers = [depth.start + int(f * (depth.stop - depth.start)) for f in _DEPTHS]
    return [
        [
            _grey(volume[z], example.mask[z], limits)[tuple(plane)][::-1, ::-1]
            for volume, limits in layers
        ]
        for z in numbers
    ]


def _grey(image: FloatVolume, mask: npt.NDArray[np.bool_], limits: tuple[float, float]) -> Grey:
    low, high = limits
    shade = np.clip((image - low) / (high - low), 0.0, 1.0) * 255
    return np.where(mask, shade, 0).astype(np.uint8)


def _enlarged(cell: Grey) -> Grey:
    """Show each voxel of a small image as a square of several pixels."""
    times = -(-_LEAST_WIDTH // cell.shape[1])
    return cell.repeat(times, axis=0).repeat(times, axis=1)


def _png(sheet: Image.Image) -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Description", SYNTHETIC_NOTE)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", pnginfo=notes)
    return buffer.getvalue()

"""Pictures for a person to check a preparation: three planes, mask edges, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.preparation.records import Mask
from readerstudy.imaging.preparation.resample import grid_of, mask_onto
from readerstudy.imaging.windowing import percentile_window

Pixels = NDArray[np.uint8]
PLANES = ("axial", "coronal", "sagittal")
EDGE = (255, 84, 60)
FIELD_MM = 250.0
SHARES = (0.25, 0.5, 0.75)
_GAP = 2
# Per plane: LPS axis that is held, then those that run to the right and down on the screen.
_AXES = {"axial": (2, (0, 1.0), (1, 1.0)), "coronal": (1, (0, 1.0), (2, -1.0)),
         "sagittal": (0, (1, 1.0), (2, -1.0))}  # fmt: skip


@dataclass(frozen=True)
class View:
    """What part of space a sheet shows.

    Attributes
    ----------
    low, high : ndarray, shape (3,)
        Corners of the box in which slices are placed, LPS mm.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def middle(self) -> NDArray[np.float64]:
        """Middle of the box."""
        return (self.low + self.high) / 2


def view_of(volume: Volume, mask: Mask | None = None) -> View:
    """Box around a mask, or around the foreground."""
    inside = foreground(volume.array) if mask is None else mask
    if not inside.any():
        inside = np.ones(volume.shape, bool)
    ends = []
    for axis in range(3):
        used = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
        ends.append((int(used[0]), int(used[-1])))
    corners = [volume.position_mm(z, y, x) for z in ends[0] for y in ends[1] for x in ends[2]]
    return View(np.min(corners, axis=0), np.max(corners, axis=0))


def shows(volume: Volume, view: View) -> bool:
    """Whether the middle of a view lies inside a volume."""
    index = np.linalg.solve(volume.affine_lps, np.append(view.middle, 1.0))[:3]
    return bool((index >= 0).all() and (index <= np.array(volume.shape[::-1]) - 1).all())


def sheet(volume: Volume, view: View, *, mask: Mask | None = None, size: int = 220) -> Pixels:
    """Nine slices: axial, coronal and sagittal in rows, at a quarter, half and three quarters.

    Parameters
    ----------
    volume : Volume
    view : View
        From `view_of`; give the same to both sheets of a pair.
    mask : ndarray of bool, optional
        Its edge is drawn in red.
    size : int
        Edge of one picture in pixels; it shows 25 cm.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
        Radiological convention: the patient's right is on the left.
    """
    low, high = _window(volume, mask)
    rows = []
    for plane in PLANES:
        places = [_points(view, plane, share, size) for share in SHARES]
        rows.append(_joined([_picture(volume, mask, at, (low, high)) for at in places], axis=1))
    return _joined(rows, axis=0)


def _joined(parts: list[Pixels], axis: int) -> Pixels:
    gap = list(parts[0].shape)
    gap[axis] = _GAP
    filled: list[Pixels] = [parts[0]]
    for part in parts[1:]:
        filled += [np.full(gap, 48, np.uint8), part]
    return np.concatenate(filled, axis=axis)


def _window(volume: Volume, mask: Mask | None) -> tuple[float, float]:
    inside = foreground(volume.array) if mask is None or not mask.any() else mask
    try:
        low, high = percentile_window(volume.array, inside, (0.5, 99.5))
    except ValueError:
        low, high = float(volume.array.min()), float(volume.array.max())
    low = min(low, float(np.median(volume.array[~inside])) if (~inside).any() else low)
    return low, max(high, low + 1e-6)


def _picture(
    volume: Volume, mask: Mask | None, points: NDArray[np.float64], window: tuple[float, float]
) -> Pixels:
    size = points.shape[-1]
    index = np.linalg.solve(volume.affine_lps, points.reshape(4, -1))[2::-1].astype(np.float64)
    low, high = window
    values = _sampled(volume.array.astype(np.float32), index, low).reshape(size, size)
    grey = (np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    if mask is not None:
        inside = _sampled(mask.astype(np.float32), index, 0.0).reshape(size, size) >= 0.5
        picture[inside & ~ndimage.binary_erosion(inside)] = EDGE
    return picture


def _sampled(array: NDArray[np.float32], index: NDArray[np.float64], fill: float) -> Pixels:
    """Values at fractional indices, whole slices at the rim, `fill` outside."""
    limits = np.array(array.shape)[:, None] - 1.0
    near = np.clip(index, 0, limits)
    outside = (np.abs(index - near) > 0.5).any(axis=0)
    values = ndimage.map_coordinates(array, near, order=1)
    return np.where(outside, fill, values)


def _points(view: View, plane: str, share: float, size: int) -> NDArray[np.float64]:
    """LPS points (4, rows, columns) of a slice."""
    held, right, down = _AXES[plane]
    steps = (np.arange(size) - (size - 1) / 2) * FIELD_MM / size
    points = np.ones((4, size, size))
    points[held] = view.low[held] + share * (view.high[held] - view.low[held])
    points[right[0]] = view.middle[right[0]] + right[1] * steps[None, :]
    points[down[0]] = view.middle[down[0]] + down[1] * steps[:, None]
    return points


def pair(
    before: Volume, after: Volume, mask: Mask | None, *, size: int = 220, same_place: bool = True
) -> tuple[Pixels, Pixels]:
    """Sheets of a series before and after, of the same places where that has a meaning.

    Parameters
    ----------
    before, after : Volume
    mask : ndarray of bool, optional
        Brain mask on the grid of `after`; drawn on both.
    size : int
    same_place : bool
        False where the series was moved, as onto the template: then each is shown about its own
        middle, and the mask on the second alone.
    """
    view = view_of(after, mask)
    second = sheet(after, view, mask=mask, size=size)
    if not same_place or not shows(before, view):
        return sheet(before, view_of(before), size=size), second
    there = None if mask is None else mask_onto(mask, after, grid_of(before))
    return sheet(before, view, mask=there, size=size), second


def png(pixels: Pixels) -> bytes:
    """PNG without any text chunk."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()


def flicker_of(before: bytes, after: bytes, *, period_ms: int = 700) -> bytes:
    """Animated PNG that shows two PNG pictures in turn."""
    first, second = (Image.open(BytesIO(content)) for content in (before, after))
    out = BytesIO()
    first.save(out, "PNG", save_all=True, append_images=[second], duration=period_ms, loop=0)
    return out.getvalue()


def side_by_side(before: Pixels, after: Pixels) -> Pixels:
    """Both sheets in one picture."""
    gap = np.full((before.shape[0], 12, 3), 255, np.uint8)
    return np.concatenate([before, gap, after], axis=1)

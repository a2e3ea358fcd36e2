"""Where the brain lies in a head: a model of brain, skull, scalp and air, fitted to an image.

The ICBM average has no skull. Registered alone it grows until its dark surroundings are the air
around the head. Here a dark shell for skull and fluid, a bright one for the scalp and a third
one for the air are laid around it. Mutual information compares classes, not grey values, so one
model serves T1, T2, FLAIR and PD.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.geometry import Matrix, Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.preparation.alignment import Alignment, Level, align
from readerstudy.imaging.preparation.itk import to_image
from readerstudy.imaging.preparation.records import Mask, PreparationError
from readerstudy.imaging.preparation.resample import (
    Grid,
    grid_of,
    grid_with_spacing,
    mask_onto,
    onto,
)
from readerstudy.imaging.preparation.template import template, template_mask

SHRINK = 0.93
WORKING_MM = 2.0
SKULL_MM, SCALP_MM, AIR_MM = 8.5, 14.0, 20.0
_ALWAYS_MM = 6.0
_SCALP, _AIR = 330.0, -90.0
_LEVELS = (Level(8.0, 4.0, 80), Level(4.0, 2.0, 80), Level(3.0, 1.5, 60))
_PIVOT = np.array([0.0, 18.0, 20.0])
_TOP_OF_BRAIN_MM = 82.0
_SCALP_TO_BRAIN_MM = 13.0
_WHOLE_HEAD_MM = 120.0
_PITCHES_DEG = (0.0, -15.0, 15.0, 25.0, -25.0)
_SIGNIFICANT_CM2 = 25.0


@dataclass(frozen=True, eq=False)
class HeadModel:
    """The template with its shells, shrunk from the ICBM size to that of most people.

    Attributes
    ----------
    volume : Volume
        Grey values, 2 mm.
    brain : ndarray of bool
    compared : ndarray of bool
        Where model and image are compared: around the upper head all shells, further down, where
        face and neck begin, only the nearest 6 mm.
    """

    volume: Volume
    brain: Mask
    compared: Mask


@dataclass(frozen=True, eq=False)
class Fit:
    """The model found in an image.

    Attributes
    ----------
    work : Volume
        The image as it was compared: at least 2 mm, bright values cut.
    head : ndarray of bool
        Foreground of `work`.
    prior : ndarray of float32
        Signed distance to the brain of the model in mm, positive inside, on the grid of `work`.
    alignment : Alignment
        Point of the shrunk template to point of the image.
    covered : float
        Share of the brain of the model inside the image, 0 to 1.
    """

    work: Volume
    head: Mask
    prior: NDArray[np.float32]
    alignment: Alignment
    covered: float


def shrunk(volume: Volume) -> Volume:
    """The template volume at the size of the model."""
    scale = np.diag([SHRINK, SHRINK, SHRINK, 1.0])
    return replace(volume, affine_lps=scale @ volume.affine_lps)


@lru_cache(maxsize=1)
def head_model() -> HeadModel:
    """Build the model from the template."""
    whole = shrunk(template())
    grid = grid_with_spacing(whole, (WORKING_MM,) * 3)
    small = onto(whole, grid)
    brain = mask_onto(template_mask(), whole, grid)
    away = ndimage.distance_transform_edt(~brain, sampling=grid.spacing_mm)
    values = np.where(brain, small.array, 0).astype(np.float32)
    values[(away > SKULL_MM) & (away <= SCALP_MM)] = _SCALP
    values[away > SCALP_MM] = _AIR
    compared = (away <= _ALWAYS_MM) | ((away <= AIR_MM) & _upper(grid))
    return HeadModel(replace(small, array=values), brain, compared)


def _upper(grid: Grid) -> Mask:
    """Above a plane through the root of the nose and the back of the head."""
    k, j = np.arange(grid.shape[0])[:, None, None], np.arange(grid.shape[1])[None, :, None]
    z = grid.affine_lps[2, 3] + grid.affine_lps[2, 2] * k
    y = grid.affine_lps[1, 3] + grid.affine_lps[1, 1] * j
    return np.broadcast_to(z > -10.0 - 0.25 * y, grid.shape)


def fit_head(volume: Volume, *, seed: int = 0) -> Fit:
    """Find the model in a head.

    Parameters
    ----------
    volume : Volume
        LPS order, any MR contrast.
    seed : int
        Of the sampling.

    Returns
    -------
    Fit

    Raises
    ------
    PreparationError
        The image has no foreground, or the model has no overlap with it.
    """
    work, head = _working_copy(volume)
    model = head_model()
    alignment = align(
        to_image(model.volume),
        to_image(work),
        kind="affine",
        starts=_starts(work, head),
        levels=_LEVELS,
        seed=seed,
        fixed_mask=to_image(model.volume, model.compared),
    )
    return _fit(work, head, alignment)


def _fit(work: Volume, head: Mask, alignment: Alignment) -> Fit:
    back = np.linalg.inv(alignment.matrix).astype(np.float64)
    home = shrunk(template())
    brain = mask_onto(template_mask(), home, grid_of(work), matrix=back)
    if not brain.any():
        raise PreparationError(
            "no brain was found in the image", "Give a mask, or use an external command."
        )
    voxel_ml = float(np.prod(work.spacing_mm)) / 1e3
    expected = float(template_mask().sum()) * SHRINK**3 / 1e3
    expected *= float(np.linalg.det(alignment.matrix[:3, :3]))
    covered = min(1.0, float(brain.sum()) * voxel_ml / expected)
    return Fit(work, head, signed_distance(brain, work.spacing_mm), alignment, covered)


def signed_distance(inside: Mask, spacing_mm: tuple[float, float, float]) -> NDArray[np.float32]:
    """Distance to the border of a mask in mm, positive inside."""
    into = ndimage.distance_transform_edt(inside, sampling=spacing_mm)
    away = ndimage.distance_transform_edt(~inside, sampling=spacing_mm)
    return np.asarray(into - away, dtype=np.float32)


def _working_copy(volume: Volume) -> tuple[Volume, Mask]:
    z, y, x = (max(WORKING_MM, step) for step in volume.spacing_mm)
    work = onto(volume, grid_with_spacing(volume, (z, y, x)), outside=0.0)
    head = foreground(work.array)
    if not head.any():
        advice = "Check that the image shows a head or a brain."
        raise PreparationError("the image has no foreground", advice)
    top = float(np.percentile(work.array[head], 99))
    values = np.minimum(work.array, top).astype(np.float32)
    return replace(work, array=values), head


def _starts(work: Volume, head: Mask) -> list[Matrix]:
    """Places to begin: the brain below the top of the head, nodded and shifted."""
    top, middle = _top_of_head(work, head)
    deep = work.shape[0] * work.spacing_mm[0]
    shifts: tuple[float, ...] = (0.0, -18.0, 18.0, -40.0)
    if deep < _WHOLE_HEAD_MM:
        shifts = (0.0, -18.0, 15.0, 30.0, 45.0, 60.0, 75.0)
    starts = []
    for up, pitch, back in product(shifts, _PITCHES_DEG, (0.0, 12.0, -12.0)):
        turn = _nod(pitch)
        drop = SHRINK * (_TOP_OF_BRAIN_MM - _PIVOT[2]) + _SCALP_TO_BRAIN_MM
        target = np.array([middle[0], middle[1] + back, top - drop + up])
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = target - turn @ (SHRINK * _PIVOT)
        starts.append(matrix)
    return starts


def _nod(degrees: float) -> Matrix:
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])


def _top_of_head(work: Volume, head: Mask) -> tuple[float, Matrix]:
    """Height of the vertex, and the middle of the box around the upper 12 cm, in mm."""
    z, y, x = work.spacing_mm
    area = head.sum(axis=(1, 2)) * y * x / 100
    slices = np.flatnonzero(area > _SIGNIFICANT_CM2)
    top = int(slices[-1]) if slices.size else work.shape[0] - 1
    upper = head[max(0, top - round(_WHOLE_HEAD_MM / z)) : top + 1]
    box = []
    for axis in (1, 2):
        used = np.flatnonzero(upper.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(float(used[0] + used[-1]) / 2 if used.size else work.shape[axis] / 2)
    position = work.position_mm(top, box[0], box[1])
    return float(position[2]), position

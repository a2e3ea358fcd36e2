"""Bringing a series into the place of another one, or of the ICBM 152 template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from readerstudy.imaging.geometry import Matrix, Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.preparation.alignment import (
    KINDS,
    Alignment,
    Kind,
    Level,
    align,
    rotation_deg,
)
from readerstudy.imaging.preparation.faces import find_head, widen
from readerstudy.imaging.preparation.head_model import fit_head, shrunk
from readerstudy.imaging.preparation.itk import to_image
from readerstudy.imaging.preparation.records import (
    Mask,
    PreparationError,
    Prepared,
    StepRecord,
    timed,
    version_of,
)
from readerstudy.imaging.preparation.resample import (
    Interpolation,
    grid_of,
    grid_with_spacing,
    onto,
)
from readerstudy.imaging.preparation.template import template, template_sha256

LOWEST_STANDING = 0.15
LOWEST_METRIC = 0.15
LOWEST_OVERLAP = 0.35
SCALE_LIMITS = (0.75, 1.33)
LARGEST_TURN_DEG = 50.0
_LEVELS = (Level(8.0, 4.0, 80), Level(4.0, 2.0, 60), Level(2.0, 1.0, 60))
_BRIGHTEST = 99.5
_WORKING_MM = 2.0
_MARGIN_MM, _INNER_MM = 10.0, 10.0


@dataclass(frozen=True, eq=False)
class Registration:
    """A transform that passed the checks.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        LPS point of the fixed image to LPS point of the moving one.
    figures : mapping
        Metrics, overlap, angle, shift, scales and the matrix.
    """

    matrix: Matrix
    figures: Mapping[str, Any]


def find_transform(
    moving: Volume, fixed: Volume, *, kind: Kind = "rigid", seed: int = 0
) -> Registration:
    """Find how a volume has to be moved to lie like another one.

    Parameters
    ----------
    moving, fixed : Volume
        Any contrast and grid.
    kind : {"rigid", "similarity", "affine"}
        6, 7 or 12 degrees of freedom.
    seed : int
        Of the sampling; the same seed gives the same bits on one machine.

    Returns
    -------
    Registration

    Raises
    ------
    PreparationError
        The images have too little in common, or the transform makes no sense. A bad transform is
        never returned.
    """
    if kind not in KINDS:
        raise PreparationError(f"there is no transform {kind!r}", f"Use {', '.join(KINDS)}.")
    still, moved = _levelled(fixed), _levelled(moving)
    around, within = _compared(still)
    found = align(
        to_image(still),
        to_image(moved),
        kind=kind,
        starts=_starts(still, moved),
        levels=_LEVELS,
        seed=seed,
        fixed_mask=to_image(still, around),
        judged=to_image(still, within),
    )
    figures = _figures(found, _overlap(still, moved, found.matrix))
    _check(figures)
    return Registration(found.matrix, figures)


def find_template_transform(
    volume: Volume, *, kind: Kind = "affine", seed: int = 0
) -> Registration:
    """Find where the ICBM 152 template lies in a head or a brain.

    Returns
    -------
    Registration
        `matrix` takes a point of the template (MNI space, in LPS mm) to a point of the volume.

    Notes
    -----
    A whole head is matched by `readerstudy.imaging.preparation.head_model`, always affine; for
    "rigid" and "similarity" the nearest such transform about the middle of the brain is taken.
    """
    if kind not in KINDS:
        raise PreparationError(f"there is no transform {kind!r}", f"Use {', '.join(KINDS)}.")
    if not find_head(volume).shows_head:
        return find_transform(volume, template(), kind=kind, seed=seed)
    fit = fit_head(volume, seed=seed)
    scale = shrunk(template()).affine_lps @ np.linalg.inv(template().affine_lps)
    matrix = reduced(fit.alignment.matrix @ scale, kind)
    figures = _figures(replace(fit.alignment, matrix=matrix), fit.covered)
    _check(figures)
    return Registration(matrix, figures)


def reduced(matrix: Matrix, kind: Kind) -> Matrix:
    """Nearest transform of fewer degrees of freedom, equal in the middle of the brain."""
    if kind == "affine":
        return matrix
    left, sizes, right = np.linalg.svd(matrix[:3, :3])
    linear = left @ right * (float(np.exp(np.log(sizes).mean())) if kind == "similarity" else 1.0)
    middle = np.array([0.0, 18.0, 8.0])
    out = np.eye(4)
    out[:3, :3] = linear
    out[:3, 3] = matrix[:3, :3] @ middle + matrix[:3, 3] - linear @ middle
    return out


def _levelled(volume: Volume) -> Volume:
    """At least 2 mm, and the brightest values cut, so that they do not fill the bins."""
    z, y, x = (max(_WORKING_MM, step) for step in volume.spacing_mm)
    work = onto(volume, grid_with_spacing(volume, (z, y, x)))
    inside = foreground(work.array)
    if not inside.any():
        advice = "Check that the image shows a head or a brain."
        raise PreparationError("an image has no foreground", advice)
    top = float(np.percentile(work.array[inside], _BRIGHTEST))
    return replace(work, array=np.minimum(work.array.astype(np.float32), top))


def _compared(volume: Volume) -> tuple[Mask, Mask]:
    """The foreground with a margin, to register on, and its inner part, to judge the result.

    The outline alone fits any other head, and a ball as well; what lies inside does not.
    """
    inside = foreground(volume.array)
    within = widen(inside, volume.spacing_mm, -_INNER_MM)
    return widen(inside, volume.spacing_mm, _MARGIN_MM), within if within.any() else inside


def _starts(fixed: Volume, moving: Volume) -> list[Matrix]:
    """The places that the headers say, and the middles of the foregrounds on each other."""
    shift = _middle(moving) - _middle(fixed)
    starts = [np.eye(4)]
    for share in (1.0, 0.5):
        matrix = np.eye(4)
        matrix[:3, 3] = share * shift
        starts.append(matrix)
    return starts


def _middle(volume: Volume) -> Matrix:
    index = np.argwhere(foreground(volume.array)).mean(axis=0)
    return volume.position_mm(*index)


def _overlap(fixed: Volume, moving: Volume, matrix: Matrix) -> float:
    """Share of the smaller foreground that lies in the other one after moving."""
    there = replace(moving, array=foreground(moving.array).astype(np.float32))
    moved = onto(there, grid_of(fixed), matrix=matrix, outside=0.0, antialias=False).array >= 0.5
    still = foreground(fixed.array)
    voxel = float(np.prod(fixed.spacing_mm))
    other = float(there.array.sum()) * float(np.prod(moving.spacing_mm))
    smaller = min(float(still.sum()) * voxel, other)
    return float((moved & still).sum()) * voxel / smaller if smaller else 0.0


def _figures(found: Alignment, overlap: float) -> dict[str, Any]:
    linear = found.matrix[:3, :3]
    middle = np.array([0.0, 0.0, 0.0, 1.0])
    return {
        "metric_before": round(found.metric_before, 5),
        "metric": round(found.metric, 5),
        "standing": round(found.standing, 4),
        "overlap": round(min(1.0, overlap), 4),
        "rotation_deg": round(rotation_deg(found.matrix), 3),
        "shift_mm": round(float(np.linalg.norm((found.matrix @ middle)[:3])), 3),
        "scales": [round(float(size), 4) for size in np.linalg.svd(linear)[1]],
        "iterations": found.iterations,
        "matrix": [[float(value) for value in row] for row in found.matrix],
    }


def _check(figures: Mapping[str, Any]) -> None:
    """Refuse a transform that is not to be trusted."""
    low, high = SCALE_LIMITS
    reasons = (
        (
            figures["standing"] < LOWEST_STANDING or figures["metric"] < LOWEST_METRIC,
            "the images have too little in common",
        ),
        (figures["overlap"] < LOWEST_OVERLAP, "the images hardly overlap"),
        (figures["rotation_deg"] > LARGEST_TURN_DEG, "the head would be turned by over 50°"),
        (
            min(figures["scales"]) < low or max(figures["scales"]) > high,
            "the size changes too much",
        ),
    )
    failed = [reason for applies, reason in reasons if applies]
    if failed:
        told = f"{failed[0]} (metric {figures['metric']:.2f}, standing {figures['standing']:.2f},"
        told += f" overlap {figures['overlap']:.2f})"
        advice = "Check that both show the same head; look at them, or leave this step out."
        raise PreparationError(f"registration failed: {told}", advice)


def register(
    moving: Volume,
    fixed: Volume,
    *,
    fixed_name: str = "",
    kind: Kind = "rigid",
    interpolation: Interpolation = "linear",
    seed: int = 0,
) -> Prepared:
    """Find the transform to another series and bring the volume onto its grid.

    Parameters
    ----------
    moving, fixed : Volume
    fixed_name : str
        Name of `fixed` in the record.
    kind : {"rigid", "similarity", "affine"}
    interpolation : {"linear", "nearest", "bspline", "sinc"}
    seed : int

    Raises
    ------
    PreparationError
        See `find_transform`.
    """
    with timed() as watch:
        found = find_transform(moving, fixed, kind=kind, seed=seed)
        result = onto(moving, grid_of(fixed), matrix=found.matrix, interpolation=interpolation)
    parameters = {"to": fixed_name, "kind": kind, "interpolation": interpolation, "seed": seed}
    return Prepared(result, record_of(parameters, found, watch.seconds))


def record_of(parameters: Mapping[str, Any], found: Registration, seconds: float) -> StepRecord:
    """The account of a registration."""
    figures = dict(found.figures)
    if parameters.get("to") == "template":
        figures["template_sha256"] = template_sha256()
    version = version_of("SimpleITK")
    return StepRecord("register", parameters, "SimpleITK", version, seconds, figures)

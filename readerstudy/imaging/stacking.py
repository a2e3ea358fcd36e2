"""Putting the planes of a series in order, and noticing when they do not form one stack."""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.errors import (
    MissingSlicesError,
    MixedSeriesError,
    OrientationError,
)
from readerstudy.imaging.geometry import Matrix

Vector = NDArray[np.float64]

_ANGLE_TOLERANCE = 0.002
SAME_PLACE_MM = 0.01
_STEP_TOLERANCE = 0.03
_GAP = 1.5
_SPACING_TOLERANCE = 1e-3
_OFF_LINE_MM = 0.2
_ROUNDING_MM = 0.06
_COMPLETE = "Export the complete series again."


@dataclass(frozen=True, eq=False)
class Plane:
    """Geometry of one slice: the attributes of the DICOM image plane, in LPS millimetres."""

    name: str
    position: Vector
    row: Vector
    column: Vector
    spacing: Vector
    rows: int
    columns: int
    thickness: float


def stack(folder: str | PathLike[str], planes: list[Plane]) -> tuple[list[int], Matrix]:
    """Order planes along their normal and give the affine of the stack.

    Parameters
    ----------
    folder : str or PathLike
        For messages.
    planes : list of Plane
        In any order.

    Returns
    -------
    order : list of int
        Indices of `planes` by rising position along row x column.
    affine : ndarray, shape (4, 4)
        (column index, row index, slice index, 1) to LPS millimetres.

    Raises
    ------
    MixedSeriesError
        Different shapes, pixel sizes or orientations, or two planes at one position.
    MissingSlicesError
        A gap, or uneven distances.
    OrientationError
        Direction cosines that are not unit vectors at right angles, or a crooked or sheared stack.
    """
    _check_alike(folder, planes)
    normal = _normal(folder, planes[0])
    heights = np.array([float(plane.position @ normal) for plane in planes])
    order = [int(index) for index in np.argsort(heights, kind="stable")]
    steps = np.diff(heights[order])
    _check_repeats(folder, [planes[index] for index in order], steps)
    _check_steps(folder, [planes[index] for index in order], steps)
    origin, step = _line([planes[index] for index in order], normal)
    _check_straight(folder, [planes[index] for index in order], origin, step)
    _check_shear(folder, step, normal)
    return order, _affine(planes[0], origin, step)


def alike(first: Plane, other: Plane) -> bool:
    """Whether two planes have one shape, orientation and pixel size."""
    return not _difference(first, other)


def _difference(first: Plane, other: Plane) -> str:
    if (other.rows, other.columns) != (first.rows, first.columns):
        return "images of different sizes"
    turn = max(np.abs(other.row - first.row).max(), np.abs(other.column - first.column).max())
    if turn > _ANGLE_TOLERANCE:
        return "slices at different angles"
    uneven = np.abs(other.spacing - first.spacing).max() > _SPACING_TOLERANCE * first.spacing.max()
    return "different pixel sizes" if uneven else ""


def _check_alike(folder: str | PathLike[str], planes: list[Plane]) -> None:
    advice = "Put each stack of slices in a series of its own; leave localisers out."
    first = planes[0]
    for plane in planes:
        if difference := _difference(first, plane):
            reason = f"one series holds {difference} ({first.name}, {plane.name})"
            raise MixedSeriesError(folder, reason, advice)


def _normal(folder: str | PathLike[str], plane: Plane) -> Vector:
    lengths = np.linalg.norm([plane.row, plane.column], axis=1)
    crooked = abs(float(plane.row @ plane.column)) > _ANGLE_TOLERANCE
    if crooked or np.abs(lengths - 1).max() > _ANGLE_TOLERANCE:
        reason = "wrong orientation matrix: its axes are not unit vectors at right angles"
        raise OrientationError(folder, reason, "Export the series again from its source.")
    return np.cross(plane.row, plane.column)


def _check_repeats(folder: str | PathLike[str], planes: list[Plane], steps: Vector) -> None:
    repeats = np.flatnonzero(steps < SAME_PLACE_MM)
    if repeats.size:
        first, second = planes[repeats[0]].name, planes[repeats[0] + 1].name
        count = "1 slice repeats" if repeats.size == 1 else f"{repeats.size} slices repeat"
        reason = f"{count} the position of another (such as {first} and {second})"
        advice = "Remove copies; split several echoes, time points or directions into series."
        raise MixedSeriesError(folder, reason, advice)


def _check_steps(folder: str | PathLike[str], planes: list[Plane], steps: Vector) -> None:
    if steps.size < 2:
        return
    step = float(np.median(steps))
    if _even(steps, step):
        return
    gaps = np.flatnonzero(steps > _GAP * step)
    if not gaps.size:
        reason = f"its slices lie at uneven distances ({steps.min():.2f} to {steps.max():.2f} mm)"
        raise MissingSlicesError(folder, reason, "Export the original slices again.")
    raise MissingSlicesError(folder, _gap(planes, steps, gaps, step), _COMPLETE)


def _even(steps: Vector, step: float) -> bool:
    """Equal steps, or places that were only rounded (some scanners write 0.1 mm)."""
    if np.abs(steps - step).max() <= _STEP_TOLERANCE * step + SAME_PLACE_MM:
        return True
    places = np.concatenate([[0.0], np.cumsum(steps)])
    number = np.arange(len(places))
    fitted = np.polynomial.Polynomial.fit(number, places, 1)(number)
    return bool(np.abs(places - fitted).max() <= min(_ROUNDING_MM, step / 4))


def _gap(planes: list[Plane], steps: Vector, gaps: NDArray[np.intp], step: float) -> str:
    missing = sum(round(float(steps[gap]) / step) - 1 for gap in gaps)
    first = int(gaps[0])
    count = f"{missing} slice is" if missing == 1 else f"{missing} slices are"
    return (
        f"{count} missing: slice {first + 2} of {len(planes)} does not follow slice {first + 1} "
        f"(gap {steps[first]:.1f} mm, expected {step:.1f} mm)"
    )


def _line(planes: list[Plane], normal: Vector) -> tuple[Vector, Vector]:
    """Least-squares line through the slice positions, which some scanners round to 0.1 mm."""
    positions = np.array([plane.position for plane in planes])
    if len(planes) == 1:
        return positions[0], normal * planes[0].thickness
    number = np.arange(len(planes)) - (len(planes) - 1) / 2
    step: Vector = number @ positions / (number @ number)
    return positions.mean(axis=0) + number[0] * step, step


def _check_straight(
    folder: str | PathLike[str], planes: list[Plane], origin: Vector, step: Vector
) -> None:
    ideal = origin + np.outer(np.arange(len(planes)), step)
    off = np.linalg.norm(np.array([plane.position for plane in planes]) - ideal, axis=1)
    worst = int(off.argmax())
    if off[worst] > _OFF_LINE_MM:
        reason = f"the slice {planes[worst].name} lies off the line of the others"
        raise OrientationError(folder, reason, "Export the series again from its source.")


def _check_shear(folder: str | PathLike[str], step: Vector, normal: Vector) -> None:
    sideways = step - (step @ normal) * normal
    if np.linalg.norm(sideways) > 0.01 * np.linalg.norm(step):
        reason = "wrong orientation matrix: each slice is shifted sideways against the one before"
        raise OrientationError(folder, reason, "Reformat the series into straight slices first.")


def _affine(first: Plane, origin: Vector, step: Vector) -> Matrix:
    affine = np.eye(4)
    affine[:3, 0] = first.row * first.spacing[1]
    affine[:3, 1] = first.column * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = origin
    return affine

"""Another grid: a spacing, or the grid of another series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from readerstudy.imaging.geometry import MAX_DECODED_BYTES, Matrix, Volume
from readerstudy.imaging.masks import background_value
from readerstudy.imaging.preparation.itk import from_image, to_image, transform_of
from readerstudy.imaging.preparation.records import (
    Mask,
    PreparationError,
    Prepared,
    StepRecord,
    timed,
    version_of,
)

Interpolation = Literal["linear", "nearest", "bspline", "sinc"]
INTERPOLATIONS: tuple[str, ...] = get_args(Interpolation)
_INTERPOLATORS = {
    "linear": sitk.sitkLinear,
    "nearest": sitk.sitkNearestNeighbor,
    "bspline": sitk.sitkBSpline3,
    "sinc": sitk.sitkLanczosWindowedSinc,
}
_OVERSHOOTS = ("bspline", "sinc")
_SMOOTH_ABOVE = 1.5
_BLUR_MINIMUM = 4
_FWHM_PER_SIGMA = 2.3548200450309493
_SAME_MM = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of a volume lie.

    Attributes
    ----------
    shape : tuple of int
        Along (z, y, x).
    affine_lps : ndarray, shape (4, 4)
        Voxel (x, y, z) to LPS mm.
    """

    shape: tuple[int, int, int]
    affine_lps: Matrix

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Along (z, y, x)."""
        x, y, z = np.linalg.norm(self.affine_lps[:3, :3], axis=0)
        return float(z), float(y), float(x)

    def is_of(self, volume: Volume) -> bool:
        """Whether a volume lies on this grid to within 0.001 mm at its corners."""
        if volume.shape != self.shape:
            return False
        far = np.append(np.array(self.shape[::-1]) - 1.0, 1.0)
        ends = np.column_stack([(0.0, 0.0, 0.0, 1.0), far])
        apart = (self.affine_lps - volume.affine_lps) @ ends
        return bool(np.abs(apart).max() <= _SAME_MM)


def grid_of(volume: Volume) -> Grid:
    """Grid of a volume."""
    return Grid(volume.shape, volume.affine_lps)


def grid_with_spacing(volume: Volume, spacing_mm: tuple[float, float, float]) -> Grid:
    """Grid over the same box with another spacing along (z, y, x).

    The outer faces of the first voxels stay where they are; the last voxel may reach up to half
    a voxel further.

    Raises
    ------
    PreparationError
        A spacing outside 0.05 to 50 mm, or a grid that needs more than 512 MiB.
    """
    if min(spacing_mm) < 0.05 or max(spacing_mm) > 50:
        raise PreparationError(
            f"a spacing of {spacing_mm} mm is not usable", "Give values from 0.05 to 50 mm."
        )
    old = np.array(volume.spacing_mm)
    new = np.array(spacing_mm, dtype=float)
    shape = np.maximum(1, np.round(np.array(volume.shape) * old / new)).astype(int)
    if float(shape.prod()) * 4 > MAX_DECODED_BYTES:
        size = " × ".join(str(length) for length in shape[::-1])
        raise PreparationError(f"a grid of {size} voxels is too large", "Choose larger voxels.")
    affine = volume.affine_lps.copy()
    axes = affine[:3, :3] / old[::-1]
    affine[:3, :3] = axes * new[::-1]
    affine[:3, 3] += axes @ ((new - old)[::-1] / 2)
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def onto(
    volume: Volume,
    grid: Grid,
    *,
    matrix: Matrix | None = None,
    interpolation: Interpolation = "linear",
    outside: float | None = None,
    antialias: bool = True,
) -> Volume:
    """Values of a volume on another grid.

    Parameters
    ----------
    volume : Volume
    grid : Grid
    matrix : ndarray, shape (4, 4), optional
        LPS point of the grid to LPS point of the volume; the identity when left out.
    interpolation : {"linear", "nearest", "bspline", "sinc"}
        "nearest" keeps the type and the exact values, for masks. "bspline" is cubic, "sinc" is
        windowed (Lanczos); their overshoot is cut at the range of the source.
    outside : float, optional
        Value beyond the source; its background when left out.
    antialias : bool
        Smooth axes that become more than 1.5 times coarser.

    Returns
    -------
    Volume
        The same object where nothing has to be computed; else 32-bit floats.
    """
    if interpolation not in _INTERPOLATORS:
        allowed = ", ".join(INTERPOLATIONS)
        raise PreparationError(f"there is no interpolation {interpolation!r}", f"Use {allowed}.")
    if matrix is None and grid.is_of(volume):
        return volume
    nearest = interpolation == "nearest"
    image = to_image(volume)
    if antialias and not nearest:
        image = smooth_for(image, volume.spacing_mm, grid.spacing_mm)
    fill = background_value(volume.array) if outside is None else outside
    filled = _execute(image, grid, matrix, interpolation, fill)
    result = from_image(filled, volume)
    if nearest:
        return replace(result, array=result.array.astype(volume.array.dtype))
    if interpolation in _OVERSHOOTS:
        low, high = min(float(volume.array.min()), fill), max(float(volume.array.max()), fill)
        return replace(result, array=np.clip(result.array, low, high))
    return result


def _execute(
    image: Any, grid: Grid, matrix: Matrix | None, interpolation: Interpolation, fill: float
) -> Any:
    work = sitk.ResampleImageFilter()
    work.SetSize([int(length) for length in grid.shape[::-1]])
    steps = np.linalg.norm(grid.affine_lps[:3, :3], axis=0)
    work.SetOutputSpacing([float(step) for step in steps])
    work.SetOutputOrigin(grid.affine_lps[:3, 3].tolist())
    work.SetOutputDirection((grid.affine_lps[:3, :3] / steps).ravel().tolist())
    work.SetInterpolator(_INTERPOLATORS[interpolation])
    work.SetDefaultPixelValue(float(fill))
    if matrix is not None:
        work.SetTransform(transform_of(matrix))
    return work.Execute(image)


def smooth_for(
    image: Any, source: tuple[float, float, float], target: tuple[float, float, float]
) -> Any:
    """Blur axes that lose much resolution, so that fine detail does not fold into noise."""
    blur = sitk.RecursiveGaussianImageFilter()
    for axis in range(3):
        coarse, fine = target[2 - axis], source[2 - axis]
        if coarse > _SMOOTH_ABOVE * fine and image.GetSize()[axis] >= _BLUR_MINIMUM:
            blur.SetDirection(axis)
            blur.SetSigma(float(np.sqrt(coarse**2 - fine**2)) / _FWHM_PER_SIGMA)
            image = blur.Execute(image)
    return image


def mask_onto(
    mask: Mask, home: Volume, grid: Grid, *, matrix: Matrix | None = None
) -> NDArray[np.bool_]:
    """A mask of one volume on another grid: at least half of the voxel inside."""
    soft = replace(home, array=mask.astype(np.float32))
    return np.asarray(onto(soft, grid, matrix=matrix, outside=0.0).array >= 0.5)


def resample(
    volume: Volume,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    to: Volume | None = None,
    to_name: str = "",
    interpolation: Interpolation = "linear",
    mask: Mask | None = None,
) -> Prepared:
    """Bring a volume, and its mask, to a spacing or onto the grid of another volume.

    Parameters
    ----------
    volume : Volume
    spacing_mm : tuple of float, optional
        Along (z, y, x).
    to : Volume, optional
        Exactly one of `spacing_mm` and `to` is given.
    to_name : str
        Name of `to` in the record.
    interpolation : {"linear", "nearest", "bspline", "sinc"}
    mask : ndarray of bool, optional
        Brain mask on the grid of `volume`; comes back on the new grid.

    Raises
    ------
    PreparationError
        None or both of `spacing_mm` and `to`, or an unusable spacing.
    """
    if (spacing_mm is None) == (to is None):
        advice = "Give either spacing_mm or the series to follow."
        raise PreparationError("resampling needs one aim", advice)
    with timed() as watch:
        grid = grid_of(to) if to is not None else grid_with_spacing(volume, spacing_mm)  # type: ignore[arg-type]
        result = onto(volume, grid, interpolation=interpolation)
        moved = None if mask is None else mask_onto(mask, volume, grid)
    aim: dict[str, Any] = {"to": to_name} if to is not None else {"spacing_mm": list(spacing_mm)}  # type: ignore[arg-type]
    figures = {
        "shape_before": list(volume.shape),
        "shape": list(result.shape),
        "spacing_before_mm": _rounded(volume.spacing_mm),
        "spacing_mm": _rounded(result.spacing_mm),
    }
    parameters = {**aim, "interpolation": interpolation}
    record = StepRecord(
        "resample", parameters, "SimpleITK", version_of("SimpleITK"), watch.seconds, figures
    )
    return Prepared(result, record, moved)


def _rounded(values: tuple[float, ...]) -> list[float]:
    return [round(float(value), 4) for value in values]

"""Putting a volume on the fixed grid that all cases of a study share."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Matrix, Volume
from readerstudy.imaging.masks import background_value, foreground
from readerstudy.imaging.orientation import is_oblique, to_lps

Interpolation = Literal["linear", "nearest"]

_SAME_SPACING = 1e-3
_SMOOTH_ABOVE = 1.5
_BLUR_MINIMUM = 4
_FWHM_PER_SIGMA = 2.3548200450309493


def to_grid(
    volume: Volume,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    *,
    interpolation: Interpolation = "linear",
    centre_mm: NDArray[np.float64] | None = None,
    whole_voxels: bool | None = None,
    outside: float | None = None,
) -> Volume:
    """Resample, crop or pad a volume to one grid along the patient axes.

    Parameters
    ----------
    volume : Volume
        Any orientation.
    shape : tuple of int
        Voxels along (z, y, x).
    spacing_mm : tuple of float
        Millimetres along (z, y, x).
    interpolation : {"linear", "nearest"}
        "nearest" for masks.
    centre_mm : ndarray, shape (3,), optional
        LPS position that becomes the centre of the grid; `brain_centre` of this volume when left
        out. Pass the same centre for all sequences and masks of one case, so that they match.
    whole_voxels : bool, optional
        True: only crop or pad. False: interpolate. When left out, decided from the volume as said
        below.
    outside : float, optional
        Value of voxels outside the source; its background value when left out.

    Returns
    -------
    Volume
        LPS order with a diagonal affine. Where the spacing already agrees within 0.001 mm and the
        volume is not oblique, voxels are only moved by whole steps and keep their exact values
        and type; the centre is then met to within half a voxel. Otherwise values are
        interpolated as floats, after smoothing along axes that become more than 1.5 times coarser.
        Voxels outside the source take its background value.
    """
    canonical = to_lps(volume)
    fill = background_value(canonical.array) if outside is None else outside
    centre = brain_centre(canonical) if centre_mm is None else np.asarray(centre_mm, float)
    if whole_voxels is None:
        same = np.allclose(canonical.spacing_mm, spacing_mm, rtol=0, atol=_SAME_SPACING)
        whole_voxels = bool(same) and not is_oblique(canonical)
    if whole_voxels:
        return _crop_or_pad(canonical, shape, centre, fill)
    return _resample(canonical, shape, spacing_mm, interpolation, centre=centre, fill=fill)


def brain_centre(volume: Volume, mask: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """LPS position, in millimetres, of the middle of the box around the foreground.

    Parameters
    ----------
    volume : Volume
    mask : ndarray of bool, shape of the volume, optional
        Foreground; found with `foreground` when left out.

    Returns
    -------
    ndarray, shape (3,)
        The middle of the array where there is no foreground.
    """
    inside = foreground(volume.array) if mask is None else mask
    return volume.position_mm(*(_middle(inside, axis) for axis in range(3)))


def _middle(mask: NDArray[np.bool_], axis: int) -> float:
    used = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
    return float(used[0] + used[-1]) / 2 if used.size else (mask.shape[axis] - 1) / 2


def _grid_affine(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], centre: Matrix
) -> Matrix:
    steps = np.array(spacing_mm[::-1], dtype=np.float64)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = centre - steps * (np.array(shape[::-1]) - 1) / 2
    return affine


def _crop_or_pad(
    volume: Volume, shape: tuple[int, int, int], centre: Matrix, fill: float
) -> Volume:
    index = np.linalg.solve(volume.affine_lps, np.append(centre, 1.0))[2::-1]
    starts = np.floor(index - (np.array(shape) - 1) / 2 + 0.5).astype(int)
    out = np.full(shape, fill, dtype=volume.array.dtype)
    source, target = [], []
    for start, length, available in zip(starts, shape, volume.shape, strict=True):
        first, last = max(0, start), min(available, start + length)
        source.append(slice(first, max(first, last)))
        target.append(slice(first - start, max(first, last) - start))
    if all(part.stop > part.start for part in source):
        out[tuple(target)] = volume.array[tuple(source)]
    affine = volume.affine_lps.copy()
    affine[:3, 3] = volume.position_mm(*starts)
    return replace(volume, array=out, affine_lps=affine)


def _resample(
    volume: Volume,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    interpolation: Interpolation,
    *,
    centre: Matrix,
    fill: float,
) -> Volume:
    nearest = interpolation == "nearest"
    affine = _grid_affine(shape, spacing_mm, centre)
    image = _as_sitk(volume, smooth_to=None if nearest else spacing_mm)
    resample = sitk.ResampleImageFilter()
    resample.SetSize([int(length) for length in shape[::-1]])
    resample.SetOutputSpacing([float(step) for step in spacing_mm[::-1]])
    resample.SetOutputOrigin(affine[:3, 3].tolist())
    resample.SetInterpolator(sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear)
    resample.SetDefaultPixelValue(fill)
    array = sitk.GetArrayFromImage(resample.Execute(image))
    if nearest:
        array = array.astype(volume.array.dtype)
    return replace(volume, array=array, affine_lps=affine)


def _as_sitk(volume: Volume, smooth_to: tuple[float, float, float] | None) -> Any:
    image = sitk.GetImageFromArray(volume.array.astype(np.float64))
    spacing = volume.spacing_mm
    image.SetSpacing(spacing[::-1])
    image.SetOrigin(volume.affine_lps[:3, 3].tolist())
    axes = volume.affine_lps[:3, :3] / np.array(spacing[::-1])
    image.SetDirection(axes.ravel().tolist())
    if smooth_to is None:
        return image
    return _smooth(image, spacing, smooth_to)


def _smooth(
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

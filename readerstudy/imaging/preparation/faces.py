"""Does a volume show a head, with face and ears, or the brain alone?"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import NEAR_BACKGROUND, background_value, foreground
from readerstudy.imaging.orientation import to_lps

Mask = NDArray[np.bool_]

CLEAN_SHARE = 0.98
LARGEST_BRAIN_ML = 2200.0
LARGEST_BRAIN_SLICE_CM2 = 235.0
LARGEST_CUT_CM2 = 80.0
SKULL_DIP = 0.72
SMALLEST_HEAD_ML = 100.0
_WORKING_MM = 2.0
_RING_MM = 2.0
_DEEPEST_MM = 30.0
_SKULL_FROM, _SKULL_TO = 2, 10
_MARGIN = 2
_FEW_VOXELS = 50


@dataclass(frozen=True)
class HeadFinding:
    """What a volume shows, and the figures that tell.

    Attributes
    ----------
    shows_head : bool
        Tissue outside the brain may be there. In doubt this is True.
    reason : str
        Why, as a plain clause.
    clean_share : float
        Share of the surroundings that equals the background value, 0 to 1.
    volume_ml : float
        Of the filled foreground.
    largest_slice_cm2 : float
        Largest axial cross-section of the filled foreground.
    cut_cm2 : float
        Largest area in which the edge of the image cuts the foreground.
    skull_dip : float
        Darkness of a layer under the surface against what lies outside and inside of it; 1
        without such a layer, about 0.4 where a skull is.
    """

    shows_head: bool
    reason: str
    clean_share: float
    volume_ml: float
    largest_slice_cm2: float
    cut_cm2: float
    skull_dip: float


def shows_head(volume: Volume) -> bool:
    """Whether a volume may show tissue outside the brain, such as a face.

    Parameters
    ----------
    volume : Volume
        Any orientation and MR contrast.

    Returns
    -------
    bool
        True in doubt; see `find_head` for the reason.
    """
    return find_head(volume).shows_head


def find_head(volume: Volume) -> HeadFinding:
    """Tell a whole head from a brain that was cut out.

    Parameters
    ----------
    volume : Volume
        Any orientation and MR contrast.

    Returns
    -------
    HeadFinding
        A brain that was cut out lies in a clean background, is no larger than a brain, has no
        dark skull under its surface, and the edge of the image does not cut through its lower
        part, where a face might be. All four must hold for `shows_head` to be False.

    Notes
    -----
    The limits are set from 27 real series (16 cut out, 11 whole heads; T1, T2, FLAIR, PD and
    perfusion): clean share at least 0.999 against at most 0.97, but for one head with cleared
    air, whose volume is 3480 mL. Brains of adults have 900 to 1900 mL with their fluid.
    """
    small = _thin_out(to_lps(volume))
    inside = foreground(small.array)
    clean = _clean_share(small, inside)
    voxel_mm3 = float(np.prod(small.spacing_mm))
    volume_ml = float(inside.sum()) * voxel_mm3 / 1e3
    slice_cm2 = float(inside.sum(axis=(1, 2)).max()) * voxel_mm3 / small.spacing_mm[0] / 100
    dip = _skull_dip(small, inside)
    cut_cm2 = _cut_area(small, inside)
    reason = _reason(clean, volume_ml, slice_cm2, dip, cut_cm2)
    reason = reason or "brain alone"
    shown = reason != "brain alone"
    return HeadFinding(shown, reason, clean, volume_ml, slice_cm2, cut_cm2, dip)


def brain_only(volume: Volume, mask: Mask, *, margin_mm: float = 0.0) -> Volume:
    """Clear everything outside a mask.

    Parameters
    ----------
    volume : Volume
    mask : ndarray of bool, shape of the volume
    margin_mm : float
        The mask is widened by this distance first, >= 0.

    Returns
    -------
    Volume
        Values inside are untouched. Outside is 0 where the values are positive, else one step
        below the lowest value inside, so that the background stays the darkest.

    Raises
    ------
    ValueError
        The mask is empty or has another shape.
    """
    if mask.shape != volume.shape:
        raise ValueError(f"The mask has shape {mask.shape}, the image {volume.shape}.")
    if not mask.any():
        raise ValueError("The mask is empty. Check that the image shows a head or a brain.")
    kept = widen(mask, volume.spacing_mm, margin_mm)
    array = volume.array
    lowest = array[kept].min()
    outside = 0 if lowest >= 0 else lowest - (1 if array.dtype.kind == "i" else abs(lowest) * 0.01)
    cleared = np.where(kept, array, np.asarray(outside).astype(array.dtype))
    return replace(volume, array=cleared)


def widen(mask: Mask, spacing_mm: tuple[float, float, float], margin_mm: float) -> Mask:
    """Mask with all voxels nearer than `margin_mm`; narrower for a negative margin."""
    if margin_mm == 0 or not mask.any():
        return mask
    if margin_mm > 0:
        return np.asarray(ndimage.distance_transform_edt(~mask, sampling=spacing_mm) <= margin_mm)
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=spacing_mm) > -margin_mm)


def _thin_out(volume: Volume) -> Volume:
    """Every n-th voxel; averaging would blur a clean background."""
    steps = [max(1, int(_WORKING_MM / step)) for step in volume.spacing_mm]
    array = volume.array[tuple(slice(None, None, step) for step in steps)]
    affine = volume.affine_lps.copy()
    affine[:3, :3] *= steps[::-1]
    return replace(volume, array=array, affine_lps=affine)


def _clean_share(volume: Volume, inside: Mask) -> float:
    distance = np.abs(volume.array.astype(np.float32) - background_value(volume.array))
    top = float(np.percentile(distance, 99.5)) or float(distance.max())
    around = ~ndimage.binary_dilation(inside, iterations=_MARGIN)
    if not around.any():
        return 0.0 if inside.all() else 1.0
    return float((distance[around] <= NEAR_BACKGROUND * top).mean())


def _cut_area(volume: Volume, inside: Mask) -> float:
    """Area of the foreground on the edges of the image, apart from the upper one."""
    z, y, x = volume.spacing_mm
    sides = (
        (inside[0], y * x),
        (inside[:, 0], z * x),
        (inside[:, -1], z * x),
        (inside[:, :, 0], z * y),
        (inside[:, :, -1], z * y),
    )
    return max(float(side.sum()) * area / 100 for side, area in sides)


def _skull_dip(volume: Volume, inside: Mask) -> float:
    """Lowest ratio of a layer's median to the smaller of the brightest layer on either side."""
    padded = np.pad(inside, ((0, 0), (1, 1), (1, 1)))
    depth = ndimage.distance_transform_edt(padded, sampling=volume.spacing_mm)[:, 1:-1, 1:-1]
    bright = np.abs(volume.array.astype(np.float32) - background_value(volume.array))
    layers = []
    for start in np.arange(0.0, _DEEPEST_MM, _RING_MM):
        layer = bright[(depth > start) & (depth <= start + _RING_MM)]
        layers.append(float(np.median(layer)) if layer.size >= _FEW_VOXELS else np.nan)
    levels = np.array([level for level in layers if np.isfinite(level)])
    dips = [1.0]
    for index in range(_SKULL_FROM, min(_SKULL_TO, len(levels) - 1)):
        sides = min(levels[:index].max(), levels[index + 1 :].max())
        dips.append(float(levels[index] / sides) if sides > 0 else 1.0)
    return min(dips)


def _reason(clean: float, volume_ml: float, slice_cm2: float, dip: float, cut_cm2: float) -> str:
    """Why the volume may show a head; empty for a brain alone."""
    if clean < CLEAN_SHARE:
        return f"only {100 * clean:.0f} % of the background is clean, so nothing was cut away"
    if volume_ml > LARGEST_BRAIN_ML:
        return f"{volume_ml:.0f} mL are more than a brain has"
    if slice_cm2 > LARGEST_BRAIN_SLICE_CM2:
        return f"a cross-section of {slice_cm2:.0f} cm² is larger than that of a brain"
    if cut_cm2 > LARGEST_CUT_CM2:
        return f"the edge of the image cuts {cut_cm2:.0f} cm² of tissue, so it cannot be told"
    if dip < SKULL_DIP and volume_ml > SMALLEST_HEAD_ML:
        return "a dark layer like a skull lies under the surface"
    return ""

"""Segmentations made of a synthetic image against those of the acquired one.

Dice and volumes by region, enhancement that is not there, and the distance between surfaces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthesis.data.layout import bounding_box, grown
from synthesis.metrics.regions import CORE, ENHANCING, TUMOUR, Labels, LabelScheme

Mask = npt.NDArray[np.bool_]
SMALLEST_ML = 0.1
"""Calabrese 2021: enhancement of up to 0.1 mL does not count."""
PRESET = "segmentation/1"
_TOUCHING = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True)
class Overlap:
    """How the segmentation of one region in two images agrees.

    Attributes
    ----------
    dice : float
        ``2 |A and B| / (|A| + |B|)``; 1 where both are empty, by rule.
    hd95_mm : float
        95th percentile of the distances between the surfaces, both ways; NaN if either is empty.
    volume_ml, true_volume_ml : float
    """

    dice: float
    hd95_mm: float
    volume_ml: float
    true_volume_ml: float

    @property
    def volume_error_ml(self) -> float:
        """Volume in the synthetic image less that in the acquired one."""
        return self.volume_ml - self.true_volume_ml


def dice(a: Mask, b: Mask) -> float:
    """Return the Dice coefficient; 1 where both masks are empty."""
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2.0 * int((a & b).sum()) / total


def millilitres(mask: Mask, spacing_mm: Sequence[float]) -> float:
    """Return the volume of a mask in mL."""
    return int(mask.sum()) * math.prod(spacing_mm) / 1000.0


def hd95(a: Mask, b: Mask, spacing_mm: Sequence[float]) -> float:
    """95th percentile of the distances of each surface to the other, pooled, in millimetres.

    A surface is made of the voxels of a mask with a neighbour by a face outside it. NaN if a
    mask is empty.
    """
    if not a.any() or not b.any():
        return math.nan
    box = grown(bounding_box(a | b), 1)
    surface_a, surface_b = (_surface(mask[box]) for mask in (a, b))
    to_b = ndimage.distance_transform_edt(~surface_b, sampling=spacing_mm)[surface_a]
    to_a = ndimage.distance_transform_edt(~surface_a, sampling=spacing_mm)[surface_b]
    return float(np.percentile(np.concatenate([to_b, to_a]), 95))


def _surface(mask: Mask) -> Mask:
    inner: Mask = ndimage.binary_erosion(mask)
    return mask & ~inner


def overlap(mask: Mask, true: Mask, spacing_mm: Sequence[float]) -> Overlap:
    """Compare a mask with the true one, both (z, y, x); spacing (dz, dy, dx) in millimetres."""
    return Overlap(
        dice(mask, true),
        hd95(mask, true, spacing_mm),
        millilitres(mask, spacing_mm),
        millilitres(true, spacing_mm),
    )


def overlaps(
    labels: Labels,
    true: Labels,
    spacing_mm: Sequence[float],
    scheme: LabelScheme,
    true_scheme: LabelScheme | None = None,
) -> dict[str, Overlap]:
    """Compare two label maps in the tumour, its core and its enhancing part.

    Parameters
    ----------
    labels, true : int ndarray (z, y, x)
    spacing_mm : (dz, dy, dx)
    scheme : LabelScheme
        Of both, unless ``true_scheme`` names that of the true one.
    """
    other = true_scheme or scheme
    if labels.shape != true.shape:
        raise ValueError(f"The label maps differ in shape: {labels.shape} and {true.shape}.")
    return {
        region: overlap(
            np.isin(labels, scheme.numbers(region)),
            np.isin(true, other.numbers(region)),
            spacing_mm,
        )
        for region in (TUMOUR, CORE, ENHANCING)
    }


@dataclass(frozen=True)
class EnhancementErrors:
    """Enhancement that only one of the images shows.

    Attributes
    ----------
    false_positive_ml, false_negative_ml : tuple of float
        Volumes over the smallest that counts, largest first: connected pieces (26 neighbours) of
        the one mask without any voxel in common with the other.
    invented : bool
        The true image shows no more than the smallest volume in all, the synthetic one does.
    missed : bool
        The reverse.
    """

    false_positive_ml: tuple[float, ...]
    false_negative_ml: tuple[float, ...]
    invented: bool
    missed: bool


def enhancement_errors(
    enhancing: Mask, true: Mask, spacing_mm: Sequence[float], *, smallest_ml: float = SMALLEST_ML
) -> EnhancementErrors:
    """Find enhancement in the synthetic image that is not there, and the reverse."""
    volume, true_volume = (millilitres(mask, spacing_mm) for mask in (enhancing, true))
    return EnhancementErrors(
        _apart(enhancing, true, spacing_mm, smallest_ml),
        _apart(true, enhancing, spacing_mm, smallest_ml),
        invented=volume > smallest_ml >= true_volume,
        missed=true_volume > smallest_ml >= volume,
    )


def _apart(
    mask: Mask, other: Mask, spacing_mm: Sequence[float], smallest_ml: float
) -> tuple[float, ...]:
    pieces, count = ndimage.label(mask, structure=_TOUCHING)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    touched = np.unique(pieces[other])
    voxel_ml = math.prod(spacing_mm) / 1000.0
    alone = [n for n in range(1, count + 1) if n not in touched]
    volumes = sorted((float(sizes[n]) * voxel_ml for n in alone), reverse=True)
    return tuple(volume for volume in volumes if volume > smallest_ml)

"""Bringing volumes into the canonical axis order, without touching a single value."""

from dataclasses import replace
from typing import Literal

import numpy as np
from nibabel.orientations import (
    aff2axcodes,
    apply_orientation,
    inv_ornt_aff,
    io_orientation,
)

from readerstudy.imaging.geometry import Volume

PlaneName = Literal["Axial", "Coronal", "Sagittal"]

_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))
_PLANES: tuple[PlaneName, PlaneName, PlaneName] = ("Sagittal", "Coronal", "Axial")
_CLEARLY_THICKER = 1.2
_OBLIQUE = 1e-3


def to_lps(volume: Volume) -> Volume:
    """Permute and flip the array axes to the nearest LPS order.

    Parameters
    ----------
    volume : Volume
        Any axis order; oblique volumes take the nearest axes and keep their tilt in the affine.

    Returns
    -------
    Volume
        Same voxels at the same positions; z grows to superior, y to posterior, x to left.
    """
    order = io_orientation(volume.affine_lps)
    array = apply_orientation(volume.array.T, order).T
    affine = volume.affine_lps @ inv_ornt_aff(order, volume.array.T.shape)
    return replace(volume, array=np.ascontiguousarray(array), affine_lps=affine)


def axis_letters(volume: Volume) -> str:
    """Where the x, y and z array axes grow to, such as ``"LPS"``, ``"RAS"`` or ``"PIR"``."""
    return "".join(aff2axcodes(volume.affine_lps, labels=_LETTERS))


def plane_of(volume: Volume) -> PlaneName:
    """Plane in which the images were acquired.

    The slices lie across the axis with clearly the largest spacing; where voxels are about
    equally long, across the stored slice axis. Ask before `to_lps`, which moves that axis.
    """
    spacing = np.array(volume.spacing_mm)
    slowest = int(np.argmax(spacing))
    others = np.delete(spacing, slowest)
    axis = slowest if spacing[slowest] > _CLEARLY_THICKER * others.max() else 0
    world_axis = int(io_orientation(volume.affine_lps)[2 - axis, 0])
    return _PLANES[world_axis]


def is_oblique(volume: Volume) -> bool:
    """Whether any array axis leaves its nearest patient axis (cosine off by more than 0.001)."""
    axes = volume.affine_lps[:3, :3] / np.linalg.norm(volume.affine_lps[:3, :3], axis=0)
    off_axis = np.sort(np.abs(axes), axis=0)[:2]
    return bool(off_axis.max() > _OBLIQUE)

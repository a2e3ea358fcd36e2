"""How volumes are cut: the box round a mask, a slice with its neighbours, padding to a multiple."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def bounding_box(mask: npt.NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the smallest box, one slice per axis, that holds every true voxel.

    Raises
    ------
    ValueError
        If no voxel is true.
    """
    if not mask.any():
        raise ValueError("The mask is empty: it has no bounding box.")
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        (where,) = np.nonzero(mask.any(axis=others))
        box.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(box)


def grown(box: tuple[slice, ...], margin: int) -> tuple[slice, ...]:
    """Return a box with ``margin`` voxels more on every side, not below index 0."""
    return tuple(slice(max(side.start - margin, 0), side.stop + margin) for side in box)


def slice_channels(volumes: npt.NDArray[Any], z: int, neighbours: int) -> npt.NDArray[Any]:
    """Cut one slice and its neighbours out of stacked volumes as channels.

    Parameters
    ----------
    volumes : ndarray (roles, z, y, x)
    z : int
        Middle slice.
    neighbours : int
        Slices taken on either side; beyond the ends the last slice is repeated.

    Returns
    -------
    ndarray (roles * (2 * neighbours + 1), y, x)
    """
    if neighbours == 0:
        return volumes[:, z]
    wanted = np.clip(np.arange(z - neighbours, z + neighbours + 1), 0, volumes.shape[1] - 1)
    picked = volumes[:, wanted]
    return picked.reshape(-1, *volumes.shape[2:])


def padded_to_multiple(images: npt.NDArray[Any], multiple: int) -> npt.NDArray[Any]:
    """Append zeros to the last two axes until they are multiples of ``multiple``."""
    height, width = images.shape[-2:]
    after = [(0, 0)] * (images.ndim - 2) + [(0, -height % multiple), (0, -width % multiple)]
    return np.pad(images, after)

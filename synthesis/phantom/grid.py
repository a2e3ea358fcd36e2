"""Voxel grids: shape, spacing and place in space, always in array order (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Grid:
    """A regular grid whose axes run inferior to superior, posterior to anterior, left to right.

    Attributes
    ----------
    shape : tuple of int
        Number of voxels along (z, y, x).
    spacing_mm : tuple of float
        Distance between voxel centres along (z, y, x), mm, > 0.
    origin_mm : tuple of float
        RAS coordinate of the centre of voxel (0, 0, 0), in the order (z, y, x), mm.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple

    @property
    def affine(self) -> NDArray[np.float64]:
        """NIfTI affine: takes voxel (i=x, j=y, k=z) to RAS millimetres."""
        affine = np.diag([*self.spacing_mm[::-1], 1.0])
        affine[:3, 3] = self.origin_mm[::-1]
        return affine

    def axis(self, number: int) -> Float32:
        """Millimetre coordinates of the voxel centres along one axis (0 = z, 1 = y, 2 = x)."""
        steps = np.arange(self.shape[number], dtype=np.float32)
        return np.float32(self.origin_mm[number]) + np.float32(self.spacing_mm[number]) * steps

    def axes(self) -> tuple[Float32, Float32, Float32]:
        """Coordinates along z, y and x shaped to broadcast over an array of the grid."""
        z, y, x = (self.axis(number) for number in range(3))
        return z[:, None, None], y[None, :, None], x[None, None, :]

    def index(self, points_mm: NDArray[np.floating]) -> Float32:
        """Fractional voxel indices, shape (3, n), of RAS points given as (n, 3) in (z, y, x)."""
        origin = np.asarray(self.origin_mm)[:, None]
        spacing = np.asarray(self.spacing_mm)[:, None]
        return ((np.asarray(points_mm).T - origin) / spacing).astype(np.float32)

    def resampled(self, spacing_mm: Triple) -> Grid:
        """Grid of another spacing over the same box (the last voxel may reach past the edge)."""
        if len(spacing_mm) != 3 or not all(0.3 <= step <= 12.0 for step in spacing_mm):
            msg = f"spacing_mm must hold three values (z, y, x) from 0.3 to 12; got {spacing_mm}"
            raise ValueError(msg)
        shape, origin = [], []
        for count, old, start, new in zip(
            self.shape, self.spacing_mm, self.origin_mm, spacing_mm, strict=True
        ):
            shape.append(int(np.ceil(count * old / new - 1e-6)))
            origin.append(start - old / 2 + new / 2)
        return Grid(
            (shape[0], shape[1], shape[2]),
            (float(spacing_mm[0]), float(spacing_mm[1]), float(spacing_mm[2])),
            (origin[0], origin[1], origin[2]),
        )


# 160 x 216 x 176 mm around the middle of the brain: room for every head the deformation makes.
WORK_GRID = Grid((160, 216, 176), (1.0, 1.0, 1.0), (-75.5, -124.5, -87.5))

"""From a subject's space to the template: affine, random, ventricular and mass displacement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synthesis.phantom.fields import (
    PAD,
    coarse_shape,
    gaussian,
    random_controls,
    sample,
    smoothstep,
    upsample,
)
from synthesis.phantom.grid import WORK_GRID, Float32, Grid

STEP = 4.0  # voxels between control points
# (wavelength mm, standard deviation mm per axis): the head; lobes and gyri; single folds.
HEAD_SCALES = ((90.0, 1.9),)
BRAIN_SCALES = ((40.0, 1.2), (16.0, 0.55))
CENTRE_MM = (5.0, -17.0, 0.0)  # middle of the template brain (z, y, x)


@dataclass(frozen=True)
class Mass:
    """Something that grew and pushed tissue away: centre (z, y, x) mm, reach mm, strength < 1."""

    centre_mm: tuple[float, float, float]
    reach_mm: float
    strength: float


@dataclass(frozen=True)
class Deformation:
    """Cubic B-spline displacement (template minus subject position, mm) on ``grid``.

    Attributes
    ----------
    controls : numpy.ndarray, float32, shape (3, cz, cy, cx)
        Control values along z, y, x; one control every ``STEP`` voxels.
    grid : Grid
        The subject's grid.
    """

    controls: Float32
    grid: Grid = WORK_GRID

    def coordinates(self) -> tuple[Float32, Float32, Float32]:
        """Template position (z, y, x), mm, of every voxel of the grid."""
        z, y, x = (
            axis + upsample(part, self.grid.shape, STEP)
            for axis, part in zip(self.grid.axes(), self.controls, strict=True)
        )
        return z, y, x

    def to_template(self, points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Template position of subject points (n, 3)."""
        points = np.asarray(points_mm, dtype=np.float64)
        index = self.grid.index(points) / STEP + PAD
        moved = [
            ndimage.map_coordinates(part, index, order=3, prefilter=False, mode="nearest")
            for part in self.controls
        ]
        return points + np.stack(moved, axis=1)

    def to_subject(self, points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Subject position of template points (n, 3), by fixed-point iteration."""
        target = np.asarray(points_mm, dtype=np.float64)
        found = target.copy()
        for _ in range(25):
            found = found + 0.8 * (target - self.to_template(found))
        return found

    def jacobian(self) -> Float32:
        """Determinant of the derivative of subject-to-template, on every second voxel."""
        shape = self.grid.shape
        half = (shape[0] // 2, shape[1] // 2, shape[2] // 2)
        parts = [upsample(part, half, STEP / 2) for part in self.controls]
        return _determinant([tuple(np.gradient(part, 2.0)) for part in parts])


def _determinant(slopes: list[tuple[Float32, ...]]) -> Float32:
    a = [[slopes[i][j] + np.float32(i == j) for j in range(3)] for i in range(3)]
    return (
        a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1])
        - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
        + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0])
    )


def control_points(grid: Grid = WORK_GRID) -> Float32:
    """Subject position (3, cz, cy, cx), mm, of the control points."""
    axes = [
        origin + STEP * spacing * (np.arange(count) - PAD)
        for origin, spacing, count in zip(
            grid.origin_mm, grid.spacing_mm, coarse_shape(grid.shape, STEP), strict=True
        )
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)


def random_displacement(
    rng: np.random.Generator, scales: tuple[tuple[float, float], ...], grid: Grid = WORK_GRID
) -> Float32:
    """Sum of band-limited Gaussian displacements (wavelength, deviation in mm) at the controls."""
    total = np.zeros((3, *coarse_shape(grid.shape, STEP)), np.float32)
    for axis in range(3):
        for wavelength, deviation in scales:
            field = random_controls(rng, grid.shape, wavelength, STEP)
            total[axis] += np.float32(deviation) * field
    return total


def affine_matrix(rng: np.random.Generator, mean_scale: float) -> NDArray[np.float64]:
    """Rotation by a few degrees times anisotropic scale; subject to template, (z, y, x)."""
    turn_z, turn_y, turn_x = np.deg2rad(rng.normal(0.0, (2.5, 1.5, 3.0)))
    cz, sz, cy, sy, cx, sx = (f(a) for a in (turn_z, turn_y, turn_x) for f in (np.cos, np.sin))
    about_z = np.array([[1, 0, 0], [0, cz, -sz], [0, sz, cz]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[cx, sx, 0], [-sx, cx, 0], [0, 0, 1]])
    scale = mean_scale * np.exp(rng.normal(0.0, (0.02, 0.02, 0.025)))
    return about_z @ about_y @ about_x @ np.diag(1.0 / scale)


def ventricle_push(signed_distance: Float32, grid: Grid, points_mm: Float32) -> Float32:
    """Unit displacement towards the ventricles, fading over 11 mm; widens them when added.

    Parameters
    ----------
    signed_distance : numpy.ndarray
        Template map, mm, positive inside the ventricles, on ``grid`` with 1 mm voxels.
    points_mm : numpy.ndarray, shape (3, ...)
        Template positions.
    """
    smooth = gaussian(np.ascontiguousarray(signed_distance[::2, ::2, ::2]), 1.6)
    weight = np.exp(-np.abs(smooth) / 11.0)
    flat = points_mm.reshape(3, -1)
    index = grid.index(flat.T) / np.float32(2.0)
    parts = [sample(weight * slope, index) for slope in np.gradient(smooth, 2.0)]
    return np.stack(parts).reshape(points_mm.shape)


def mass_displacement(points_mm: Float32, masses: tuple[Mass, ...]) -> Float32:
    """Where tissue now at the points was before the masses grew, minus the points (mm).

    One mass moves a point at distance r by ``-strength r exp(-r^2 / 2 reach^2)`` towards its
    centre. The radial map has slope ``1 - strength (1 - r^2/reach^2) exp(..)`` >= 1 - strength,
    so that no tissue folds for a strength below 1.
    """
    moved = points_mm.astype(np.float32, copy=True)
    for mass in masses:
        offset = moved - np.asarray(mass.centre_mm, np.float32).reshape(3, 1, 1, 1)
        square = np.sum(offset * offset, axis=0)
        moved -= np.float32(mass.strength) * offset * np.exp(-square / (2 * mass.reach_mm**2))
    return moved - points_mm


@dataclass(frozen=True)
class Shape:
    """How one head differs from the template.

    Attributes
    ----------
    matrix : (3, 3) subject to template, about ``CENTRE_MM``.
    head : displacement at the controls of head and brain together.
    brain : displacement at the controls of the brain alone; it fades towards the skull.
    ventricle_mm : outward move of the ventricle wall, left and right.
    """

    matrix: NDArray[np.float64]
    head: Float32
    brain: Float32
    ventricle_mm: tuple[float, float]


@dataclass(frozen=True)
class Surfaces:
    """Template maps, mm, that steer a deformation: signed distances on ``grid``, 1 mm voxels."""

    ventricle: Float32
    hull: Float32
    grid: Grid


def build_deformation(
    shape: Shape,
    surfaces: Surfaces,
    masses: tuple[Mass, ...] = (),
    min_jacobian: float = 0.15,
) -> Deformation:
    """Compose mass effect, random, affine and ventricular displacement without folding.

    Mass effect and the brain's own variation fade over 12 mm towards the outer surface: the
    skull does not give way. What would fold is weakened until it does not.

    Raises
    ------
    ValueError
        If a mass has a strength outside 0 to 1.
    RuntimeError
        If the displacement still folds after it was weakened to a fifth.
    """
    for mass in masses:
        if not 0.0 <= mass.strength < 1.0:
            msg = f"mass strength must lie in [0, 1); got {mass.strength}"
            raise ValueError(msg)
    points = control_points()
    centre = np.asarray(CENTRE_MM, np.float32).reshape(3, 1, 1, 1)
    matrix = shape.matrix.astype(np.float32)
    turned = np.tensordot(matrix, points - centre, axes=1) + centre
    index = surfaces.grid.index(turned.reshape(3, -1).T)
    depth = sample(surfaces.hull, index, -8.0).reshape(points.shape[1:])
    soft = 0.15 + 0.85 * smoothstep((depth + 1.0) / 12.0)
    pushed = np.tensordot(matrix, soft * mass_displacement(points, masses), axes=1)
    moved: Float32 = (pushed + shape.head + soft * shape.brain).astype(np.float32)
    weaker = np.float32(1.0)
    while weaker > 0.2:
        mapped: Float32 = (turned + weaker * moved).astype(np.float32)
        push = ventricle_push(surfaces.ventricle, surfaces.grid, mapped)
        deformation = Deformation(mapped + weaker * _widening(shape, mapped) * push - points)
        if float(deformation.jacobian().min()) > min_jacobian:
            return deformation
        weaker *= np.float32(0.85)
    msg = "the deformation folds even when weakened; lower its scales, ventricle_mm or strength"
    raise RuntimeError(msg)


def _widening(shape: Shape, mapped: Float32) -> Float32:
    """Ventricular widening, mm, blended smoothly from the left to the right side."""
    left, right = shape.ventricle_mm
    side = 0.5 + 0.5 * np.tanh(mapped[2] / 6.0)
    return np.float32(left) * (1 - side) + np.float32(right) * side

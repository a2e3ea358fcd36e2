"""The scanner: receive field, point spread, slices, noise and stored numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from synthesis.phantom.fields import Matrix, apply_axes, random_controls, smoothstep, upsample
from synthesis.phantom.grid import Float32, Grid


@lru_cache(maxsize=32)
def sampling_matrix(
    count: int, new_count: int, offset: float, spacing: float, blur: float
) -> Matrix:
    """Weights (new_count, count) that blur and sample one axis, in units of the old voxel.

    Each new voxel averages a box as wide as itself (the slice or pixel aperture) convolved with
    a Gaussian of standard deviation ``blur``; rows sum to 1, voxels outside repeat the border.

    Parameters
    ----------
    count, new_count : int
        Old and new number of voxels.
    offset : float
        Position of the first new centre.
    spacing : float
        New spacing.
    blur : float
        Point spread, >= 0.
    """
    fine = 4
    inner = (np.arange(max(round(fine * max(spacing, 1.0)), 1)) + 0.5) / fine
    inner = inner - inner.mean()
    if spacing <= 1.0:
        inner = np.zeros(1)
    centres = offset + spacing * np.arange(new_count)
    position = np.clip((centres[:, None] + inner[None, :]), 0, count - 1)
    distance = np.abs(position[:, :, None] - np.arange(count)[None, None, :])
    weights = np.clip(1.0 - distance, 0.0, 1.0).mean(axis=1)
    if blur > 0:
        weights = weights @ _gaussian_matrix(count, blur)
    weights[weights < 1e-4] = 0.0
    return sparse.csr_array((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))


def _gaussian_matrix(count: int, sigma: float) -> NDArray[np.float64]:
    distance = np.arange(count)[:, None] - np.arange(count)[None, :]
    kernel = np.exp(-0.5 * np.square(distance / sigma))
    return kernel / kernel.sum(axis=1, keepdims=True)


def resample(
    volume: Float32,
    corner: tuple[int, int, int],
    old: Grid,
    new: Grid,
    blur: tuple[float, float, float],
) -> Float32:
    """Blur and average onto another grid a volume that is 0 outside a box of ``old``.

    Parameters
    ----------
    volume : numpy.ndarray
        The box.
    corner : tuple of int
        First voxel of the box in ``old``.
    blur : tuple of float
        Standard deviation of the point spread, old voxels, per axis.
    """
    matrices = []
    for i in range(3):
        offset = (new.origin_mm[i] - old.origin_mm[i]) / old.spacing_mm[i]
        matrix = sampling_matrix(
            old.shape[i],
            new.shape[i],
            round(offset, 6),
            round(new.spacing_mm[i] / old.spacing_mm[i], 6),
            round(blur[i], 3),
        )
        matrices.append(matrix[:, corner[i] : corner[i] + volume.shape[i]])
    return apply_axes(volume, (matrices[0], matrices[1], matrices[2]))


def bias_field(rng: np.random.Generator, grid: Grid, strength: float) -> Float32:
    """Smooth positive receive sensitivity: exp(strength N), wavelength 150 mm, median near 1.

    Parameters
    ----------
    strength : float
        Standard deviation of the logarithm; 0.05 is a corrected image, 0.2 a raw one.
    """
    step = 8.0
    cells = tuple(round(n * s) for n, s in zip(grid.shape, grid.spacing_mm, strict=True))
    controls = random_controls(rng, (cells[0], cells[1], cells[2]), 150.0, step)
    field = upsample(controls, (cells[0], cells[1], cells[2]), step)
    index = [
        np.minimum((np.arange(n) * s).astype(int), c - 1)
        for n, s, c in zip(grid.shape, grid.spacing_mm, cells, strict=True)
    ]
    return np.exp(np.float32(strength) * field[np.ix_(*index)])


def add_rician_noise(rng: np.random.Generator, signal: Float32, sigma: Float32 | float) -> Float32:
    """Magnitude of the signal plus complex Gaussian noise of standard deviation ``sigma``.

    The second moment is ``signal^2 + 2 sigma^2``; without signal the mean is
    ``sigma sqrt(pi/2)`` (Gudbjartsson & Patz, Magn Reson Med 34:910, 1995).
    """
    real = signal + sigma * rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(signal.shape, dtype=np.float32)
    return np.hypot(real, imaginary).astype(np.float32)


def noise_map(grid: Grid, brain: NDArray[np.bool_], amplification: float) -> Float32:
    """Relative noise level: 1 at the surface, 1 + ``amplification`` in the middle of the head.

    Parallel imaging raises the noise where the coils are far (geometry factor).
    """
    axes = grid.axes()
    inside = np.argwhere(brain)
    centre = [
        float(axis.ravel()[int(c)]) for axis, c in zip(axes, inside.mean(axis=0), strict=True)
    ]
    z, y, x = (np.square((axis - c) / 75.0) for axis, c in zip(axes, centre, strict=True))
    square = z + y + x
    return (1.0 + np.float32(amplification) * smoothstep(1.0 - square)).astype(np.float32)


def to_int16(
    volume: Float32, brain: NDArray[np.bool_], level: float, reference: float
) -> NDArray[np.int16]:
    """Scale ``reference`` to ``level``; 0 outside the brain, at least 1 inside."""
    scaled = np.rint(volume * np.float32(level / reference))
    kept = np.clip(scaled, 1, 32000)
    return np.where(brain, kept, 0).astype(np.int16)

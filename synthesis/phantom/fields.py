"""Smooth random fields, fast up-sampling, interpolation at points, and soft thresholds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from synthesis.phantom.grid import Float32

PAD = 2
Matrix: TypeAlias = Any  # scipy.sparse.csr_array; scipy carries no types


def smoothstep(values: NDArray[np.floating]) -> Float32:
    """Cubic step 3t^2 - 2t^3 of the values clipped to [0, 1]."""
    t = np.clip(values, 0.0, 1.0).astype(np.float32, copy=False)
    out = np.multiply(t, np.float32(-2.0))
    out += np.float32(3.0)
    out *= t
    out *= t
    return out


def gaussian(volume: Float32, sigma: float) -> Float32:
    """Gaussian filter with a support of three standard deviations (voxels)."""
    return ndimage.gaussian_filter(volume, sigma, truncate=3.0, output=np.float32)


def coarse_shape(shape: tuple[int, ...], step: float) -> tuple[int, ...]:
    """Number of control points that cover ``shape`` voxels with one every ``step`` voxels."""
    return tuple(int(np.ceil((count - 1) / step)) + 1 + 2 * PAD for count in shape)


@lru_cache(maxsize=128)
def bspline_matrix(count: int, step: float) -> Matrix:
    """Weights (count, control points) of uniform cubic B-splines, one control every ``step``."""
    controls = coarse_shape((count,), step)[0]
    position = np.arange(count)[:, None] / step + PAD - np.arange(controls)[None, :]
    distance = np.abs(position)
    near = 2.0 / 3.0 - distance**2 + distance**3 / 2.0
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    return sparse.csr_array(np.where(distance < 1.0, near, far).astype(np.float32))


@lru_cache(maxsize=128)
def doubling_matrix(count: int) -> Matrix:
    """Linear interpolation from every second of ``count`` samples back to all of them."""
    half = (count + 1) // 2
    position = np.minimum(np.arange(count) / 2.0, half - 1.0)
    weights = 1.0 - np.abs(position[:, None] - np.arange(half)[None, :])
    return sparse.csr_array(np.clip(weights, 0.0, 1.0).astype(np.float32))


def apply_axes(volume: Float32, matrices: tuple[Matrix, Matrix, Matrix]) -> Float32:
    """Multiply each axis of a volume (z, y, x) by its own sparse matrix (new, old length)."""
    grows = np.prod([matrix.shape[0] for matrix in matrices]) > volume.size
    out = volume
    for axis in (2, 1, 0) if grows else (0, 1, 2):  # copies stay small in this order
        moved = np.ascontiguousarray(np.swapaxes(out, 0, axis))
        flat = matrices[axis] @ moved.reshape(moved.shape[0], -1)
        out = np.swapaxes(flat.reshape(-1, *moved.shape[1:]), 0, axis)
    return np.ascontiguousarray(out)


def upsample(controls: Float32, shape: tuple[int, int, int], step: float) -> Float32:
    """Evaluate cubic B-spline control values (see ``coarse_shape``) at every voxel of ``shape``."""
    z, y, x = (bspline_matrix(count, step) for count in shape)
    return apply_axes(controls, (z, y, x))


def double(volume: Float32, shape: tuple[int, int, int]) -> Float32:
    """Linear interpolation of a volume kept at every second voxel back to ``shape``."""
    z, y, x = (doubling_matrix(count) for count in shape)
    return apply_axes(volume, (z, y, x))


def random_controls(
    rng: np.random.Generator, shape: tuple[int, int, int], wavelength: float, step: float
) -> Float32:
    """Control values of a band-limited Gaussian field of mean 0 and standard deviation 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        Voxels to be covered.
    wavelength : float
        Distance, in voxels, over which the field rises and falls once.
    step : float
        Voxels between control points; at most a third of the wavelength is sensible.

    Returns
    -------
    numpy.ndarray, float32, of shape ``coarse_shape(shape, step)``
    """
    noise = rng.standard_normal(coarse_shape(shape, step), dtype=np.float32)
    sigma = wavelength / step / 5.0
    if sigma > 0.3:
        noise = ndimage.gaussian_filter(noise, sigma, mode="wrap")
    return noise / np.float32(max(float(noise.std()), 1e-6))


def random_field(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    wavelength: float,
    step: float | None = None,
) -> Float32:
    """Band-limited Gaussian field on every voxel, mean near 0, standard deviation near 1."""
    spacing = step if step is not None else max(1.5, wavelength / 4.0)
    controls = random_controls(rng, shape, wavelength, spacing)
    field = upsample(controls, shape, spacing)
    return field / np.float32(max(float(field.std()), 1e-6))


def sample(volume: Float32, index: NDArray[np.float32], outside: float = 0.0) -> Float32:
    """Trilinear interpolation at fractional indices (3, n)."""
    return ndimage.map_coordinates(
        volume, index, order=1, mode="constant", cval=outside, output=np.float32
    )

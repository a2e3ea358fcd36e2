"""Sums over a moving cube, one slice at a time.

A volume's squares and products are five more volumes; making and filtering each of them whole is
bound by memory. Here a slice's fields are made, summed along rows and columns while they lie in
the processor's cache, and added to a running total along z, so that nothing larger than a few
slices is ever written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
FillFields = Callable[[int, FloatArray], None]


def moving_sums(
    fill: FillFields, fields: int, shape: tuple[int, ...], radius: int
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the sums over a cube of side ``2 radius + 1`` round each voxel, slice by slice.

    Parameters
    ----------
    fill : callable
        ``fill(z, out)`` writes the fields of slice z to ``out`` (fields, y, x).
    fields : int
    shape : (int, int, int)
        Of the volume, (z, y, x). Beyond its edges the fields are zero.
    radius : int

    Yields
    ------
    z : int
    sums : ndarray (fields, y, x)
        Overwritten by the next slice.
    """
    depth, side = shape[0], 2 * radius + 1
    ring = np.zeros((side, fields, *shape[1:]))
    raw, rows, total = (np.zeros((fields, *shape[1:])) for _ in range(3))
    for newest in range(depth + radius):
        place = ring[newest % side]
        total -= place
        if newest < depth:
            fill(newest, raw)
            ndimage.uniform_filter1d(raw, side, axis=2, output=rows, mode="constant")
            ndimage.uniform_filter1d(rows, side, axis=1, output=place, mode="constant")
            place *= side * side
            total += place
        else:
            place[:] = 0.0
        if newest >= radius:
            yield newest - radius, total


def moment_filler(prediction: FloatArray, truth: FloatArray, mask: Mask | None) -> FillFields:
    """Return what writes p, t, pp, tt, pt of a slice, and the mask as a sixth if there is one.

    With a mask the images must be zero outside it.
    """

    def fill(z: int, out: FloatArray) -> None:
        p, t = prediction[z], truth[z]
        out[0], out[1] = p, t
        np.multiply(p, p, out=out[2])
        np.multiply(t, t, out=out[3])
        np.multiply(p, t, out=out[4])
        if mask is not None:
            out[5] = mask[z]

    return fill


def mean_cube_ssim(
    prediction: FloatArray, truth: FloatArray, *, radius: int, c1: float, c2: float
) -> float:
    """Mean of the SSIM map with a uniform cube over the voxels whose cube lies in the volume.

    Moments are divided by N - 1. See `synthesis.metrics.paired.ssim_map` for the formula.

    Parameters
    ----------
    prediction, truth : ndarray (z, y, x)
        No side shorter than the cube.
    radius : int
    c1, c2 : float
        ``(K1 R)^2`` and ``(K2 R)^2``.
    """
    voxels = (2 * radius + 1) ** 3
    inside = (slice(None), slice(radius, -radius), slice(radius, -radius))
    fill = moment_filler(prediction, truth, None)
    depth = truth.shape[0]
    total = 0.0
    for z, sums in moving_sums(fill, 5, truth.shape, radius):
        if radius <= z < depth - radius:
            means = sums[inside] / voxels
            total += _ssim_sum(means, voxels / (voxels - 1), c1, c2)
    return total / float(np.prod([length - 2 * radius for length in truth.shape]))


def _ssim_sum(means: FloatArray, unbias: float, c1: float, c2: float) -> float:
    mean_p, mean_t, pp, tt, pt = means
    product = mean_p * mean_t
    covariance = pt
    covariance -= product
    covariance *= 2 * unbias
    covariance += c2
    product *= 2
    product += c1
    covariance *= product
    np.multiply(mean_p, mean_p, out=mean_p)
    np.multiply(mean_t, mean_t, out=mean_t)
    mean_p += mean_t  # squares of both means
    pp += tt
    pp -= mean_p
    pp *= unbias
    pp += c2
    mean_p += c1
    pp *= mean_p
    covariance /= pp
    return float(covariance.sum())


def mean_squared_correlation(
    prediction: FloatArray,
    truth: FloatArray,
    mask: Mask,
    *,
    radius: int,
    flat: float,
    rounding: float,
) -> float:
    """Mean over the mask of ``s_pt^2 / (s_pp s_tt)`` of the masked voxels of each cube.

    Parameters
    ----------
    prediction, truth : ndarray (z, y, x)
        Zero outside the mask; centred, so that sums of squares lose few digits.
    mask : bool ndarray (z, y, x)
        At least one voxel.
    radius : int
    flat : float
        Where ``s_pp s_tt`` does not exceed this the value is 1.
    rounding : float
        Share of the greatest possible sum of squares below which a sum counts as zero.
    """
    noise = [
        rounding * float(np.abs(v).max()) ** 2 * (2 * radius + 1) ** 3 for v in (prediction, truth)
    ]
    fill = moment_filler(prediction, truth, mask)
    total = 0.0
    for z, sums in moving_sums(fill, 6, truth.shape, radius):
        if mask[z].any():
            total += _correlation_sum(sums[:, mask[z]], noise, flat)
    return total / int(mask.sum())


def _correlation_sum(sums: FloatArray, noise: list[float], flat: float) -> float:
    p, t, s_pp, s_tt, s_pt, count = sums
    np.rint(count, out=count)
    s_pp -= p * p / count
    s_tt -= t * t / count
    s_pt -= p * t / count
    s_pp[s_pp <= noise[0]] = 0.0
    s_tt[s_tt <= noise[1]] = 0.0
    s_pp *= s_tt
    constant = s_pp <= flat
    s_pp[constant] = 1.0
    s_pt *= s_pt
    s_pt[constant] = 1.0
    s_pt /= s_pp
    return float(s_pt.sum())

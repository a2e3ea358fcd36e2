"""Scores of a predicted volume against the true one.

Every function takes ``prediction`` and ``truth`` (z, y, x) and a boolean ``mask`` of the same
shape that says which voxels count. What a score means depends on window, range and region: use
the named presets of `synthesis.metrics.presets` unless you know why not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from synthesis.data.layout import bounding_box

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_K1, _K2 = 0.01, 0.03
_TWELVE_BIT_MEAN, _TWELVE_BIT_SD, _TWELVE_BIT_MAX = 2048.0, 400.0, 4095.0
_TINY = 1e-10
_FLOAT32_EPS = float(np.finfo(np.float32).eps)
_ROUNDING = 1e-12


class UndefinedMetricError(ValueError):
    """The score has no value for these images; the message says why."""


@dataclass(frozen=True)
class Window:
    """A moving average: uniform cube or Gaussian.

    Attributes
    ----------
    size : int
        Side in voxels, odd.
    sigma : float or None
        Standard deviation of the Gaussian in voxels; None for a uniform cube.
    """

    size: int
    sigma: float | None = None

    @property
    def radius(self) -> int:
        """Voxels on either side of the centre."""
        return self.size // 2

    def average(self, values: FloatArray) -> FloatArray:
        """Return the local mean; beyond the edge the volume is reflected."""
        if self.sigma is None:
            return ndimage.uniform_filter(values, self.size)
        return ndimage.gaussian_filter(values, self.sigma, radius=self.radius)


def mae(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    """Mean absolute error inside the mask, in units of the images."""
    return float(np.abs(prediction[mask] - truth[mask]).mean())


def rmse(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    """Root of the mean squared error inside the mask, in units of the images."""
    return math.sqrt(float(np.square(prediction[mask] - truth[mask]).mean()))


def psnr(prediction: FloatArray, truth: FloatArray, mask: Mask, *, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB inside the mask: ``20 log10(data_range / rmse)``.

    Infinite where the images are equal.

    Raises
    ------
    UndefinedMetricError
        If ``data_range`` is not positive.
    """
    if data_range <= 0:
        raise UndefinedMetricError("the true image is constant inside the mask: no range")
    error = rmse(prediction, truth, mask)
    return math.inf if error == 0 else 20.0 * math.log10(data_range / error)


def nrmse(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    """RMSE divided by the range (max - min) of the truth inside the mask.

    Raises
    ------
    UndefinedMetricError
        If the truth is constant inside the mask.
    """
    data_range = float(np.ptp(truth[mask]))
    if data_range == 0:
        raise UndefinedMetricError("the true image is constant inside the mask: no range")
    return rmse(prediction, truth, mask) / data_range


def twelve_bit(voxels: FloatArray) -> FloatArray:
    """Rescale to mean 2048 and standard deviation 400, clipped to [1e-10, 4095].

    Calabrese 2021, released code. Each image is scaled by its own mean and deviation, which hides
    any error of gain and offset: read NRMSE beside the scores made from this.

    Parameters
    ----------
    voxels : ndarray (n,)
        Values inside the mask.

    Raises
    ------
    UndefinedMetricError
        If the values do not vary.
    """
    sd = float(voxels.std())
    if sd == 0:
        raise UndefinedMetricError("an image is constant inside the mask: it cannot be rescaled")
    scaled = (voxels - voxels.mean()) / sd * _TWELVE_BIT_SD + _TWELVE_BIT_MEAN
    return np.clip(scaled, _TINY, _TWELVE_BIT_MAX)


def smape(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    """Mean of ``|p - t| / (|t| + |p|)`` on 12-bit images, in [0, 1]; the paper prints x 100."""
    p, t = twelve_bit(prediction[mask]), twelve_bit(truth[mask])
    return float((np.abs(p - t) / (np.abs(t) + np.abs(p))).mean())


def log_accuracy(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    """Mean of ``|ln(p / t)|`` on 12-bit images; 0 is perfect."""
    return float(_log_ratio(prediction, truth, mask).mean())


def median_symmetric_accuracy(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    """``exp(median |ln(p / t)|) - 1`` on 12-bit images (Morley 2016); 0 is perfect."""
    return math.expm1(float(np.median(_log_ratio(prediction, truth, mask))))


def _log_ratio(prediction: FloatArray, truth: FloatArray, mask: Mask) -> FloatArray:
    return np.abs(np.log(twelve_bit(prediction[mask]) / twelve_bit(truth[mask])))


def ssim_map(
    prediction: FloatArray,
    truth: FloatArray,
    *,
    window: Window,
    data_range: float,
    sample_covariance: bool,
) -> FloatArray:
    """Structural similarity at every voxel.

    Wang 2004 with K1 = 0.01 and K2 = 0.03::

        (2 mp mt + c1)(2 spt + c2) / ((mp^2 + mt^2 + c1)(sp^2 + st^2 + c2)),  c_i = (K_i R)^2

    Parameters
    ----------
    prediction, truth : ndarray (z, y, x)
    window : Window
        Over which means m and (co)variances s are taken.
    data_range : float
        R, the range the images may span.
    sample_covariance : bool
        Divide by N - 1 instead of N, N being the voxels of the window.

    Returns
    -------
    ndarray (z, y, x)
        Within ``window.radius`` of the edge the values rest on reflected voxels.

    Raises
    ------
    UndefinedMetricError
        If a side is shorter than the window or ``data_range`` is not positive.
    """
    if min(truth.shape) < window.size:
        raise UndefinedMetricError(
            f"the region measures {truth.shape} voxels, less than the window of {window.size}"
        )
    if data_range <= 0:
        raise UndefinedMetricError("the true image is constant inside the region: no range")
    voxels = window.size**truth.ndim
    unbias = voxels / (voxels - 1) if sample_covariance else 1.0
    mean_p, mean_t = window.average(prediction), window.average(truth)
    var_p = unbias * (window.average(prediction * prediction) - mean_p * mean_p)
    var_t = unbias * (window.average(truth * truth) - mean_t * mean_t)
    cov = unbias * (window.average(prediction * truth) - mean_p * mean_t)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    upper = (2 * mean_p * mean_t + c1) * (2 * cov + c2)
    return upper / ((mean_p**2 + mean_t**2 + c1) * (var_p + var_t + c2))


def interior(shape: tuple[int, ...], radius: int) -> Mask:
    """Return where a window of that radius lies wholly inside a volume of that shape."""
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(slice(radius, length - radius) for length in shape)] = True
    return inside


def local_correlation(
    prediction: FloatArray, truth: FloatArray, mask: Mask, *, radius: int
) -> float:
    """Mean squared local correlation over the masked voxels (neighbourhood cross-correlation).

    At each masked voxel ``s_pt^2 / (s_pp s_tt)`` over the masked voxels of a cube of side
    ``2 radius + 1`` cut off at the edges of the volume, as ANTs does (Avants 2008). Where
    ``s_pp s_tt`` does not exceed the float32 epsilon the value is 1.

    Returns
    -------
    float
        In [0, 1].
    """
    inside = mask.astype(np.float64)
    p = _centred(prediction, mask)
    t = _centred(truth, mask)
    count = np.maximum(_box_sum(inside, radius), 1.0)
    sum_p, sum_t = _box_sum(p, radius), _box_sum(t, radius)
    s_pp = _scatter(_box_sum(p * p, radius), sum_p * sum_p / count)
    s_tt = _scatter(_box_sum(t * t, radius), sum_t * sum_t / count)
    s_pt = _box_sum(p * t, radius) - sum_p * sum_t / count
    product = s_pp * s_tt
    flat = product <= _FLOAT32_EPS
    squared = np.where(flat, 1.0, s_pt * s_pt / np.where(flat, 1.0, product))
    return float(squared[mask].mean())


def _centred(values: FloatArray, mask: Mask) -> FloatArray:
    """Shift so that sums of squares lose few digits: the correlation does not change."""
    return np.where(mask, values - values[mask].mean(), 0.0)


def _scatter(squares: FloatArray, of_mean: FloatArray) -> FloatArray:
    """Sum of squares about the mean; what is left by rounding alone counts as zero."""
    difference = squares - of_mean
    return np.where(difference <= _ROUNDING * squares, 0.0, difference)


def _box_sum(values: FloatArray, radius: int) -> FloatArray:
    ones = np.ones(2 * radius + 1)
    for axis in range(values.ndim):
        values = ndimage.correlate1d(values, ones, axis=axis, mode="constant")
    return values


def mutual_information(
    prediction: FloatArray, truth: FloatArray, mask: Mask, *, bins: int, variance: float
) -> float:
    """Mutual information in bits from a smoothed joint histogram.

    As the joint-histogram metric of ITK: each image's range inside the mask is mapped to
    ``bins - 5`` steps, values go to the nearest bin and two bins at either end stay free; the
    joint density is smoothed by the discrete Gaussian (Bessel) kernel of the given variance,
    cut where it holds 99 % of its mass, edges repeated.

    Parameters
    ----------
    bins : int
        Bins per axis.
    variance : float
        Of the smoothing kernel, in bins squared; 0 for none.

    Raises
    ------
    UndefinedMetricError
        If an image is constant inside the mask.
    """
    p, t = _bin_numbers(prediction[mask], bins), _bin_numbers(truth[mask], bins)
    joint = np.bincount(t * bins + p, minlength=bins * bins).reshape(bins, bins) / p.size
    kernel = discrete_gaussian(variance, mass=0.99)
    for axis in range(2):
        joint = ndimage.correlate1d(joint, kernel, axis=axis, mode="nearest")
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = (joint > 0) & (independent > 0)
    return float((joint[filled] * np.log2(joint[filled] / independent[filled])).sum())


_PADDING = 2


def _bin_numbers(voxels: FloatArray, bins: int) -> npt.NDArray[np.int64]:
    low, high = float(voxels.min()), float(voxels.max())
    if low == high:
        raise UndefinedMetricError("an image is constant inside the mask: it has no histogram")
    position = (voxels - low) / (high - low) * (bins - 2 * _PADDING - 1)
    return np.floor(position + _PADDING + 0.5).astype(np.int64)


def discrete_gaussian(variance: float, *, mass: float) -> FloatArray:
    """Return the discrete analogue of the Gaussian: ``exp(-v) I_k(v)`` (Lindeberg 1990).

    Parameters
    ----------
    variance : float
        v, at least 0.
    mass : float
        The kernel is cut at the first k where it holds this share, then normalised to sum 1.
    """
    half = [float(special.ive(0, variance))]
    while half[0] + 2 * sum(half[1:]) < mass:
        half.append(float(special.ive(len(half), variance)))
    kernel = np.array([*half[:0:-1], *half])
    return kernel / kernel.sum()


def cropped(
    prediction: FloatArray, truth: FloatArray, mask: Mask
) -> tuple[FloatArray, FloatArray, Mask]:
    """Cut all three to the smallest box that holds the mask."""
    box = bounding_box(mask)
    return prediction[box], truth[box], mask[box]


PairedMetric = Callable[[FloatArray, FloatArray, Mask], float]

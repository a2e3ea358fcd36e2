"""Scores of a predicted volume against the true one.

Scores without a window take the voxels that count, ``prediction`` and ``truth`` of shape (n,).
Scores with one take volumes (z, y, x). What a score means depends on window, range and region:
use the named presets of `synthesis.metrics.presets` unless you know why not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from synthesis.metrics.windows import mean_cube_ssim, mean_squared_correlation

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CHUNK = 1 << 16
"""Voxels handled at a time, so that what is made of them stays in the cache."""

_K1, _K2 = 0.01, 0.03
_TWELVE_BIT_MEAN, _TWELVE_BIT_SD, _TWELVE_BIT_MAX = 2048.0, 400.0, 4095.0
_TINY = 1e-10
_FLOAT32_EPS = float(np.finfo(np.float32).eps)
_ROUNDING = 1e-13


class UndefinedMetricError(ValueError):
    """The score has no value for these images; the message says why."""


@dataclass(frozen=True)
class Window:
    """A moving average: uniform or Gaussian.

    Attributes
    ----------
    size : int
        Side in voxels, odd.
    sigma : float or None
        Standard deviation of the Gaussian in voxels; None for a uniform window.
    in_plane : bool
        A square within each slice instead of a cube: for slices several millimetres thick.
    """

    size: int
    sigma: float | None = None
    in_plane: bool = False

    @property
    def radius(self) -> int:
        """Voxels on either side of the centre."""
        return self.size // 2

    @property
    def axes(self) -> tuple[int, ...]:
        """Axes of (z, y, x) along which it averages."""
        return (1, 2) if self.in_plane else (0, 1, 2)

    @property
    def voxels(self) -> int:
        """Voxels of the window."""
        return int(self.size ** len(self.axes))

    @property
    def radii(self) -> tuple[int, int, int]:
        """Voxels on either side of the centre, by axis."""
        return (0 if self.in_plane else self.radius, self.radius, self.radius)

    def average(self, values: FloatArray) -> FloatArray:
        """Return the local mean; beyond the edge the volume is reflected."""
        if self.sigma is None:
            return ndimage.uniform_filter(values, self.size, axes=self.axes)
        return ndimage.gaussian_filter(values, self.sigma, radius=self.radius, axes=self.axes)


def mae(prediction: FloatArray, truth: FloatArray) -> float:
    """Mean absolute error, in units of the images."""
    return float(np.abs(prediction - truth).mean())


def rmse(prediction: FloatArray, truth: FloatArray) -> float:
    """Root of the mean squared error, in units of the images."""
    difference = prediction - truth
    return math.sqrt(float(difference @ difference) / difference.size)


def psnr(prediction: FloatArray, truth: FloatArray, *, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB: ``20 log10(data_range / rmse)``.

    Infinite where the images are equal.

    Raises
    ------
    UndefinedMetricError
        If ``data_range`` is not positive.
    """
    if data_range <= 0:
        raise UndefinedMetricError("the true image is constant inside the mask: no range")
    error = rmse(prediction, truth)
    return math.inf if error == 0 else 20.0 * math.log10(data_range / error)


def nrmse(prediction: FloatArray, truth: FloatArray) -> float:
    """RMSE divided by the range (max - min) of the truth.

    Raises
    ------
    UndefinedMetricError
        If the truth is constant inside the mask.
    """
    data_range = float(np.ptp(truth))
    if data_range == 0:
        raise UndefinedMetricError("the true image is constant inside the mask: no range")
    return rmse(prediction, truth) / data_range


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
    mean = float(voxels.mean())
    scaled = voxels - mean
    sd = math.sqrt(float(scaled @ scaled) / scaled.size)
    if sd <= _ROUNDING * abs(mean):
        raise UndefinedMetricError("an image is constant inside the mask: it cannot be rescaled")
    scaled *= _TWELVE_BIT_SD / sd
    scaled += _TWELVE_BIT_MEAN
    return np.clip(scaled, _TINY, _TWELVE_BIT_MAX, out=scaled)


@dataclass(frozen=True)
class TwelveBitScores:
    """Errors of 12-bit voxels.

    Attributes
    ----------
    smape : float
        Mean of ``|p - t| / (|t| + |p|)``, in [0, 1]; the paper prints x 100.
    logac : float
        Mean of ``|ln(p / t)|``; 0 is perfect.
    medsymac : float
        ``exp(median |ln(p / t)|) - 1`` (Morley 2016); 0 is perfect.
    """

    smape: float
    logac: float
    medsymac: float


def twelve_bit_scores(prediction: FloatArray, truth: FloatArray) -> TwelveBitScores:
    """Score voxels (n,) after `twelve_bit`.

    Raises
    ------
    UndefinedMetricError
        If an image does not vary.
    """
    p12, t12 = twelve_bit(prediction), twelve_bit(truth)
    ratio, symmetric = np.empty_like(p12), 0.0
    for start in range(0, p12.size, CHUNK):
        p, t = (values[start : start + CHUNK] for values in (p12, t12))
        symmetric += float((np.abs(p - t) / (p + t)).sum())
        ratio[start : start + CHUNK] = np.abs(np.log(p / t))
    mean = float(ratio.mean())
    median = float(np.median(ratio, overwrite_input=True))
    return TwelveBitScores(symmetric / p12.size, mean, math.expm1(median))


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
    _check_window(tuple(truth.shape[axis] for axis in window.axes), window.size, data_range)
    unbias = window.voxels / (window.voxels - 1) if sample_covariance else 1.0
    mean_p, mean_t = window.average(prediction), window.average(truth)
    var_p = unbias * (window.average(prediction * prediction) - mean_p * mean_p)
    var_t = unbias * (window.average(truth * truth) - mean_t * mean_t)
    cov = unbias * (window.average(prediction * truth) - mean_p * mean_t)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    upper = (2 * mean_p * mean_t + c1) * (2 * cov + c2)
    return upper / ((mean_p**2 + mean_t**2 + c1) * (var_p + var_t + c2))


def interior(shape: tuple[int, ...], radii: tuple[int, ...]) -> Mask:
    """Return where a window of those radii lies wholly inside a volume of that shape."""
    inside = np.zeros(shape, dtype=bool)
    sides = zip(radii, shape, strict=True)
    inside[tuple(slice(radius, length - radius) for radius, length in sides)] = True
    return inside


def cube_ssim(prediction: FloatArray, truth: FloatArray, *, size: int, data_range: float) -> float:
    """Mean SSIM over the voxels whose cube of side ``size`` lies in the volume, N - 1 moments.

    The mean of `ssim_map` there, without the map.

    Raises
    ------
    UndefinedMetricError
        As `ssim_map`.
    """
    _check_window(truth.shape, size, data_range)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    return mean_cube_ssim(prediction, truth, radius=size // 2, c1=c1, c2=c2)


def _check_window(sides: tuple[int, ...], size: int, data_range: float) -> None:
    if min(sides) < size:
        raise UndefinedMetricError(
            f"the region measures {' x '.join(map(str, sides))} voxels, less than the window "
            f"of {size}"
        )
    if data_range <= 0:
        raise UndefinedMetricError("the true image is constant inside the region: no range")


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
    return mean_squared_correlation(
        _centred(prediction, mask),
        _centred(truth, mask),
        mask,
        radius=radius,
        flat=_FLOAT32_EPS,
        rounding=_ROUNDING,
    )


def _centred(values: FloatArray, mask: Mask) -> FloatArray:
    """Shift so that sums of squares lose few digits: the correlation does not change.

    By a whole number, so that grey levels stay whole and their sums exact.
    """
    return np.where(mask, values - np.rint(values[mask].mean()), 0.0)


def mutual_information(
    prediction: FloatArray, truth: FloatArray, *, bins: int, variance: float
) -> float:
    """Mutual information in bits from a smoothed joint histogram of voxels (n,).

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
    joint = joint_histogram(prediction, truth, bins) / prediction.size
    kernel = discrete_gaussian(variance, mass=0.99)
    for axis in range(2):
        joint = ndimage.correlate1d(joint, kernel, axis=axis, mode="nearest")
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = (joint > 0) & (independent > 0)
    return float((joint[filled] * np.log2(joint[filled] / independent[filled])).sum())


_PADDING = 2


def joint_histogram(prediction: FloatArray, truth: FloatArray, bins: int) -> FloatArray:
    """Count voxels (n,) by the bin of the truth (rows) and of the prediction (columns)."""
    place_p, place_t = _binning(prediction, bins), _binning(truth, bins)
    counts = np.zeros(bins * bins)
    for start in range(0, prediction.size, CHUNK):
        p, t = (values[start : start + CHUNK] for values in (prediction, truth))
        pairs = place_t(t) * bins + place_p(p)
        counts += np.bincount(pairs, minlength=bins * bins)
    return counts.reshape(bins, bins)


def _binning(voxels: FloatArray, bins: int) -> Callable[[FloatArray], npt.NDArray[np.int32]]:
    low, high = float(voxels.min()), float(voxels.max())
    if low == high:
        raise UndefinedMetricError("an image is constant inside the mask: it has no histogram")

    def place(values: FloatArray) -> npt.NDArray[np.int32]:
        position = (values - low) / (high - low) * (bins - 2 * _PADDING - 1)
        position += _PADDING + 0.5  # positive: cutting off rounds down
        return position.astype(np.int32)

    return place


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

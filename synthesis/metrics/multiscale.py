"""Similarity at several scales at once (MS-SSIM) of slices and of regions of volumes.

Wang Z, Simoncelli E, Bovik A 2003: luminance, contrast and structure at the coarsest scale,
contrast and structure at the finer ones, each to the power of its weight.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthesis.metrics.paired import FloatArray, Mask, UndefinedMetricError

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SIZE, SIGMA = 11, 1.5
_RADIUS = SIZE // 2
_K1, _K2 = 0.01, 0.03


def scales_for(height: int, width: int) -> int:
    """Return how many scales fit: five above 160 pixels, one less for each halving.

    Raises
    ------
    UndefinedMetricError
        If not even one window fits.
    """
    side = min(height, width)
    if side < SIZE:
        raise UndefinedMetricError(
            f"the slices measure {height} x {width} pixels, less than the window of {SIZE}"
        )
    scales = len(WEIGHTS)
    while scales > 1 and side <= (SIZE - 1) * 2 ** (scales - 1):
        scales -= 1
    return scales


def ms_ssim(
    prediction: FloatArray,
    truth: FloatArray,
    mask: Mask | None = None,
    *,
    data_range: float,
    scales: int | None = None,
) -> float:
    """Multi-scale SSIM with a Gaussian window of 11, sigma 1.5, within slices.

    Parameters
    ----------
    prediction, truth : ndarray (..., y, x)
        Slices; all of them are averaged at each scale before the product is taken.
    mask : bool ndarray (..., y, x), optional
        Pixels that count at the finest scale; a coarse pixel counts by the share of them in it.
        Only pixels whose window lies in the slice count in any case.
    data_range : float
        R.
    scales : int, optional
        1 to 5; without it as many as fit (`scales_for`). Weights are divided by their sum.

    Returns
    -------
    float
        At most 1. A negative mean at a scale counts as 0.

    Raises
    ------
    UndefinedMetricError
        If no pixel counts at some scale or ``data_range`` is not positive.
    """
    if data_range <= 0:
        raise UndefinedMetricError("the true image is constant inside the region: no range")
    count = scales or scales_for(*truth.shape[-2:])
    weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
    share = np.ones(truth.shape) if mask is None else mask.astype(np.float64)
    value = 1.0
    for scale, weight in enumerate(weights):
        if scale:
            prediction, truth, share = (halved(v) for v in (prediction, truth, share))
        whole, structure = _means(prediction, truth, share, data_range)
        value *= max(whole if scale == count - 1 else structure, 0.0) ** float(weight)
    return float(value)


def halved(images: FloatArray) -> FloatArray:
    """Average blocks of 2 x 2 pixels (..., y, x); an odd last row or column is dropped."""
    height, width = (length // 2 for length in images.shape[-2:])
    cut = images[..., : 2 * height, : 2 * width]
    blocks = cut.reshape(*images.shape[:-2], height, 2, width, 2)
    means: FloatArray = blocks.mean(axis=(-3, -1))
    return means


def _means(
    p: FloatArray, t: FloatArray, share: FloatArray, data_range: float
) -> tuple[float, float]:
    """Return the means of the whole SSIM and of its contrast and structure part."""
    inner = (..., slice(_RADIUS, -_RADIUS), slice(_RADIUS, -_RADIUS))
    if min(share[inner].shape[-2:]) < 1 or not share[inner].any():
        raise UndefinedMetricError("no pixel of the region is a whole window away from the edge")
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    mean_p, mean_t, pp, tt, pt = (_blurred(v)[inner] for v in (p, t, p * p, t * t, p * t))
    structure = (2 * (pt - mean_p * mean_t) + c2) / (pp - mean_p**2 + tt - mean_t**2 + c2)
    luminance = (2 * mean_p * mean_t + c1) / (mean_p**2 + mean_t**2 + c1)
    weight = share[inner]
    total = float(weight.sum())
    return float((luminance * structure * weight).sum()) / total, float(
        (structure * weight).sum()
    ) / total


def _blurred(images: npt.NDArray[np.float64]) -> FloatArray:
    return ndimage.gaussian_filter(images, SIGMA, radius=_RADIUS, axes=(-2, -1))

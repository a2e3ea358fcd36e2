"""Named, versioned sets of scores, so that a number says how it was made.

A score without its window, range and region means little: on one pair of images two usual
settings of SSIM differ by 0.07. Once published, a preset does not change; a new idea is a new
version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthesis.data.layout import bounding_box, grown
from synthesis.metrics import multiscale, paired, quantitative
from synthesis.metrics.paired import (
    FloatArray,
    Mask,
    TwelveBitScores,
    UndefinedMetricError,
    Window,
)

CALABRESE_CUBE = 9
BRASYN_WINDOW = Window(11, 1.5)
BRASYN_PERCENTILES = (0.5, 99.5)
WANG_GAUSSIAN = Window(11, 1.5, in_plane=True)
WANG_SQUARE = Window(7, in_plane=True)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two volumes (z, y, x) and the voxels that count; what several scores need is made once."""

    prediction: FloatArray
    truth: FloatArray
    mask: Mask

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The smallest box that holds the mask."""
        return bounding_box(self.mask)

    @cached_property
    def p(self) -> FloatArray:
        """Voxels of the prediction in the mask."""
        return self.prediction[self.mask]

    @cached_property
    def t(self) -> FloatArray:
        """Voxels of the truth in the mask."""
        return self.truth[self.mask]

    @cached_property
    def data_range(self) -> float:
        """Range (max - min) of the truth in the mask."""
        return float(np.ptp(self.t))

    @cached_property
    def twelve_bit(self) -> TwelveBitScores:
        """Scores of the 12-bit voxels."""
        return paired.twelve_bit_scores(self.p, self.t)

    @cached_property
    def unit(self) -> Pair:
        """Both images with the truth's 0.5 and 99.5 percentiles at 0 and 1, clipped."""
        low, high = np.percentile(self.t, BRASYN_PERCENTILES)
        if low == high:
            raise UndefinedMetricError("the true image is constant between its percentiles")
        scaled = [np.clip((v - low) / (high - low), 0, 1) for v in (self.prediction, self.truth)]
        return Pair(scaled[0], scaled[1], self.mask)


PairedMetric = Callable[[Pair], float]


@dataclass(frozen=True)
class MetricPreset:
    """A set of scores with a name, a version and a sentence on what was fixed."""

    name: str
    version: int
    summary: str
    metrics: Mapping[str, PairedMetric]

    @property
    def label(self) -> str:
        """Name and version, for example ``"brasyn/1"``: what belongs beside every number."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class Comparison:
    """Scores of one pair of images.

    Attributes
    ----------
    preset : str
        Name and version of the preset.
    values : dict of str to float
        By metric; NaN where undefined, infinite for the PSNR of equal images.
    reasons : dict of str to str
        Why a value is NaN.
    voxels : int
        Voxels of the region compared.
    """

    preset: str
    values: dict[str, float]
    reasons: dict[str, str]
    voxels: int


def _plain_psnr(pair: Pair) -> float:
    return paired.psnr(pair.p, pair.t, data_range=pair.data_range)


def _map_mean(pair: Pair, window: Window, data_range: float, *, sample: bool) -> float:
    """Mean of the SSIM map over the masked voxels whose window lies inside the volume."""
    counted = pair.mask & paired.interior(pair.mask.shape, window.radii)
    if not counted.any():
        raise UndefinedMetricError("no voxel of the mask is a whole window away from the edge")
    box = grown(bounding_box(counted), window.radius)  # all that those windows see
    values = paired.ssim_map(
        pair.prediction[box],
        pair.truth[box],
        window=window,
        data_range=data_range,
        sample_covariance=sample,
    )
    return float(values[counted[box]].mean())


def _brasyn_ssim(pair: Pair) -> float:
    return _map_mean(pair.unit, BRASYN_WINDOW, 1.0, sample=False)


def _calabrese_ssim(pair: Pair) -> float:
    p, t = pair.prediction[pair.box], pair.truth[pair.box]
    return paired.cube_ssim(p, t, size=CALABRESE_CUBE, data_range=float(np.ptp(t)))


def _calabrese_cc(pair: Pair) -> float:
    return paired.local_correlation(
        pair.prediction[pair.box], pair.truth[pair.box], pair.mask[pair.box], radius=5
    )


def _wang_gaussian(pair: Pair) -> float:
    return 100 * _map_mean(pair, WANG_GAUSSIAN, pair.data_range, sample=False)


def _wang_square(pair: Pair) -> float:
    return 100 * _map_mean(pair, WANG_SQUARE, pair.data_range, sample=True)


def _multiscale(pair: Pair) -> float:
    depth = pair.box[0]
    return multiscale.ms_ssim(
        pair.prediction[depth], pair.truth[depth], pair.mask[depth], data_range=pair.data_range
    )


PRESETS: dict[str, MetricPreset] = {
    preset.name: preset
    for preset in (
        MetricPreset(
            "plain",
            1,
            "Errors in units of the images inside the mask; R of psnr and nrmse is the range "
            "(max - min) of the truth inside the mask.",
            {
                "mae": lambda pair: paired.mae(pair.p, pair.t),
                "rmse": lambda pair: paired.rmse(pair.p, pair.t),
                "psnr": _plain_psnr,
                "nrmse": lambda pair: paired.nrmse(pair.p, pair.t),
            },
        ),
        MetricPreset(
            "brasyn",
            1,
            "Both images scaled so that the truth's 0.5 and 99.5 percentiles inside the mask are "
            "0 and 1, clipped. SSIM: Gaussian window 11, sigma 1.5, R = 1, N-weighted, mean over "
            "the masked voxels whose window lies inside the volume. PSNR with R = 1.",
            {
                "ssim": _brasyn_ssim,
                "psnr": lambda pair: paired.psnr(pair.unit.p, pair.unit.t, data_range=1.0),
                "mae": lambda pair: paired.mae(pair.unit.p, pair.unit.t),
            },
        ),
        MetricPreset(
            "calabrese2021",
            1,
            "Calabrese 2021 on the mask's bounding box. cc: cube of 11, masked voxels. mi: 64 "
            "bins, bits, smoothing variance 1. ssim: uniform cube of 9 over the whole box, R = "
            "range of the truth in the box. smape, logac, medsymac on 12-bit images.",
            {
                "cc": _calabrese_cc,
                "mi": lambda pair: paired.mutual_information(pair.p, pair.t, bins=64, variance=1.0),
                "ssim": _calabrese_ssim,
                "nrmse": lambda pair: paired.nrmse(pair.p, pair.t),
                "smape": lambda pair: pair.twelve_bit.smape,
                "logac": lambda pair: pair.twelve_bit.logac,
                "medsymac": lambda pair: pair.twelve_bit.medsymac,
            },
        ),
        MetricPreset(
            "wang2023",
            1,
            "SSIM of Wang 2023 in per cent, R = range of the truth inside the mask, mean of the "
            "map over the masked pixels. The paper names no window: ssim takes a Gaussian of 11, "
            "sigma 1.5, N-weighted, ssim_square a square of 7 with N - 1; both within slices.",
            {"ssim": _wang_gaussian, "ssim_square": _wang_square},
        ),
        MetricPreset(
            "msssim",
            1,
            "Multi-scale SSIM within slices: Gaussian window 11, sigma 1.5, R = range of the "
            "truth inside the mask, five scales above 160 pixels, four above 80, three above 40; "
            "weights of Wang 2003 divided by their sum.",
            {"msssim": _multiscale},
        ),
        MetricPreset(
            "quantitative",
            1,
            "Maps in a unit, such as CBV in mL/100 g, as they are: no z-scores, no percentiles. "
            "mae, rmse and bias (prediction less truth) in that unit inside the mask; "
            "relative_bias is the bias over the mean truth; ccc is Lin's concordance over voxels.",
            {
                "mae": lambda pair: paired.mae(pair.p, pair.t),
                "rmse": lambda pair: paired.rmse(pair.p, pair.t),
                "bias": lambda pair: quantitative.bias(pair.p, pair.t),
                "relative_bias": lambda pair: quantitative.relative_bias(pair.p, pair.t),
                "ccc": lambda pair: quantitative.concordance(pair.p, pair.t),
            },
        ),
    )
}


def find_preset(name: str) -> MetricPreset:
    """Return the preset called ``name``, for example ``"brasyn"`` or ``"brasyn/1"``.

    Raises
    ------
    ValueError
        If there is none; the message lists those there are.
    """
    for preset in PRESETS.values():
        if name in (preset.name, preset.label):
            return preset
    known = ", ".join(preset.label for preset in PRESETS.values())
    raise ValueError(f"Unknown metric preset {name!r}. Known presets: {known}.")


def compare(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    *,
    preset: str,
) -> dict[str, float]:
    """Score a predicted volume against the true one.

    Parameters
    ----------
    prediction, truth : array (z, y, x)
        On one grid and one intensity scale: z-score both first if they come from different ones,
        and leave maps with a unit as they are.
    mask : array (z, y, x), optional
        Voxels that count (non-zero); all of them without it.
    preset : str
        One of `PRESETS`, such as ``"brasyn"``, with or without ``"/version"``.

    Returns
    -------
    dict of str to float
        By metric; NaN where undefined (`compare_with_reasons` says why).

    Raises
    ------
    ValueError
        If shapes differ, values are not finite, the mask is empty or the preset is unknown.
    """
    return compare_with_reasons(prediction, truth, mask, preset=preset).values


def compare_with_reasons(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    *,
    preset: str,
) -> Comparison:
    """Score as `compare` does, and say why a score is undefined."""
    return compare_pair(checked_pair(prediction, truth, mask), find_preset(preset))


def compare_pair(pair: Pair, preset: MetricPreset) -> Comparison:
    """Score a checked pair; what the presets share is made once for all of them."""
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name, metric in preset.metrics.items():
        try:
            values[name] = metric(pair)
        except UndefinedMetricError as undefined:
            values[name], reasons[name] = math.nan, str(undefined)
    return Comparison(preset.label, values, reasons, int(pair.mask.sum()))


def checked_pair(
    prediction: npt.ArrayLike, truth: npt.ArrayLike, mask: npt.ArrayLike | None
) -> Pair:
    """Return volumes that can be compared.

    Raises
    ------
    ValueError
        If shapes differ, values are not finite or the mask is empty.
    """
    p, t = (np.asarray(values, dtype=np.float64) for values in (prediction, truth))
    inside = np.ones(t.shape, dtype=bool) if mask is None else np.asarray(mask) != 0
    if t.ndim != 3 or not p.shape == t.shape == inside.shape:
        raise ValueError(
            "prediction, truth and mask must be volumes (z, y, x) of one shape, got "
            f"{p.shape}, {t.shape} and {inside.shape}"
        )
    if not (np.isfinite(p).all() and np.isfinite(t).all()):
        raise ValueError("prediction and truth must be finite; they hold NaN or infinite values")
    if not inside.any():
        raise ValueError("the mask is empty: there is nothing to compare")
    return Pair(p, t, inside)

"""Named, versioned sets of scores, so that a number says how it was made.

A score without its window, range and region means little: on one pair of images two usual
settings of SSIM differ by 0.07. Once published, a preset does not change; a new idea is a new
version.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from synthesis.data.layout import bounding_box, grown
from synthesis.metrics import paired
from synthesis.metrics.paired import FloatArray, Mask, PairedMetric, UndefinedMetricError, Window

CALABRESE_WINDOW = Window(9)
BRASYN_WINDOW = Window(11, 1.5)
BRASYN_PERCENTILES = (0.5, 99.5)


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


def _range_inside(truth: FloatArray, mask: Mask) -> float:
    return float(np.ptp(truth[mask]))


def _plain_psnr(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    return paired.psnr(prediction, truth, mask, data_range=_range_inside(truth, mask))


def _percentile_scaled(
    prediction: FloatArray, truth: FloatArray, mask: Mask
) -> tuple[FloatArray, FloatArray]:
    """Map the truth's 0.5 and 99.5 percentile inside the mask to 0 and 1, clip both images."""
    low, high = np.percentile(truth[mask], BRASYN_PERCENTILES)
    if low == high:
        raise UndefinedMetricError("the true image is constant between its percentiles")
    return np.clip((prediction - low) / (high - low), 0, 1), np.clip(
        (truth - low) / (high - low), 0, 1
    )


def _brasyn_ssim(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    p, t = _percentile_scaled(prediction, truth, mask)
    counted = mask & paired.interior(mask.shape, BRASYN_WINDOW.radius)
    if not counted.any():
        raise UndefinedMetricError("no voxel of the mask is a whole window away from the edge")
    box = grown(bounding_box(counted), BRASYN_WINDOW.radius)  # all that those windows see
    values = paired.ssim_map(
        p[box], t[box], window=BRASYN_WINDOW, data_range=1.0, sample_covariance=False
    )
    return float(values[counted[box]].mean())


def _brasyn_psnr(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    return paired.psnr(*_percentile_scaled(prediction, truth, mask), mask, data_range=1.0)


def _brasyn_mae(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    return paired.mae(*_percentile_scaled(prediction, truth, mask), mask)


def _calabrese_ssim(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    p, t, _ = paired.cropped(prediction, truth, mask)
    values = paired.ssim_map(
        p, t, window=CALABRESE_WINDOW, data_range=float(np.ptp(t)), sample_covariance=True
    )
    return float(values[paired.interior(t.shape, CALABRESE_WINDOW.radius)].mean())


def _calabrese_cc(prediction: FloatArray, truth: FloatArray, mask: Mask) -> float:
    return paired.local_correlation(*paired.cropped(prediction, truth, mask), radius=5)


PRESETS: dict[str, MetricPreset] = {
    preset.name: preset
    for preset in (
        MetricPreset(
            "plain",
            1,
            "Errors in units of the images inside the mask; R of psnr and nrmse is the range "
            "(max - min) of the truth inside the mask.",
            {"mae": paired.mae, "rmse": paired.rmse, "psnr": _plain_psnr, "nrmse": paired.nrmse},
        ),
        MetricPreset(
            "brasyn",
            1,
            "Both images scaled so that the truth's 0.5 and 99.5 percentiles inside the mask are "
            "0 and 1, clipped. SSIM: Gaussian window 11, sigma 1.5, R = 1, N-weighted, mean over "
            "the masked voxels whose window lies inside the volume. PSNR with R = 1.",
            {"ssim": _brasyn_ssim, "psnr": _brasyn_psnr, "mae": _brasyn_mae},
        ),
        MetricPreset(
            "calabrese2021",
            1,
            "Calabrese 2021 on the mask's bounding box. cc: cube of 11, masked voxels. mi: 64 "
            "bins, bits, smoothing variance 1. ssim: uniform cube of 9 over the whole box, R = "
            "range of the truth in the box. smape, logac, medsymac on 12-bit images.",
            {
                "cc": _calabrese_cc,
                "mi": partial(paired.mutual_information, bins=64, variance=1.0),
                "ssim": _calabrese_ssim,
                "nrmse": paired.nrmse,
                "smape": paired.smape,
                "logac": paired.log_accuracy,
                "medsymac": paired.median_symmetric_accuracy,
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
        On one grid and one intensity scale: z-score both first if they come from different ones.
    mask : array (z, y, x), optional
        Voxels that count (non-zero); all of them without it.
    preset : str
        ``"plain"``, ``"brasyn"`` or ``"calabrese2021"``, with or without ``"/version"``.

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
    chosen = find_preset(preset)
    p, t, inside = _checked(prediction, truth, mask)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name, metric in chosen.metrics.items():
        try:
            values[name] = metric(p, t, inside)
        except UndefinedMetricError as undefined:
            values[name], reasons[name] = math.nan, str(undefined)
    return Comparison(chosen.label, values, reasons, int(inside.sum()))


def _checked(
    prediction: npt.ArrayLike, truth: npt.ArrayLike, mask: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, Mask]:
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
    return p, t, inside

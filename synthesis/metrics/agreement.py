"""Agreement of a quantity read from synthetic and from acquired images: CBV, volumes, times.

Bland JM, Altman DG 1986, Lancet 1:307 and 1999, Stat Methods Med Res 8:135. Lin LI 1989,
Biometrics 45:255 with the correction of 2000 (56:324).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from synthesis.metrics.paired import UndefinedMetricError
from synthesis.metrics.resampling import Indices, Interval, patient_bootstrap

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """Bland-Altman limits and concordance of n pairs.

    Attributes
    ----------
    n : int
    bias, bias_low, bias_high : float
        Mean of synthetic less acquired with its t interval.
    sd : float
        Of the differences, n - 1.
    lower, upper : float
        Limits of agreement, bias -+ z sd.
    lower_low, lower_high, upper_low, upper_high : float
        Their approximate t intervals: standard error ``sd sqrt(1/n + z^2 / (2 (n - 1)))``.
    ccc, ccc_low, ccc_high : float
        Lin's concordance with the interval by Fisher's z; NaN where a side does not vary.
    level : float
    """

    n: int
    bias: float
    bias_low: float
    bias_high: float
    sd: float
    lower: float
    upper: float
    lower_low: float
    lower_high: float
    upper_low: float
    upper_high: float
    ccc: float
    ccc_low: float
    ccc_high: float
    level: float = 0.95


def bland_altman(
    synthetic: npt.ArrayLike, acquired: npt.ArrayLike, *, level: float = 0.95
) -> Agreement:
    """Compare paired readings, one pair per patient.

    Parameters
    ----------
    synthetic, acquired : array_like (n,)
        At least three finite pairs; with several pairs of a patient use `patient_limits`.
    level : float

    Raises
    ------
    UndefinedMetricError
        With fewer pairs.
    """
    a, b = np.asarray(synthetic, dtype=np.float64), np.asarray(acquired, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"give two vectors of one length, got {a.shape} and {b.shape}")
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    n = a.size
    if n < 3:
        raise UndefinedMetricError(f"{n} pairs are too few for limits of agreement: give three")
    difference = a - b
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    z, t = float(stats.norm.ppf(0.5 + level / 2)), float(stats.t.ppf(0.5 + level / 2, n - 1))
    half = t * sd / math.sqrt(n)
    lower, upper = bias - z * sd, bias + z * sd
    wide = t * sd * math.sqrt(1 / n + z * z / (2 * (n - 1)))
    return Agreement(
        n, bias, bias - half, bias + half, sd, lower, upper,
        lower - wide, lower + wide, upper - wide, upper + wide,
        *concordance(a, b, level=level), level,
    )  # fmt: skip


def concordance(a: FloatArray, b: FloatArray, *, level: float = 0.95) -> tuple[float, float, float]:
    """Lin's concordance correlation with its interval, moments divided by n.

    ``2 s_ab / (s_aa + s_bb + (m_a - m_b)^2)``; the interval is that of Fisher's z with the
    variance of Lin 1989. NaN where a side does not vary; limits NaN for perfect concordance.
    """
    n, shift = a.size, float(a.mean() - b.mean())
    s_aa, s_bb = float(a.var()), float(b.var())
    if s_aa == 0 or s_bb == 0:
        return math.nan, math.nan, math.nan
    s_ab = float(((a - a.mean()) * (b - b.mean())).mean())
    ccc, r = 2 * s_ab / (s_aa + s_bb + shift**2), s_ab / math.sqrt(s_aa * s_bb)
    if n < 4 or r == 0 or 1 - abs(ccc) < 1e-12 or 1 - abs(r) < 1e-12:
        return ccc, math.nan, math.nan
    u2 = shift**2 / math.sqrt(s_aa * s_bb)
    c2 = ccc**2
    variance = (
        (1 - r**2) * c2 / ((1 - c2) * r**2)
        + 2 * ccc**3 * (1 - ccc) * u2 / (r * (1 - c2) ** 2)
        - ccc**4 * u2**2 / (2 * r**2 * (1 - c2) ** 2)
    ) / (n - 2)
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt(max(variance, 0.0))
    return ccc, math.tanh(math.atanh(ccc) - half), math.tanh(math.atanh(ccc) + half)


@dataclass(frozen=True)
class ClusteredLimits:
    """Bias and limits of agreement with intervals over resampled patients."""

    bias: Interval
    lower: Interval
    upper: Interval


def patient_limits(
    synthetic: npt.ArrayLike, acquired: npt.ArrayLike, patients: Sequence[str], *, seed: int = 0
) -> ClusteredLimits:
    """Compare paired readings of which a patient may have several (`patient_bootstrap`)."""
    difference = np.asarray(synthetic, dtype=np.float64) - np.asarray(acquired, dtype=np.float64)

    def limit(sign: float) -> Interval:
        def statistic(rows: Indices) -> float:
            sd = float(difference[rows].std(ddof=1)) if sign else 0.0
            return float(difference[rows].mean()) + sign * 1.959963984540054 * sd

        return patient_bootstrap(statistic, patients, seed=seed)

    return ClusteredLimits(limit(0.0), limit(-1.0), limit(1.0))


def mean_inside(values: npt.NDArray[np.generic], mask: Mask) -> float:
    """Mean of a map, such as CBV, in a region; NaN where the region is empty.

    Parameters
    ----------
    values : ndarray (z, y, x)
        In its unit, for example mL/100 g.
    mask : bool ndarray (z, y, x)
    """
    inside = np.asarray(values)[mask]
    return float(inside.mean(dtype=np.float64)) if inside.size else math.nan

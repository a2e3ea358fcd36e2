"""Agreement of two measurements: Bland-Altman limits and Lin's concordance correlation.

References
----------
Bland & Altman, Lancet 1986;i:307, and Stat Methods Med Res 1999;8:135. Lin, Biometrics 1989;45:255
and 2000;56:324 (correction).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement_ratings import dot
from readerstudy.stats.quantiles import clip, normal_quantile, t_p, t_quantile
from readerstudy.stats.results import Estimate, Result, undefined
from readerstudy.stats.validation import (
    FloatArray,
    as_vector,
    check_finite,
    check_level,
    column,
    missing_rows,
    refuse_repeats,
    same_length,
)


@dataclass(frozen=True, kw_only=True)
class BlandAltman(Result):
    """Bias and limits of agreement of two measurements.

    Attributes
    ----------
    bias, low, high, level : float
        Mean of ``a - b`` with its t interval.
    sd : float
        Standard deviation of the differences.
    lower_limit, upper_limit : float
        ``bias ± 1.96 sd`` at a coverage of 0.95.
    lower_limit_low, lower_limit_high, upper_limit_low, upper_limit_high : float
        Intervals of the limits (Bland & Altman 1999).
    slope, slope_pvalue : float
        Slope of the differences on the means and its p: a trend makes constant limits wrong.
    """

    bias: float
    low: float
    high: float
    level: float
    sd: float
    lower_limit: float
    upper_limit: float
    lower_limit_low: float
    lower_limit_high: float
    upper_limit_low: float
    upper_limit_high: float
    slope: float
    slope_pvalue: float

    def summary(self) -> str:
        """Return bias and limits of agreement."""
        if math.isnan(self.bias):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"bias {self.bias:.6g} ({100 * self.level:g} % interval {self.low:.6g} to "
            f"{self.high:.6g}), limits of agreement {self.lower_limit:.6g} to "
            f"{self.upper_limit:.6g}, n = {self.n}, {self.method}"
        )


def bland_altman(
    a: npt.ArrayLike | str,
    b: npt.ArrayLike | str,
    *,
    level: float = 0.95,
    coverage: float = 0.95,
    missing: str = "raise",
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
    data: Any = None,
) -> BlandAltman:
    """Compute bias and limits of agreement of two measurements of the same cases.

    Parameters
    ----------
    a, b : array_like, shape (n,), or column names
        Paired measurements in one unit.
    level : float
        Confidence level of the intervals.
    coverage : float
        Share of differences the limits should hold.
    missing : {"raise", "omit"}
        Refuse NaN, or drop pairs that have one.
    case_ids : sequence, optional
        The case of each pair; repeated cases are refused, since they make the limits too narrow.
    assume_independent : bool
        Accept repeated cases all the same.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    BlandAltman
        NaN with a reason for no pair; limits NaN with a reason for one.

    Raises
    ------
    ValueError
        For different lengths, NaN, or repeated cases.

    References
    ----------
    Bland JM, Altman DG. Lancet 1986;i:307-310.

    Examples
    --------
    >>> wright = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423,
    ...           427]
    >>> mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350,
    ...         451]
    >>> r = bland_altman(wright, mini)  # Bland & Altman 1986
    >>> round(r.bias, 1), round(r.sd, 1)
    (-2.1, 38.8)
    """
    first, second, dropped = _pairs(column(data, a), column(data, b), missing)
    refuse_repeats(
        case_ids,
        len(first) + dropped,
        assume_independent=assume_independent,
        instead="one value per case",
    )
    check_level(level)
    if not 0.0 < coverage < 1.0:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage}")
    method = (
        f"Bland-Altman limits of agreement (1986), {100 * coverage:g} % normal limits, intervals "
        "of the limits after Bland & Altman 1999"
    )
    common: dict[str, Any] = {
        "method": method,
        "n": len(first),
        "n_dropped": dropped,
        "level": level,
    }
    if len(first) < 2:
        return _no_limits(first - second, common)
    return _limits_of_agreement(first, second, normal_quantile(coverage), common)


def _pairs(a: Any, b: Any, missing: str) -> tuple[FloatArray, FloatArray, int]:
    first, second = (check_finite(as_vector(v, n), n) for v, n in ((a, "a"), (b, "b")))
    same_length(a=first, b=second)
    lost = missing_rows(missing, a=first, b=second)
    return first[~lost], second[~lost], int(lost.sum())


def _no_limits(difference: FloatArray, common: dict[str, Any]) -> BlandAltman:
    blank = undefined(
        "bias low high sd lower_limit upper_limit lower_limit_low lower_limit_high "
        "upper_limit_low upper_limit_high slope slope_pvalue"
    )
    if difference.size:
        blank["bias"] = float(difference[0])
    reason = "limits of agreement need at least 2 pairs"
    return BlandAltman(reason=reason, **blank, **common)


def _limits_of_agreement(
    a: FloatArray, b: FloatArray, z: float, common: dict[str, Any]
) -> BlandAltman:
    difference, n = a - b, len(a)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = t_quantile(common["level"], n - 1)
    half = t * sd / math.sqrt(n)
    reach = t * sd * math.sqrt(1.0 / n + z * z / (2.0 * (n - 1)))
    lower, upper = bias - z * sd, bias + z * sd
    slope, slope_pvalue = _slope(difference, (a + b) / 2.0)
    reason = None
    if math.isnan(slope_pvalue):
        reason = "the trend is undefined: too few pairs, or the means or residuals do not vary"
    return BlandAltman(
        bias=bias,
        low=bias - half,
        high=bias + half,
        sd=sd,
        lower_limit=lower,
        upper_limit=upper,
        lower_limit_low=lower - reach,
        lower_limit_high=lower + reach,
        upper_limit_low=upper - reach,
        upper_limit_high=upper + reach,
        slope=slope,
        slope_pvalue=slope_pvalue,
        reason=reason,
        warnings=_trend_warning(slope_pvalue),
        **common,
    )


def _slope(y: FloatArray, x: FloatArray) -> tuple[float, float]:
    centred = x - x.mean()
    spread = dot(centred, centred)
    if len(x) < 3 or spread == 0.0:
        return math.nan, math.nan
    slope = dot(centred, y) / spread
    residual = y - y.mean() - slope * centred
    se = math.sqrt(dot(residual, residual) / (len(x) - 2) / spread)
    return slope, t_p(slope / se, len(x) - 2) if se > 0.0 else math.nan


def _trend_warning(pvalue: float) -> tuple[str, ...]:
    if not pvalue < 0.05:
        return ()
    return ("the difference changes with the size measured: constant limits do not hold",)


@dataclass(frozen=True, kw_only=True)
class Concordance(Estimate):
    """Lin's concordance correlation coefficient.

    Attributes
    ----------
    pearson : float
        Pearson's correlation: how close the points are to a line.
    bias_correction : float
        ``value / pearson``: how close that line is to identity.
    location_shift, scale_shift : float
        Difference of the means in units of the geometric mean of the standard deviations, and
        ratio of the standard deviations (first over second).
    """

    pearson: float
    bias_correction: float
    location_shift: float
    scale_shift: float


def concordance_correlation(
    a: npt.ArrayLike | str,
    b: npt.ArrayLike | str,
    *,
    level: float = 0.95,
    missing: str = "raise",
    data: Any = None,
) -> Concordance:
    """Compute Lin's concordance correlation: agreement with the line of identity.

    Parameters
    ----------
    a, b : array_like, shape (n,), or column names
        Paired measurements in one unit.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        Refuse NaN, or drop pairs that have one.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    Concordance
        Moments have n below, as in Lin 1989. NaN with a reason if neither measurement varies;
        exactly 0 if one does not.

    Raises
    ------
    ValueError
        For different lengths or NaN.

    References
    ----------
    Lin LI-K. Biometrics 1989;45:255-268; correction 2000;56:324-325.

    Examples
    --------
    >>> round(concordance_correlation([1, 2, 3, 4], [2, 3, 4, 5]).value, 4)
    0.7143
    """
    first, second, dropped = _pairs(column(data, a), column(data, b), missing)
    common: dict[str, Any] = {
        "method": (
            "concordance correlation (Lin 1989, moments over n), Fisher z interval with Lin's "
            "variance (corrected 2000)"
        ),
        "n": len(first),
        "n_dropped": dropped,
        "level": check_level(level),
    }
    constant = [len(v) == 0 or bool(np.all(v == v[0])) for v in (first, second)]
    if len(first) < 2 or all(constant):
        reason = "fewer than 2 pairs" if len(first) < 2 else "neither measurement varies"
        blank = undefined("value pearson bias_correction location_shift scale_shift")
        return Concordance(reason=reason, **blank, **common)
    if any(constant):
        blank = undefined("pearson bias_correction location_shift scale_shift")
        reason = "the correlation and the interval are undefined: one measurement does not vary"
        return Concordance(value=0.0, reason=reason, **blank, **common)
    return _concordance(first, second, common)


def _concordance(a: FloatArray, b: FloatArray, common: dict[str, Any]) -> Concordance:
    sa, sb, gap = float(a.std()), float(b.std()), float(a.mean() - b.mean())
    covariance = float(((a - a.mean()) * (b - b.mean())).mean())
    value = 2.0 * covariance / (sa**2 + sb**2 + gap**2)
    r, shift = covariance / (sa * sb), gap / math.sqrt(sa * sb)
    low, high, reason = _lin_limits(value, r, shift, common["n"], common["level"])
    return Concordance(
        value=value,
        low=low,
        high=high,
        pearson=r,
        bias_correction=2.0 / (sa / sb + sb / sa + shift**2),
        location_shift=shift,
        scale_shift=sa / sb,
        reason=reason,
        **common,
    )


def _lin_limits(
    value: float, r: float, shift: float, n: int, level: float
) -> tuple[float, float, str | None]:
    if n < 3 or abs(value) >= 1.0 - 1e-12 or abs(r) < 1e-12:
        return math.nan, math.nan, "the interval is undefined: n below 3, r = 0, or value ±1"
    square, ratio = value**2, value / r
    variance = (
        (1.0 - r**2) * ratio**2 / (1.0 - square)
        + 2.0 * square * (1.0 - value) * shift**2 * ratio / (1.0 - square) ** 2
        - square * shift**4 * ratio**2 / (2.0 * (1.0 - square) ** 2)
    ) / (n - 2)
    half = normal_quantile(level) * math.sqrt(max(variance, 0.0))
    centre = math.atanh(value)
    return math.tanh(centre - half), clip(math.tanh(centre + half), -1.0, 1.0), None

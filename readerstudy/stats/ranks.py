"""Location tests, the normality test, and adjustment for many tests.

References
----------
Mann & Whitney, Ann Math Stat 1947;18:50. Shapiro & Wilk, Biometrika 1965;52:591 (Royston 1995).
Student 1908. Holm, Scand J Stat 1979;6:65. Benjamini & Hochberg, J R Stat Soc B 1995;57:289.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy.stats.quantiles import normal_p, t_p, t_quantile
from readerstudy.stats.results import Result, undefined
from readerstudy.stats.validation import (
    FloatArray,
    as_vector,
    check_choice,
    check_finite,
    check_level,
    column,
    missing_rows,
    refuse_overlap,
    refuse_repeats,
    same_length,
    split_case_ids,
)

_MOST_STEPS = 2e9
"""Additions that the enumeration of tied samples may take, some seconds."""


@dataclass(frozen=True, kw_only=True)
class MannWhitney(Result):
    """The Mann-Whitney test.

    Attributes
    ----------
    statistic : float
        U of ``x``: pairs in which x is larger, ties counting one half.
    pvalue : float
        Two-sided.
    auc : float
        ``U / (n_x n_y)``, the probability that x is larger.
    n_x, n_y : int
        Sizes of the samples.
    """

    statistic: float
    pvalue: float
    auc: float
    n_x: int
    n_y: int

    def summary(self) -> str:
        """Return U, its share of all pairs, and p."""
        if math.isnan(self.statistic):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"U = {self.statistic:g}, AUC {self.auc:.4g}, p = {self.pvalue:.3g}, "
            f"n = {self.n_x} + {self.n_y}, {self.method}"
        )


def mann_whitney(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    method: str = "exact",
    continuity: bool = True,
    missing: str = "raise",
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> MannWhitney:
    """Test whether one of two independent samples tends to larger values.

    Parameters
    ----------
    x, y : array_like, shape (n_x,) and (n_y,)
        The samples.
    method : {"exact", "asymptotic"}
        ``"exact"`` enumerates all splits of the observed values, ties included: two-sided p is the
        share of splits whose U is at least as far from its mean. ``"asymptotic"`` uses the normal
        distribution with the variance corrected for ties.
    continuity : bool
        Continuity correction of one half, asymptotic only.
    missing : {"raise", "omit"}
        Refuse NaN, or drop it.
    case_ids : pair of sequences, optional
        The cases of each sample (or one sequence, x first); cases in both are refused.
    assume_independent : bool
        Accept shared cases all the same.

    Returns
    -------
    MannWhitney
        NaN with a reason if a sample is empty; p NaN with a reason if all values are equal.

    Raises
    ------
    ValueError
        For NaN, shared or repeated cases, or samples too large to enumerate.

    Examples
    --------
    >>> x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    >>> y = [1.15, 0.88, 0.90, 0.74, 1.21]  # Hollander & Wolfe, permeability
    >>> r = mann_whitney(x, y)
    >>> r.statistic, round(r.pvalue, 4)
    (35.0, 0.2544)
    """
    check_choice(method, "method", ("exact", "asymptotic"))
    first, second = as_vector(x, "x"), as_vector(y, "y")
    ids = split_case_ids(case_ids, len(first), len(second))
    _refuse_shared(ids, (len(first), len(second)), assume_independent)
    lost = missing_rows(missing, x=first), missing_rows(missing, y=second)
    first, second = first[~lost[0]], second[~lost[1]]
    n_x, n_y = len(first), len(second)
    common: dict[str, Any] = {
        "method": _mann_whitney_words(method, continuity),
        "n": n_x + n_y,
        "n_dropped": int(lost[0].sum() + lost[1].sum()),
        "n_x": n_x,
        "n_y": n_y,
    }
    if n_x == 0 or n_y == 0:
        return MannWhitney(
            **undefined("statistic pvalue auc"), reason="a sample is empty", **common
        )
    ranks, ties = _midranks(np.concatenate([first, second]))
    u = float(ranks[:n_x].sum()) - n_x * (n_x + 1) / 2.0
    pvalue, reason = math.nan, "p is undefined: all values are equal"
    if len(ties) > 1:
        reason = ""
        if method == "exact":
            pvalue = _exact_p(first, second, u, ties)
        else:
            pvalue = _normal_p(u, n_x, n_y, ties, continuity)
    return MannWhitney(
        statistic=u, pvalue=pvalue, auc=u / (n_x * n_y), reason=reason or None, **common
    )


def _refuse_shared(ids: tuple[Any, Any], sizes: tuple[int, int], assume_independent: bool) -> None:
    instead = "paired_t on the pairs, or delong_test for scores"
    refuse_overlap(*ids, assume_independent=assume_independent, instead=instead)
    for one, size in zip(ids, sizes, strict=True):
        refuse_repeats(
            one, size, assume_independent=assume_independent, instead="one value per case"
        )


def _mann_whitney_words(method: str, continuity: bool) -> str:
    if method == "exact":
        return "Mann-Whitney test (1947), exact permutation distribution given the ties, two-sided"
    correction = "with" if continuity else "without"
    return (
        "Mann-Whitney test (1947), normal approximation corrected for ties, "
        f"{correction} continuity correction, two-sided"
    )


def _midranks(values: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return the midrank of each value, and the sizes of the groups of equal values in order."""
    _, index, sizes = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - (sizes - 1) / 2.0
    return middle[index], sizes.astype(np.int64)


def _normal_p(u: float, n_x: int, n_y: int, ties: npt.NDArray[np.int64], continuity: bool) -> float:
    n = n_x + n_y
    correction = float((ties.astype(float) ** 3 - ties).sum()) / (n * (n - 1.0))
    sd = math.sqrt(n_x * n_y / 12.0 * (n + 1.0 - correction))
    distance = abs(u - n_x * n_y / 2.0) - (0.5 if continuity else 0.0)
    return normal_p(max(distance, 0.0) / sd)


def _exact_p(x: FloatArray, y: FloatArray, u: float, ties: npt.NDArray[np.int64]) -> float:
    """Return the share of splits with U at least as far from its mean."""
    if (ties > 1).any():
        return _tied_p(u, len(x), len(y), ties)
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(x, y, method="exact").pvalue)


def _tied_p(u: float, n_x: int, n_y: int, ties: npt.NDArray[np.int64]) -> float:
    taken, n = min(n_x, n_y), n_x + n_y
    doubled = 2 * np.cumsum(ties) - ties + 1
    top = taken * int(doubled[-1])
    if float(top) * taken * n > _MOST_STEPS:
        raise ValueError(
            f"samples of {n_x} and {n_y} with ties are too large to enumerate: pass "
            'method="asymptotic"'
        )
    ways = _ways(ties, doubled, taken, top)
    distance = np.abs(np.arange(top + 1) / 2.0 - taken * (n + 1) / 2.0)
    seen = abs(u - n_x * n_y / 2.0)
    return min(1.0, float(ways[distance >= seen - 1e-9].sum() / ways.sum()))


def _ways(
    ties: npt.NDArray[np.int64], doubled: npt.NDArray[np.int64], taken: int, top: int
) -> FloatArray:
    """Return, up to a factor, in how many ways ``taken`` values have each sum of doubled ranks.

    One group of tied values is added after another.
    """
    ways = np.zeros((taken + 1, top + 1))
    ways[0, 0] = 1.0
    for size, rank in zip(ties.tolist(), doubled.tolist(), strict=True):
        reach = taken * rank + 1
        before = ways[:, :reach].copy()
        for extra in range(1, min(size, taken) + 1):
            shift = extra * rank
            added = before[:-extra, : reach - shift] * special.comb(size, extra)
            ways[extra:, shift:reach] += added
        ways /= ways.max()
    return np.asarray(ways[taken])


@dataclass(frozen=True, kw_only=True)
class ShapiroWilk(Result):
    """The Shapiro-Wilk test of normality.

    Attributes
    ----------
    w, pvalue : float
        W and its p.
    """

    w: float
    pvalue: float

    def summary(self) -> str:
        """Return W and p, or the reason they are undefined."""
        if math.isnan(self.w):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return f"W = {self.w:.6g}, p = {self.pvalue:.3g}, n = {self.n}, {self.method}"


def shapiro_wilk(x: npt.ArrayLike, *, missing: str = "raise") -> ShapiroWilk:
    """Test normality.

    Choosing the next test by this p has the wrong size; name the test in the protocol.

    Parameters
    ----------
    x : array_like, shape (n,)
        Values; p is calibrated for n up to 5000.
    missing : {"raise", "omit"}
        Refuse NaN, or drop it.

    Returns
    -------
    ShapiroWilk
        NaN with a reason for fewer than 3 values or equal values.

    Raises
    ------
    ValueError
        For NaN or another shape.

    Examples
    --------
    >>> round(shapiro_wilk([148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236]).w, 4)
    0.7888
    """
    from scipy.stats import shapiro

    values = check_finite(as_vector(x, "x"), "x")
    lost = missing_rows(missing, x=values)
    values = values[~lost]
    common: dict[str, Any] = {
        "method": "Shapiro-Wilk test (1965), Royston's approximation (1995)",
        "n": len(values),
        "n_dropped": int(lost.sum()),
    }
    if len(values) < 3 or np.ptp(values) == 0.0:
        reason = "fewer than 3 values" if len(values) < 3 else "all values are equal"
        return ShapiroWilk(**undefined("w pvalue"), reason=reason, **common)
    if len(values) > 5000:
        common["warnings"] = ("p is calibrated for at most 5000 values",)
    w, pvalue = _quietly(shapiro, values)
    return ShapiroWilk(w=w, pvalue=pvalue, **common)


def _quietly(test: Any, values: FloatArray) -> tuple[float, float]:
    """Run scipy's test without its own warning about n above 5000, which the result carries."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*N > 5000.*")
        found = test(values)
    return float(found.statistic), float(found.pvalue)


@dataclass(frozen=True, kw_only=True)
class PairedT(Result):
    """The paired t test.

    Attributes
    ----------
    t, df, pvalue : float
        Statistic, degrees of freedom, two-sided p.
    difference, low, high, level : float
        Mean of ``a - b`` and its t interval.
    sd : float
        Standard deviation of the differences.
    """

    t: float
    df: int
    pvalue: float
    difference: float
    low: float
    high: float
    level: float
    sd: float

    def summary(self) -> str:
        """Return the mean difference with its interval and p."""
        if math.isnan(self.t):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"difference {self.difference:.6g} ({100 * self.level:g} % interval {self.low:.6g} to "
            f"{self.high:.6g}), t = {self.t:.4g}, p = {self.pvalue:.3g}, n = {self.n} pairs, "
            f"{self.method}"
        )


def paired_t(
    a: npt.ArrayLike | str,
    b: npt.ArrayLike | str,
    *,
    level: float = 0.95,
    missing: str = "raise",
    data: Any = None,
) -> PairedT:
    """Compare two measurements of the same cases by Student's paired t test.

    Parameters
    ----------
    a, b : array_like, shape (n,), or column names
        Paired measurements.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        Refuse NaN, or drop pairs that have one.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    PairedT
        t and p are NaN with a reason if the differences do not vary or there is one pair.

    Raises
    ------
    ValueError
        For different lengths or NaN.

    Examples
    --------
    >>> first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    >>> second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]  # Student's sleep data
    >>> round(paired_t(first, second).t, 4)
    -4.0621
    """
    first = check_finite(as_vector(column(data, a), "a"), "a")
    second = check_finite(as_vector(column(data, b), "b"), "b")
    same_length(a=first, b=second)
    lost = missing_rows(missing, a=first, b=second)
    difference = (first - second)[~lost]
    scale = max(float(np.abs(first[~lost]).max(initial=0.0)), 1e-300)
    n, nan = len(difference), math.nan
    mean = float(difference.mean()) if n else nan
    sd = float(difference.std(ddof=1)) if n > 1 else nan
    if sd <= 1e-14 * scale:
        sd = 0.0
    se = sd / math.sqrt(n) if n > 1 else nan
    half = t_quantile(check_level(level), n - 1) * se if n > 1 else nan
    t = mean / se if se > 0.0 else nan
    return PairedT(
        method="paired t test (Student 1908), two-sided, t interval",
        n=n,
        n_dropped=int(lost.sum()),
        t=t,
        df=max(n - 1, 0),
        pvalue=t_p(t, n - 1),
        difference=mean,
        low=mean - half if se > 0.0 else nan,
        high=mean + half if se > 0.0 else nan,
        level=level,
        sd=sd,
        reason=_paired_reason(n, sd),
    )


def _paired_reason(n: int, sd: float) -> str | None:
    if n < 2:
        return "fewer than 2 pairs"
    return "t, p and interval are undefined: the differences do not vary" if sd == 0.0 else None


@dataclass(frozen=True, kw_only=True)
class AdjustedP(Result):
    """p-values adjusted for a family of tests.

    Attributes
    ----------
    raw, adjusted : ndarray
        p-values in the order given; NaN is kept.
    family_size : int
        Number of tests adjusted for, which is the number of p-values that are not NaN.
    """

    raw: FloatArray
    adjusted: FloatArray
    family_size: int

    def summary(self) -> str:
        """Return the size of the family and the smallest adjusted p."""
        if self.family_size == 0:
            return f"undefined: {self.reason} ({self.method})"
        smallest = float(np.nanmin(self.adjusted))
        return f"smallest of {self.family_size} adjusted p {smallest:.3g}, {self.method}"


_ADJUSTMENTS = {
    "bonferroni": "Bonferroni",
    "holm": "Holm (1979), family-wise error rate",
    "bh": "Benjamini-Hochberg (1995), false discovery rate",
}


def adjust_pvalues(p: npt.ArrayLike, *, method: str = "bonferroni") -> AdjustedP:
    """Adjust p-values for the number of tests in the family.

    The family is what was planned, not what was reported: pass all its tests.

    Parameters
    ----------
    p : array_like, shape (m,)
        p-values, 0 to 1; NaN is kept and does not count.
    method : {"bonferroni", "holm", "bh"}
        Holm is never worse than Bonferroni; ``"bh"`` controls the false discovery rate.

    Returns
    -------
    AdjustedP

    Raises
    ------
    ValueError
        For an unknown method or values outside 0..1.

    Examples
    --------
    >>> adjust_pvalues([0.01, 0.04, 0.03], method="holm").adjusted.tolist()
    [0.03, 0.06, 0.06]
    """
    check_choice(method, "method", tuple(_ADJUSTMENTS))
    raw = as_vector(p, "p")
    known = ~np.isnan(raw)
    outside = raw[known & ((raw < 0.0) | (raw > 1.0))]
    if outside.size:
        raise ValueError(f"p must lie in 0..1, got {outside[0]:g}")
    adjusted = raw.copy()
    adjusted[known] = np.minimum(_adjust(raw[known], method), 1.0)
    size, absent = int(known.sum()), int((~known).sum())
    note = f"{absent} p-values are NaN: the family is the other {size}"
    return AdjustedP(
        method=f"{_ADJUSTMENTS[method]} adjustment, family of {size}",
        n=size,
        n_dropped=absent,
        raw=raw,
        adjusted=adjusted,
        family_size=size,
        warnings=(note,) if absent else (),
        reason=note if absent else (None if size else "no p-value was given"),
    )


def _adjust(p: FloatArray, method: str) -> FloatArray:
    m = len(p)
    if method == "bonferroni":
        return p * m
    order = np.argsort(p)
    back = np.argsort(order)
    if method == "holm":
        return np.maximum.accumulate(p[order] * (m - np.arange(m)))[back]
    stepped = p[order] * m / (np.arange(m) + 1.0)
    return np.minimum.accumulate(stepped[::-1])[::-1][back]

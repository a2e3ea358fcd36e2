"""Wilcoxon's signed-rank test of paired measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from readerstudy.stats.results import Result
from readerstudy.stats.validation import (
    FloatArray,
    as_vector,
    check_finite,
    missing_rows,
    same_length,
)

EXACT_BELOW = 50


@dataclass(frozen=True, kw_only=True)
class SignedRank(Result):
    """Wilcoxon's signed-rank test.

    Attributes
    ----------
    statistic : float
        Sum of the ranks of the positive differences.
    pvalue : float
        Two-sided.
    n_zero : int
        Pairs without a difference, which are left out.
    median : float
        Median of all differences.
    exact : bool
        Whether p is exact.
    """

    statistic: float
    pvalue: float
    n_zero: int
    median: float
    exact: bool

    def summary(self) -> str:
        """Return the statistic and p, or the reason they are undefined."""
        if math.isnan(self.pvalue):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return f"V = {self.statistic:g}, p = {self.pvalue:.4g}, n = {self.n}, {self.method}"


def signed_rank(
    a: npt.ArrayLike, b: npt.ArrayLike, *, continuity: bool = True, missing: str = "raise"
) -> SignedRank:
    """Test whether paired differences are symmetric about 0.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Two measurements of the same patients, one pair each.
    continuity : bool
        Correct the normal statistic by one half.
    missing : {"raise", "omit"}
        Refuse pairs with NaN, or drop them.

    Returns
    -------
    SignedRank
        Pairs without a difference are left out. Exact for fewer than 50 pairs without ties,
        else the normal approximation with the variance corrected for ties (as R's wilcox.test).
        p NaN with a reason if no pair differs.

    Raises
    ------
    ValueError
        For missing values, infinite values, or different lengths.

    References
    ----------
    Wilcoxon F. Biometrics Bull 1945;1:80. Hollander M, Wolfe DA. Nonparametric Statistical
    Methods, 1999, section 3.1.

    Examples
    --------
    >>> r = signed_rank([1.8, 2.5, 3.1, 4.0], [1.0, 2.0, 3.5, 3.0])
    >>> r.statistic, r.pvalue
    (9.0, 0.25)
    """
    first, second = (check_finite(as_vector(v, n), n) for v, n in ((a, "a"), (b, "b")))
    same_length(a=first, b=second)
    lost = missing_rows(missing, a=first, b=second)
    differences = (first - second)[~lost]
    differences[np.abs(differences) < 1e-12 * np.maximum(1.0, np.abs(first[~lost]))] = 0.0
    return _tested(differences, continuity, int(lost.sum()))


def _tested(differences: FloatArray, continuity: bool, dropped: int) -> SignedRank:
    moved = differences[differences != 0.0]
    common: dict[str, Any] = {
        "n": len(differences),
        "n_dropped": dropped,
        "n_zero": len(differences) - len(moved),
        "median": float(np.median(differences)) if len(differences) else math.nan,
    }
    if not len(moved):
        return SignedRank(
            method="Wilcoxon's signed-rank test (1945)",
            statistic=math.nan,
            pvalue=math.nan,
            exact=False,
            reason="no pair differs",
            **common,
        )
    sizes = np.abs(np.round(moved, 12))
    ranks = stats.rankdata(sizes)
    v = float(ranks[moved > 0.0].sum())
    _, ties = np.unique(sizes, return_counts=True)
    exact = len(moved) < EXACT_BELOW and bool((ties == 1).all())
    p = _exact_p(v, len(moved)) if exact else _normal_p(v, len(moved), ties, continuity)
    how = "exact" if exact else f"normal approximation{', continuity-corrected' * continuity}"
    return SignedRank(
        method=f"Wilcoxon's signed-rank test (1945), zero differences left out, {how}",
        statistic=v,
        pvalue=p,
        exact=exact,
        **common,
    )


def _exact_p(v: float, n: int) -> float:
    """Return the two-sided p from the number of sign patterns with each sum of ranks."""
    ways = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways
        longer[rank:] += ways
        ways = longer / 2.0
    smaller = int(min(v, n * (n + 1) / 2 - v))
    return min(1.0, 2.0 * float(ways[: smaller + 1].sum()))


def _normal_p(v: float, n: int, ties: npt.NDArray[np.int64], continuity: bool) -> float:
    mean = n * (n + 1) / 4.0
    variance = n * (n + 1) * (2 * n + 1) / 24.0 - float((ties**3 - ties).sum()) / 48.0
    apart = v - mean
    if continuity:
        apart -= math.copysign(0.5, apart) if apart else 0.0
    return float(2.0 * special.ndtr(-abs(apart) / math.sqrt(variance)))

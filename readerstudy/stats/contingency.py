"""Two-way tables: chi-square, G, Fisher, Cramér, McNemar.

References
----------
Pearson 1900. Fisher 1934. Cramér 1946. Bergsma, J Korean Stat Soc 2013;42:323. McNemar,
Psychometrika 1947;12:153. Fagerland, Lydersen & Laake, BMC Med Res Methodol 2013;13:91 (mid-p).
Newcombe, Stat Med 1998;17:2635 (paired difference, method 10).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy.stats.fisher import count_tables, exact_p, monte_carlo_p
from readerstudy.stats.proportions import wilson_limits
from readerstudy.stats.quantiles import chi_square_p
from readerstudy.stats.results import Result
from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    as_count,
    check_level,
    refuse_repeats,
    resolve_seed,
)


@dataclass(frozen=True, kw_only=True)
class TableTest(Result):
    """A test of independence in a table of counts.

    Attributes
    ----------
    statistic, df, pvalue : float
        Test statistic, degrees of freedom, p.
    expected : ndarray, shape (r, c)
        Expected counts.
    min_expected : float
        The smallest of them.
    """

    statistic: float
    df: int
    pvalue: float
    expected: FloatArray
    min_expected: float

    def summary(self) -> str:
        """Return statistic, degrees of freedom and p, or the reason they are undefined."""
        if math.isnan(self.statistic):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"statistic {self.statistic:.6g}, df {self.df}, p = {self.pvalue:.3g}, n = {self.n}, "
            f"{self.method}"
        )


def chi_square(
    table: npt.ArrayLike,
    *,
    correction: bool = False,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> TableTest:
    """Test independence in a table by Pearson's chi-square.

    Parameters
    ----------
    table : array_like, shape (r, c)
        Counts of independent observations.
    correction : bool
        Yates's continuity correction, 2 x 2 tables only.
    case_ids : sequence, optional
        The case behind each observation; repeated cases are refused.
    assume_independent : bool
        Accept repeated cases all the same.

    Returns
    -------
    TableTest
        NaN with a reason if a row or column is empty. A warning counts the cells with an expected
        count below 5.

    Raises
    ------
    ValueError
        For fewer than two rows or columns, broken counts, ``correction`` on a larger table, or
        repeated cases.

    Examples
    --------
    >>> r = chi_square([[72, 8], [23, 15]])  # Park 2021, necrosis, wild type and mutant
    >>> round(r.statistic, 2), r.df
    (14.26, 1)
    """
    counts = _table(table)
    _refuse_repeated(counts, case_ids, assume_independent)
    if correction and counts.shape != (2, 2):
        raise ValueError(f"correction is for 2 x 2 tables, got shape {counts.shape}")
    kind = "with" if correction else "without"
    return _table_test(counts, f"Pearson chi-square {kind} continuity correction", correction)


def g_test(
    table: npt.ArrayLike,
    *,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> TableTest:
    """Test independence in a table by the likelihood ratio, ``2 Σ O log(O/E)``.

    Parameters
    ----------
    table : array_like, shape (r, c)
        Counts of independent observations.
    case_ids, assume_independent
        As for :func:`chi_square`.

    Returns
    -------
    TableTest

    Raises
    ------
    ValueError
        As for :func:`chi_square`.

    Examples
    --------
    >>> round(g_test([[3, 1], [1, 3]]).statistic, 4)
    2.093
    """
    counts = _table(table)
    _refuse_repeated(counts, case_ids, assume_independent)
    return _table_test(counts, "likelihood-ratio G test", None)


def _table(table: npt.ArrayLike, name: str = "table") -> IntArray:
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or min(counts.shape) < 2:
        raise ValueError(f"{name} must have at least 2 rows and 2 columns, got {counts.shape}")
    bad = counts[~((counts >= 0) & (counts == np.rint(counts)))]
    if bad.size:
        raise ValueError(f"{name} must hold whole numbers of at least 0, got {bad[0]:g}")
    return counts.astype(np.int64)


def _refuse_repeated(
    counts: IntArray, case_ids: Sequence[Any] | None, assume_independent: bool
) -> None:
    refuse_repeats(
        case_ids,
        int(counts.sum()),
        assume_independent=assume_independent,
        instead="mcnemar for paired calls, or clustered_proportion",
    )


def _table_test(counts: IntArray, method: str, correction: bool | None) -> TableTest:
    total = int(counts.sum())
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    df = (len(rows) - 1) * (len(columns) - 1)
    expected = np.outer(rows, columns) / max(total, 1)
    smallest = float(expected.min())
    common: dict[str, Any] = {"method": method, "n": total, "df": df, "expected": expected}
    if smallest == 0.0:
        return TableTest(
            statistic=math.nan,
            pvalue=math.nan,
            min_expected=smallest,
            reason="a row or column has no observations: leave it out",
            **common,
        )
    statistic = (
        _g(counts, expected) if correction is None else _pearson(counts, expected, correction)
    )
    low = int((expected < 5.0).sum())
    note = f"{low} of {expected.size} cells have an expected count below 5: consider fisher_exact"
    return TableTest(
        statistic=statistic,
        pvalue=chi_square_p(statistic, df),
        min_expected=smallest,
        warnings=(note,) if low else (),
        **common,
    )


def _pearson(counts: IntArray, expected: FloatArray, correction: bool) -> float:
    gap = np.abs(counts - expected)
    if correction:
        gap = np.maximum(gap - 0.5, 0.0)
    return float((gap**2 / expected).sum())


def _g(counts: IntArray, expected: FloatArray) -> float:
    return 2.0 * float(special.rel_entr(counts.astype(float), expected).sum())


@dataclass(frozen=True, kw_only=True)
class FisherTest(Result):
    """Fisher's exact test.

    Attributes
    ----------
    pvalue : float
        Two-sided: all tables not more probable than the one seen.
    odds_ratio, low, high, level : float
        Conditional maximum-likelihood odds ratio of a 2 x 2 table with its exact interval; NaN
        with a reason for larger tables.
    """

    pvalue: float
    odds_ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = 0.95

    def summary(self) -> str:
        """Return p, and the odds ratio of a 2 x 2 table."""
        if math.isnan(self.pvalue):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        ratio = ""
        if not math.isnan(self.odds_ratio):
            ratio = f", odds ratio {self.odds_ratio:.6g} ({self.low:.6g} to {self.high:.6g})"
        return f"p = {self.pvalue:.3g}{ratio}, n = {self.n}, {self.method}"


def fisher_exact(
    table: npt.ArrayLike,
    *,
    level: float = 0.95,
    max_tables: int = 200_000,
    n_samples: int = 100_000,
    seed: int | None = 0,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> FisherTest:
    """Test independence by Fisher's exact test (Freeman-Halton for larger tables).

    Parameters
    ----------
    table : array_like, shape (r, c)
        Counts of independent observations.
    level : float
        Confidence level of the odds ratio.
    max_tables : int
        Enumerate if at most so many tables share the margins, else sample.
    n_samples, seed : int
        Random tables for the sampled p, and the seed; the method says which was done.
    case_ids, assume_independent
        As for :func:`chi_square`.

    Returns
    -------
    FisherTest
        NaN with a reason if a row or column is empty in a table that has no other.

    Raises
    ------
    ValueError
        As for :func:`chi_square`.

    Examples
    --------
    >>> round(fisher_exact([[3, 1], [1, 3]]).pvalue, 4)  # Fisher's tea
    0.4857
    """
    counts = _table(table)
    check_level(level)
    _refuse_repeated(counts, case_ids, assume_independent)
    used = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    total = int(counts.sum())
    if min(used.shape, default=0) < 2:
        reason = "all observations are in one row or one column, so there is nothing to test"
        method = "Fisher's exact test"
        return FisherTest(method=method, n=total, pvalue=math.nan, level=level, reason=reason)
    note = () if used.shape == counts.shape else ("empty rows or columns were left out",)
    if used.shape == (2, 2):
        return _fisher_two_by_two(used, level, note)
    pvalue, method = _fisher_larger(used, max_tables, n_samples, seed)
    reason = "the odds ratio is for 2 x 2 tables only"
    return FisherTest(
        method=method, n=total, pvalue=pvalue, level=level, reason=reason, warnings=note
    )


def _fisher_two_by_two(counts: IntArray, level: float, note: tuple[str, ...]) -> FisherTest:
    from scipy.stats.contingency import odds_ratio

    found = odds_ratio(counts, kind="conditional")
    limits = found.confidence_interval(confidence_level=level)
    return FisherTest(
        method="Fisher's exact test, conditional odds ratio with exact interval",
        n=int(counts.sum()),
        pvalue=exact_p(counts),
        odds_ratio=float(found.statistic),
        low=float(limits.low),
        high=float(limits.high),
        level=level,
        warnings=note,
    )


def _fisher_larger(
    counts: IntArray, max_tables: int, n_samples: int, seed: int | None
) -> tuple[float, str]:
    rows, columns = (tuple(sorted(counts.sum(axis=a).tolist())) for a in (1, 0))
    fewer, more = sorted((rows, columns), key=len)
    if count_tables(fewer, more[::-1], max_tables) <= max_tables:
        return exact_p(counts), "Fisher's exact test of an r x c table (Freeman & Halton 1951)"
    seed = resolve_seed(seed)
    method = (
        f"Fisher's test of an r x c table by Monte Carlo, {n_samples} tables with the same "
        f"margins (Patefield 1981), seed {seed}"
    )
    return monte_carlo_p(counts, n_samples, seed), method


@dataclass(frozen=True, kw_only=True)
class CramersV(Result):
    """Strength of association in a table.

    Attributes
    ----------
    value : float
        ``√(χ²/(n (min(r, c) - 1)))``, from 0 to 1.
    bias_corrected : float
        Bergsma's estimate (2013), whose mean is near 0 under independence.
    """

    value: float
    bias_corrected: float

    def summary(self) -> str:
        """Return V, or the reason it is undefined."""
        if math.isnan(self.value):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return f"{self.value:.6g}, n = {self.n}, {self.method}"


def cramers_v(table: npt.ArrayLike) -> CramersV:
    """Compute Cramér's V from Pearson's chi-square without correction.

    Parameters
    ----------
    table : array_like, shape (r, c)
        Counts.

    Returns
    -------
    CramersV
        NaN with a reason if a row or column is empty.

    Raises
    ------
    ValueError
        For fewer than two rows or columns or broken counts.

    Examples
    --------
    >>> round(cramers_v([[3, 1], [1, 3]]).value, 6)
    0.5
    """
    found = chi_square(table)
    method = "Cramér's V (1946) from Pearson chi-square"
    if math.isnan(found.statistic):
        nan = math.nan
        return CramersV(
            method=method, n=found.n, value=nan, bias_corrected=nan, reason=found.reason
        )
    (r, c), n = found.expected.shape, found.n
    phi2 = found.statistic / n
    corrected = _bias_corrected_v(phi2, r, c, n)
    few = f"the bias-corrected value is undefined for {n} observations in {r} by {c} cells"
    return CramersV(
        method=method,
        n=n,
        value=math.sqrt(phi2 / (min(r, c) - 1)),
        bias_corrected=corrected,
        warnings=found.warnings,
        reason=few if math.isnan(corrected) else None,
    )


def _bias_corrected_v(phi2: float, r: int, c: int, n: int) -> float:
    """Return Bergsma's correction (2013); NaN where too few observations leave no scale."""
    if n < 2:
        return math.nan
    rows, columns = (k - (k - 1) ** 2 / (n - 1) for k in (r, c))
    scale = min(rows, columns) - 1
    excess = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    return math.sqrt(excess / scale) if scale > 0.0 else math.nan


@dataclass(frozen=True, kw_only=True)
class McNemar(Result):
    """Two paired proportions compared.

    Attributes
    ----------
    chi2, p : float
        McNemar's chi-square without correction and its p.
    chi2_corrected, p_corrected : float
        With Edwards's continuity correction.
    p_exact, p_mid : float
        Exact binomial p of the discordant pairs, and its mid-p version.
    difference : float
        ``(b - c)/n``: first minus second proportion of success.
    low, high, level : float
        Newcombe interval (method 10) of the difference and its level.
    odds_ratio : float
        ``b/c``.
    discordant : int
        ``b + c``.
    """

    chi2: float
    p: float
    chi2_corrected: float
    p_corrected: float
    p_exact: float
    p_mid: float
    difference: float
    low: float
    high: float
    level: float
    odds_ratio: float
    discordant: int

    def summary(self) -> str:
        """Return the difference with its interval and the exact p."""
        if math.isnan(self.difference):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"difference {self.difference:.6g} ({100 * self.level:g} % interval {self.low:.6g} to "
            f"{self.high:.6g}), exact p = {self.p_exact:.3g}, n = {self.n} pairs, {self.method}"
        )


_MCNEMAR_METHOD = (
    "McNemar's test (1947) of paired proportions, exact and mid-p binomial (Fagerland 2013), "
    "Newcombe 1998 paired interval (method 10)"
)


def mcnemar(a: int, b: int, c: int, d: int, *, level: float = 0.95) -> McNemar:
    """Compare two proportions of success on the same cases.

    Parameters
    ----------
    a, b, c, d : int
        Pairs with success in both, in the first only, in the second only, in neither.
    level : float
        Confidence level.

    Returns
    -------
    McNemar
        With no discordant pair the exact p and mid-p are 1 and the chi-squares NaN with a reason.

    Raises
    ------
    ValueError
        For counts that are negative or broken.

    Examples
    --------
    >>> r = mcnemar(794, 150, 86, 570)  # Agresti, approval of the prime minister
    >>> round(r.chi2, 2), round(r.difference, 3)
    (17.36, 0.04)
    """
    named = {"a": a, "b": b, "c": c, "d": d}
    a, b, c, d = (as_count(value, name) for name, value in named.items())
    check_level(level)
    n, discordant = a + b + c + d, b + c
    low, high = _paired_limits(a, b, c, d, level) if n else (math.nan, math.nan)
    chi2, corrected = math.nan, math.nan
    if discordant:
        chi2 = (b - c) ** 2 / discordant
        corrected = max(abs(b - c) - 1, 0) ** 2 / discordant
    p_exact, p_mid = _binomial_half(min(b, c), discordant) if n else (math.nan, math.nan)
    return McNemar(
        method=_MCNEMAR_METHOD,
        n=n,
        chi2=chi2,
        p=chi_square_p(chi2, 1),
        chi2_corrected=corrected,
        p_corrected=chi_square_p(corrected, 1),
        p_exact=p_exact,
        p_mid=p_mid,
        difference=(b - c) / n if n else math.nan,
        low=low,
        high=high,
        level=level,
        odds_ratio=b / c if c else (math.inf if b else math.nan),
        discordant=discordant,
        reason=_mcnemar_reason(n, discordant),
    )


def _mcnemar_reason(n: int, discordant: int) -> str | None:
    if n == 0:
        return "there are no pairs"
    if discordant == 0:
        return "chi-square and odds ratio are undefined: no pair is discordant"
    return None


def _binomial_half(smaller: int, trials: int) -> tuple[float, float]:
    """Return the two-sided exact p and mid-p of ``smaller`` of ``trials`` at one half."""
    at_most = float(special.bdtr(smaller, trials, 0.5)) if trials else 1.0
    below = float(special.bdtr(smaller - 1, trials, 0.5)) if smaller else 0.0
    return min(1.0, 2.0 * at_most), min(1.0, at_most + below)


def _paired_limits(a: int, b: int, c: int, d: int, level: float) -> tuple[float, float]:
    """Return Newcombe's paired limits: square-and-add with the correlation of the pairs."""
    n = a + b + c + d
    p1, p2 = (a + b) / n, (a + c) / n
    low1, high1 = wilson_limits(a + b, n, level)
    low2, high2 = wilson_limits(a + c, n, level)
    phi = _paired_phi(a, b, c, d)
    difference = (b - c) / n
    below, above = (p1 - low1, high2 - p2), (high1 - p1, p2 - low2)
    reach = [math.sqrt(max(x * x - 2.0 * phi * x * y + y * y, 0.0)) for x, y in (below, above)]
    return difference - reach[0], difference + reach[1]


def _paired_phi(a: int, b: int, c: int, d: int) -> float:
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    excess = float(a * d - b * c)
    if excess > 0.0:
        excess = max(excess - (a + b + c + d) / 2.0, 0.0)
    return excess / math.sqrt(margins)

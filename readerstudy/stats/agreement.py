"""Agreement of any number of raters on a scale of categories: percent, Fleiss, Gwet.

References
----------
Fleiss, Psychol Bull 1971;76:378. Fleiss, Nee & Landis, Psychol Bull 1979;86:974 (null standard
error). Gwet, Br J Math Stat Psychol 2008;61:29 (AC1); Gwet, Handbook of Inter-Rater Reliability,
4th ed. 2014 (AC2, missing ratings, linearised variances).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement_ratings import (
    Counts,
    Weights,
    agreement_weights,
    by_subject,
    count_table,
    dot,
    quadratic_form,
    weights_in_words,
)
from readerstudy.stats.proportions import wilson_limits
from readerstudy.stats.quantiles import clip, normal_p, t_p, t_quantile
from readerstudy.stats.results import Estimate, undefined
from readerstudy.stats.validation import FloatArray, check_choice, check_level

ZERO = 1e-12
"""Below this a standard error is rounding noise and taken as 0."""


@dataclass(frozen=True, kw_only=True)
class PercentAgreement(Estimate):
    """How often raters agree, with no allowance for chance.

    Attributes
    ----------
    value, pairwise : float
        Mean over subjects of the share of rater pairs that agree (the same number twice).
    se, low, high : float
        Standard error from the subjects and its t interval, clipped to 0..1.
    unanimous : float
        Share of subjects on whom all raters agree.
    unanimous_low, unanimous_high : float
        Wilson interval of that share.
    """

    pairwise: float
    unanimous: float
    se: float
    unanimous_low: float
    unanimous_high: float


_PERCENT_METHOD = (
    "percent agreement: mean share of agreeing rater pairs per subject (t interval over subjects, "
    "clipped to 0..1) and share of unanimous subjects (Wilson interval)"
)


def percent_agreement(ratings: npt.ArrayLike, *, level: float = 0.95) -> PercentAgreement:
    """Compute pairwise and unanimous agreement.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Numbers or labels; NaN or None is a missing rating. Subjects with fewer than two ratings
        are dropped and counted.
    level : float
        Confidence level.

    Returns
    -------
    PercentAgreement
        NaN with a reason if no subject has two ratings.

    Raises
    ------
    ValueError
        If ``ratings`` is not a matrix with at least two raters.

    Examples
    --------
    >>> r = percent_agreement([[1, 1, 1], [1, 1, 2], [2, 2, 2], [1, 2, 3]])
    >>> round(r.pairwise, 4), r.unanimous
    (0.5833, 0.5)
    """
    check_level(level)
    everyone = count_table(ratings, None)
    counts = rated_twice(everyone)
    dropped = len(everyone.table) - len(counts.table)
    common: dict[str, Any] = {"method": _PERCENT_METHOD, "n_dropped": dropped, "level": level}
    n = len(counts.table)
    if n == 0:
        blank = undefined("value pairwise unanimous se unanimous_low unanimous_high")
        return PercentAgreement(n=0, reason="no subject has two ratings", **blank, **common)
    share = pair_agreement(counts.table, counts.totals)
    value, unanimous = float(share.mean()), int((counts.table.max(axis=1) == counts.totals).sum())
    se = float(share.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    limits = wilson_limits(unanimous, n, level)
    half = t_quantile(level, n - 1) * se if n > 1 else math.nan
    return PercentAgreement(
        n=n,
        value=value,
        pairwise=value,
        unanimous=unanimous / n,
        se=se,
        low=clip(value - half, 0.0, 1.0),
        high=clip(value + half, 0.0, 1.0),
        unanimous_low=limits[0],
        unanimous_high=limits[1],
        reason=None if n > 1 else "one subject only: the standard error is not estimable",
        warnings=no_width(se),
        **common,
    )


def rated_twice(counts: Counts) -> Counts:
    """Return the subjects with at least two ratings; refuse a single rater."""
    if counts.n_raters < 2:
        raise ValueError("ratings must have at least 2 raters (columns), got 1")
    return counts.keep(counts.totals >= 2)


def pair_agreement(
    table: FloatArray, totals: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return per subject the (weighted) share of agreeing pairs; 0 for fewer than two ratings."""
    if weights is None:
        pairs = np.einsum("ij,ij->i", table, table)
    else:
        pairs = quadratic_form(table, weights)
    return (pairs - totals) / np.maximum(totals * (totals - 1.0), 1.0)


def no_width(se: float) -> tuple[str, ...]:
    """Return a warning if an interval has no width because the standard error is 0."""
    if se == 0.0:
        return ("the standard error is 0: the interval has no width and is not credible",)
    return ()


def linearised_se(
    agreement: FloatArray,
    chance: FloatArray,
    *,
    value: float,
    expected: float,
    frequency: FloatArray | None = None,
) -> float:
    """Return the standard error of ``(observed - expected)/(1 - expected)`` (Gwet 2014).

    Parameters
    ----------
    agreement, chance : ndarray
        Contribution of each subject to observed and (half of) expected agreement.
    value, expected : float
        The coefficient and its expected agreement.
    frequency : ndarray, optional
        How many subjects each row stands for.

    Returns
    -------
    float
        NaN for fewer than two subjects; exactly 0 where only rounding noise is left.
    """
    scale = 1.0 - expected
    part = (agreement - expected - 2.0 * (1.0 - value) * (chance - expected)) / scale - value
    n = float(len(part) if frequency is None else frequency.sum())
    if n < 2:
        return math.nan
    squares = dot(part, part if frequency is None else part * frequency)
    se = math.sqrt(squares / (n * (n - 1.0)))
    return se if se > ZERO else 0.0


@dataclass(frozen=True, kw_only=True)
class GwetAC(Estimate):
    """Gwet's AC1 (no weights) or AC2 (weights).

    Attributes
    ----------
    se : float
        Linearised standard error.
    pvalue : float
        Two-sided p of a coefficient of 0, from t with n - 1 degrees of freedom.
    observed, expected : float
        (Weighted) observed agreement and Gwet's chance agreement.
    categories : tuple
        The scale.
    """

    se: float
    pvalue: float
    observed: float
    expected: float
    categories: tuple[Any, ...]


def gwet_ac(
    ratings: npt.ArrayLike,
    *,
    categories: Sequence[Hashable] | None = None,
    weights: Weights = None,
    level: float = 0.95,
) -> GwetAC:
    """Compute Gwet's AC1, or AC2 with weights, for any number of raters.

    Chance agreement is ``T/(q(q-1)) · Σ π(1-π)`` with T the sum of the weights and π the mean
    share of each category, so a rare category does not drive the coefficient to 0 as it does
    with kappa.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        NaN or None is a missing rating; a subject rated once counts in π but not in the observed
        agreement; a subject without ratings is dropped.
    categories : sequence, optional
        The declared scale in order; it decides ``q`` and with it the coefficient.
    weights : None, "linear", "quadratic", "ordinal" or matrix
        Agreement weights by position on the scale.
    level : float
        Confidence level of the t interval.

    Returns
    -------
    GwetAC
        1 where all agree on one category of a declared scale; NaN with a reason if the scale has
        one category or no subject has two ratings.

    Raises
    ------
    ValueError
        For a rating outside the scale, bad weights, or fewer than two raters.

    References
    ----------
    Gwet KL. Br J Math Stat Psychol 2008;61:29-48.

    Examples
    --------
    >>> r = gwet_ac([[1, 1]] * 118 + [[1, 2]] * 5 + [[2, 1]] * 2, categories=[1, 2])
    >>> round(r.value, 3)  # percent agreement .944, Cohen's kappa -.02 (Gwet 2008)
    0.941
    """
    counts = count_table(ratings, categories)
    if counts.n_raters < 2:
        raise ValueError("ratings must have at least 2 raters (columns), got 1")
    rated = counts.totals > 0
    kept = counts.keep(rated)
    return gwet_from_counts(
        kept, weights=weights, level=level, n_dropped=int((~rated).sum()), frequency=None
    )


def gwet_from_counts(
    counts: Counts,
    *,
    weights: Weights,
    level: float,
    n_dropped: int = 0,
    frequency: FloatArray | None = None,
) -> GwetAC:
    """Compute Gwet's AC from category counts; ``frequency`` says how often each row occurs."""
    q = len(counts.categories)
    w = agreement_weights(weights, q)
    kind = "AC1" if weights is None else "AC2"
    n = int(len(counts.table) if frequency is None else frequency.sum())
    method = (
        f"Gwet's {kind}, {weights_in_words(weights)} (Gwet 2008, 2014), linearised variance, "
        "t interval clipped to -1..1"
    )
    common: dict[str, Any] = {
        "method": method,
        "n": n,
        "n_dropped": n_dropped,
        "level": check_level(level),
        "categories": counts.categories,
    }
    twice = counts.totals >= 2
    if q < 2 or not twice.any():
        return _no_gwet(common, q)
    value, se, observed, expected = _gwet_numbers(counts, w, weights is None, twice, frequency)
    if math.isnan(value):
        return _no_gwet(common, q)
    half = t_quantile(level, n - 1) * se if n > 1 else math.nan
    return GwetAC(
        value=value,
        se=se,
        low=clip(value - half, -1.0, 1.0),
        high=clip(value + half, -1.0, 1.0),
        pvalue=t_p(value / se, n - 1) if se > 0.0 else math.nan,
        observed=observed,
        expected=expected,
        warnings=counts.undeclared + no_width(se),
        reason=no_test_reason(se),
        **common,
    )


def no_test_reason(se: float) -> str | None:
    """Return why a test of 0 is undefined, judged by the standard error."""
    if se > 0.0:
        return None
    if se == 0.0:
        return "the test of 0 is undefined: the standard error is 0"
    return "one subject only: the standard error is not estimable"


def _no_gwet(common: dict[str, Any], q: int) -> GwetAC:
    reason = "no subject has two ratings"
    if q < 2:
        reason = "the scale has fewer than 2 categories: declare them with categories="
    elif common["n"] and q >= 2:
        reason = "no subject has two ratings, or chance agreement is 1"
    return GwetAC(reason=reason, **undefined("value se pvalue observed expected"), **common)


def _gwet_numbers(
    counts: Counts,
    w: FloatArray,
    unweighted: bool,
    twice: npt.NDArray[np.bool_],
    frequency: FloatArray | None,
) -> tuple[float, float, float, float]:
    """Return value, standard error, observed and expected agreement."""
    q, totals = len(counts.categories), counts.totals
    weight = np.ones(len(totals)) if frequency is None else frequency
    share = pair_agreement(counts.table, totals, None if unweighted else w)
    rated = weight * twice
    ratio = float(weight.sum() / rated.sum())
    observed = dot(share, rated) / float(rated.sum())
    pi = np.einsum("i,ij->j", weight / totals, counts.table) / weight.sum()
    factor = float(w.sum()) / (q * (q - 1.0))
    expected = factor * float(pi @ (1.0 - pi))
    if 1.0 - expected < ZERO:
        return math.nan, math.nan, observed, expected
    value = (observed - expected) / (1.0 - expected)
    chance = factor * by_subject(counts.table, 1.0 - pi) / totals
    agreement = expected + ratio * (share - expected) * twice
    se = linearised_se(agreement, chance, value=value, expected=expected, frequency=frequency)
    return value, se, observed, expected


@dataclass(frozen=True, kw_only=True)
class FleissKappa(Estimate):
    """Fleiss's kappa of m raters.

    Attributes
    ----------
    se : float
        Linearised standard error, which the interval uses.
    se0, z, pvalue : float
        Standard error under chance agreement, the test statistic and its two-sided p.
    observed, expected : float
        Observed and expected agreement.
    per_category : tuple of float
        Kappa of each category against all others, in the order of ``categories``.
    per_category_z : tuple of float
        Their test statistics.
    categories : tuple
        The scale.
    n_raters : int
        Raters per subject.
    """

    se: float
    se0: float
    z: float
    pvalue: float
    observed: float
    expected: float
    per_category: tuple[float, ...]
    per_category_z: tuple[float, ...]
    categories: tuple[Any, ...]
    n_raters: int


_FLEISS_METHOD = (
    "Fleiss's kappa (1971), z with the null standard error of Fleiss, Nee & Landis 1979, t "
    "interval with the linearised standard error (Gwet 2014), clipped to -1..1"
)


def fleiss_kappa(
    ratings: npt.ArrayLike,
    *,
    categories: Sequence[Hashable] | None = None,
    level: float = 0.95,
    missing: str = "raise",
) -> FleissKappa:
    """Compute Fleiss's kappa: every subject rated by the same number of raters.

    For two raters it is Scott's pi, not Cohen's kappa. The lowest value for m raters is
    ``-1/(m-1)``.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Numbers or labels.
    categories : sequence, optional
        The declared scale; only decides the order and length of ``per_category``.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        Refuse missing ratings, or drop subjects that have one.

    Returns
    -------
    FleissKappa
        NaN with a reason if all ratings are one category.

    Raises
    ------
    ValueError
        For missing ratings (see ``krippendorff_alpha`` and ``gwet_ac``, which use them), a rating
        outside the scale, or fewer than two raters.

    References
    ----------
    Fleiss JL. Psychol Bull 1971;76:378-382.

    Examples
    --------
    >>> counts = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0],
    ...           [2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2],
    ...           [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
    >>> ratings = [[k for k, c in enumerate(row) for _ in range(c)] for row in counts]
    >>> round(fleiss_kappa(ratings).value, 3)
    0.21
    """
    check_level(level)
    check_choice(missing, "missing", ("raise", "omit"))
    counts = count_table(ratings, categories)
    complete = counts.totals == counts.n_raters
    incomplete = int((~complete).sum())
    if incomplete and missing == "raise":
        raise ValueError(
            f'ratings: {incomplete} subjects lack a rating (NaN): pass missing="omit", or use '
            "krippendorff_alpha or gwet_ac, which use all ratings"
        )
    counts = rated_twice(counts.keep(complete))
    common: dict[str, Any] = {
        "method": _FLEISS_METHOD,
        "n": len(counts.table),
        "n_dropped": incomplete,
        "level": level,
        "categories": counts.categories,
        "n_raters": counts.n_raters,
    }
    share = counts.table.sum(axis=0) / max(counts.table.sum(), 1.0)
    if (share > 0).sum() < 2:
        return _no_fleiss(common)
    return _fleiss(counts, share, common)


def _no_fleiss(common: dict[str, Any]) -> FleissKappa:
    blank = undefined("value se se0 z pvalue observed expected")
    nothing = (math.nan,) * len(common["categories"])
    reason = "all ratings are one category: chance agreement is 1"
    if not common["n"]:
        reason = "no subject has all its ratings"
    return FleissKappa(
        per_category=nothing, per_category_z=nothing, reason=reason, **blank, **common
    )


def _fleiss(counts: Counts, share: FloatArray, common: dict[str, Any]) -> FleissKappa:
    n, m, level = common["n"], common["n_raters"], common["level"]
    agreement = pair_agreement(counts.table, counts.totals)
    observed, expected = float(agreement.mean()), float(share @ share)
    value = (observed - expected) / (1.0 - expected)
    chance = by_subject(counts.table, share) / m
    se = linearised_se(agreement, chance, value=value, expected=expected)
    half = t_quantile(level, n - 1) * se if n > 1 else math.nan
    se0 = _fleiss_null_se(share, n, m)
    single, z_single = _per_category(counts.table, share, n, m)
    return FleissKappa(
        value=value,
        se=se,
        se0=se0,
        z=value / se0,
        pvalue=normal_p(value / se0),
        low=clip(value - half, -1.0, 1.0),
        high=clip(value + half, -1.0, 1.0),
        observed=observed,
        expected=expected,
        per_category=single,
        per_category_z=z_single,
        warnings=no_width(se),
        reason=_fleiss_reason(counts.categories, share, n),
        **common,
    )


def _fleiss_null_se(share: FloatArray, n: int, m: int) -> float:
    spread = share * (1.0 - share)
    inner = spread.sum() ** 2 - float(spread @ (1.0 - 2.0 * share))
    return math.sqrt(2.0 * inner / (n * m * (m - 1.0))) / float(spread.sum())


def _per_category(
    table: FloatArray, share: FloatArray, n: int, m: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    spread = share * (1.0 - share)
    disagreement = m * table.sum(axis=0) - np.einsum("ij,ij->j", table, table)
    kappa = np.full(len(share), math.nan)
    used = spread > 0.0
    kappa[used] = 1.0 - disagreement[used] / (n * m * (m - 1.0) * spread[used])
    z = kappa / math.sqrt(2.0 / (n * m * (m - 1.0)))
    return tuple(kappa.tolist()), tuple(z.tolist())


def _fleiss_reason(categories: tuple[Any, ...], share: FloatArray, n: int) -> str | None:
    unused = [str(c) for c, p in zip(categories, share, strict=True) if p == 0.0]
    found = ["one subject only: the standard error is not estimable"] if n < 2 else []
    if unused:
        found.append(f"never used, so without a kappa of their own: {', '.join(unused)}")
    return "; ".join(found) or None

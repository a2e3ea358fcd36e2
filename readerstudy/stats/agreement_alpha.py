"""Krippendorff's alpha for nominal, ordinal, interval and ratio ratings with missing values.

References
----------
Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011 (University of Pennsylvania).
Hayes & Krippendorff, Commun Methods Meas 2007;1:77. The standard error is the delta method over
subjects; for ordinal ratings it includes that the distances depend on the margins.

Notes
-----
``alpha = 1 - (N - 1) A / B`` with N the pairable ratings, ``A = Σ_u (Σ pairs δ)/(m_u - 1)`` over
subjects and ``B = Σ δ`` over all ordered pairs of ratings. The ordinal distance between two
categories is the squared difference of their midranks, so ordinal alpha is interval alpha of the
midranks; nothing but sums over subjects is needed.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement import ZERO, no_width
from readerstudy.stats.agreement_ratings import (
    Counts,
    by_subject,
    count_table,
    dot,
    encode,
    numeric_matrix,
    quadratic_form,
)
from readerstudy.stats.quantiles import clip, t_quantile
from readerstudy.stats.results import Estimate, undefined
from readerstudy.stats.validation import FloatArray, check_choice, check_level, resolve_seed

METRICS = ("nominal", "ordinal", "interval", "ratio")


@dataclass(frozen=True, kw_only=True)
class KrippendorffAlpha(Estimate):
    """Krippendorff's alpha.

    Attributes
    ----------
    se : float
        Standard error: delta method, or standard deviation of the resamples.
    metric : str
        Distance between ratings.
    observed, expected : float
        Observed and expected disagreement.
    n_ratings : int
        Pairable ratings.
    """

    se: float
    metric: str
    observed: float
    expected: float
    n_ratings: int


def krippendorff_alpha(
    ratings: npt.ArrayLike,
    *,
    metric: str = "nominal",
    bootstrap: int = 0,
    seed: int | None = None,
    categories: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> KrippendorffAlpha:
    """Compute Krippendorff's alpha for any number of raters, with missing ratings.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Numbers, or labels for the nominal and (with ``categories``) the ordinal metric. NaN or
        None is a missing rating; subjects with fewer than two ratings are dropped and counted.
    metric : {"nominal", "ordinal", "interval", "ratio"}
        Distance between ratings.
    bootstrap : int
        0 for the delta-method t interval; else the number of resamples of subjects (at least 100)
        for a percentile interval.
    seed : int, optional
        Seed of the resamples; drawn and named in the method if not given.
    categories : sequence, optional
        The scale in order, needed for ordinal labels.
    level : float
        Confidence level.

    Returns
    -------
    KrippendorffAlpha
        NaN with a reason if all pairable ratings are equal or no subject has two ratings.

    Raises
    ------
    ValueError
        For an unknown metric, labels with a metric that needs numbers, a rating outside the
        scale, negative ratings with the ratio metric, or fewer than two raters.

    References
    ----------
    Krippendorff K. Computing Krippendorff's Alpha-Reliability. 2011.

    Examples
    --------
    >>> nan = float("nan")
    >>> units = [[1, 1, nan, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2],
    ...          [1, 2, 3, 4], [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [nan, 5, 5, 5],
    ...          [nan, nan, 1, 1], [nan, nan, 3, nan]]
    >>> round(krippendorff_alpha(units).value, 3)  # Krippendorff 2011, example C
    0.743
    >>> round(krippendorff_alpha(units, metric="ordinal").value, 3)
    0.815
    """
    check_choice(metric, "metric", METRICS)
    check_level(level)
    if bootstrap and bootstrap < 100:
        raise ValueError(f"bootstrap must be 0 or at least 100, got {bootstrap}")
    make = _interval_sums if metric == "interval" else _table_sums
    sums, n_subjects = make(ratings, categories, metric)
    seed = resolve_seed(seed) if bootstrap else None
    common: dict[str, Any] = {
        "method": f"Krippendorff's alpha (2011), {metric} metric, {_in_words(bootstrap, seed)}",
        "n": len(sums.totals),
        "n_dropped": n_subjects - len(sums.totals),
        "level": level,
        "metric": metric,
        "n_ratings": int(sums.n_ratings),
    }
    if sums.everything <= 0.0:
        return _no_alpha(common)
    if bootstrap:
        return _with_resamples(sums, bootstrap, seed, common)
    return _with_delta(sums, common)


def _in_words(bootstrap: int, seed: int | None) -> str:
    if bootstrap:
        return f"percentile bootstrap of subjects, {bootstrap} resamples, seed {seed}"
    return "delta-method standard error over subjects, t interval clipped at 1"


def _table_sums(
    ratings: npt.ArrayLike, categories: Sequence[Hashable] | None, metric: str
) -> tuple[_TableSums, int]:
    counts = count_table(ratings, categories)
    _refuse_one_rater(counts.n_raters)
    pairable = counts.keep(counts.totals >= 2)
    return _TableSums.of(pairable.table, _numbers(counts, metric), metric), len(counts.table)


def _interval_sums(
    ratings: npt.ArrayLike, categories: Sequence[Hashable] | None, metric: str
) -> tuple[_IntervalSums, int]:
    if categories is not None:
        encode(ratings, categories)
    matrix = numeric_matrix(ratings, f"the {metric} metric needs numbers")
    _refuse_one_rater(matrix.shape[1])
    missing = np.isnan(matrix)
    totals = matrix.shape[1] - missing.sum(axis=1) if missing.any() else None
    if totals is None:
        return _IntervalSums.of(matrix, np.full(len(matrix), float(matrix.shape[1]))), len(matrix)
    rows = totals >= 2
    filled = np.where(missing, np.nan, matrix)[rows]
    return _IntervalSums.of(filled, totals[rows].astype(float)), len(matrix)


def _refuse_one_rater(n_raters: int) -> None:
    if n_raters < 2:
        raise ValueError("ratings must have at least 2 raters (columns), got 1")


def _numbers(counts: Counts, metric: str) -> FloatArray:
    """Return the value of each category, as the metric needs it."""
    labels = any(not isinstance(c, int | float) for c in counts.categories)
    if metric != "ratio":
        if labels and metric == "ordinal" and not counts.declared:
            raise ValueError("ordinal labels need categories= in order")
        return np.arange(len(counts.categories), dtype=float)
    if labels:
        raise ValueError(f"the ratio metric needs numbers, got {counts.categories}")
    values = np.asarray(counts.categories, dtype=float)
    if (values < 0.0).any():
        raise ValueError(f"the ratio metric needs ratings of at least 0, got {values.min():g}")
    return values


def _no_alpha(common: dict[str, Any]) -> KrippendorffAlpha:
    reason = "no subject has two ratings"
    if common["n"]:
        reason = "all pairable ratings are equal: expected disagreement is 0"
    return KrippendorffAlpha(reason=reason, **undefined("value se observed expected"), **common)


@dataclass(frozen=True)
class _Sums:
    """Disagreement within subjects and in the whole.

    Attributes
    ----------
    totals : ndarray, shape (n,)
        Ratings of each subject, at least 2.
    within : ndarray, shape (n,)
        Disagreement of each subject, ``(Σ pairs δ)/(m - 1)``.
    everything : float
        ``Σ δ`` over all ordered pairs of ratings.
    """

    totals: FloatArray
    within: FloatArray
    everything: float

    @property
    def n_ratings(self) -> float:
        return float(self.totals.sum())

    @property
    def alpha(self) -> float:
        return 1.0 - (self.n_ratings - 1.0) * float(self.within.sum()) / self.everything

    def influence(self) -> FloatArray:
        """Return the derivative of alpha by the weight of each subject."""
        n, a, b = self.n_ratings, float(self.within.sum()), self.everything
        within, everything = self.slopes()
        moved = (n - 1.0) * within + self.totals * a - (n - 1.0) * a * everything / b
        return -moved / b

    @abstractmethod
    def slopes(self) -> tuple[FloatArray, FloatArray]:
        """Return how the weight of each subject moves both sums."""

    @abstractmethod
    def take(self, rows: npt.NDArray[np.int64]) -> _Sums:
        """Return the sums of the subjects drawn."""


@dataclass(frozen=True)
class _IntervalSums(_Sums):
    """Squared differences, from the first two moments of each subject."""

    first: FloatArray
    second: FloatArray

    @classmethod
    def of(cls, matrix: FloatArray, totals: FloatArray) -> _IntervalSums:
        """Sum a matrix of ratings (NaN missing) with ``totals`` ratings per subject."""
        if matrix.size == 0:
            return cls.from_moments(totals, totals, totals)
        centred = matrix - np.nanmean(matrix)
        if np.isnan(centred).any():
            centred = np.nan_to_num(centred)
        first = np.einsum("ij->i", centred)
        return cls.from_moments(totals, first, np.einsum("ij,ij->i", centred, centred))

    @classmethod
    def from_moments(
        cls, totals: FloatArray, first: FloatArray, second: FloatArray
    ) -> _IntervalSums:
        within = 2.0 * np.maximum(totals * second - first**2, 0.0) / (totals - 1.0)
        n, s1, s2 = float(totals.sum()), float(first.sum()), float(second.sum())
        everything = 2.0 * (n * s2 - s1**2)
        noise = everything <= ZERO * n * s2 * 2.0
        return cls(totals, within, 0.0 if noise else everything, first, second)

    def slopes(self) -> tuple[FloatArray, FloatArray]:
        n, s1, s2 = self.n_ratings, float(self.first.sum()), float(self.second.sum())
        moved = n * self.second + self.totals * s2 - 2.0 * s1 * self.first
        return self.within, 2.0 * moved

    def take(self, rows: npt.NDArray[np.int64]) -> _IntervalSums:
        return self.from_moments(self.totals[rows], self.first[rows], self.second[rows])


@dataclass(frozen=True)
class _TableSums(_Sums):
    """Other distances, from category counts."""

    table: FloatArray
    numbers: FloatArray
    metric: str
    margins: FloatArray

    @classmethod
    def of(cls, table: FloatArray, numbers: FloatArray, metric: str) -> _TableSums:
        """Sum a table of category counts."""
        totals, margins = table.sum(axis=1), table.sum(axis=0)
        values = _midranks(margins) if metric == "ordinal" else numbers
        within = _within(table, values, totals, metric)
        everything = float(margins @ _distance_sums(margins, values, metric))
        if (margins > 0.0).sum() < 2:
            everything = 0.0
        return cls(totals, within, everything, table, values, metric, margins)

    def slopes(self) -> tuple[FloatArray, FloatArray]:
        within = self.within
        sums = 2.0 * _distance_sums(self.margins, self.numbers, self.metric)
        if self.metric == "ordinal":
            within = within + by_subject(self.table, _through_ranks(self._slope_within()))
            sums = sums + _through_ranks(self._slope_everything())
        return within, by_subject(self.table, sums)

    def take(self, rows: npt.NDArray[np.int64]) -> _TableSums:
        return self.of(self.table[rows], self.numbers, self.metric)

    def _slope_within(self) -> FloatArray:
        """Return the derivative of the within sum by the midrank of each category."""
        share = 1.0 / (self.totals - 1.0)
        pulled = by_subject(self.table.T, share * by_subject(self.table, self.numbers))
        own = by_subject(self.table.T, share * self.totals)
        return 4.0 * (own * self.numbers - pulled)

    def _slope_everything(self) -> FloatArray:
        mean = self.margins @ self.numbers
        return 4.0 * self.margins * (self.n_ratings * self.numbers - mean)


def _midranks(margins: FloatArray) -> FloatArray:
    return np.cumsum(margins) - margins / 2.0


def _through_ranks(slope: FloatArray) -> FloatArray:
    """Carry a slope by midranks over to the counts: one more rating lifts all categories above."""
    above = np.cumsum(slope[::-1])[::-1] - slope
    return above + slope / 2.0


def _within(table: FloatArray, values: FloatArray, totals: FloatArray, metric: str) -> FloatArray:
    if metric == "nominal":
        pairs = totals**2 - np.einsum("ij,ij->i", table, table)
    elif metric == "ratio":
        pairs = quadratic_form(table, _ratio_distance(values))
    else:
        centred = values - values.mean() if values.size else values
        pairs = 2.0 * (totals * by_subject(table, centred**2) - by_subject(table, centred) ** 2)
    return np.maximum(pairs, 0.0) / (totals - 1.0)


def _distance_sums(margins: FloatArray, values: FloatArray, metric: str) -> FloatArray:
    """Return for each category the sum of its distances to all ratings."""
    n = float(margins.sum())
    if metric == "nominal":
        return n - margins
    if metric == "ratio":
        return _ratio_distance(values) @ margins
    centred = values - (margins @ values / n if n else 0.0)
    return n * centred**2 + float(margins @ centred**2)


def _ratio_distance(values: FloatArray) -> FloatArray:
    total = np.add.outer(values, values)
    gap = np.subtract.outer(values, values)
    return np.divide(gap, total, out=np.zeros_like(total), where=total != 0.0) ** 2


def _disagreement(sums: _Sums) -> dict[str, Any]:
    n = sums.n_ratings
    return {
        "observed": float(sums.within.sum()) / n,
        "expected": sums.everything / (n * (n - 1.0)),
    }


def _with_delta(sums: _Sums, common: dict[str, Any]) -> KrippendorffAlpha:
    value, n, reason = sums.alpha, common["n"], None
    if n > 1:
        influence = sums.influence()
        spread = influence - influence.mean()
        se = math.sqrt(dot(spread, spread) * n / (n - 1.0))
        se = se if se > ZERO else 0.0
        half = t_quantile(common["level"], n - 1) * se
    else:
        se = half = math.nan
        reason = "one subject only: the standard error is not estimable"
    return KrippendorffAlpha(
        value=value,
        se=se,
        low=value - half,
        high=clip(value + half, -math.inf, 1.0),
        reason=reason,
        warnings=no_width(se),
        **_disagreement(sums),
        **common,
    )


def _with_resamples(
    sums: _Sums, resamples: int, seed: int | None, common: dict[str, Any]
) -> KrippendorffAlpha:
    rng = np.random.default_rng(seed)
    n = common["n"]
    drawn = np.array([_resampled_alpha(sums, rng.integers(n, size=n)) for _ in range(resamples)])
    kept = drawn[~np.isnan(drawn)]
    lost = resamples - kept.size
    tail = (1.0 - common["level"]) / 2.0
    low, high = np.quantile(kept, [tail, 1.0 - tail]) if kept.size else (math.nan, math.nan)
    se = float(kept.std(ddof=1)) if kept.size > 1 else math.nan
    note = (f"alpha was undefined in {lost} of {resamples} resamples",) if lost else ()
    return KrippendorffAlpha(
        value=sums.alpha,
        se=se,
        low=float(low),
        high=float(high),
        reason=None if kept.size > 1 else "alpha was undefined in every resample",
        warnings=note + no_width(se),
        **_disagreement(sums),
        **common,
    )


def _resampled_alpha(sums: _Sums, drawn: npt.NDArray[np.int64]) -> float:
    again = sums.take(drawn)
    return again.alpha if again.everything > 0.0 else math.nan

"""Cohen's kappa of two raters.

References
----------
Cohen, Educ Psychol Meas 1960;20:37, and Psychol Bull 1968;70:213 (weights). Fleiss, Cohen &
Everitt, Psychol Bull 1969;72:323 (both standard errors). Byrt, Bishop & Carlin, J Clin Epidemiol
1993;46:423 (PABAK).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement import ZERO, GwetAC, gwet_from_counts, no_width
from readerstudy.stats.agreement_ratings import (
    Counts,
    Weights,
    agreement_weights,
    encode,
    undeclared_scale,
    weights_in_words,
)
from readerstudy.stats.quantiles import clip, normal_p, normal_quantile
from readerstudy.stats.results import Estimate, undefined
from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    check_choice,
    check_level,
    column,
    resolve_seed,
)


@dataclass(frozen=True, kw_only=True)
class CohenKappa(Estimate):
    """Cohen's kappa with what is needed to read it.

    Attributes
    ----------
    se : float
        Non-null standard error (Fleiss, Cohen & Everitt 1969), used for the interval.
    se0, z, pvalue : float
        Null standard error, ``value / se0``, and the two-sided p of kappa = 0.
    observed, expected : float
        (Weighted) observed and chance agreement.
    percent_agreement : float
        Unweighted share of exact agreement.
    kappa_max : float
        Largest kappa that the two raters' margins allow.
    pabak : float
        ``(q po - 1)/(q - 1)`` with po the percent agreement: kappa if all categories were equally
        frequent.
    gwet : GwetAC
        AC1 (or AC2 with the same weights), which does not collapse when one category is rare.
    low_fisher_z, high_fisher_z : float
        Interval on Fisher's z scale, which stays below 1.
    table : tuple of tuples of int
        First rater in rows, second in columns, in the order of ``categories``.
    categories : tuple
        The scale.
    """

    se: float
    se0: float
    z: float
    pvalue: float
    observed: float
    expected: float
    percent_agreement: float
    kappa_max: float
    pabak: float
    gwet: GwetAC
    low_fisher_z: float
    high_fisher_z: float
    table: tuple[tuple[int, ...], ...]
    categories: tuple[Any, ...]

    def summary(self) -> str:
        """Return kappa with its interval, and the agreement indices that belong beside it."""
        return (
            f"{super().summary()}; percent agreement {self.percent_agreement:.4g}, "
            f"{self.gwet.method.split(',')[0]} {self.gwet.value:.4g}, PABAK {self.pabak:.4g}"
        )


def cohen_kappa(
    a: npt.ArrayLike | str,
    b: npt.ArrayLike | str,
    *,
    categories: Sequence[Hashable] | None = None,
    weights: Weights = None,
    level: float = 0.95,
    ci: str = "asymptotic",
    n_boot: int = 2000,
    seed: int | None = 0,
    missing: str = "raise",
    data: Any = None,
) -> CohenKappa:
    """Compute Cohen's kappa of two raters who rated the same subjects.

    Parameters
    ----------
    a, b : array_like, shape (n,), or column names
        Ratings, numbers or labels.
    categories : sequence, optional
        The declared scale in order. Declare it whenever weights are used: a middle category that
        nobody chose changes the distances.
    weights : None, "linear", "quadratic", "ordinal" or matrix
        Agreement weights by position on the scale.
    level : float
        Confidence level.
    ci : {"asymptotic", "bootstrap"}
        Normal interval clipped to -1..1, or percentiles of resampled tables.
    n_boot, seed : int
        For the bootstrap.
    missing : {"raise", "omit"}
        Refuse missing ratings, or drop subjects that lack one.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    CohenKappa
        Exactly 0 with z and p NaN where one rater is constant; NaN with a reason where both chose
        the same single category.

    Raises
    ------
    ValueError
        For different lengths, missing ratings, a rating outside the scale, or bad weights.

    References
    ----------
    Cohen J. Educ Psychol Meas 1960;20:37-46.

    Examples
    --------
    >>> a = ["yes"] * 25 + ["no"] * 25
    >>> b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    >>> round(cohen_kappa(a, b).value, 3)
    0.4
    """
    ratings = encode(_pair(column(data, a), column(data, b)), categories, "a and b")
    check_choice(missing, "missing", ("raise", "omit"))
    complete = ratings.complete
    dropped = int((~complete).sum())
    if dropped and missing == "raise":
        raise ValueError(f'a and b: {dropped} subjects lack a rating (NaN): pass missing="omit"')
    table = cross_table(ratings.keep(complete).codes, len(ratings.categories))
    return _kappa(
        table,
        ratings.categories,
        weights,
        _Interval(level, ci, n_boot, seed),
        n_dropped=dropped,
        warnings=undeclared_scale(ratings.categories, ratings.declared) if weights else (),
    )


def cohen_kappa_from_table(
    table: npt.ArrayLike,
    *,
    categories: Sequence[Hashable] | None = None,
    weights: Weights = None,
    level: float = 0.95,
    ci: str = "asymptotic",
    n_boot: int = 2000,
    seed: int | None = 0,
) -> CohenKappa:
    """Compute Cohen's kappa from a square table of counts.

    Parameters
    ----------
    table : array_like, shape (q, q)
        Whole counts, first rater in rows, both in the order of the scale.
    categories : sequence, optional
        Names of the scale; 1..q by default.
    weights, level, ci, n_boot, seed
        As for :func:`cohen_kappa`.

    Returns
    -------
    CohenKappa

    Raises
    ------
    ValueError
        For a table that is not square or holds other than whole non-negative numbers.

    Examples
    --------
    >>> vision = [[1520, 234, 117, 36], [266, 1512, 362, 82], [124, 432, 1772, 179],
    ...           [66, 78, 205, 492]]  # Stuart 1953
    >>> round(cohen_kappa_from_table(vision).value, 4)
    0.5954
    """
    counts = _square_counts(table)
    names = tuple(range(1, len(counts) + 1)) if categories is None else tuple(categories)
    if len(names) != len(counts):
        raise ValueError(f"categories must have {len(counts)} entries, got {len(names)}")
    return _kappa(counts, names, weights, _Interval(level, ci, n_boot, seed))


def _pair(a: Any, b: Any) -> npt.NDArray[Any]:
    first, second = (np.asarray(v) for v in (a, b))
    if "U" in first.dtype.kind + second.dtype.kind:
        first, second = (np.asarray(v, dtype=object) for v in (a, b))
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            f"a and b must be one-dimensional and of the same length, got shapes {first.shape} "
            f"and {second.shape}"
        )
    return np.stack([first, second], axis=1)


def cross_table(codes: IntArray, q: int) -> IntArray:
    """Count the pairs of codes of two raters, shape (q, q)."""
    return np.bincount(codes[:, 0] * q + codes[:, 1], minlength=q * q).reshape(q, q)


def _square_counts(table: npt.ArrayLike) -> IntArray:
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise ValueError(f"table must be square, got shape {counts.shape}")
    bad = counts[~((counts >= 0) & (counts == np.rint(counts)))]
    if bad.size:
        raise ValueError(f"table must hold whole numbers of at least 0, got {bad[0]:g}")
    return counts.astype(np.int64)


@dataclass(frozen=True)
class _Interval:
    level: float
    kind: str
    n_boot: int
    seed: int | None

    def __post_init__(self) -> None:
        check_level(self.level)
        check_choice(self.kind, "ci", ("asymptotic", "bootstrap"))
        if self.kind == "bootstrap" and self.n_boot < 100:
            raise ValueError(f"n_boot must be at least 100, got {self.n_boot}")

    def in_words(self, seed: int | None) -> str:
        if self.kind == "asymptotic":
            return "normal interval (Fleiss, Cohen & Everitt 1969) clipped to -1..1"
        return f"percentile bootstrap of subjects, {self.n_boot} resamples, seed {seed}"


def _kappa(
    table: IntArray,
    categories: tuple[Any, ...],
    weights: Weights,
    interval: _Interval,
    *,
    n_dropped: int = 0,
    warnings: tuple[str, ...] = (),
) -> CohenKappa:
    n, q = int(table.sum()), len(categories)
    w = agreement_weights(weights, q)
    seed = resolve_seed(interval.seed) if interval.kind == "bootstrap" else None
    kind = "Cohen's kappa (1960)" if weights is None else "Cohen's weighted kappa (1968)"
    common: dict[str, Any] = {
        "method": f"{kind}, {weights_in_words(weights)}, {interval.in_words(seed)}",
        "n": n,
        "n_dropped": n_dropped,
        "level": interval.level,
        "table": tuple(tuple(row) for row in table.tolist()),
        "categories": categories,
        "gwet": _gwet_of_table(table, categories, weights, interval.level),
    }
    if n == 0:
        return _no_kappa(common, warnings, "no subject has both ratings")
    p = table / n
    exact = float(np.trace(p))
    common |= {
        "percent_agreement": exact,
        "pabak": (q * exact - 1) / (q - 1) if q > 1 else math.nan,
    }
    row, col = table.sum(axis=1) / n, table.sum(axis=0) / n
    observed, expected = float((w * p).sum()), float(row @ w @ col)
    common |= {"observed": observed, "expected": expected}
    if 1.0 - expected < ZERO:
        return _no_kappa(common, warnings, "both raters used one and the same category only")
    moments = _constant_rater() if 1.0 in (row.max(), col.max()) else _moments(p, w, n)
    common["kappa_max"] = _largest_kappa(row, col, w, weights, expected)
    limits = _limits(moments, table, w, interval, seed)
    return _assemble(common, moments, limits, warnings)


def _gwet_of_table(
    table: IntArray, categories: tuple[Any, ...], weights: Weights, level: float
) -> GwetAC:
    q = len(categories)
    first, second = np.divmod(np.arange(q * q), q)
    pairs = np.eye(q)[first] + np.eye(q)[second]
    counts = Counts(pairs, categories, declared=True, n_raters=2)
    frequency = table.ravel().astype(float)
    used = frequency > 0
    return gwet_from_counts(
        counts.keep(used), weights=weights, level=level, frequency=frequency[used]
    )


def _no_kappa(common: dict[str, Any], warnings: tuple[str, ...], reason: str) -> CohenKappa:
    blank = undefined(
        "value se se0 z pvalue observed expected percent_agreement kappa_max pabak low_fisher_z "
        "high_fisher_z"
    )
    return CohenKappa(**(blank | common), warnings=warnings, reason=reason)


@dataclass(frozen=True)
class _Moments:
    value: float
    se: float
    se0: float


def _constant_rater() -> _Moments:
    return _Moments(0.0, 0.0, 0.0)


def _moments(p: FloatArray, w: FloatArray, n: int) -> _Moments:
    value, influence = kappa_influence(p, w)
    se = math.sqrt(float((p * influence**2).sum()) / n)
    row, col = p.sum(axis=1), p.sum(axis=0)
    means = (w @ col)[:, None] + (row @ w)[None, :]
    expected = float(row @ w @ col)
    null = float((np.outer(row, col) * (w - means) ** 2).sum()) - expected**2
    se0 = math.sqrt(max(null, 0.0) / n) / (1.0 - expected)
    return _Moments(value, se if se > ZERO else 0.0, se0 if se0 > ZERO else 0.0)


def kappa_influence(p: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
    """Return kappa of a table of proportions and the influence of a subject in each cell.

    The mean square of the influence over the table is n times the variance of Fleiss, Cohen &
    Everitt 1969, formula 13, in a form that cannot become negative by rounding.
    """
    row, col = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((w * p).sum()), float(row @ w @ col)
    value = (observed - expected) / (1.0 - expected)
    means = (w @ col)[:, None] + (row @ w)[None, :]
    part = (w - observed) - (1.0 - value) * (means - 2.0 * expected)
    return value, part / (1.0 - expected)


def _largest_kappa(
    row: FloatArray, col: FloatArray, w: FloatArray, weights: Weights, expected: float
) -> float:
    if weights is None:
        best = float(np.minimum(row, col).sum())
    elif isinstance(weights, str):
        best = float((w * _ordered_coupling(row, col)).sum())
    else:
        best = _best_coupling(row, col, w)
    return (best - expected) / (1.0 - expected)


def _ordered_coupling(row: FloatArray, col: FloatArray) -> FloatArray:
    """Return the joint table with these margins that keeps the order of the subjects.

    No other table agrees more when weights fall off convexly with the distance.
    """
    below = np.minimum.outer(np.cumsum(row), np.cumsum(col))
    padded = np.pad(below, ((1, 0), (1, 0)))
    return np.diff(np.diff(padded, axis=0), axis=1)


def _best_coupling(row: FloatArray, col: FloatArray, w: FloatArray) -> float:
    from scipy.optimize import linprog

    q = len(row)
    margins = np.vstack([np.kron(np.eye(q), np.ones(q)), np.kron(np.ones(q), np.eye(q))])
    found = linprog(-w.ravel(), A_eq=margins[:-1], b_eq=np.concatenate([row, col[:-1]]))
    return -float(found.fun)


@dataclass(frozen=True)
class _Limits:
    low: float
    high: float
    low_fisher_z: float
    high_fisher_z: float
    warnings: tuple[str, ...]


def _limits(
    moments: _Moments, table: IntArray, w: FloatArray, interval: _Interval, seed: int | None
) -> _Limits:
    z = normal_quantile(interval.level)
    fisher = _fisher_limits(moments, z)
    if interval.kind == "bootstrap":
        low, high, found = _bootstrap_limits(table, w, interval, seed)
        return _Limits(low, high, *fisher, found)
    low, high = moments.value - z * moments.se, moments.value + z * moments.se
    n = int(table.sum())
    return _Limits(
        clip(low, -1.0, 1.0), clip(high, -1.0, 1.0), *fisher, _doubts(moments, low, high, n)
    )


def _fisher_limits(moments: _Moments, z: float) -> tuple[float, float]:
    if abs(moments.value) >= 1.0:
        return math.nan, math.nan
    centre = math.atanh(moments.value)
    half = z * moments.se / (1.0 - moments.value**2)
    return math.tanh(centre - half), math.tanh(centre + half)


def _doubts(moments: _Moments, low: float, high: float, n: int) -> tuple[str, ...]:
    found = list(no_width(moments.se))
    if high > 1.0 or low < -1.0:
        found.append("a limit was clipped to the range of kappa")
    if moments.se > 0.0 and (moments.value > 0.9 or n < 50):
        found.append(
            "kappa above 0.9 or fewer than 50 subjects: the normal interval is doubtful, see the "
            'Fisher-z limits or pass ci="bootstrap"'
        )
    return tuple(found)


def _bootstrap_limits(
    table: IntArray, w: FloatArray, interval: _Interval, seed: int | None
) -> tuple[float, float, tuple[str, ...]]:
    n, q = int(table.sum()), len(table)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n, table.ravel() / n, size=interval.n_boot).reshape(-1, q, q) / n
    observed = np.einsum("bij,ij->b", draws, w)
    expected = np.einsum("bi,ij,bj->b", draws.sum(axis=2), w, draws.sum(axis=1))
    usable = 1.0 - expected > ZERO
    kappas = (observed[usable] - expected[usable]) / (1.0 - expected[usable])
    tail = (1.0 - interval.level) / 2.0
    low, high = np.quantile(kappas, [tail, 1.0 - tail])
    lost = int((~usable).sum())
    note = (f"kappa was undefined in {lost} of {interval.n_boot} resamples",) if lost else ()
    return float(low), float(high), note


def _assemble(
    common: dict[str, Any], moments: _Moments, limits: _Limits, warnings: tuple[str, ...]
) -> CohenKappa:
    z = moments.value / moments.se0 if moments.se0 > 0.0 else math.nan
    found = list(warnings + limits.warnings)
    if common["percent_agreement"] > 0.8 and moments.value < 0.4:
        found.append(
            "high agreement with low kappa: one category dominates, read PABAK and AC1 beside it"
        )
    return CohenKappa(
        value=moments.value,
        se=moments.se,
        se0=moments.se0,
        z=z,
        pvalue=normal_p(z),
        low=limits.low,
        high=limits.high,
        low_fisher_z=limits.low_fisher_z,
        high_fisher_z=limits.high_fisher_z,
        warnings=tuple(found),
        reason=_test_reason(moments),
        **common,
    )


def _test_reason(moments: _Moments) -> str | None:
    if moments.se0 == 0.0:
        return "z and p are undefined: a rater used one category only, so kappa is 0 by definition"
    if abs(moments.value) >= 1.0:
        return "the Fisher-z limits are undefined at 1"
    return None

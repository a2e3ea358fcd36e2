"""Bootstrap intervals of the AUC and of the difference of two AUCs.

Cases are drawn with replacement within each class, or whole patients where exams are clustered.
No replicate sorts: scores are sorted once and a replicate only carries the weights of the cases.
Grades need not even that: the counts per grade of a replicate are one multinomial draw.

References: Efron & Tibshirani, An Introduction to the Bootstrap, 1993 (percentile, BCa). Rutter,
Acad Radiol 2000;7:413 (patients as the unit).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy.stats.placements import (
    MAX_JOINT_LEVELS,
    BoolArray,
    Grades,
    beaten,
    grade,
    wins_per_level,
)
from readerstudy.stats.quantiles import normal_p
from readerstudy.stats.roc_results import (
    BootstrapAuc,
    BootstrapAucDifference,
    Sample,
    cluster_codes,
    make_sample,
)
from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    as_count,
    check_choice,
    check_level,
    refuse_repeats,
)

_DEGENERATE = "all replicates are equal, so no interval or test can be had from them"
_FAILED = "no replicate had both classes"
_CHUNK = 1 << 22


@dataclass(frozen=True)
class _Ranks:
    """One score, prepared so that a weighted AUC needs no sort.

    ``order`` sorts the negatives; ``below`` and ``upto`` say, for each positive, how many
    negatives lie below it and how many lie below or tie.
    """

    order: IntArray
    below: IntArray
    upto: IntArray


def bootstrap_auc(
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    n_boot: int = 2000,
    seed: int | None = 0,
    interval: str = "percentile",
    level: float = 0.95,
    cluster: Sequence[Hashable] | None = None,
    case_ids: Sequence[Hashable] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> BootstrapAuc:
    """Estimate an AUC with a bootstrap interval.

    Parameters
    ----------
    truth, score : array_like (n,)
        As for :func:`readerstudy.stats.roc.auc`.
    n_boot : int
        Replicates, at least 2.
    seed : int or None
        Seed of the generator; None draws a fresh one and is not repeatable.
    interval : {"percentile", "bca"}
        Percentiles of the replicates, or bias-corrected and accelerated (not with ``cluster``).
    level : float
        Confidence level.
    cluster : sequence (n,), optional
        The patient of each exam: patients are drawn, whatever their classes.
    case_ids, assume_independent, missing
        As for :func:`readerstudy.stats.roc.auc`.

    Returns
    -------
    BootstrapAuc
        ``se`` is the standard deviation of the replicates; ``n_failed`` counts replicates that
        lacked a class (clusters only), which are left out.

    Raises
    ------
    ValueError
        As for ``auc``, and for ``n_boot`` below 2 or ``interval="bca"`` with clusters.

    Examples
    --------
    >>> result = bootstrap_auc([0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 5], n_boot=500, seed=1)
    >>> round(result.value, 4), result.low > 0.4, result.high
    (0.8333, True, 1.0)
    """
    check_choice(interval, "interval", ("percentile", "bca"))
    if interval == "bca" and cluster is not None:
        raise ValueError('interval="bca" is not available with cluster=; use "percentile"')
    _check(n_boot, level)
    ids = case_ids if cluster is None else cluster
    sample = make_sample(truth, missing=missing, ids=ids, score=score)
    _refuse_repeats(sample, cluster, assume_independent)
    result = BootstrapAuc(
        value=math.nan,
        method=f"AUC, {_plan(n_boot, seed, cluster)}, {interval} interval",
        n=sample.n,
        n_dropped=sample.n_dropped,
        n_positive=sample.n_positive,
        n_negative=sample.n_negative,
        level=level,
        n_boot=n_boot,
        seed=seed,
        reason=sample.reason,
    )
    if sample.reason:
        return result
    value = float(_observed(sample)[0])
    drawn = _replicates(sample, n_boot, np.random.default_rng(seed), cluster is not None)[:, 0]
    return _summarise_auc(replace(result, value=value), sample, drawn, interval)


def _check(n_boot: int, level: float) -> None:
    check_level(level)
    if as_count(n_boot, "n_boot") < 2:
        raise ValueError(f"n_boot must be at least 2, got {n_boot}")


def _refuse_repeats(sample: Sample, cluster: object, assume_independent: bool) -> None:
    if cluster is None:
        refuse_repeats(
            sample.ids, sample.n, assume_independent=assume_independent, instead="cluster="
        )


def _plan(n_boot: int, seed: int | None, cluster: object) -> str:
    unit = "cases within class" if cluster is None else "patients"
    start = "not seeded" if seed is None else f"seed {seed}"
    return f"bootstrap of {unit}, {n_boot} replicates, {start} (Efron & Tibshirani 1993)"


def _observed(sample: Sample) -> FloatArray:
    pairs = sample.n_positive * sample.n_negative
    return np.array([beaten(*sample.split(i))[0].sum() / pairs for i in range(len(sample.scores))])


def _summarise_auc(
    result: BootstrapAuc, sample: Sample, drawn: FloatArray, interval: str
) -> BootstrapAuc:
    kept = drawn[~np.isnan(drawn)]
    result = replace(
        result, n_failed=drawn.size - kept.size, warnings=_failures(drawn.size, kept.size)
    )
    if kept.size < 2:
        return replace(result, reason=_FAILED)
    variance = float(kept.var(ddof=1))
    if variance == 0.0:
        return replace(result, se=0.0, variance=0.0, reason=_DEGENERATE)
    tails = _tails(result, sample, kept, interval)
    low, high = np.quantile(kept, tails)
    z = (result.value - 0.5) / math.sqrt(variance)
    return replace(
        result,
        se=math.sqrt(variance),
        variance=variance,
        z=z,
        pvalue=normal_p(z),
        low=float(low),
        high=float(high),
    )


def _failures(n_boot: int, kept: int) -> tuple[str, ...]:
    if kept == n_boot:
        return ()
    return (f"{n_boot - kept} of {n_boot} replicates lacked a class and were left out",)


def _tails(
    result: BootstrapAuc, sample: Sample, drawn: FloatArray, interval: str
) -> tuple[float, float]:
    tail = (1.0 - result.level) / 2.0
    if interval == "percentile":
        return tail, 1.0 - tail
    share = (np.mean(drawn < result.value) + np.mean(drawn <= result.value)) / 2.0
    bias = special.ndtri(min(max(share, 0.5 / drawn.size), 1.0 - 0.5 / drawn.size))
    accelerate = _acceleration(sample)
    ends = []
    for quantile in special.ndtri([tail, 1.0 - tail]):
        shifted = bias + quantile
        ends.append(float(special.ndtr(bias + shifted / (1.0 - accelerate * shifted))))
    return ends[0], ends[1]


def _acceleration(sample: Sample) -> float:
    """Return the BCa acceleration from the influence of each case, class by class."""
    m, n = sample.n_positive, sample.n_negative
    wins_positive, wins_negative = beaten(*sample.split())
    value = wins_positive.sum() / (m * n)
    influence = [(wins_positive / n - value) / m, (wins_negative / m - value) / n]
    cubes = sum(float((i**3).sum()) for i in influence)
    squares = sum(float((i**2).sum()) for i in influence)
    return cubes / (6.0 * squares**1.5) if squares > 0.0 else 0.0


def bootstrap_auc_difference(
    truth: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    *,
    n_boot: int = 2000,
    seed: int | None = 0,
    level: float = 0.95,
    cluster: Sequence[Hashable] | None = None,
    case_ids: Sequence[Hashable] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> BootstrapAucDifference:
    """Compare two AUCs on the same cases by the bootstrap.

    Each replicate draws cases once and takes both scores of them. The test divides the observed
    difference by the standard deviation of the replicates (z); the limits are percentiles.

    Parameters
    ----------
    truth, score_a, score_b : array_like (n,)
        As for :func:`readerstudy.stats.roc.delong_test`.
    n_boot, seed, level, cluster, case_ids, assume_independent, missing
        As for :func:`bootstrap_auc`.

    Returns
    -------
    BootstrapAucDifference
        First minus second.

    Raises
    ------
    ValueError
        As for :func:`bootstrap_auc`.

    Examples
    --------
    >>> a, b = [1, 2, 3, 2, 4, 5], [1, 3, 2, 1, 3, 4]
    >>> result = bootstrap_auc_difference([0, 0, 0, 1, 1, 1], a, b, n_boot=500, seed=1)
    >>> round(result.difference, 4), result.low < 0.2 < result.high
    (0.1667, True)
    """
    _check(n_boot, level)
    ids = case_ids if cluster is None else cluster
    sample = make_sample(truth, missing=missing, ids=ids, score_a=score_a, score_b=score_b)
    _refuse_repeats(sample, cluster, assume_independent)
    observed = np.full(2, math.nan) if sample.reason else _observed(sample)
    difference = float(observed[0] - observed[1])
    result = BootstrapAucDifference(
        value=difference,
        difference=difference,
        auc_a=float(observed[0]),
        auc_b=float(observed[1]),
        method=f"paired comparison of two AUCs, {_plan(n_boot, seed, cluster)}, z test, "
        "percentile interval",
        n=sample.n,
        n_dropped=sample.n_dropped,
        n_positive=sample.n_positive,
        n_negative=sample.n_negative,
        level=level,
        n_boot=n_boot,
        seed=seed,
        reason=sample.reason,
    )
    if sample.reason:
        return result
    drawn = _replicates(sample, n_boot, np.random.default_rng(seed), cluster is not None)
    return _summarise_difference(result, drawn)


def _summarise_difference(
    result: BootstrapAucDifference, drawn: FloatArray
) -> BootstrapAucDifference:
    kept = drawn[~np.isnan(drawn[:, 0])]
    result = replace(
        result, n_failed=len(drawn) - len(kept), warnings=_failures(len(drawn), len(kept))
    )
    if len(kept) < 2:
        return replace(result, reason=_FAILED)
    spread = np.cov(kept, rowvar=False)
    apart = kept[:, 0] - kept[:, 1]
    se = float(apart.std(ddof=1))
    result = replace(
        result,
        se=se,
        variance_a=float(spread[0, 0]),
        variance_b=float(spread[1, 1]),
        covariance=float(spread[0, 1]),
    )
    if se == 0.0:
        pvalue = 1.0 if result.difference == 0.0 else math.nan
        return replace(result, pvalue=pvalue, reason=_DEGENERATE)
    tail = (1.0 - result.level) / 2.0
    low, high = np.quantile(apart, (tail, 1.0 - tail))
    z = result.difference / se
    return replace(result, z=z, pvalue=normal_p(z), low=float(low), high=float(high))


def _replicates(
    sample: Sample, n_boot: int, rng: np.random.Generator, clustered: bool
) -> FloatArray:
    """Return the AUCs of ``n_boot`` replicates, shape (n_boot, scores); NaN where a class lacks."""
    if not clustered:
        grades = [g for g in map(grade, sample.scores) if g is not None]
        joint = math.prod(g.levels.size for g in grades)
        if len(grades) == len(sample.scores) and joint <= MAX_JOINT_LEVELS:
            return _graded_replicates(grades, sample.positive, n_boot, rng)
    ranks = [_rank(*sample.split(i)) for i in range(len(sample.scores))]
    draws = _draw_patients(sample, n_boot, rng) if clustered else _draw_cases(sample, n_boot, rng)
    return np.array([[_weighted_auc(r, *weights) for r in ranks] for weights in draws])


def _graded_replicates(
    grades: list[Grades], positive: BoolArray, n_boot: int, rng: np.random.Generator
) -> FloatArray:
    code = np.zeros(positive.size, dtype=np.int64)
    for g in grades:
        code = code * g.levels.size + g.codes
    cells, code = np.unique(code, return_inverse=True)
    counts = [
        np.bincount(np.compress(side, code), minlength=cells.size) for side in (positive, ~positive)
    ]
    shape = tuple(g.levels.size for g in grades)
    place = np.unravel_index(cells, shape)
    step = max(1, _CHUNK // cells.size)
    parts = []
    for start in range(0, n_boot, step):
        size = min(step, n_boot - start)
        drawn = [rng.multinomial(c.sum(), c / c.sum(), size=size) for c in counts]
        parts.append(
            np.column_stack(
                [
                    _auc_of_counts(*(_by_grade(d, codes, q) for d in drawn))
                    for codes, q in zip(place, shape, strict=True)
                ]
            )
        )
    return np.concatenate(parts)


def _by_grade(drawn: IntArray, codes: npt.NDArray[np.intp], levels: int) -> FloatArray:
    membership = np.zeros((codes.size, levels))
    membership[np.arange(codes.size), codes] = 1.0
    return drawn @ membership


def _auc_of_counts(positives: FloatArray, negatives: FloatArray) -> FloatArray:
    wins, _ = wins_per_level(positives, negatives)
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    return (wins * positives).sum(axis=1) / pairs


def _rank(positive: FloatArray, negative: FloatArray) -> _Ranks:
    order = np.argsort(negative)
    ordered = negative[order]
    return _Ranks(
        order,
        np.searchsorted(ordered, positive, side="left"),
        np.searchsorted(ordered, positive, side="right"),
    )


def _weighted_auc(ranks: _Ranks, positive: IntArray, negative: IntArray) -> float:
    total = positive.sum() * negative.sum()
    if total == 0:
        return math.nan
    upto = np.append(0, np.cumsum(negative[ranks.order]))
    return float(0.5 * (positive @ (upto[ranks.below] + upto[ranks.upto])) / total)


def _draw_cases(
    sample: Sample, n_boot: int, rng: np.random.Generator
) -> Iterator[tuple[IntArray, IntArray]]:
    m, n = sample.n_positive, sample.n_negative
    for _ in range(n_boot):
        yield (
            np.bincount(rng.integers(0, m, m), minlength=m),
            np.bincount(rng.integers(0, n, n), minlength=n),
        )


def _draw_patients(
    sample: Sample, n_boot: int, rng: np.random.Generator
) -> Iterator[tuple[IntArray, IntArray]]:
    codes = cluster_codes(sample.ids or ())
    patients = int(codes.max()) + 1
    of_positive, of_negative = codes[sample.positive], codes[~sample.positive]
    for _ in range(n_boot):
        times = np.bincount(rng.integers(0, patients, patients), minlength=patients)
        yield times[of_positive], times[of_negative]

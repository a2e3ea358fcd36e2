"""Placements: how many scores of the other class each score beats.

Everything the package says about an area under the ROC curve (AUC) is built from these counts:
the AUC is their mean, the DeLong, jackknife and clustered variances are sums of their squares.
Each score list is sorted once; scores with few distinct values (grades) are counted instead.

References: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837; Sun & Xu 2014, IEEE Signal
Processing Letters 21:1389 (ranks); Obuchowski 1997, Biometrics 53:567 (clusters).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readerstudy.stats.validation import FloatArray, IntArray

MAX_LEVELS = 256
MAX_JOINT_LEVELS = 65536
SAMPLE_SIZE = 1024
MIN_SIZE_FOR_GRADES = 256
_SLICE = 1 << 17
_LONGEST_SLICE = 1 << 13
_THREADS_PAY = 1 << 27

BoolArray = npt.NDArray[np.bool_]
CountArray = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Grades:
    """A score with few distinct values: ``levels[codes]`` is the score."""

    levels: FloatArray
    codes: IntArray


@dataclass(frozen=True)
class Moments:
    """AUC of ``k`` scores on the same cases with the variances of their placements.

    Attributes
    ----------
    auc : ndarray (k,)
    s10, s01 : ndarray (k, k)
        Sample covariances (denominator count - 1) of the placements of the positives and of the
        negatives; NaN where a class has one member.
    n_positive, n_negative : int
    difference_variance : float
        Variance of the difference of two AUCs from the differences of the placements, so that
        scores which order the cases alike give exactly 0; NaN for one score.
    """

    auc: FloatArray
    s10: FloatArray
    s01: FloatArray
    n_positive: int
    n_negative: int
    difference_variance: float

    @property
    def covariance(self) -> FloatArray:
        """Return the DeLong covariance of the AUCs, shape (k, k)."""
        return self.s10 / self.n_positive + self.s01 / self.n_negative


def grade(score: FloatArray) -> Grades | None:
    """Return the levels and codes of a score with at most 256 distinct values, else None.

    The answer is exact: a sample only decides early that a score is continuous.
    """
    if score.size < MIN_SIZE_FOR_GRADES:
        return None
    step = max(1, score.size // SAMPLE_SIZE)
    levels = np.unique(score[::step])
    if levels.size > MAX_LEVELS:
        return None
    whole = _grade_whole_numbers(score)
    return whole if whole is not None else _grade_by_search(score, levels)


def _grade_whole_numbers(score: FloatArray) -> Grades | None:
    low, high = float(score.min()), float(score.max())
    if not high - low < MAX_LEVELS or low != np.floor(low):
        return None
    codes = (score - low).astype(np.int64)
    if not np.array_equal(codes + low, score):
        return None
    return Grades(np.arange(low, high + 1), codes)


def _grade_by_search(score: FloatArray, levels: FloatArray) -> Grades | None:
    for _ in range(MAX_LEVELS):
        codes = np.minimum(np.searchsorted(levels, score), levels.size - 1)
        unseen = score[levels[codes] != score]
        if unseen.size == 0:
            return Grades(levels, codes)
        levels = np.union1d(levels, np.unique(unseen[:SAMPLE_SIZE]))
        if levels.size > MAX_LEVELS:
            return None
    return None


def beaten(positive: FloatArray, negative: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return for each score how many of the other class it is rightly ranked against.

    Parameters
    ----------
    positive, negative : ndarray (m,), (n,)
        Scores without NaN.

    Returns
    -------
    wins_positive : ndarray (m,)
        Negatives below each positive, ties counted one half.
    wins_negative : ndarray (n,)
        Positives above each negative, ties counted one half.
    """
    m = positive.size
    scores = np.concatenate((positive, negative))
    order = np.argsort(scores)
    ordered = scores[order]
    is_positive = order < m
    positives_upto = np.cumsum(is_positive, dtype=np.int32)
    first = np.empty(scores.size, dtype=bool)
    first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    if first.all():
        wins = _wins_without_ties(is_positive, positives_upto, m)
    else:
        wins = _wins_with_ties(is_positive, positives_upto, np.flatnonzero(first), m)
    back = scores
    back[order] = wins
    return back[:m], back[m:]


def _wins_without_ties(is_positive: BoolArray, upto: CountArray, m: int) -> FloatArray:
    """Return the wins in ascending order of score.

    A negative at place k has m - upto positives above it. A positive there has k + 1 - upto
    negatives below it, which is k + 1 - m more: the sum needs no branch on the class.
    """
    ahead = np.arange(1.0 - m, upto.size + 1.0 - m)
    return np.add(m - upto, is_positive * ahead, dtype=float)


def _wins_with_ties(
    is_positive: BoolArray, upto: CountArray, starts: npt.NDArray[np.intp], m: int
) -> FloatArray:
    """Return the same for runs of equal scores, each taking the middle of its run."""
    stops = np.append(starts[1:], upto.size)
    positives_to = upto[stops - 1]
    positives_before = np.append(0, positives_to[:-1])
    for_negative = m - 0.5 * (positives_before + positives_to)
    ahead = 0.5 * (starts + stops) - m
    size = stops - starts
    return np.repeat(for_negative, size) + is_positive * np.repeat(ahead, size)


def wins_per_level(
    positive_counts: npt.NDArray[np.number], negative_counts: npt.NDArray[np.number]
) -> tuple[FloatArray, FloatArray]:
    """Return the wins of a positive and of a negative at each level from counts per level.

    Parameters
    ----------
    positive_counts, negative_counts : ndarray (..., q)
        Counts per level in ascending order of score.

    Returns
    -------
    ndarray, ndarray (..., q)
        As in :func:`beaten`, for one member of each level.
    """
    negatives_upto = np.cumsum(negative_counts, axis=-1)
    positives_upto = np.cumsum(positive_counts, axis=-1)
    for_positive = negatives_upto - 0.5 * negative_counts
    for_negative = positives_upto[..., -1:] - positives_upto + 0.5 * positive_counts
    return for_positive, for_negative


def moments(scores: Sequence[FloatArray], positive: BoolArray) -> Moments:
    """Return AUC and placement covariances of one or two scores on the same cases.

    Parameters
    ----------
    scores : sequence of ndarray (n,)
        One or two scores without NaN.
    positive : ndarray (n,) of bool
        Which cases are positive; both classes must be there.
    """
    grades = [grade(score) for score in scores]
    known = [g for g in grades if g is not None]
    if len(known) == len(scores) and np.prod([g.levels.size for g in known]) <= MAX_JOINT_LEVELS:
        return _moments_of_grades(known, positive)
    negative = ~positive
    wins = [beaten(np.compress(positive, s), np.compress(negative, s)) for s in scores]
    return moments_of_wins([w[0] for w in wins], [w[1] for w in wins])


def moments_of_wins(
    wins_positive: Sequence[FloatArray], wins_negative: Sequence[FloatArray]
) -> Moments:
    """Return the moments of ``k`` scores from their wins on the same cases."""
    m, n = wins_positive[0].size, wins_negative[0].size
    auc = np.array([w.sum() / (m * n) for w in wins_positive])
    v10 = [w / n - a for w, a in zip(wins_positive, auc, strict=True)]
    v01 = [w / m - a for w, a in zip(wins_negative, auc, strict=True)]
    apart = math.nan
    if len(v10) == 2:
        apart = _mean_square(v10[0] - v10[1]) + _mean_square(v01[0] - v01[1])
    return Moments(auc, _sample_covariance(v10), _sample_covariance(v01), m, n, apart)


def _mean_square(deviation: FloatArray) -> float:
    size = deviation.size
    return float((deviation**2).sum()) / (size * (size - 1)) if size > 1 else math.nan


def _sample_covariance(deviations: list[FloatArray]) -> FloatArray:
    size = deviations[0].size
    if size < 2:
        return np.full((len(deviations), len(deviations)), np.nan)
    return products(np.array(deviations)) / (size - 1)


def _moments_of_grades(grades: list[Grades], positive: BoolArray) -> Moments:
    shape = tuple(g.levels.size for g in grades)
    code = positive.astype(np.int64)
    for g in grades:
        code = code * g.levels.size + g.codes
    counts = np.bincount(code, minlength=2 * int(np.prod(shape))).reshape(2, *shape)
    negatives, positives = counts
    m, n = int(positives.sum()), int(negatives.sum())
    by_grade = [
        wins_per_level(_marginal(positives, axis), _marginal(negatives, axis))
        for axis in range(len(shape))
    ]
    auc = np.array(
        [wins[0] @ _marginal(positives, axis) / (m * n) for axis, wins in enumerate(by_grade)]
    )
    v10 = [wins[0] / n - a for wins, a in zip(by_grade, auc, strict=True)]
    v01 = [wins[1] / m - a for wins, a in zip(by_grade, auc, strict=True)]
    apart = math.nan
    if len(v10) == 2:
        apart = _counted_mean_square(positives, v10) + _counted_mean_square(negatives, v01)
    s10, s01 = _counted_covariance(positives, v10), _counted_covariance(negatives, v01)
    return Moments(auc, s10, s01, m, n, apart)


def _counted_mean_square(counts: IntArray, deviations: list[FloatArray]) -> float:
    total = int(counts.sum())
    apart = deviations[0][:, None] - deviations[1][None, :]
    return float((counts * apart**2).sum()) / (total * (total - 1)) if total > 1 else math.nan


def _marginal(counts: IntArray, axis: int) -> IntArray:
    return counts.sum(axis=tuple(a for a in range(counts.ndim) if a != axis))


def _counted_covariance(counts: IntArray, deviations: list[FloatArray]) -> FloatArray:
    total = int(counts.sum())
    k = len(deviations)
    if total < 2:
        return np.full((k, k), np.nan)
    result = np.empty((k, k))
    for i, a in enumerate(deviations):
        result[i, i] = _marginal(counts, i) @ (a * a) / (total - 1)
    if k == 2:
        result[0, 1] = result[1, 0] = deviations[0] @ counts @ deviations[1] / (total - 1)
    return result


def clustered_covariance(
    wins_positive: Sequence[FloatArray],
    wins_negative: Sequence[FloatArray],
    cluster_positive: IntArray,
    cluster_negative: IntArray,
) -> FloatArray:
    """Return the covariance of AUCs when cases of one cluster (patient) are dependent.

    Obuchowski 1997, Biometrics 53:567: placements are summed within a cluster, and a cluster
    that holds both classes adds the covariance of its two sums. Equal to DeLong when each
    cluster holds one case.

    Parameters
    ----------
    wins_positive, wins_negative : sequences of ndarray (m,), (n,)
        From :func:`beaten`, one pair per score.
    cluster_positive, cluster_negative : ndarray of int (m,), (n,)
        Cluster codes from 0.
    """
    m, n = cluster_positive.size, cluster_negative.size
    size = int(max(cluster_positive.max(), cluster_negative.max())) + 1
    has_positive = np.bincount(cluster_positive, minlength=size) > 0
    has_negative = np.bincount(cluster_negative, minlength=size) > 0
    auc = [w.sum() / (m * n) for w in wins_positive]
    sums10 = _cluster_sums([w / n for w in wins_positive], auc, cluster_positive, size)
    sums01 = _cluster_sums([w / m for w in wins_negative], auc, cluster_negative, size)
    i10, i01 = int(has_positive.sum()), int(has_negative.sum())
    i_all = int((has_positive | has_negative).sum())
    k = len(auc)
    both = products(np.concatenate((sums10, sums01)))
    cross = both[:k, k:]
    return (
        _small_sample(i10) / m**2 * both[:k, :k]
        + _small_sample(i01) / n**2 * both[k:, k:]
        + _small_sample(i_all) / (m * n) * (cross + cross.T)
    )


def _cluster_sums(
    placements: list[FloatArray], auc: list[float], cluster: IntArray, size: int
) -> FloatArray:
    return np.array(
        [
            np.bincount(cluster, weights=v - a, minlength=size)
            for v, a in zip(placements, auc, strict=True)
        ]
    )


def _small_sample(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else np.nan


def cluster_products(
    first: FloatArray, second: FloatArray, has: npt.NDArray[np.bool_]
) -> FloatArray:
    """Return products of sums by cluster, with the small-sample factor of the shared clusters.

    Parameters
    ----------
    first, second : ndarray (c, s)
        Sums by cell and cluster.
    has : ndarray of bool (c, s)
        Whether the cell has a case of the cluster. Cells that share none are uncorrelated; one
        shared cluster has no spread: NaN.
    """
    shared = products(has.astype(float))
    factor = np.divide(shared, shared - 1.0, out=np.full_like(shared, np.nan), where=shared > 1.0)
    return np.where(shared == 0.0, 0.0, factor * (first @ second.T))


def products(rows: FloatArray) -> FloatArray:
    """Return ``rows @ rows.T``, in slices too small for the threads of the linear algebra.

    On a busy machine threads wait for each other longer than a table of readers takes.
    """
    c, k = rows.shape
    if c * c * k > _THREADS_PAY:
        return rows @ rows.T
    width = min(max(1, _SLICE // (c * c)), _LONGEST_SLICE)
    whole = k - k % width
    slices = rows[:, :whole].reshape(c, -1, width).transpose(1, 0, 2)
    rest = rows[:, whole:]
    return np.matmul(slices, slices.transpose(0, 2, 1)).sum(axis=0) + rest @ rest.T

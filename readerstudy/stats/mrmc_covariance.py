"""Performance of each test-reader cell and the covariances between cells.

The metric is the AUC (a two-sample U-statistic of positives and negatives) or a proportion (a
mean over cases). Three estimates of the covariance that the sampling of cases gives two cells
are offered: DeLong 1988, the jackknife over cases without refitting (Hanley & Hajian-Tilaki,
Acad Radiol 1997;4:49), and the unbiased one from product moments (Gallas, Acad Radiol 2006;13:353;
Gallas, Pennello & Myers, J Opt Soc Am A 2007;24:B70).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.mrmc_design import Reads
from readerstudy.stats.placements import Grades, beaten, grade, products, wins_per_level
from readerstudy.stats.validation import FloatArray, IntArray

COVARIANCES = ("delong", "jackknife", "unbiased")
_BLOCK = 1 << 17
_CHUNK = 1 << 12
_MAX_ONE_HOT = 1 << 11


@dataclass(frozen=True)
class Side:
    """One class of cases seen from all cells, or all cases for a proportion.

    Attributes
    ----------
    wins : ndarray (c, k)
        Wins of each case (see :mod:`placements`), or success; 0 where unread.
    read : ndarray (c, k) of bool
        Whether the cell has read the case.
    mean_wins : ndarray (c,)
        Wins that a placement of 1 stands for: the number of cases of the other class, or 1.
    """

    wins: FloatArray
    read: npt.NDArray[np.bool_]
    mean_wins: FloatArray

    @cached_property
    def count(self) -> FloatArray:
        """Return how many cases each cell has read, shape (c,)."""
        return self.read.sum(axis=1).astype(float)

    @cached_property
    def complete(self) -> bool:
        """Return whether every cell has read every case."""
        return bool(self.read.all())

    @cached_property
    def shared(self) -> FloatArray:
        """Return how many cases two cells share, shape (c, c)."""
        if self.complete:
            return np.full((len(self.read), len(self.read)), float(self.read.shape[1]))
        return products(self.read.astype(float))

    @cached_property
    def cross(self) -> FloatArray:
        """Return the sums of products of wins over shared cases, shape (c, c)."""
        return products(self.wins)

    def deviation_products(self, value: FloatArray) -> FloatArray:
        """Return the sums of products of placements less ``value`` over shared cases."""
        deviation = self.wins / self.mean_wins[:, None] - value[:, None]
        return products(deviation if self.complete else deviation * self.read)


@dataclass(frozen=True)
class Cells:
    """The metric of each cell with what its covariances need.

    Attributes
    ----------
    value : ndarray (c,)
    sides : tuple of Side
        Positives and negatives, or the one side of a proportion.
    """

    reads: Reads
    value: FloatArray
    sides: tuple[Side, ...]

    def covariance(self, kind: str) -> FloatArray:
        """Return the covariance matrix of the cells due to cases, shape (c, c)."""
        return {
            "delong": self._delong,
            "jackknife": self._jackknife,
            "unbiased": self._unbiased,
        }[kind]()

    def _delong(self) -> FloatArray:
        total = np.zeros((self.value.size, self.value.size))
        for side in self.sides:
            sums = side.deviation_products(self.value)
            spread = np.divide(
                sums, side.shared - 1.0, out=np.full_like(sums, np.nan), where=side.shared > 1.0
            )
            scale = side.shared / np.outer(side.count, side.count)
            total += np.where(side.shared == 0.0, 0.0, spread * scale)
        return total

    def _jackknife(self) -> FloatArray:
        n = len(self.reads.cases)
        total = np.zeros((self.value.size, self.value.size))
        for side in self.sides:
            less = side.count - 1.0
            lone = np.where(less > 0.0, less, np.nan)
            total += side.deviation_products(self.value) / np.outer(lone, lone)
        return (n - 1) / n * total

    def pseudovalues(self) -> FloatArray:
        """Return the jackknife pseudovalues of cells that have read all cases, shape (c, k).

        Leaving out a case needs no refit: the AUC without positive i is (m A - v_i) / (m - 1),
        where v_i is its placement.
        """
        n = len(self.reads.cases)
        parts = []
        for side in self.sides:
            less = np.where(side.count > 1.0, side.count - 1.0, np.nan)[:, None]
            placement = side.wins / side.mean_wins[:, None]
            value = self.value[:, None]
            without = (side.count[:, None] * value - placement) / less
            parts.append(n * value - (n - 1) * without)
        return np.concatenate(parts, axis=1)

    def _unbiased(self) -> FloatArray:
        apart = (0,) * len(self.sides)
        products, pairs = (exclusive(m, len(self.sides))[apart] for m in self.moments)
        square = np.divide(products, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0.0)
        return np.outer(self.value, self.value) - square

    @cached_property
    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return sums of products of the kernel of two cells, and how many products there are.

        Both have one leading axis of length 2 for each side (positives, negatives): at 0 any two
        cases of the side, at 1 the same case twice; then (c, c).
        """
        c = self.value.size
        numerator = np.empty((2,) * len(self.sides) + (c, c))
        denominator = np.empty_like(numerator)
        if len(self.sides) == 1:
            (side,) = self.sides
            total = side.wins.sum(axis=1)
            numerator[0], numerator[1] = np.outer(total, total), side.cross
            denominator[0], denominator[1] = np.outer(side.count, side.count), side.shared
            return numerator, denominator
        positive, negative = self.sides
        total = positive.wins.sum(axis=1)
        positives = np.outer(positive.count, positive.count)
        negatives = np.outer(negative.count, negative.count)
        numerator[0, 0], denominator[0, 0] = np.outer(total, total), positives * negatives
        numerator[1, 0], denominator[1, 0] = positive.cross, positive.shared * negatives
        numerator[0, 1], denominator[0, 1] = negative.cross, negative.shared * positives
        numerator[1, 1] = kernel_products(self.reads)
        denominator[1, 1] = positive.shared * negative.shared
        return numerator, denominator


def exclusive(moments: FloatArray, axes: int) -> FloatArray:
    """Turn "any two" sums into "two different" sums along the first ``axes`` axes.

    Along each of them the entry at 0 (any two) becomes 0 less 1: the pairs that differ there.
    """
    result = moments.copy()
    for axis in range(axes):
        moved = np.moveaxis(result, axis, 0)
        moved[0] -= moved[1]
    return result


def make_cells(reads: Reads) -> Cells:
    """Return the metric of every cell of ``reads``."""
    read = reads.read
    if reads.metric == "proportion":
        success = np.nan_to_num(reads.scores)
        side = Side(success, read, np.ones(len(success)))
        return Cells(reads, success.sum(axis=1) / side.count, (side,))
    m = reads.n_positive
    for_positive, for_negative = _wins(reads)
    n_positive, n_negative = read[:, :m].sum(axis=1), read[:, m:].sum(axis=1)
    value = for_positive.sum(axis=1) / (n_positive * n_negative)
    positive = Side(for_positive, read[:, :m], n_negative)
    negative = Side(for_negative, read[:, m:], n_positive)
    return Cells(reads, value, (positive, negative))


def _wins(reads: Reads) -> tuple[FloatArray, FloatArray]:
    grades = _grades(reads)
    if grades is not None:
        return _graded_wins(grades, reads.scores.shape, reads.n_positive)
    wins = np.zeros_like(reads.scores)
    m = reads.n_positive
    read = reads.read
    for cell, (row, seen) in enumerate(zip(reads.scores, read, strict=True)):
        if seen.all():
            wins[cell, :m], wins[cell, m:] = beaten(row[:m], row[m:])
        else:
            positive, negative = beaten(row[:m][seen[:m]], row[m:][seen[m:]])
            wins[cell, :m][seen[:m]], wins[cell, m:][seen[m:]] = positive, negative
    return wins[:, :m], wins[:, m:]


def _grades(reads: Reads) -> Grades | None:
    """Return the grades of a table without gaps, else None."""
    flat = reads.scores.ravel()
    return None if np.isnan(flat).any() else grade(flat)


def _graded_wins(grades: Grades, shape: tuple[int, int], m: int) -> tuple[FloatArray, FloatArray]:
    cells, q = shape[0], grades.levels.size
    place = grades.codes.reshape(shape) + q * np.arange(cells)[:, None]
    positives, negatives = (
        np.bincount(part.ravel(), minlength=cells * q).reshape(cells, q)
        for part in (place[:, :m], place[:, m:])
    )
    for_positive, for_negative = wins_per_level(positives, negatives)
    return for_positive.ravel()[place[:, :m]], for_negative.ravel()[place[:, m:]]


def kernel_products(reads: Reads) -> FloatArray:
    """Return, for two cells, the sum over positives and negatives of the product of kernels.

    The kernel of a positive and a negative is 1, 1/2 or 0 as the positive scores higher, equal
    or lower; 0 where one of both is unread. Shape (c, c). Grades are counted; otherwise the
    pairs are visited in blocks, so that memory does not grow with the number of pairs.
    """
    grades = _grades(reads)
    m, n = reads.n_positive, len(reads.cases) - reads.n_positive
    if grades is not None:
        q = grades.levels.size
        if q * len(reads.scores) <= _MAX_ONE_HOT and q * q * (m + n) < m * n:
            return _graded_products(grades, reads.scores.shape, m)
    return _blocked_products(reads.scores[:, :m], reads.scores[:, m:])


def _graded_products(grades: Grades, shape: tuple[int, int], m: int) -> FloatArray:
    q = grades.levels.size
    codes = grades.codes.reshape(shape)
    pairs = [_joint_counts(part, q) for part in (codes[:, :m], codes[:, m:])]
    kernel = np.tri(q, k=-1) + 0.5 * np.eye(q)
    seen_from_negatives = np.einsum("ad,iajb,be->idje", kernel, pairs[0], kernel, optimize=True)
    return np.einsum("idje,idje->ij", seen_from_negatives, pairs[1])


def _joint_counts(codes: IntArray, q: int) -> FloatArray:
    """Return how many cases have grade a in cell i and b in cell j, shape (c, q, c, q)."""
    cells = len(codes)
    counts = np.zeros((cells * q, cells * q))
    for start in range(0, codes.shape[1], _CHUNK):
        part = codes[:, None, start : start + _CHUNK]
        hot = np.zeros((cells, q, part.shape[2]), dtype=np.float32)
        np.put_along_axis(hot, part, 1.0, axis=1)
        flat = hot.reshape(cells * q, -1)
        counts += flat @ flat.T
    return counts.reshape(cells, q, cells, q)


def _blocked_products(positive: FloatArray, negative: FloatArray) -> FloatArray:
    cells, m = positive.shape
    ranks = [_ranks(p, n) for p, n in zip(positive, negative, strict=True)]
    rows = max(1, _BLOCK // m)
    twice = np.empty((cells, rows * m), dtype=np.float32)
    total = np.zeros((cells, cells))
    for start in range(0, negative.shape[1], rows):
        size = 0
        for cell, (of_positive, of_negative) in enumerate(ranks):
            block = of_negative[start : start + rows, None]
            wins = (of_positive > block).view(np.int8)
            wins += (of_positive >= block).view(np.int8)
            size = wins.size
            twice[cell, :size] = wins.ravel()
        # sums of whole numbers below 2^24 are exact in single precision
        total += twice[:, :size] @ twice[:, :size].T
    return total / 4.0


def _ranks(positive: FloatArray, negative: FloatArray) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return dense ranks, as short whole numbers compare fast; unread cases never win."""
    both = np.concatenate((positive, negative))
    seen = ~np.isnan(both)
    levels, codes = np.unique(both[seen], return_inverse=True)
    kind = np.int16 if levels.size < np.iinfo(np.int16).max else np.int32
    ranks = np.empty(both.size, dtype=kind)
    ranks[seen] = codes
    ranks[: positive.size][~seen[: positive.size]] = -1
    ranks[positive.size :][~seen[positive.size :]] = levels.size
    return ranks[: positive.size], ranks[positive.size :]

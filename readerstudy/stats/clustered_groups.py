"""Shares of several groups of reads compared, whatever the reads share: cases, patients, readers.

References
----------
Rotnitzky A, Jewell NP. Biometrika 1990;77:485 (score test with an empirical variance). Boos DD.
Am Stat 1992;46:327. Rao JNK, Scott AJ. Biometrics 1992;48:577 (share of clustered reads).
Zou GY, Donner A. Stat Med 2008;27:1693 (limits of a difference from those of its parts).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from readerstudy.stats.proportions import ClusteredProportion, clustered_proportion, wilson_limits
from readerstudy.stats.results import Estimate, Result
from readerstudy.stats.validation import FloatArray, IntArray, as_binary, check_level, same_length

_METHOD = (
    "shares of clustered reads compared by a score test with the empirical variance over clusters "
    "(Rotnitzky & Jewell 1990)"
)
_LIMITS = "limits from the Wilson limits of both shares (Zou & Donner 2008)"
FEW = 20


@dataclass(frozen=True, kw_only=True)
class GroupDifference(Estimate):
    """The share of ``first`` minus that of ``second``.

    Attributes
    ----------
    z, pvalue : float
        Score test of equal shares; NaN with a reason where nothing varies.
    """

    first: Any
    second: Any
    z: float = math.nan
    pvalue: float = math.nan


@dataclass(frozen=True, kw_only=True)
class ClusteredComparison(Result):
    """Shares of the groups, and whether they are equal.

    Attributes
    ----------
    shares : dict
        Group to its `ClusteredProportion`; its Wilson limits are ``low_wilson``, ``high_wilson``.
    chi2, df, pvalue : float
        Score test that all shares are equal; for two groups the square of ``z``.
    differences : tuple of GroupDifference
        Every pair, in the order of the groups.
    n_clusters, n_shared : int
        Clusters, and how many of them have reads in more than one group.
    """

    shares: dict[Any, ClusteredProportion]
    chi2: float
    df: int
    pvalue: float
    differences: tuple[GroupDifference, ...]
    n_clusters: int
    n_shared: int

    def difference(self, first: Any, second: Any) -> GroupDifference:
        """Return the difference of two groups; ValueError if they were not compared."""
        for row in self.differences:
            if (row.first, row.second) == (first, second):
                return row
        raise ValueError(f"{first!r} and {second!r} were not compared in this order")


def clustered_comparison(
    success: npt.ArrayLike,
    cluster: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    groups: Sequence[Any] | None = None,
    level: float = 0.95,
) -> ClusteredComparison:
    """Compare the share of successes between groups of reads that come in clusters.

    One method for all designs: groups may be of different clusters (images of two generators read
    by the same readers), of the same clusters (two arms of the same cases), or of both. Readers
    are taken as fixed.

    Parameters
    ----------
    success : array_like of 0/1
        One entry per read.
    cluster : array_like
        What reads share: case, patient or reader.
    group : array_like
        What is compared.
    groups : sequence, optional
        Order of the groups; differences are earlier minus later. Default: sorted.
    level : float
        Confidence level.

    Returns
    -------
    ClusteredComparison
        NaN with a reason where all reads succeed or all fail, or with one group.

    Raises
    ------
    ValueError
        For values other than 0 and 1, different lengths, no read, or groups that are not all of
        those in the data.

    Notes
    -----
    With one read to a cluster and groups of equal size this is Pearson's chi-square for two
    groups; with each cluster read once in both groups it is McNemar's, both without correction.

    Examples
    --------
    Han 2018, images of T1c: 71 of 100 calls right for one generator, 55 of 100 for the other.

    >>> right = [1] * 71 + [0] * 29 + [1] * 55 + [0] * 45
    >>> r = clustered_comparison(right, range(200), ["DCGAN"] * 100 + ["WGAN"] * 100)
    >>> round(r.differences[0].value, 2), round(r.pvalue, 3)
    (0.16, 0.019)
    """
    values, labels = as_binary(success, "success"), np.asarray(list(cluster))  # type: ignore[arg-type]
    placed = np.asarray(list(group))  # type: ignore[arg-type]
    same_length(success=values, cluster=labels, group=placed)
    check_level(level)
    order = _order(placed, groups)
    if np.isnan(values).any():
        raise ValueError("success has missing values (NaN); remove them")
    table = _Table.of(values, labels, placed, order)
    shares = {
        name: clustered_proportion(values[placed == name], labels[placed == name], level=level)
        for name in order
    }
    differences = tuple(
        _difference(table.only(i, j), (order[i], order[j]), shares, level)
        for i, j in combinations(range(len(order)), 2)
    )
    chi2, df, reason = _equal(table)
    return ClusteredComparison(
        method=_METHOD,
        n=int(values.size),
        shares=shares,
        chi2=chi2,
        df=df,
        pvalue=float(stats.chi2.sf(chi2, df)) if df else math.nan,
        differences=differences,
        n_clusters=table.k.shape[0],
        n_shared=int(((table.n > 0).sum(axis=1) > 1).sum()),
        reason=reason,
        warnings=_warnings(table, order),
    )


def _order(placed: npt.NDArray[Any], groups: Sequence[Any] | None) -> list[Any]:
    if not placed.size:
        raise ValueError("success must hold at least one read")
    found = sorted(set(placed.tolist()))
    if groups is None:
        return found
    if sorted(groups) != found:
        raise ValueError(f"groups must be those of the data, {found}; got {list(groups)}")
    return list(groups)


@dataclass(frozen=True)
class _Table:
    """Successes ``k`` and reads ``n``, shape (clusters, groups)."""

    k: FloatArray
    n: IntArray

    @classmethod
    def of(
        cls,
        values: FloatArray,
        labels: npt.NDArray[Any],
        placed: npt.NDArray[Any],
        order: Sequence[Any],
    ) -> _Table:
        _, row = np.unique(labels, return_inverse=True)
        place = {name: number for number, name in enumerate(order)}
        column = np.array([place[name] for name in placed.tolist()], dtype=np.int64)
        shape = (int(row.max()) + 1, len(order))
        k, n = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        np.add.at(k, (row, column), values)
        np.add.at(n, (row, column), 1)
        return cls(k, n)

    def only(self, *columns: int) -> _Table:
        """Return the table of some groups, without clusters that have no read in them."""
        k, n = self.k[:, columns], self.n[:, columns]
        kept = n.sum(axis=1) > 0
        return _Table(k[kept], n[kept])

    @property
    def share(self) -> FloatArray:
        return np.asarray(self.k.sum(axis=0) / self.n.sum(axis=0), dtype=np.float64)

    def residuals(self, share: FloatArray | float) -> FloatArray:
        """Return what each cluster adds to the share of each group beyond ``share``."""
        return np.asarray((self.k - share * self.n) / self.n.sum(axis=0), dtype=np.float64)


def _equal(table: _Table) -> tuple[float, int, str | None]:
    """Return the score statistic of equal shares, its degrees of freedom, and why there is none."""
    if table.k.shape[1] < 2:
        return math.nan, 0, "there is only one group"
    pooled = float(table.k.sum() / table.n.sum())
    if pooled in (0.0, 1.0):
        return math.nan, 0, _no_variance(pooled)
    residuals = table.residuals(pooled)
    contrasts = residuals[:, 1:] - residuals[:, :1]
    covariance = contrasts.T @ contrasts
    df = int(np.linalg.matrix_rank(covariance))
    apart = table.share[1:] - table.share[0]
    if df < contrasts.shape[1]:
        return math.nan, 0, "too few clusters vary for a test of all groups"
    return float(apart @ np.linalg.solve(covariance, apart)), df, None


def _no_variance(pooled: float) -> str:
    return f"no test: every read is {'a success' if pooled else 'a failure'}"


def _difference(
    pair: _Table, names: tuple[Any, Any], shares: dict[Any, ClusteredProportion], level: float
) -> GroupDifference:
    first, second = pair.share.tolist()
    chi2, df, reason = _equal(pair)
    z = math.copysign(math.sqrt(chi2), first - second) if df else math.nan
    low, high = _limits((shares[names[0]], shares[names[1]]), _correlation(pair), level)
    return GroupDifference(
        method=f"{_METHOD}; {_LIMITS}",
        n=int(pair.n.sum()),
        first=names[0],
        second=names[1],
        value=first - second,
        low=low,
        high=high,
        level=level,
        z=z,
        pvalue=float(2 * special.ndtr(-abs(z))) if df else math.nan,
        reason=reason,
    )


def _correlation(pair: _Table) -> float:
    """Return the correlation of two shares that comes from clusters in both groups."""
    residuals = pair.residuals(pair.share)
    squares = (residuals**2).sum(axis=0)
    if not squares.all():
        return 0.0
    return float((residuals[:, 0] * residuals[:, 1]).sum() / math.sqrt(squares.prod()))


def _limits(
    parts: tuple[ClusteredProportion, ClusteredProportion], r: float, level: float
) -> tuple[float, float]:
    (p1, l1, u1), (p2, l2, u2) = ((part.value, *_wilson(part, level)) for part in parts)
    below = (p1 - l1) ** 2 - 2 * r * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * r * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    difference = p1 - p2
    return difference - math.sqrt(max(below, 0.0)), difference + math.sqrt(max(above, 0.0))


def _wilson(part: ClusteredProportion, level: float) -> tuple[float, float]:
    """Return Wilson limits; where nothing varies as if each cluster were one read."""
    if not math.isnan(part.low_wilson):
        return part.low_wilson, part.high_wilson
    return wilson_limits(part.value * part.n_clusters, part.n_clusters, level)


def _warnings(table: _Table, order: Sequence[Any]) -> tuple[str, ...]:
    counts = (table.n > 0).sum(axis=0).tolist()
    few = [f"{name}: {count}" for name, count in zip(order, counts, strict=True) if count < FEW]
    if not few:
        return ()
    return (f"few clusters ({', '.join(few)}): the test is approximate",)

"""Test of independence in a table whose observations come in clusters.

References
----------
Rotnitzky A, Jewell NP. Biometrika 1990;77:485 (score test with an empirical variance). Boos DD.
Am Stat 1992;46:327.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.quantiles import chi_square_p
from readerstudy.stats.results import Result
from readerstudy.stats.validation import FloatArray, same_length

METHOD = (
    "score test of independence with the empirical variance over clusters (Rotnitzky & Jewell 1990)"
)
FEW = 20


@dataclass(frozen=True, kw_only=True)
class ClusteredTableTest(Result):
    """Independence of group and level, observations in clusters.

    Attributes
    ----------
    statistic, df, pvalue : float
        Generalised score statistic, its degrees of freedom and its upper tail of chi-square.
    table : ndarray of int, shape (groups, levels)
    n_clusters, n_shared : int
        Clusters, and how many have observations in more than one group.
    """

    statistic: float
    df: int
    pvalue: float
    table: npt.NDArray[np.int64]
    n_clusters: int
    n_shared: int

    def summary(self) -> str:
        """Return the statistic and p, or the reason they are undefined."""
        if math.isnan(self.pvalue):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"chi-square = {self.statistic:.6g}, df = {self.df}, p = {self.pvalue:.4g}, "
            f"n = {self.n} in {self.n_clusters} clusters, {self.method}"
        )


def clustered_chi_square(
    group: Sequence[Hashable], level: Sequence[Hashable], cluster: Sequence[Hashable]
) -> ClusteredTableTest:
    """Test whether levels are equally distributed in groups of clustered observations.

    Parameters
    ----------
    group, level, cluster : sequence
        One entry per observation: what is compared, what was observed, and what observations
        share (patient or case). Clusters may have observations in several groups.

    Returns
    -------
    ClusteredTableTest
        NaN with a reason for one group, one level, or too few clusters.

    Raises
    ------
    ValueError
        For different lengths.

    Notes
    -----
    With one observation to a cluster and two groups of equal size it is Pearson's chi-square for
    two levels; elsewhere it is close to it, as the variance is not that of the null margins.

    Examples
    --------
    >>> group = ["real"] * 40 + ["synthetic"] * 40
    >>> level = ["no"] * 20 + ["yes"] * 20 + ["no"] * 10 + ["yes"] * 30
    >>> round(clustered_chi_square(group, level, range(80)).statistic, 4)
    5.3333
    """
    same_length(group=list(group), level=list(level), cluster=list(cluster))
    groups, of_group = np.unique(np.asarray(list(group)), return_inverse=True)
    levels, of_level = np.unique(np.asarray(list(level)), return_inverse=True)
    clusters, of_cluster = np.unique(np.asarray(list(cluster)), return_inverse=True)
    counts = np.zeros((len(clusters), len(groups), len(levels)))
    np.add.at(counts, (of_cluster, of_group, of_level), 1.0)
    per_group = counts.sum(axis=2)
    common: dict[str, Any] = {
        "method": METHOD,
        "n": len(of_group),
        "table": counts.sum(axis=0).astype(np.int64),
        "n_clusters": len(clusters),
        "n_shared": int(((per_group > 0).sum(axis=1) > 1).sum()),
    }
    reason = _reason(len(groups), len(levels), len(clusters))
    if reason:
        nan = math.nan
        return ClusteredTableTest(statistic=nan, df=0, pvalue=nan, reason=reason, **common)
    statistic, df = _score(counts, per_group)
    few = f"only {len(clusters)} clusters: the test may reject too often"
    return ClusteredTableTest(
        statistic=statistic,
        df=df,
        pvalue=chi_square_p(statistic, df),
        warnings=(few,) if len(clusters) < FEW else (),
        **common,
    )


def _reason(groups: int, levels: int, clusters: int) -> str:
    if groups < 2:
        return "one group only" if groups else "no observation"
    if levels < 2:
        return "all observations are on one level"
    needed = (groups - 1) * (levels - 1)
    if clusters <= needed:
        return f"{clusters} clusters are too few for {needed} degrees of freedom"
    return ""


def _score(counts: FloatArray, per_group: FloatArray) -> tuple[float, int]:
    share = counts.sum(axis=(0, 1)) / counts.sum()
    residual = counts - per_group[:, :, None] * share
    weight = per_group.sum(axis=0) / per_group.sum()
    part = residual - weight[:, None] * residual.sum(axis=1, keepdims=True)
    part = part[:, 1:, 1:].reshape(len(counts), -1)
    total, variance = part.sum(axis=0), part.T @ part
    df = int(np.linalg.matrix_rank(variance, tol=1e-9 * max(1.0, float(variance.max()))))
    return float(total @ np.linalg.pinv(variance, rcond=1e-10) @ total), df

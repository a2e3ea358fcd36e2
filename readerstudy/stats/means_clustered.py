"""Means, and their differences, of observations that share a patient, case or reader.

References
----------
Cochran WG. Sampling Techniques, 3rd ed. 1977, chapter 6 (ratio of totals over clusters). Bell RM,
McCaffrey DF. Surv Methodol 2002;28:169 (too few clusters).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.quantiles import t_p, t_quantile
from readerstudy.stats.results import Estimate, undefined
from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    as_vector,
    check_finite,
    check_level,
    column,
    missing_rows,
    same_length,
)

FEW = 20
_METHOD = (
    "mean with a cluster-robust variance (ratio of totals over clusters, Cochran 1977), "
    "t interval with clusters - 1 degrees of freedom"
)
_DIFFERENCE = (
    "difference of two means with a cluster-robust variance (linearised, clusters may be in both "
    "groups), t with clusters - 1 degrees of freedom"
)


@dataclass(frozen=True, kw_only=True)
class ClusteredMean(Estimate):
    """A mean of observations that come in clusters.

    Attributes
    ----------
    se, se_naive : float
        Standard error from the totals of the clusters; that of independent observations.
    sd : float
        Standard deviation of the observations.
    design_effect : float
        ``(se / se_naive)²``; NaN where the observations do not vary.
    n_clusters, df : int
        Clusters; degrees of freedom of the interval.
    """

    se: float
    se_naive: float
    sd: float
    design_effect: float
    n_clusters: int
    df: int


@dataclass(frozen=True, kw_only=True)
class ClusteredMeanDifference(Estimate):
    """Mean of the first group less that of the second.

    Attributes
    ----------
    first, second : float
        The two means.
    n_first, n_second : int
        Observations of the groups.
    se, t, pvalue : float
        Cluster-robust standard error; test that both means are equal.
    df, n_clusters, n_shared : int
        Degrees of freedom; clusters, and how many have observations in both groups.
    """

    first: float
    second: float
    n_first: int
    n_second: int
    se: float
    t: float
    pvalue: float
    df: int
    n_clusters: int
    n_shared: int


def clustered_mean(
    values: npt.ArrayLike | str,
    cluster: npt.ArrayLike | str,
    *,
    level: float = 0.95,
    missing: str = "raise",
    data: Any = None,
) -> ClusteredMean:
    """Estimate a mean from observations that share a patient, case or reader.

    The estimate is the sum of all observations over their number; its variance comes from the
    totals of the clusters, ``I/(I-1) · Σ(tᵢ - m nᵢ)² / N²``. With one observation to a cluster it
    is the ordinary mean with Student's interval. For several readers who scored the same cases
    pass the patient as the cluster: the interval speaks of these readers and all such patients.

    Parameters
    ----------
    values : array_like of float, or column name
        One entry per observation.
    cluster : array_like, or column name
        Which cluster the observation belongs to.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        What to do with NaN in ``values``.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    ClusteredMean
        NaN with a reason for no observation; interval NaN with a reason for a single cluster.

    Raises
    ------
    ValueError
        For infinite values or different lengths.

    Examples
    --------
    >>> r = clustered_mean([3, 3, 2, 2, 1, 0], ["p1", "p1", "p2", "p2", "p3", "p3"])
    >>> round(r.value, 3), r.n_clusters, round(r.se, 3)
    (1.833, 3, 0.726)
    """
    numbers, labels, dropped = _read(values, cluster, missing, data)
    common: dict[str, Any] = {
        "method": _METHOD,
        "n": int(numbers.size),
        "n_dropped": dropped,
        "level": check_level(level),
    }
    if not numbers.size:
        blank = undefined("value se se_naive sd design_effect")
        return ClusteredMean(n_clusters=0, df=0, reason="no observation is left", **blank, **common)
    return _mean(numbers, labels, common)


def _read(values: Any, cluster: Any, missing: str, data: Any) -> tuple[FloatArray, IntArray, int]:
    numbers = check_finite(as_vector(column(data, values), "values"), "values")
    labels = np.asarray(column(data, cluster))
    same_length(values=numbers, cluster=labels)
    lost = missing_rows(missing, values=numbers)
    _, index = np.unique(labels[~lost], return_inverse=True)
    return numbers[~lost], index.astype(np.int64), int(lost.sum())


def _mean(numbers: FloatArray, index: IntArray, common: dict[str, Any]) -> ClusteredMean:
    n, value = len(numbers), float(numbers.mean())
    influence = np.bincount(index, weights=numbers - value) / n
    clusters = len(influence)
    se = _spread(influence)
    sd = float(numbers.std(ddof=1)) if n > 1 else math.nan
    naive = sd / math.sqrt(n)
    half = t_quantile(common["level"], clusters - 1) * se if clusters > 1 else math.nan
    return ClusteredMean(
        value=value,
        low=value - half,
        high=value + half,
        se=se,
        se_naive=naive,
        sd=sd,
        design_effect=(se / naive) ** 2 if naive > 0.0 else math.nan,
        n_clusters=clusters,
        df=clusters - 1,
        reason=_one_cluster(clusters),
        warnings=_warnings(clusters, se),
        **common,
    )


def _spread(influence: FloatArray) -> float:
    """Return the standard error from the influence of clusters; 0 for rounding noise."""
    clusters = len(influence)
    if clusters < 2:
        return math.nan
    se = math.sqrt(float(influence @ influence) * clusters / (clusters - 1))
    return se if se > 1e-12 else 0.0


def _one_cluster(clusters: int) -> str | None:
    if clusters > 1:
        return None
    return "one cluster only: the variance between clusters is not estimable"


def _warnings(clusters: int, se: float) -> tuple[str, ...]:
    found = []
    if se == 0.0:
        found.append("the standard error is 0: the interval has no width and is not credible")
    if 1 < clusters < FEW:
        found.append(f"only {clusters} clusters: the interval may be too narrow")
    return tuple(found)


def clustered_mean_difference(
    values: npt.ArrayLike,
    group: Sequence[Hashable],
    cluster: npt.ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> ClusteredMeanDifference:
    """Compare the means of two groups of observations that come in clusters.

    One method for all designs: the groups may be of different patients (real and synthetic
    cases), of the same ones (two arms), or of both. It is the cluster-robust t test of a
    regression on one indicator, with the factor I/(I-1).

    Parameters
    ----------
    values : array_like of float
        One entry per observation.
    group : sequence
        Which of the two groups it belongs to.
    cluster : array_like
        Which cluster it belongs to.
    groups : sequence of two, optional
        First and second group; default: sorted.
    level : float
        Confidence level.

    Returns
    -------
    ClusteredMeanDifference
        NaN with a reason where a group is empty; t and p NaN with a reason where nothing varies.

    Raises
    ------
    ValueError
        For missing or infinite values, different lengths, or other than two groups.

    Examples
    --------
    >>> r = clustered_mean_difference([3, 2, 2, 1], ["a", "b", "a", "b"], [1, 1, 2, 2])
    >>> r.value, r.n_shared
    (1.0, 2)
    """
    numbers, index, _ = _read(values, cluster, "raise", None)
    placed = np.asarray(list(group))
    same_length(values=numbers, group=placed)
    order = sorted(set(placed.tolist()), key=str) if groups is None else list(groups)
    if len(order) != 2:
        raise ValueError(f"group must have two levels, got {len(order)}")
    rows = [placed == one for one in order]
    if not np.all(rows[0] | rows[1]):
        raise ValueError(f"group has levels besides {order[0]!r} and {order[1]!r}")
    return _difference(numbers, rows[0], index, check_level(level))


def _difference(
    numbers: FloatArray, is_first: npt.NDArray[np.bool_], index: IntArray, level: float
) -> ClusteredMeanDifference:
    sizes = int(is_first.sum()), int((~is_first).sum())
    clusters = int(index.max()) + 1 if len(index) else 0
    common: dict[str, Any] = {"method": _DIFFERENCE, "n": len(numbers), "level": level}
    common |= {"n_first": sizes[0], "n_second": sizes[1], "n_clusters": clusters}
    if not all(sizes):
        blank = undefined("value first second se t pvalue")
        return ClusteredMeanDifference(
            reason="one of the groups is empty", df=0, n_shared=0, **blank, **common
        )
    first, second = float(numbers[is_first].mean()), float(numbers[~is_first].mean())
    part = np.where(is_first, (numbers - first) / sizes[0], -(numbers - second) / sizes[1])
    se = _spread(np.bincount(index, weights=part, minlength=clusters).astype(np.float64))
    t = (first - second) / se if se > 0.0 else math.nan
    half = t_quantile(level, clusters - 1) * se if clusters > 1 else math.nan
    reason = _one_cluster(clusters) or (
        None if se > 0.0 else "no test: the standard error is 0, as nothing varies between clusters"
    )
    return ClusteredMeanDifference(
        value=first - second,
        low=first - second - half,
        high=first - second + half,
        first=first,
        second=second,
        se=se,
        t=t,
        pvalue=t_p(t, clusters - 1) if clusters > 1 else math.nan,
        df=clusters - 1,
        n_shared=_shared(is_first, index, clusters),
        reason=reason,
        warnings=_warnings(clusters, se),
        **common,
    )


def _shared(is_first: npt.NDArray[np.bool_], index: IntArray, clusters: int) -> int:
    in_first, in_all = (np.bincount(i, minlength=clusters) for i in (index[is_first], index))
    return int(((in_first > 0) & (in_first < in_all)).sum())

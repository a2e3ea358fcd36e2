"""Proportions: one, two independent, and one from clustered observations.

References
----------
Clopper & Pearson, Biometrika 1934;26:404. Wilson, JASA 1927;22:209. Agresti & Coull, Am Stat
1998;52:119. Newcombe, Stat Med 1998;17:873 (two independent proportions, method 10). Rao & Scott,
Biometrics 1992;48:577 (clustered binary data).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy.stats.quantiles import clip, normal_p, normal_quantile
from readerstudy.stats.results import Estimate, Result, undefined
from readerstudy.stats.validation import (
    as_binary,
    as_count,
    check_choice,
    check_level,
    column,
    missing_rows,
    refuse_overlap,
    refuse_repeats,
    same_length,
    split_case_ids,
)

INTERVALS = {
    "exact": "Clopper-Pearson exact interval (1934)",
    "wilson": "Wilson score interval (1927)",
    "agresti-coull": "Agresti-Coull interval (1998), not clipped to 0..1",
}


def exact_limits(k: int, n: int, level: float) -> tuple[float, float]:
    """Return the Clopper-Pearson limits of ``k`` of ``n`` (n at least 1)."""
    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1.0 - tail))
    return low, high


def wilson_limits(k: float, n: float, level: float) -> tuple[float, float]:
    """Return the Wilson score limits; ``k`` and ``n`` may be effective (not whole) counts."""
    z2 = normal_quantile(level) ** 2
    middle = (k + z2 / 2.0) / (n + z2)
    half = math.sqrt(z2 * (k * (n - k) / n + z2 / 4.0)) / (n + z2)
    low = 0.0 if k == 0 else middle - half
    high = 1.0 if k == n else middle + half
    return low, high


def agresti_coull_limits(k: int, n: int, level: float) -> tuple[float, float]:
    """Return the Agresti-Coull limits (add z²/2 successes and failures, then Wald)."""
    z = normal_quantile(level)
    total = n + z * z
    centre = (k + z * z / 2.0) / total
    half = z * math.sqrt(centre * (1.0 - centre) / total)
    return centre - half, centre + half


_LIMITS = {"exact": exact_limits, "wilson": wilson_limits, "agresti-coull": agresti_coull_limits}


@dataclass(frozen=True, kw_only=True)
class Proportion(Estimate):
    """A proportion with its counts.

    Attributes
    ----------
    k : int
        Successes out of ``n``.
    """

    k: int


def proportion(
    k: int,
    n: int,
    *,
    ci: str = "wilson",
    level: float = 0.95,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> Proportion:
    """Estimate one proportion from ``k`` successes in ``n`` independent observations.

    Parameters
    ----------
    k, n : int
        Counts, ``0 <= k <= n``.
    ci : {"wilson", "exact", "agresti-coull"}
        Interval.
    level : float
        Confidence level.
    case_ids : sequence, optional
        The case behind each of the ``n`` observations; repeated cases are refused.
    assume_independent : bool
        Accept repeated cases all the same.

    Returns
    -------
    Proportion
        ``value`` is NaN with a reason for ``n = 0``.

    Raises
    ------
    ValueError
        For negative or broken counts, ``k > n``, an unknown interval, or repeated cases.

    Examples
    --------
    >>> round(proportion(81, 263).low, 4)  # Newcombe 1998, table I
    0.2553
    """
    k, n = _counts(k, n, "k", "n")
    check_choice(ci, "ci", tuple(_LIMITS))
    check_level(level)
    refuse_repeats(
        case_ids, n, assume_independent=assume_independent, instead="clustered_proportion"
    )
    method = f"proportion, {INTERVALS[ci]}"
    if n == 0:
        return Proportion(
            k=k, n=n, value=math.nan, level=level, method=method, reason="0 of 0 observations"
        )
    low, high = _LIMITS[ci](k, n, level)
    return Proportion(k=k, n=n, value=k / n, low=low, high=high, level=level, method=method)


def _counts(k: float, n: float, name_k: str, name_n: str) -> tuple[int, int]:
    successes, total = as_count(k, name_k), as_count(n, name_n)
    if successes > total:
        raise ValueError(f"{name_k} must be at most {name_n}, got {name_k}={k} and {name_n}={n}")
    return successes, total


@dataclass(frozen=True, kw_only=True)
class TwoProportions(Result):
    """Two independent proportions compared.

    Attributes
    ----------
    p1, p2 : float
        The proportions.
    difference : float
        ``p1 - p2``.
    low, high, level : float
        Newcombe interval of the difference and its confidence level.
    z_pooled, p_pooled : float
        z with the pooled standard error (its square is Pearson's chi-square) and p, two-sided.
    z_unpooled, p_unpooled : float
        z with the separate standard errors and its two-sided p.
    """

    p1: float
    p2: float
    difference: float
    low: float
    high: float
    level: float
    z_pooled: float
    p_pooled: float
    z_unpooled: float
    p_unpooled: float

    def summary(self) -> str:
        """Return the difference with its interval and p, or the reason it is undefined."""
        if math.isnan(self.difference):
            return f"undefined: {self.reason} ({self.method})"
        return (
            f"difference {self.difference:.6g} ({100 * self.level:g} % interval {self.low:.6g} to "
            f"{self.high:.6g}), p = {self.p_pooled:.3g}, n = {self.n}, {self.method}"
        )


_TWO_METHOD = (
    "difference of two independent proportions, z test (pooled: Pearson chi-square without "
    "continuity correction), Newcombe 1998 interval from Wilson limits (method 10)"
)


def two_proportions(
    k1: int,
    n1: int,
    k2: int,
    n2: int,
    *,
    level: float = 0.95,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> TwoProportions:
    """Compare two independent proportions.

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Successes and observations of each sample.
    level : float
        Confidence level of the Newcombe interval.
    case_ids : pair of sequences, optional
        The cases behind each sample (or one sequence, first sample first). Cases in both samples
        mean paired data and are refused.
    assume_independent : bool
        Accept shared cases all the same.

    Returns
    -------
    TwoProportions
        z and p are NaN with a reason where both proportions are 0 or both are 1.

    Raises
    ------
    ValueError
        For broken counts, or for case ids in both samples: use ``mcnemar`` for paired data.

    Examples
    --------
    >>> round(two_proportions(56, 70, 48, 80).low, 4)  # Newcombe 1998, table II, example (a)
    0.0524
    """
    k1, n1 = _counts(k1, n1, "k1", "n1")
    k2, n2 = _counts(k2, n2, "k2", "n2")
    check_level(level)
    first, second = split_case_ids(case_ids, n1, n2)
    instead = "mcnemar for paired reads, or an MRMC analysis"
    refuse_overlap(first, second, assume_independent=assume_independent, instead=instead)
    for ids, size in ((first, n1), (second, n2)):
        refuse_repeats(
            ids, size, assume_independent=assume_independent, instead="clustered_proportion"
        )
    if n1 == 0 or n2 == 0:
        return _undefined_difference(k1, n1, k2, n2, level)
    p1, p2 = k1 / n1, k2 / n2
    low, high = newcombe_limits(k1, n1, k2, n2, level)
    z_pooled, z_unpooled = _two_z(k1, n1, k2, n2)
    return TwoProportions(
        method=_TWO_METHOD,
        n=n1 + n2,
        p1=p1,
        p2=p2,
        difference=p1 - p2,
        low=low,
        high=high,
        level=level,
        z_pooled=z_pooled,
        p_pooled=normal_p(z_pooled),
        z_unpooled=z_unpooled,
        p_unpooled=normal_p(z_unpooled),
        warnings=_small_counts(k1, n1, k2, n2),
        reason=_no_variance_reason(z_pooled, z_unpooled),
    )


def _undefined_difference(k1: int, n1: int, k2: int, n2: int, level: float) -> TwoProportions:
    blank = undefined("p1 p2 difference low high z_pooled p_pooled z_unpooled p_unpooled")
    shares = {"p1": k1 / n1 if n1 else math.nan, "p2": k2 / n2 if n2 else math.nan}
    return TwoProportions(
        method=_TWO_METHOD,
        n=n1 + n2,
        level=level,
        reason="a sample has no observations",
        **(blank | shares),
    )


def newcombe_limits(k1: int, n1: int, k2: int, n2: int, level: float) -> tuple[float, float]:
    """Return Newcombe's square-and-add limits of ``k1/n1 - k2/n2`` (1998, method 10)."""
    p1, p2 = k1 / n1, k2 / n2
    low1, high1 = wilson_limits(k1, n1, level)
    low2, high2 = wilson_limits(k2, n2, level)
    difference = p1 - p2
    low = difference - math.hypot(p1 - low1, high2 - p2)
    high = difference + math.hypot(high1 - p1, p2 - low2)
    return low, high


def _two_z(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    p1, p2, pooled = k1 / n1, k2 / n2, (k1 + k2) / (n1 + n2)
    se_pooled = math.sqrt(pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2))
    se_unpooled = math.sqrt(p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2)
    z = [(p1 - p2) / se if se > 0.0 else math.nan for se in (se_pooled, se_unpooled)]
    return z[0], z[1]


def _no_variance_reason(z_pooled: float, z_unpooled: float) -> str | None:
    if math.isnan(z_pooled):
        return "z and p are undefined: both proportions are 0 or both are 1"
    if math.isnan(z_unpooled):
        return "unpooled z and p are undefined: each proportion is 0 or 1"
    return None


def _small_counts(k1: int, n1: int, k2: int, n2: int) -> tuple[str, ...]:
    share = (k1 + k2) / (n1 + n2)
    smallest = min(share, 1.0 - share) * min(n1, n2)
    if smallest >= 5.0:
        return ()
    return (f"smallest expected count is {smallest:.3g}, below 5: consider Fisher's exact test",)


@dataclass(frozen=True, kw_only=True)
class ClusteredProportion(Estimate):
    """A proportion whose observations come in clusters.

    Attributes
    ----------
    se : float
        Standard error that allows for the clusters.
    se_naive : float
        Standard error if all observations were independent.
    design_effect : float
        ``(se / se_naive)²``.
    n_clusters : int
        Clusters with at least one observation.
    low_wilson, high_wilson : float
        Wilson limits at the effective sample size ``n / design_effect``, which stay inside 0..1.
    """

    se: float
    se_naive: float
    design_effect: float
    n_clusters: int
    low_wilson: float = math.nan
    high_wilson: float = math.nan


_CLUSTER_METHOD = (
    "proportion of clustered observations, ratio estimator (Rao & Scott 1992), normal interval "
    "clipped to 0..1"
)


def clustered_proportion(
    success: npt.ArrayLike | str,
    cluster: npt.ArrayLike | str,
    *,
    level: float = 0.95,
    missing: str = "raise",
    data: Any = None,
) -> ClusteredProportion:
    """Estimate a proportion from observations that share a patient, case or reader.

    The estimate is all successes over all observations; its variance comes from the totals of the
    clusters: ``I/(I-1) · Σ(kᵢ - p nᵢ)² / N²``. For several readers who read the same cases, pass
    the case as the cluster: the interval then speaks of these readers and all such cases.

    Parameters
    ----------
    success : array_like of 0/1, or column name
        One entry per observation.
    cluster : array_like, or column name
        Which cluster the observation belongs to.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        What to do with NaN in ``success``.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    ClusteredProportion
        NaN with a reason for no observation; interval NaN with a reason for a single cluster.

    Raises
    ------
    ValueError
        For values other than 0 and 1, or different lengths.

    References
    ----------
    Rao JNK, Scott AJ. Biometrics 1992;48:577-585.

    Examples
    --------
    >>> r = clustered_proportion([1, 1, 0, 0, 1, 1], ["p1", "p1", "p2", "p2", "p3", "p3"])
    >>> round(r.value, 3), r.n_clusters, round(r.design_effect, 3)
    (0.667, 3, 3.0)
    """
    values = as_binary(column(data, success), "success")
    labels = np.asarray(column(data, cluster))
    same_length(success=values, cluster=labels)
    dropped = missing_rows(missing, success=values)
    values, labels = values[~dropped], labels[~dropped]
    counts = {"n": int(values.size), "n_dropped": int(dropped.sum()), "level": check_level(level)}
    if values.size == 0:
        return _no_clusters(counts)
    _, index = np.unique(labels, return_inverse=True)
    k = np.bincount(index, weights=values).astype(np.float64)
    return _ratio_estimate(k, np.bincount(index).astype(np.int64), counts)


def _no_clusters(counts: dict[str, Any]) -> ClusteredProportion:
    return ClusteredProportion(
        method=_CLUSTER_METHOD,
        n_clusters=0,
        reason="no observation is left",
        **undefined("value se se_naive design_effect"),
        **counts,
    )


def _ratio_estimate(
    k: npt.NDArray[np.float64], n: npt.NDArray[np.int64], counts: dict[str, Any]
) -> ClusteredProportion:
    total, clusters = int(n.sum()), int(n.size)
    p = float(k.sum() / total)
    naive = math.sqrt(p * (1.0 - p) / total)
    if clusters == 1:
        se, reason = math.nan, "one cluster only: the variance between clusters is not estimable"
    else:
        square = float(np.sum((k - p * n) ** 2)) * clusters / (clusters - 1)
        se, reason = math.sqrt(square) / total, None
        se = se if se > 1e-12 else 0.0
    effect = (se / naive) ** 2 if naive > 0.0 else math.nan
    half = normal_quantile(counts["level"]) * se
    wilson = _effective_wilson(p, total, effect, counts["level"])
    return ClusteredProportion(
        method=_CLUSTER_METHOD,
        value=p,
        se=se,
        se_naive=naive,
        design_effect=effect,
        n_clusters=clusters,
        low=clip(p - half, 0.0, 1.0),
        high=clip(p + half, 0.0, 1.0),
        low_wilson=wilson[0],
        high_wilson=wilson[1],
        reason=reason or _no_spread_reason(naive, se),
        warnings=_cluster_warnings(clusters, se),
        **counts,
    )


def _effective_wilson(p: float, n: int, effect: float, level: float) -> tuple[float, float]:
    if math.isnan(effect) or effect <= 0.0:
        return math.nan, math.nan
    size = n / effect
    return wilson_limits(p * size, size, level)


def _no_spread_reason(naive: float, se: float) -> str | None:
    if naive == 0.0:
        return "design effect and Wilson limits are undefined: all observations are equal"
    if se == 0.0:
        return "the Wilson limits are undefined: every cluster has the same share of successes"
    return None


def _cluster_warnings(clusters: int, se: float) -> tuple[str, ...]:
    found = []
    if se == 0.0:
        found.append("the standard error is 0: the interval has no width and is not credible")
    if 1 < clusters < 20:
        found.append(f"only {clusters} clusters: the normal interval is too narrow")
    return tuple(found)

"""Several readers, the same cases: accuracy against chance with the case as the cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
from scipy import special

from readerstudy.stats.proportions import ClusteredProportion, clustered_proportion
from readerstudy.stats.results import Estimate


@dataclass(frozen=True, kw_only=True)
class ClusteredAgainst(Estimate):
    """Pooled accuracy of several readers against a fixed probability.

    Attributes
    ----------
    se : float
        Standard error that allows for the clusters.
    design_effect : float
        How many times the variance exceeds that of independent reads.
    n_clusters : int
        Cases with at least one read.
    p0 : float
        Probability under the null hypothesis.
    z, p_two_sided : float
        Wald test of ``value = p0`` with ``se``.
    margin : float or None
        Half-width of what counts as chance.
    p_equivalence : float
        The larger p of two one-sided tests of ``p0 ± margin``; NaN without a margin.
    equivalent : bool or None
        Whether ``p_equivalence < 0.05``; None without a margin.
    """

    se: float
    design_effect: float
    n_clusters: int
    p0: float
    z: float
    p_two_sided: float
    margin: float | None
    p_equivalence: float
    equivalent: bool | None


def clustered_against(
    success: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    p0: float = 0.5,
    margin: float | None = None,
    level: float = 0.95,
) -> ClusteredAgainst:
    """Test the pooled accuracy of readers who read the same cases against ``p0``.

    The readers are taken as fixed (the statement is about these readers) and the cases as a
    sample; reads of one case are correlated, which the variance allows for. For a statement about
    all such readers use ``obuchowski_rockette(metric="proportion")``.

    Parameters
    ----------
    success : array_like of 0/1
        One entry per read.
    cluster : array_like
        The case behind each read.
    p0 : float
        Chance, strictly between 0 and 1.
    margin : float, optional
        With it, equivalence to ``p0 ± margin`` is tested as well.
    level : float
        Confidence level.

    Returns
    -------
    ClusteredAgainst
        Interval: Wilson at the effective sample size ``n / design effect``. z and p are NaN with
        a reason where the standard error is 0 or not estimable.

    Raises
    ------
    ValueError
        For values other than 0 and 1, ``p0`` outside (0, 1), or a margin that leaves (0, 1).

    References
    ----------
    Rao JNK, Scott AJ. Biometrics 1992;48:577-585. Schuirmann DJ. J Pharmacokinet Biopharm
    1987;15:657-680.

    Examples
    --------
    >>> r = clustered_against([1, 1, 0, 1, 1, 0, 1, 1], ["a", "a", "b", "b", "c", "c", "d", "d"])
    >>> round(r.value, 2), r.n_clusters
    (0.75, 4)
    """
    if not 0.0 < p0 < 1.0:
        raise ValueError(f"p0 must lie between 0 and 1, got {p0}")
    if margin is not None and not 0.0 < margin < min(p0, 1.0 - p0):
        raise ValueError(f"margin must be above 0 and p0 ± margin inside (0, 1), got {margin}")
    base = clustered_proportion(success, cluster, level=level)
    z, p_two_sided = _wald(base, p0)
    p_equivalence = _tost(base, p0, margin)
    return ClusteredAgainst(
        method=(
            f"pooled proportion against {p0:g}, variance clustered by case (Rao & Scott 1992), "
            "Wald test; Wilson interval at the effective sample size"
        ),
        n=base.n,
        n_dropped=base.n_dropped,
        warnings=(*base.warnings, *_narrow(base)),
        reason=base.reason or (None if math.isfinite(z) else "the standard error is 0: no test"),
        value=base.value,
        low=base.low_wilson,
        high=base.high_wilson,
        level=base.level,
        se=base.se,
        design_effect=base.design_effect,
        n_clusters=base.n_clusters,
        p0=p0,
        z=z,
        p_two_sided=p_two_sided,
        margin=margin,
        p_equivalence=p_equivalence,
        equivalent=None if margin is None else bool(p_equivalence < 0.05),
    )


def _narrow(base: ClusteredProportion) -> tuple[str, ...]:
    if not base.design_effect < 1.0:
        return ()
    return (
        "reads of the same case agreed less than by chance (design effect below 1), so the "
        "interval is narrower than for independent reads: likely an accident of few cases",
    )


def _wald(base: ClusteredProportion, p0: float) -> tuple[float, float]:
    if not base.se > 0.0:
        return math.nan, math.nan
    z = (base.value - p0) / base.se
    return z, float(2.0 * special.ndtr(-abs(z)))


def _tost(base: ClusteredProportion, p0: float, margin: float | None) -> float:
    if margin is None or not base.se > 0.0:
        return math.nan
    nearest = margin - abs(base.value - p0)
    return float(special.ndtr(-nearest / base.se))

"""Spearman's rank correlation with an interval by resampling clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from readerstudy.stats.results import Estimate
from readerstudy.stats.validation import as_vector, same_length

FloatArray = npt.NDArray[np.float64]
MIN_PAIRS = 4
LEAST_DEFINED = 0.9


@dataclass(frozen=True, kw_only=True)
class RankCorrelation(Estimate):
    """Spearman's rho, -1 to 1.

    Attributes
    ----------
    n_clusters : int
        Clusters that were resampled.
    """

    n_clusters: int


def spearman(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    cluster: Sequence[Hashable] | None = None,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
) -> RankCorrelation:
    """Return Spearman's rank correlation of pairs, tied values with their mean rank.

    The interval is the percentile interval over draws of clusters with replacement (Efron &
    Tibshirani 1993, chapter 13); ranks are taken anew in each draw.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Pairs; one with a NaN on either side is left out and counted.
    cluster : sequence or None, length n
        Pairs of one cluster are drawn together; None: each pair is its own cluster.
    level : float
        Confidence level, 0 to 1.
    n_boot, seed : int
        Draws and seed of the generator.

    Returns
    -------
    RankCorrelation
        NaN with a reason below four pairs, or where one side is constant.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    left, right = as_vector(x, "x"), as_vector(y, "y")
    names = list(range(left.size)) if cluster is None else list(cluster)
    same_length(x=left, y=right, cluster=np.arange(len(names)))
    known = ~(np.isnan(left) | np.isnan(right))
    left, right = left[known], right[known]
    groups = _groups([name for name, keep in zip(names, known, strict=True) if keep])
    common: dict[str, Any] = {
        "method": (
            "Spearman's rank correlation, percentile interval over "
            f"{n_boot:,} draws of clusters, seed {seed}"
        ),
        "n": int(left.size),
        "n_dropped": int((~known).sum()),
        "level": level,
        "n_clusters": len(groups),
    }
    if reason := _undefined(left, right):
        return RankCorrelation(value=float("nan"), reason=reason, **common)
    draws = _draws(left, right, groups, n_boot, seed)
    defined = draws[np.isfinite(draws)]
    value = _rho(left, right)
    if len(groups) < MIN_PAIRS or defined.size < LEAST_DEFINED * draws.size:
        reason = "too few distinct values for an interval by resampling"
        return RankCorrelation(value=value, reason=reason, **common)
    tail = 50 * (1 - level)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return RankCorrelation(value=value, low=float(low), high=float(high), **common)


def _undefined(x: FloatArray, y: FloatArray) -> str:
    if x.size < MIN_PAIRS:
        return f"{x.size} pairs; a correlation needs {MIN_PAIRS}"
    for name, values in (("first", x), ("second", y)):
        if np.ptp(values) == 0:
            return f"every value of the {name} measure is the same"
    return ""


def _groups(names: Sequence[Hashable]) -> list[npt.NDArray[np.intp]]:
    places: dict[Hashable, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return [np.array(members) for members in places.values()]


def _draws(
    x: FloatArray, y: FloatArray, groups: list[npt.NDArray[np.intp]], n_boot: int, seed: int
) -> FloatArray:
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(groups), size=(n_boot, len(groups)))
    if len(groups) == x.size:  # one pair a cluster: all draws at once
        order = np.concatenate(groups)[chosen]
        return _rhos(x[order], y[order])
    found = np.empty(n_boot)
    for draw, names in enumerate(chosen):
        taken = np.concatenate([groups[one] for one in names])
        found[draw] = _rho(x[taken], y[taken])
    return found


def _rho(x: FloatArray, y: FloatArray) -> float:
    return float(_rhos(x[None], y[None])[0])


def _rhos(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the correlation of each row."""
    first, second = (rankdata(side, axis=1) for side in (x, y))
    first -= first.mean(axis=1, keepdims=True)
    second -= second.mean(axis=1, keepdims=True)
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: FloatArray = (first * second).sum(axis=1) / scale
    return rho

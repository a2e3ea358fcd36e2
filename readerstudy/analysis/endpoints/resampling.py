"""Intervals by resampling clusters: cases or patients are drawn, with all their reads.

What is resampled is always a vector of sums over cases, so a draw costs one row of a matrix
product. Draws depend on the seed and the number of clusters alone: statistics of the same clusters
see the same draws, and their differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Statistic = Callable[[FloatArray], FloatArray]
BLOCK = 2_000_000
"""Cluster draws that are held in memory at once."""


def cluster_totals(features: FloatArray, clusters: Sequence[Hashable]) -> FloatArray:
    """Return the sums of the rows of ``features`` (n, k) by cluster, in the clusters' order."""
    places = {one: place for place, one in enumerate(dict.fromkeys(clusters))}
    totals = np.zeros((len(places), features.shape[1]))
    np.add.at(totals, [places[one] for one in clusters], features)
    return totals


def resampled(
    totals: FloatArray, statistic: Statistic, *, draws: int, seed: int
) -> npt.NDArray[np.float64]:
    """Return a statistic of each draw of clusters with replacement.

    Parameters
    ----------
    totals : ndarray, shape (n_clusters, k)
        Sums of each cluster.
    statistic : function
        From sums of shape (b, k) to b values, NaN where undefined.
    draws, seed : int
        How many draws; seed of the generator.

    Returns
    -------
    ndarray, shape (draws,)
    """
    rng, n = np.random.default_rng(seed), len(totals)
    found: list[FloatArray] = []
    block = max(1, BLOCK // max(n, 1))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(np.asarray(statistic(weights @ totals), dtype=np.float64))
    return np.concatenate(found)


def percentiles(values: FloatArray, level: float) -> tuple[float, float]:
    """Return the percentile limits of the defined draws; NaN if more than a tenth are undefined."""
    kept = values[np.isfinite(values)]
    if len(kept) < 0.9 * len(values) or not len(kept):
        return float("nan"), float("nan")
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(kept, [tail, 100.0 - tail])
    return float(low), float(high)

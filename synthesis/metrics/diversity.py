"""Does the generator make all that there is, or a few things again and again?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from synthesis.metrics.distributions import between, checked
from synthesis.metrics.multiscale import ms_ssim
from synthesis.metrics.paired import UndefinedMetricError

FloatArray = npt.NDArray[np.float64]
PAIRS = 1000
COLLAPSE = 0.02
"""Synthetic pairs this much more alike than real pairs are taken as a sign of collapse."""
_BINS = 256


def pair_similarity(
    images: npt.ArrayLike,
    patients: Sequence[str],
    *,
    data_range: float = 1.0,
    pairs: int = PAIRS,
    seed: int = 0,
) -> FloatArray:
    """MS-SSIM of random pairs of images of different patients.

    Parameters
    ----------
    images : array_like (n, y, x)
    patients : sequence of str (n,)
    data_range : float
    pairs : int
        As many as there are if fewer.
    seed : int

    Returns
    -------
    ndarray (pairs,)

    Raises
    ------
    UndefinedMetricError
        If there is no pair of different patients, or the images are smaller than a window.
    """
    stack = np.asarray(images, dtype=np.float64)
    chosen = _pairs(np.asarray(patients), pairs, seed)
    return np.array(
        [ms_ssim(stack[a][None], stack[b][None], data_range=data_range) for a, b in chosen]
    )


def _pairs(patients: npt.NDArray[np.str_], wanted: int, seed: int) -> npt.NDArray[np.intp]:
    first, second = np.triu_indices(len(patients), 1)
    other = patients[first] != patients[second]
    every = np.column_stack([first[other], second[other]])
    if not len(every):
        raise UndefinedMetricError("all images are of one patient: no pair to compare")
    if len(every) <= wanted:
        return every
    picked = np.random.default_rng(seed).choice(len(every), wanted, replace=False)
    return every[np.sort(picked)]


def vendi_score(features: npt.ArrayLike) -> float:
    """Effective number of different images (Friedman & Dieng 2023), cosine kernel.

    ``exp(-sum l log l)`` over the eigenvalues of K / n; between 1 and n.
    """
    table = np.asarray(features, dtype=np.float64)
    length = np.linalg.norm(table, axis=1, keepdims=True)
    unit = table / np.where(length > 0, length, 1.0)
    gram = unit @ unit.T if len(unit) <= unit.shape[1] else unit.T @ unit
    values = np.linalg.eigvalsh(gram) / len(unit)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


@dataclass(frozen=True)
class Bins:
    """How the synthetic images fill clusters of the real ones (Richardson & Weiss 2018).

    Attributes
    ----------
    clusters : int
    different : int
        Clusters whose share differs (z test at 0.05).
    empty : int
        Clusters without any synthetic image.
    """

    clusters: int
    different: int
    empty: int


def different_bins(
    real: npt.ArrayLike, made: npt.ArrayLike, *, clusters: int = 20, seed: int = 0
) -> Bins:
    """Cluster real features by k-means and compare the shares of both sets in each cluster.

    Slices of a patient are alike: with few patients clusters differ by chance, so read this
    beside the same count of real images against other real ones.
    """
    r, g = checked(real, made)
    count = max(2, min(clusters, len(r) // 5))
    centres = _k_means(r, count, np.random.default_rng(seed))
    filled_r, filled_g = (
        np.bincount(between(one, centres).argmin(axis=1), minlength=count) for one in (r, g)
    )
    pooled = (filled_r + filled_g) / (len(r) + len(g))
    error = np.sqrt(pooled * (1 - pooled) * (1 / len(r) + 1 / len(g)))
    z = np.abs(filled_r / len(r) - filled_g / len(g)) / np.where(error > 0, error, np.inf)
    return Bins(count, int((z > stats.norm.ppf(0.975)).sum()), int((filled_g == 0).sum()))


def _k_means(points: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Return centres by Lloyd's algorithm from a start that spreads them (k-means++)."""
    centres = points[[rng.integers(len(points))]]
    while len(centres) < count:
        nearest = between(points, centres).min(axis=1) ** 2
        total = nearest.sum()
        if total == 0:
            break
        centres = np.vstack([centres, points[rng.choice(len(points), p=nearest / total)]])
    for _ in range(50):
        own = between(points, centres).argmin(axis=1)
        moved = np.array(
            [
                points[own == c].mean(axis=0) if (own == c).any() else centres[c]
                for c in range(len(centres))
            ]
        )
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres


def histogram_distance(real: npt.ArrayLike, made: npt.ArrayLike) -> float:
    """Wasserstein-1 distance of the pooled grey levels in [0, 1] that are not background.

    In 256 bins; a generator that collapses often makes images that are too bright.

    Raises
    ------
    UndefinedMetricError
        If a set is black.
    """
    shares = []
    for images in (real, made):
        values = np.asarray(images)
        counts, _ = np.histogram(values[values > 0], bins=_BINS, range=(0.0, 1.0))
        if not counts.sum():
            raise UndefinedMetricError("a set of images is black: it has no histogram")
        shares.append(np.cumsum(counts / counts.sum()))
    return float(np.abs(shares[0] - shares[1]).sum() / _BINS)


@dataclass(frozen=True)
class Diversity:
    """Signs of mode collapse.

    Attributes
    ----------
    similarity, real_similarity : float
        Mean MS-SSIM of random synthetic and of random real pairs.
    collapsed : bool
        Synthetic pairs are more alike by over 0.02.
    vendi, real_vendi : float
        Effective numbers of images, from equally many of each.
    bins : Bins
    histogram : float
        Wasserstein-1 distance of grey levels.
    """

    similarity: float
    real_similarity: float
    collapsed: bool
    vendi: float
    real_vendi: float
    bins: Bins
    histogram: float


def diversity(
    real: tuple[FloatArray, FloatArray, Sequence[str]],
    made: tuple[FloatArray, FloatArray, Sequence[str]],
    *,
    pairs: int = PAIRS,
    seed: int = 0,
) -> Diversity:
    """Compare images (n, y, x) in [0, 1], features (n, d) and patients of both kinds."""
    alike = [_similarity(one[0], one[2], pairs, seed) for one in (made, real)]
    equal = min(len(real[1]), len(made[1]))
    rng = np.random.default_rng(seed)
    vendi = [
        vendi_score(one[1][rng.choice(len(one[1]), equal, replace=False)]) for one in (made, real)
    ]
    return Diversity(
        similarity=alike[0],
        real_similarity=alike[1],
        collapsed=alike[0] - alike[1] > COLLAPSE,
        vendi=vendi[0],
        real_vendi=vendi[1],
        bins=different_bins(real[1], made[1], seed=seed),
        histogram=histogram_distance(real[0], made[0]),
    )


def _similarity(images: FloatArray, patients: Sequence[str], pairs: int, seed: int) -> float:
    try:
        return float(pair_similarity(images, patients, pairs=pairs, seed=seed).mean())
    except UndefinedMetricError:
        return math.nan

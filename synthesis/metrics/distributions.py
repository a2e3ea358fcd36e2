"""Distances between sets of images, from their features (n, d): FID, KID, kNN scores.

Heusel 2017 (FID), Chong & Forsyth 2020 (its limit for many images), Binkowski 2018 (KID),
Kynkaanniemi 2019 (precision and recall), Naeem 2020 (density and coverage).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from synthesis.metrics.paired import UndefinedMetricError

FloatArray = npt.NDArray[np.float64]
KID_SUBSETS, KID_SIZE = 100, 1000
PRECISION_K, DENSITY_K = 3, 5
LARGEST = 6000
"""Images of a set whose distances to all others are held at once."""


def checked(real: npt.ArrayLike, made: npt.ArrayLike, *, least: int = 2) -> tuple[FloatArray, ...]:
    """Return both feature tables as float64.

    Raises
    ------
    UndefinedMetricError
        If they do not fit together, are not finite or have too few rows.
    """
    tables = tuple(np.asarray(one, dtype=np.float64) for one in (real, made))
    if any(t.ndim != 2 for t in tables) or tables[0].shape[1] != tables[1].shape[1]:
        raise UndefinedMetricError(
            f"features must be (images, dimension) of one dimension, got {tables[0].shape} and "
            f"{tables[1].shape}"
        )
    if min(len(t) for t in tables) < least:
        raise UndefinedMetricError(
            f"{len(tables[0])} real and {len(tables[1])} synthetic images are too few: at least "
            f"{least} of each are needed"
        )
    if not all(np.isfinite(t).all() for t in tables):
        raise UndefinedMetricError("features must be finite; they hold NaN or infinite values")
    return tables


def frechet_distance(real: npt.ArrayLike, made: npt.ArrayLike) -> float:
    """Distance between the Gaussians that fit the features: FID, or FD with other features.

    ``|m_r - m_g|^2 + tr(S_r + S_g - 2 (S_r S_g)^(1/2))`` with covariances of N - 1.

    Parameters
    ----------
    real, made : array_like (n, d), (m, d)
        With fewer than ten images per dimension the value is too high; see `frechet_limit`.

    Raises
    ------
    UndefinedMetricError
        See `checked`.
    """
    r, g = checked(real, made)
    shift = r.mean(axis=0) - g.mean(axis=0)
    centred = [one - one.mean(axis=0) for one in (r, g)]
    traces = [float(np.einsum("ij,ij->", c, c)) / (len(c) - 1) for c in centred]
    return max(float(shift @ shift) + sum(traces) - 2 * _trace_of_root(*centred), 0.0)


def _trace_of_root(a: FloatArray, b: FloatArray) -> float:
    """Trace of ``(S_a S_b)^(1/2)``: the sum of the singular values of ``S_a^(1/2) S_b^(1/2)``.

    With few images those of the table of inner products; else through a triangular factor.
    """
    (n, d), m = a.shape, len(b)
    scale = math.sqrt((n - 1) * (m - 1))
    if min(n, m) < d:
        return float(linalg.svdvals(a @ b.T).sum()) / scale
    s_a, s_b = a.T @ a / (n - 1), b.T @ b / (m - 1)
    try:
        root = linalg.cholesky(s_a, lower=True)
    except linalg.LinAlgError:  # features that are copies of each other
        values, vectors = linalg.eigh(s_a)
        root = vectors * np.sqrt(np.clip(values, 0, None))
    product = root.T @ s_b @ root
    return float(np.sqrt(np.clip(linalg.eigvalsh(product), 0, None)).sum())


def frechet_limit(
    real: npt.ArrayLike, made: npt.ArrayLike, *, points: int = 10, seed: int = 0
) -> float:
    """FID for infinitely many images: the straight line through FIDs against 1/N, at 0.

    Parameters
    ----------
    real, made : array_like (n, d), (m, d)
    points : int
        Sizes between half of the smaller set and all of it, at which a random part is scored.
    seed : int

    Raises
    ------
    UndefinedMetricError
        With fewer than 20 images in a set.
    """
    r, g = checked(real, made, least=20)
    rng = np.random.default_rng(seed)
    most = min(len(r), len(g))
    sizes = np.unique(np.linspace(most // 2, most, points).astype(int))
    distances = []
    for size in sizes:
        parts = [one[rng.choice(len(one), size, replace=False)] for one in (r, g)]
        distances.append(frechet_distance(*parts))
    _, intercept = np.polyfit(1.0 / sizes, distances, 1)
    return float(intercept)


@dataclass(frozen=True)
class KernelDistance:
    """Kernel inception distance.

    Attributes
    ----------
    value : float
        Unbiased: 0 on average for equal distributions, and then negative half of the time.
    se : float
        Standard error, from the spread over subsets drawn without repeats: their deviation
        times ``sqrt(m / (n - m))`` (Shao & Wu 1989); too large where both sets are of one
        distribution.
    subsets, size : int
        How many were drawn, and images of each kind in one.
    """

    value: float
    se: float
    subsets: int
    size: int


def kernel_distance(
    real: npt.ArrayLike,
    made: npt.ArrayLike,
    *,
    subsets: int = KID_SUBSETS,
    size: int = KID_SIZE,
    seed: int = 0,
) -> KernelDistance:
    """Squared maximum mean discrepancy with the kernel ``(x y / d + 1)^3``, unbiased.

    Parameters
    ----------
    real, made : array_like (n, d), (m, d)
    subsets, size : int
        The value is the mean over subsets of ``size`` images, at most half of the smaller set.
    seed : int

    Raises
    ------
    UndefinedMetricError
        With fewer than four images in a set.
    """
    r, g = checked(real, made, least=4)
    n = min(len(r), len(g))
    size = min(size, n // 2)
    rng = np.random.default_rng(seed)
    drawn = [
        mmd2(*(one[rng.choice(len(one), size, replace=False)] for one in (r, g)))
        for _ in range(subsets)
    ]
    se = float(np.std(drawn, ddof=1)) * math.sqrt(size / (n - size))
    return KernelDistance(float(np.mean(drawn)), se, subsets, size)


def mmd2(real: FloatArray, made: FloatArray) -> float:
    """Unbiased squared MMD with the cubic kernel (Gretton 2012, eq. 3)."""
    d = real.shape[1]
    rr, gg, rg = ((a @ b.T / d + 1.0) ** 3 for a, b in ((real, real), (made, made), (real, made)))
    n, m = len(real), len(made)
    within_r = (rr.sum() - np.trace(rr)) / (n * (n - 1))
    within_g = (gg.sum() - np.trace(gg)) / (m * (m - 1))
    return float(within_r + within_g - 2 * rg.mean())


@dataclass(frozen=True, eq=False)
class Distances:
    """Euclidean distances between features: real to real, real to made, made to made."""

    rr: FloatArray
    rg: FloatArray
    gg: FloatArray

    def of(self, real: npt.NDArray[np.intp], made: npt.NDArray[np.intp]) -> Distances:
        """Return the distances of some of the images."""
        rows, columns = real[:, None], made[:, None]
        return Distances(self.rr[rows, real], self.rg[rows, made], self.gg[columns, made])


def distances(real: npt.ArrayLike, made: npt.ArrayLike) -> Distances:
    """Return all distances between two sets of features.

    Raises
    ------
    UndefinedMetricError
        If a set is larger than `LARGEST`: take a random part of it.
    """
    r, g = checked(real, made)
    if max(len(r), len(g)) > LARGEST:
        raise UndefinedMetricError(f"more than {LARGEST} images in a set: score a random part")
    return Distances(between(r, r), between(r, g), between(g, g))


def between(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return Euclidean distances (n, m) between rows (n, d) and (m, d)."""
    squares = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b) - 2 * (a @ b.T)
    np.maximum(squares, 0.0, out=squares)
    if a is b:
        np.fill_diagonal(squares, 0.0)
    return np.sqrt(squares, out=squares)


@dataclass(frozen=True)
class NeighbourScores:
    """Scores from balls that reach to the k-th nearest neighbour of the same kind.

    Attributes
    ----------
    precision : float
        Share of synthetic images in the ball of a real one (k = 3).
    recall : float
        Share of real images in the ball of a synthetic one (k = 3).
    density : float
        Real balls (k = 5) round a synthetic image, over k; 1 for equal sets, may exceed it.
    coverage : float
        Share of real balls (k = 5) with a synthetic image in them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighbour_scores(
    found: Distances, *, precision_k: int = PRECISION_K, density_k: int = DENSITY_K
) -> NeighbourScores:
    """Return precision, recall, density and coverage; a point on the rim of a ball is outside.

    Raises
    ------
    UndefinedMetricError
        If a set has no more than k images.
    """
    most = max(precision_k, density_k)
    if min(len(found.rr), len(found.gg)) <= most:
        raise UndefinedMetricError(f"a set has no more than {most} images: too few neighbours")
    of_real, of_made = (_radii(one, precision_k) for one in (found.rr, found.gg))
    ball = found.rg < _radii(found.rr, density_k)[:, None]
    return NeighbourScores(
        precision=float((found.rg < of_real[:, None]).any(axis=0).mean()),
        recall=float((found.rg < of_made[None]).any(axis=1).mean()),
        density=float(ball.sum(axis=0).mean() / density_k),
        coverage=float(ball.any(axis=1).mean()),
    )


def _radii(within: FloatArray, k: int) -> FloatArray:
    """Distance of each point to its k-th nearest other one."""
    radii: FloatArray = np.partition(within, k, axis=1)[:, k]
    return radii

"""Is a synthetic image a copy of a training image?

Each synthetic image's nearest training image is found, by pixels and by features, and its
likeness compared with that of real images the network never saw. None of this proves privacy.
Meehan 2020 (three-sample test), Alaa 2022 (authenticity).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from synthesis.metrics.paired import UndefinedMetricError

FloatArray = npt.NDArray[np.float64]
SIDE, QUANTILE, SHOWN = 64, 0.995, 20


@dataclass(frozen=True, eq=False)
class Nearest:
    """Nearest training image of each image: its number and the likeness, at most 1."""

    index: npt.NDArray[np.intp]
    likeness: FloatArray


@dataclass(frozen=True, eq=False)
class Memorisation:
    """What was found, by one measure of likeness.

    Attributes
    ----------
    made, held_out : Nearest
        Nearest training images of the synthetic and of the unseen real images.
    limit : float
        Likeness that 99.5 % of the unseen real images stay below.
    flagged : ndarray of int
        Synthetic images above it, the most alike first.
    closer_than : ndarray (m,)
        Share of unseen real images less like their nearest training image, of each synthetic.
    z, p : float
        Mann-Whitney: synthetic images nearer to the training images than unseen real ones if z
        is far below 0; p is one-sided.
    authentic : float
        Share of synthetic images that are farther from their nearest training image than that
        one is from its own nearest other.
    """

    made: Nearest
    held_out: Nearest
    limit: float
    flagged: npt.NDArray[np.intp]
    closer_than: FloatArray
    z: float
    p: float
    authentic: float

    @property
    def top(self) -> npt.NDArray[np.intp]:
        """The synthetic images most like a training image, first the most alike."""
        return np.argsort(-self.made.likeness, kind="stable")[:SHOWN]


def pixel_vectors(images: npt.ArrayLike, *, side: int = SIDE) -> FloatArray:
    """Return images (n, y, x) as unit vectors (n, side * side) about their mean.

    Their inner product is Pearson's correlation of the images brought to side x side pixels.
    """
    stack = np.asarray(images, dtype=np.float64)
    factors = [side / length for length in stack.shape[1:]]
    small = np.stack([_small(one, factors) for one in stack])
    return unit(small.reshape(len(stack), -1) - small.mean(axis=(1, 2))[:, None])


def _small(image: FloatArray, factors: list[float]) -> FloatArray:
    """Blur before taking fewer pixels, so that none is left out."""
    blurred = ndimage.gaussian_filter(image, [max(0.0, (1 / f - 1) / 2) for f in factors])
    return ndimage.zoom(blurred, factors, order=1, grid_mode=True, mode="nearest")


def unit(rows: npt.ArrayLike) -> FloatArray:
    """Return rows of length 1; a row of zeros stays."""
    table = np.asarray(rows, dtype=np.float64)
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(length > 0, length, 1.0)


def mirrored(images: npt.ArrayLike) -> FloatArray:
    """Return images (n, y, x) with left and right swapped."""
    return np.ascontiguousarray(np.asarray(images, dtype=np.float64)[..., ::-1])


def nearest(
    vectors: FloatArray, train: FloatArray, *, flipped: FloatArray | None = None
) -> Nearest:
    """Find the nearest training vector of each vector, by inner product.

    Parameters
    ----------
    vectors, train : ndarray (n, d), (t, d)
        Unit vectors.
    flipped : ndarray (t, d), optional
        Those of the mirrored training images: a mirrored copy is a copy.
    """
    index, likeness = np.zeros(len(vectors), dtype=np.intp), np.full(len(vectors), -np.inf)
    for start in range(0, len(vectors), 256):
        rows = slice(start, start + 256)
        found = vectors[rows] @ train.T
        if flipped is not None:
            np.maximum(found, vectors[rows] @ flipped.T, out=found)
        index[rows] = found.argmax(axis=1)
        likeness[rows] = found.max(axis=1)
    return Nearest(index, likeness)


def limit_of(held_out: Nearest) -> float:
    """Return the likeness that 99.5 % of unseen real images stay below."""
    return float(np.quantile(held_out.likeness, QUANTILE, method="higher"))


def memorisation(
    made: FloatArray,
    train: FloatArray,
    held_out: FloatArray,
    *,
    flipped: FloatArray | None = None,
) -> Memorisation:
    """Compare synthetic with unseen real images in how near they come to training images.

    Parameters
    ----------
    made, train, held_out : ndarray (n, d)
        Unit vectors: of `pixel_vectors`, or `unit` of features about the training mean.
    flipped : ndarray (t, d), optional
        See `nearest`.

    Raises
    ------
    UndefinedMetricError
        If a set is empty, or there is one training image only.
    """
    if len(made) < 1 or len(train) < 2 or len(held_out) < 2:
        raise UndefinedMetricError(
            "needs synthetic images, two training images and two unseen real ones; got "
            f"{len(made)}, {len(train)} and {len(held_out)}"
        )
    of_made, of_held = (nearest(one, train, flipped=flipped) for one in (made, held_out))
    limit = limit_of(of_held)
    above = np.flatnonzero(of_made.likeness > limit)
    order = np.sort(of_held.likeness)
    z, p = _three_samples(-of_made.likeness, -of_held.likeness)
    return Memorisation(
        of_made,
        of_held,
        limit,
        above[np.argsort(-of_made.likeness[above], kind="stable")],
        np.searchsorted(order, of_made.likeness, side="left") / len(order),
        z,
        p,
        float((of_made.likeness < _to_others(train)[of_made.index]).mean()),
    )


def _to_others(train: FloatArray) -> FloatArray:
    """Likeness of each training image to its nearest other one."""
    likeness = np.empty(len(train))
    for start in range(0, len(train), 256):
        found = train[start : start + 256] @ train.T
        rows = np.arange(len(found))
        found[rows, start + rows] = -np.inf
        likeness[start : start + 256] = found.max(axis=1)
    return likeness


def _three_samples(of_made: FloatArray, of_held: FloatArray) -> tuple[float, float]:
    """Standardised Mann-Whitney U of the distances, and p of synthetic ones being smaller."""
    n, m = len(of_made), len(of_held)
    ranks = stats.rankdata(np.concatenate([of_made, of_held]))
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    spread = math.sqrt(n * m * (n + m + 1) / 12)
    z = (u - n * m / 2) / spread
    return z, float(stats.norm.cdf(z))

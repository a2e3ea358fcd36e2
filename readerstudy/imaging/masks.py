"""What belongs to the head and what is background."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

CLEAN_SHARE = 0.99
NEAR_BACKGROUND = 0.005
_OTSU_BINS = 256
_AROUND_HEAD = 4
_CLOSING = 2
_THICK = 5
_CORNER = 10
_IN_PLANE = np.zeros((3, 3, 3), dtype=bool)
_IN_PLANE[1] = ndimage.generate_binary_structure(2, 1)


def foreground(array: NDArray[Any]) -> Mask:
    """Brain or head, as one filled piece.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        Canonical order, any value type.

    Returns
    -------
    ndarray of bool, shape (z, y, x)
        With a clean background (skull-stripped, or air set to zero): the largest piece that
        differs from the background value. Otherwise, with noise in the air: the largest piece
        above the noise and the lower of two nested Otsu thresholds, smoothed. Holes are filled, in
        three dimensions and slice by slice. All False for a constant array.

    Notes
    -----
    Otsu, IEEE Trans Syst Man Cybern 1979; 9:62-66. One threshold splits dark from bright tissue
    in T2 and FLAIR; a second one among the values below it splits air from skin.
    The background counts as clean when 99 % of it lies within half a per cent of the value range.
    The tolerance matters for the blind: generated volumes often have a background that is
    almost, not exactly, constant, and have to take the same road as stripped real ones.
    """
    distance = np.abs(array.astype(np.float32) - background_value(array))
    top = float(np.percentile(distance, 99.5)) or float(distance.max())
    if top == 0:
        return np.zeros(array.shape, dtype=bool)
    threshold = otsu_threshold(distance)
    head = _fill(_largest_piece(distance > threshold))
    near = distance <= NEAR_BACKGROUND * top
    if _clean_share(head, near) >= CLEAN_SHARE:
        return _fill(_largest_piece(~near))
    return _head_in_noise(distance, threshold)


def _clean_share(head: Mask, near: Mask) -> float:
    """Share of `near` outside the head and its margin, or outside the head where it is tight."""
    box = _box(head, margin=_AROUND_HEAD)
    for area in (ndimage.binary_dilation(head[box], iterations=_AROUND_HEAD), head[box]):
        outside = head.size - int(area.sum())
        if outside:
            return (int(near.sum()) - int(near[box][area].sum())) / outside
    return 1.0


def _head_in_noise(distance: NDArray[np.float32], threshold: float) -> Mask:
    lower = max(otsu_threshold(distance[distance <= threshold]), _air_ceiling(distance))
    lower = min(lower, threshold)
    thick = distance.shape[0] >= _THICK
    cross = ndimage.generate_binary_structure(3, 1) if thick else _IN_PLANE
    piece = _largest_piece(ndimage.binary_opening(distance > lower, structure=cross))
    if not piece.any():
        return _fill(_largest_piece(distance > threshold))
    padded = np.pad(piece, _CLOSING + 1)
    closed = ndimage.binary_closing(padded, iterations=_CLOSING)
    inner = slice(_CLOSING + 1, -_CLOSING - 1)
    return _fill(closed[inner, inner, inner])


def _air_ceiling(distance: NDArray[np.float32]) -> float:
    """Level below which nearly all air lies: median over the corner blocks of the 98th percentile.

    Without it the second threshold falls into the noise where nothing dark surrounds the head.
    """
    cuts = [max(1, length // _CORNER) for length in distance.shape]
    sides = [(slice(None, cut), slice(-cut, None)) for cut in cuts]
    blocks = [distance[z, y, x] for z in sides[0] for y in sides[1] for x in sides[2]]
    return float(np.median([np.percentile(block, 98) for block in blocks]))


def background_value(array: NDArray[Any]) -> float:
    """Value of the surroundings: the median of the eight corner voxels."""
    z, y, x = (sorted({0, length - 1}) for length in array.shape)
    return float(np.median(array[np.ix_(z, y, x)]))


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """Threshold that maximises the variance between two classes (Otsu 1979).

    Parameters
    ----------
    values : ndarray
        The range is clipped at the 99.5th percentile, so that a few bright vessels do not rule.
    """
    top = float(np.percentile(values, 99.5)) or float(values.max())
    counts, edges = np.histogram(np.clip(values, None, top), bins=_OTSU_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    weight = np.cumsum(counts)
    total = np.cumsum(counts * centres)
    low, high = weight[:-1], weight[-1] - weight[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = total[:-1] / low - (total[-1] - total[:-1]) / high
        between = np.nan_to_num(low * high * difference**2, nan=0.0, posinf=0.0)
    best = np.flatnonzero(between == between.max())
    return float(edges[1 + round(float(best.mean()))])


def _box(mask: Mask, margin: int = 0) -> tuple[slice, ...]:
    """The box around a mask. Most of a volume is air, so that looking only there saves time."""
    box = []
    for axis, length in enumerate(mask.shape):
        used = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        first, last = (int(used[0]), int(used[-1])) if used.size else (0, 0)
        box.append(slice(max(0, first - margin), min(length, last + 1 + margin)))
    return tuple(box)


def _largest_piece(mask: Mask) -> Mask:
    box = _box(mask)
    labels, count = ndimage.label(mask[box])
    if count <= 1:
        return mask
    piece = np.zeros_like(mask)
    piece[box] = labels == np.bincount(labels[mask[box]]).argmax()
    return piece


def _fill(mask: Mask) -> Mask:
    """Fill enclosed holes in three dimensions, then in each slice."""
    box = _box(mask)
    inner = np.pad(mask[box], 1)
    inner = ~_open_background(inner, ndimage.generate_binary_structure(3, 1), (0, 1, 2))
    inner = ~_open_background(inner, _IN_PLANE, (1, 2))
    filled = np.zeros_like(mask)
    filled[box] = inner[1:-1, 1:-1, 1:-1]
    return filled


def _open_background(mask: Mask, structure: Mask, axes: tuple[int, ...]) -> Mask:
    """Background that reaches the border along `axes`.

    Labelling the background once is much faster than growing it voxel by voxel.
    """
    labels, count = ndimage.label(~mask, structure=structure)
    reached = np.zeros(count + 1, dtype=bool)
    for axis in axes:
        for side in (0, -1):
            reached[np.unique(np.take(labels, side, axis=axis))] = True
    reached[0] = False
    return np.asarray(reached[labels])

"""What the levels of one image tell apart from what it shows: comb, border, slices. Pure.

Each fact is a detection with its size: it is 0 unless it is beyond chance and large enough to be
told by somebody who looks for it. Honest differences of anatomy or sharpness move none of them;
what these do move (noise, extent) is named in `CONTENT`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray
from scipy.signal import savgol_filter

COMB = ("empty_levels", "period")
BACKGROUND = ("border", "corner_share", "corner_mean", "corner_spread")
SLICES = ("slices", "gaps_between_slices")
RANGE = ("out_of_range",)
CONTENT = {"noise": ("bits_a_voxel",), "extent": ("foreground", "end_slices")}

LOWEST, HIGHEST = 0, 4095
BULK = (5.0, 95.0)
HALF_WINDOW = 16
PERIODS = (2, 3, 4, 5, 8, 10, 16)
FEWEST_LEVELS = 128
LEAST_COUNT = 1e-3
SURE = 6.0  # standard deviations
LEAST_MODULATION = 0.05
CORNER = 16
LEVEL = 3


def facts_of(block: NDArray[np.int16]) -> dict[str, float]:
    """Measure one image.

    Parameters
    ----------
    block : ndarray of int16, shape (z, y, x)
        Levels as a reader's browser holds them.

    Returns
    -------
    dict of str to float
        Facts named in `COMB`, `BACKGROUND`, `SLICES`, `RANGE` and `CONTENT`.
    """
    return {
        "out_of_range": _rounded(np.mean((block < LOWEST) | (block > HIGHEST)), 0.001),
        **comb_of(block[block > 0]),
        **background_of(block),
        **slices_of(block),
        **content_of(block),
    }


def comb_of(values: NDArray[Any]) -> dict[str, float]:
    """Find teeth in a histogram: empty levels, and counts that swing with a period.

    Parameters
    ----------
    values : ndarray of int
        Foreground levels.

    Returns
    -------
    dict of str to float
        ``empty_levels``: share of levels between the 5th and the 95th percentile that are empty
        beyond what a smooth density of so many voxels would leave, in steps of 0.02.
        ``period``: relative size of the strongest swing with a period of `PERIODS`, in steps of
        0.05. Both 0 where chance explains them, or where there are too few levels to say.
    """
    nothing = {"empty_levels": 0.0, "period": 0.0}
    if not values.size:
        return nothing
    low, high = (int(end) for end in np.percentile(values, BULK))
    if high - low + 1 < FEWEST_LEVELS:
        return nothing
    counts = np.bincount(np.clip(values.astype(np.int64), low - 1, high + 1) - (low - 1))[1:-1]
    # Parabolas fitted along the histogram follow its bends, which a running mean would flatten.
    smooth = np.maximum(savgol_filter(counts.astype(float), 2 * HALF_WINDOW + 1, 2), LEAST_COUNT)
    inner = slice(HALF_WINDOW, -HALF_WINDOW)
    counts, smooth = counts[inner], smooth[inner]
    return {"empty_levels": _empty(counts, smooth), "period": _period(counts, smooth)}


def _empty(counts: NDArray[Any], smooth: NDArray[Any]) -> float:
    expected = np.exp(-smooth)
    spread = np.sqrt((expected * (1 - expected)).sum())
    surplus = (counts == 0).sum() - expected.sum()
    return _rounded(surplus / counts.size, 0.02) if surplus > SURE * max(spread, 1) else 0.0


def _period(counts: NDArray[Any], smooth: NDArray[Any]) -> float:
    """Return the strongest swing; the part that counting alone makes is taken off."""
    found, total = 0.0, float(smooth.sum())
    for period in PERIODS:
        phase = np.arange(counts.size) % period
        expected = np.bincount(phase, smooth, period)
        if not np.all(expected > 0):
            continue
        excess = ((np.bincount(phase, counts, period) - expected) ** 2 / expected).sum()
        excess -= period - 1
        if excess > SURE * np.sqrt(2 * (period - 1)):
            found = max(found, float(np.sqrt(excess / total)))
    return _rounded(found, LEAST_MODULATION)


def background_of(block: NDArray[np.int16]) -> dict[str, float]:
    """Measure what lies at the faces of the block and in its corners.

    Returns
    -------
    dict of str to float
        ``border``: share of voxels other than 0 on the faces of each slice. ``corner_share``,
        ``corner_mean``, ``corner_spread``: share other than 0, mean and standard deviation in the
        sixteenth of each side next to a corner.
    """
    edges = np.concatenate(
        [block[:, 0].ravel(), block[:, -1].ravel(), block[:, :, 0].ravel(), block[:, :, -1].ravel()]
    )
    corner = _corners(block)
    return {
        "border": _rounded(np.mean(edges != 0), 0.001),
        "corner_share": _rounded(np.mean(corner != 0), 0.001),
        "corner_mean": _rounded(corner.mean(), 0.1),
        "corner_spread": _rounded(corner.std(), 0.1),
    }


def _corners(block: NDArray[np.int16]) -> NDArray[np.int16]:
    _, height, width = block.shape
    y, x = max(1, height // CORNER), max(1, width // CORNER)
    rows, columns = np.r_[0:y, height - y : height], np.r_[0:x, width - x : width]
    return block[:, rows][:, :, columns]


def slices_of(block: NDArray[np.int16]) -> dict[str, float]:
    """Count the slices, and the empty ones between filled ones."""
    filled = np.flatnonzero(block.any(axis=(1, 2)))
    inside = int(filled[-1] - filled[0] + 1) if filled.size else 0
    return {"slices": float(block.shape[0]), "gaps_between_slices": float(inside - filled.size)}


def content_of(block: NDArray[np.int16]) -> dict[str, float]:
    """Measure what is image content: how well the foreground can be compressed, and its extent."""
    filled = int((block > 0).sum())
    packed = len(zstandard.compress(block.astype("<i2").tobytes(), LEVEL))
    return {
        "bits_a_voxel": 8 * packed / max(filled, 1),
        "foreground": filled / block.size,
        "end_slices": float(np.sum(~block.any(axis=(1, 2)))) / block.shape[0],
    }


def _rounded(value: Any, step: float) -> float:
    return round(float(np.round(float(value) / step) * step), 6)

"""Grey-level windows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """Width and level of a linear grey-level window, in the units of the array."""

    width: int
    level: int


def percentile_window(
    array: NDArray[Any],
    mask: NDArray[np.bool_],
    percentiles: tuple[float, float] = (0.1, 99.9),
) -> tuple[float, float]:
    """Robust lowest and highest value inside a mask.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
    mask : ndarray of bool, shape (z, y, x)
    percentiles : tuple of float
        Lower and upper percentile, 0 to 100.

    Returns
    -------
    low, high : float
        In the units of `array`.

    Raises
    ------
    ValueError
        Empty mask, or no contrast inside it.
    """
    values = array[mask]
    if values.size == 0:
        raise ValueError("The mask is empty. Check that the image shows a head or a brain.")
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if not high > low:
        low, high = float(values.min()), float(values.max())
    if not high > low:
        raise ValueError("All values inside the mask are equal. Check the image.")
    return low, high


def default_window(encoded: Iterable[NDArray[np.int16]]) -> Window:
    """One window for all cases of a study, from images in display encoding.

    Parameters
    ----------
    encoded : iterable of ndarray
        Arrays of `readerstudy.imaging.encoding.encode_display`; 0 is background.

    Returns
    -------
    Window
        From 0 to the median over cases of the 99.5th percentile. One window for all: a window
        fitted to each case would differ between real and synthetic images.
    """
    tops = [np.percentile(array[array > 0], 99.5) for array in encoded if (array > 0).any()]
    if not tops:
        raise ValueError("A window needs at least one image with a foreground.")
    top = max(2, round(float(np.median(tops))))
    return Window(width=top, level=top // 2)

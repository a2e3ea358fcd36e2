"""Grey-level windows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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

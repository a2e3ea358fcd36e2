"""Volumes of enhancing tumour; their course over time: `readerstudy.stats.progression`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthesis.metrics.segmentation import millilitres

Mask = npt.NDArray[np.bool_]
FloatVolume = npt.NDArray[np.float32]

ENHANCING_LABELS = (3, 4)  # BraTS since 2023, and before
SUBTRACTION_THRESHOLD = 1.0


def enhancing_volume_ml(
    labels: npt.NDArray[np.generic],
    spacing_mm: Sequence[float],
    *,
    enhancing: Sequence[int] = ENHANCING_LABELS,
) -> float:
    """Return the volume of enhancing tumour of a segmentation, mL.

    Parameters
    ----------
    labels : ndarray (z, y, x)
    spacing_mm : (dz, dy, dx)
    enhancing : sequence of int
        Labels that are enhancing tumour.
    """
    return millilitres(np.isin(labels, tuple(enhancing)), spacing_mm)


def enhancement_by_subtraction(
    t1c: FloatVolume, t1: FloatVolume, region: Mask, *, threshold: float = SUBTRACTION_THRESHOLD
) -> Mask:
    """Return where contrast adds more than ``threshold`` standard deviations, in a region.

    A stand-in where no segmentation was made on the synthetic image: the difference of the
    z-scores after and before contrast, inside the tumour as outlined on other sequences (vessels
    and meninges enhance too).

    Parameters
    ----------
    t1c, t1 : float32 ndarray (z, y, x)
        z-scores.
    region : bool ndarray (z, y, x)
    threshold : float
    """
    added: Mask = region & (t1c - t1 > threshold)
    return added

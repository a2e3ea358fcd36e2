"""Intervals by resampling patients: images of one patient are never independent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Statistic = Callable[[Indices], float]
DRAWS, LEVEL = 2000, 0.95
FEW = 5


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap interval.

    Attributes
    ----------
    value : float
        Of the data as they are; NaN where undefined.
    low, high : float
        Percentile limits; NaN where there are too few patients.
    patients, images : int
    level : float
    reason : str
        Why value or limits are missing.
    """

    value: float
    low: float
    high: float
    patients: int
    images: int
    level: float = LEVEL
    reason: str = ""


def by_patient(patients: Sequence[str]) -> list[Indices]:
    """Return the positions of each patient's images, patients in order of their names."""
    names = np.asarray(patients)
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def patient_bootstrap(
    statistic: Statistic,
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a statistic over resampled patients (Efron 1979, by cluster).

    Parameters
    ----------
    statistic : callable
        Of positions (n,) of images, with repeats; may return NaN.
    patients : sequence of str
        Patient of each image.
    draws : int
    level : float
        In (0, 1).
    seed : int

    Returns
    -------
    Interval
        Without limits for fewer than two patients; with a word of warning below five.
    """
    groups = by_patient(patients)
    value = statistic(np.arange(len(patients)))
    count = len(groups)
    if count < 2 or math.isnan(value):
        reason = "" if count > 1 else "one patient has no spread over patients"
        return Interval(value, math.nan, math.nan, count, len(patients), level, reason)
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([groups[g] for g in rng.integers(count, size=count)]))
        for _ in range(draws)
    ]
    known = np.array([one for one in drawn if not math.isnan(one)])
    if known.size < draws / 2:
        reason = "undefined in most resamples"
        return Interval(value, math.nan, math.nan, count, len(patients), level, reason)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    reason = f"{count} patients only: take the interval as a hint" if count < FEW else ""
    return Interval(value, float(low), float(high), count, len(patients), level, reason)


def mean_interval(
    values: npt.ArrayLike,
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """Mean over images with an interval over patients; undefined values are left out.

    Parameters
    ----------
    values : array_like (n,)
        NaN where undefined.
    patients : sequence of str (n,)
    draws, level, seed
        See `patient_bootstrap`.
    """
    array = np.asarray(values, dtype=np.float64)
    known = np.isfinite(array)
    if not known.any():
        return Interval(math.nan, math.nan, math.nan, 0, 0, level, "undefined in every image")
    names = np.asarray(patients)[known]
    _, group = np.unique(names, return_inverse=True)
    sums, counts = (np.bincount(group, weights=w) for w in (array[known], np.ones(known.sum())))
    value, patients_known = float(array[known].mean()), len(sums)
    if patients_known < 2:
        reason = "one patient has no spread over patients"
        return Interval(value, math.nan, math.nan, 1, int(known.sum()), level, reason)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(patients_known, size=(draws, patients_known))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    few = patients_known < FEW
    reason = f"{patients_known} patients only: take the interval as a hint" if few else ""
    return Interval(value, float(low), float(high), patients_known, int(known.sum()), level, reason)

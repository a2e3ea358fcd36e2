"""Checks of input shared by every statistic: each names the argument, the bound and the value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def as_vector(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return ``values`` as a one-dimensional float array.

    Raises
    ------
    ValueError
        If it has another number of dimensions or does not hold numbers.
    """
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    return array


def same_length(**arrays: Sequence[Any] | npt.NDArray[Any]) -> int:
    """Return the common length of the named arrays; refuse differing lengths."""
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "arguments must have the same length, got "
            + ", ".join(f"{name}: {length}" for name, length in lengths.items())
        )
    return next(iter(lengths.values()))


def as_binary(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return a 0/1 vector (NaN kept as missing); refuse any other value."""
    array = as_vector(values, name)
    bad = array[~np.isnan(array) & ~np.isin(array, (0.0, 1.0))]
    if bad.size:
        raise ValueError(f"{name} must be 0 or 1, got {bad[0]:g}")
    return array


def as_count(value: float, name: str) -> int:
    """Return a non-negative whole number; refuse anything else."""
    number = float(value)
    if not np.isfinite(number) or number < 0 or number != int(number):
        raise ValueError(f"{name} must be a whole number of at least 0, got {value}")
    return int(number)


def check_level(level: float) -> float:
    """Return the confidence level; refuse values outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    return float(level)


def check_choice(value: str, name: str, allowed: Sequence[str]) -> str:
    """Return ``value``; refuse what is not in ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value


def missing_rows(missing: str, **arrays: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which rows hold a NaN, or refuse them.

    Parameters
    ----------
    missing : {"raise", "omit"}
        What to do with NaN.
    **arrays : ndarray
        One- or two-dimensional, the same length.

    Raises
    ------
    ValueError
        If ``missing="raise"`` and a NaN is there; it names the argument and the count.
    """
    check_choice(missing, "missing", ("raise", "omit"))
    rows = np.zeros(len(next(iter(arrays.values()))), dtype=bool)
    for name, array in arrays.items():
        is_nan = np.isnan(array) if array.ndim == 1 else np.isnan(array).any(axis=1)
        if missing == "raise" and is_nan.any():
            raise ValueError(
                f"{name} has {int(is_nan.sum())} missing values (NaN); "
                'remove them or pass missing="omit"'
            )
        rows |= is_nan
    return rows


def refuse_overlap(
    ids_a: Sequence[Hashable] | None,
    ids_b: Sequence[Hashable] | None,
    *,
    assume_independent: bool,
    instead: str,
) -> None:
    """Refuse two samples that share case ids, unless the caller insists.

    Raises
    ------
    ValueError
        If the ids overlap; it says which paired function to use instead.
    """
    if assume_independent or ids_a is None or ids_b is None:
        return
    shared = set(ids_a) & set(ids_b)
    if shared:
        raise ValueError(
            f"{len(shared)} case ids are in both samples, so they are not independent: use "
            f"{instead}, or pass assume_independent=True and say so in the report"
        )

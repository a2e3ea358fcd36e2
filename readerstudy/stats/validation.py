"""Checks of input shared by every statistic: each names the argument, the bound and the value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_NULLABLE = frozenset(
    ["BooleanDtype", "Float32Dtype", "Float64Dtype"]
    + [f"{sign}Int{size}Dtype" for sign in ("", "U") for size in (8, 16, 32, 64)]
)


def as_vector(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return ``values`` as a one-dimensional float array.

    Raises
    ------
    ValueError
        If it has another number of dimensions or does not hold numbers.
    """
    try:
        array = np.asarray(_without_na(values), dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    return array


def _without_na(values: Any) -> Any:
    """Return a nullable column of pandas as floats with NaN, anything else unchanged."""
    if type(getattr(values, "dtype", None)).__name__ in _NULLABLE:
        return values.to_numpy(dtype=float, na_value=np.nan)
    return values


def check_finite(array: FloatArray, name: str) -> FloatArray:
    """Return ``array``; refuse infinite values (NaN, which is missing, may stay)."""
    if np.isinf(array).any():
        raise ValueError(f"{name} must be finite, got {array[np.isinf(array)][0]:g}")
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


def column(data: Any, values: Any) -> Any:
    """Return ``data[values]`` if a table is given and ``values`` names a column, else ``values``.

    Parameters
    ----------
    data : DataFrame, mapping of columns, or None
        Long-form table, one row per observation.
    values : str or array_like
        A column name, or the values themselves.

    Raises
    ------
    ValueError
        If a name is given without a table, or the table has no such column.
    """
    if not isinstance(values, str):
        return values
    if data is None:
        raise ValueError(f"{values!r} is a column name: pass the table as data=")
    if values not in data:
        raise ValueError(f"data has no column {values!r}; it has {', '.join(map(str, data))}")
    return data[values]


def refuse_repeats(
    case_ids: Sequence[Hashable] | None, n: int, *, assume_independent: bool, instead: str
) -> None:
    """Refuse one sample in which a case occurs more than once, unless the caller insists.

    Raises
    ------
    ValueError
        If ``case_ids`` has another length than ``n``, or ids repeat.
    """
    if case_ids is None:
        return
    if len(case_ids) != n:
        raise ValueError(f"case_ids must have one entry per observation: {len(case_ids)} for {n}")
    repeats = n - len(set(case_ids))
    if repeats and not assume_independent:
        raise ValueError(
            f"{repeats} of {n} observations repeat a case id, so they are not independent: use "
            f"{instead}, or pass assume_independent=True and say so in the report"
        )


def split_case_ids(
    case_ids: Sequence[Any] | None, n_first: int, n_second: int
) -> tuple[Sequence[Hashable] | None, Sequence[Hashable] | None]:
    """Return the ids of two samples, given as a pair of sequences or as one sequence in order.

    Raises
    ------
    ValueError
        If the lengths do not fit the two sample sizes.
    """
    if case_ids is None:
        return None, None
    if len(case_ids) == n_first + n_second and not _is_pair(case_ids):
        return list(case_ids[:n_first]), list(case_ids[n_first:])
    if not _is_pair(case_ids) or (len(case_ids[0]), len(case_ids[1])) != (n_first, n_second):
        raise ValueError(
            f"case_ids must be a pair of sequences with {n_first} and {n_second} ids, "
            "or one sequence of all ids, first sample first"
        )
    return list(case_ids[0]), list(case_ids[1])


def _is_pair(case_ids: Sequence[Any]) -> bool:
    return len(case_ids) == 2 and all(
        isinstance(part, Sequence | np.ndarray) and not isinstance(part, str) for part in case_ids
    )


def resolve_seed(seed: int | None) -> int:
    """Return the seed; draw one where none is given, so that the method can name it.

    Raises
    ------
    ValueError
        If it is negative or not a whole number.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return as_count(seed, "seed")

"""Turn texts, such as tokens and header values, into columns of numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float64]
FEW = 8
GRAMS = 12
GRAM = 3
COMMON = (0.1, 0.9)
FIRST = 4


def columns_of(rows: Sequence[Sequence[Any]]) -> Columns:
    """Describe what was said of each case in numbers that a classifier can use.

    Parameters
    ----------
    rows : sequence of sequences of scalar
        One or several values for each case: text, number, truth value, or None for absent.

    Returns
    -------
    ndarray of float, shape (n, k)
        One column of zeros where all cases have the same; numbers as they are; few different
        values as one column each; many different texts by length, kinds of characters, first
        and last characters and the parts that many share.
    """
    keys = [tuple(str(value) for value in row) for row in rows]
    if len(set(keys)) <= 1:
        return np.zeros((len(rows), 1))
    numbers = [[_number(value) for value in row] for row in rows]
    if all(number is not None for row in numbers for number in row) and all(numbers):
        return np.array([[np.mean([float(n or 0) for n in row])] for row in numbers])
    if len(set(keys)) <= FEW:
        return np.array([[float(key == one) for one in sorted(set(keys))] for key in keys])
    texts = [["" if value is None else str(value) for value in row] or [""] for row in rows]
    grams = _common_grams(texts)
    return np.array([np.mean([_described(one, grams) for one in row], axis=0) for row in texts])


def _number(value: Any) -> float | None:
    """Return a value as a number if it is one, or a date."""
    if isinstance(value, bool | int | float):
        return float(value)
    text = str(value)
    try:
        return float(text) if text.isascii() and text.strip("+-.0123456789") == "" else _date(text)
    except ValueError:
        return None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


def _common_grams(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the parts of three characters that many cases share and many do not."""
    seen = Counter(gram for row in rows for gram in {g for text in row for g in _grams(text)})
    low, high = (share * len(rows) for share in COMMON)
    found = [gram for gram, count in sorted(seen.items()) if low <= count <= high]
    return sorted(found, key=lambda gram: abs(seen[gram] - len(rows) / 2))[:GRAMS]


def _grams(text: str) -> set[str]:
    lowered = text.lower()
    return {lowered[at : at + GRAM] for at in range(len(lowered) - GRAM + 1)}


def _described(text: str, grams: Sequence[str]) -> list[float]:
    length, own = max(len(text), 1), _grams(text)
    start = [float(ord(c)) for c in text[:FIRST].ljust(FIRST)]
    return [
        float(len(text)),
        sum(c.isdigit() for c in text) / length,
        sum(c.isupper() for c in text) / length,
        sum(not c.isalnum() for c in text) / length,
        *start,
        float(ord(text[-1])) if text else 0.0,
        *(float(gram in own) for gram in grams),
    ]

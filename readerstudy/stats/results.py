"""Result objects: what every statistic of this package returns.

A result is a frozen dataclass. It carries the estimate together with the method in words, the
number of observations used and dropped, the warnings a reader of the number should see, and,
where the number is undefined, NaN with the reason. Nothing is rounded here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np


def json_safe(value: Any) -> Any:
    """Turn numpy values, tuples and nested results into JSON types; NaN becomes None.

    Parameters
    ----------
    value : object
        Scalar, array, sequence, mapping or :class:`Result`.

    Returns
    -------
    object
        Only ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None``.
        Infinite values become the strings ``"inf"`` and ``"-inf"``, which JSON cannot hold.
    """
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return [json_safe(v) for v in value.tolist()]
    if isinstance(value, dict):
        return {_key(k): json_safe(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [json_safe(v) for v in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
    return value


def _key(key: Any) -> str:
    return " | ".join(str(k) for k in key) if isinstance(key, tuple) else str(key)


def undefined(names: str) -> dict[str, Any]:
    """Return NaN for each of the fields named in ``names``, separated by spaces."""
    return dict.fromkeys(names.split(), math.nan)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What all results share.

    Attributes
    ----------
    method : str
        The procedure in words with its reference.
    n : int
        Units used (the method says which unit: subjects, reads, cases, pairs).
    n_dropped : int
        Units left out because a value was missing.
    warnings : tuple of str
        What a careful reader should know about this number.
    reason : str or None
        Why a value is undefined (NaN); None where everything is defined.
    """

    method: str
    n: int
    n_dropped: int = 0
    warnings: tuple[str, ...] = ()
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict at full precision, NaN as None beside ``reason``."""
        return {f.name: json_safe(getattr(self, f.name)) for f in fields(self)}

    def summary(self) -> str:
        """Return one line of text: the main value, its interval, n and the method."""
        return f"{self.method} (n = {self.n})"


@dataclass(frozen=True, kw_only=True)
class Estimate(Result):
    """A value with a confidence interval.

    Attributes
    ----------
    value : float
        The estimate; NaN where undefined.
    low, high : float
        Limits of the interval; NaN where undefined.
    level : float
        Confidence level, 0 to 1.
    """

    value: float
    low: float = field(default=math.nan)
    high: float = field(default=math.nan)
    level: float = 0.95

    def summary(self) -> str:
        """Return ``value (level % interval low to high), n, method``, or the reason."""
        if math.isnan(self.value):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        text = f"{self.value:.6g}"
        if not math.isnan(self.low):
            text += f" ({100 * self.level:g} % interval {self.low:.6g} to {self.high:.6g})"
        return f"{text}, n = {self.n}, {self.method}"

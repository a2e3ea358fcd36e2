"""Numbers for reading: percent with 1 decimal, AUC 3, kappa and d' 2, p 3 or "< 0.001"."""

from __future__ import annotations

import math
from typing import Any

MINUS = "−"
_DECIMALS = {"percent": 1, "auc": 3, "kappa": 2, "coefficient": 3}


def is_undefined(value: Any) -> bool:
    """Say whether a value is NaN."""
    return isinstance(value, float) and math.isnan(value)


def show(value: Any, style: str) -> str:
    """Write a value in a style: text, count, percent, auc, kappa, coefficient, number, ratio, p.

    Examples
    --------
    >>> show(0.4567, "percent"), show(-0.0214, "auc"), show(0.0004, "p"), show(True, "text")
    ('45.7', '−0.021', '< 0.001', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) or style == "text":
        return str(value)
    if math.isinf(value):
        return "infinite" if value > 0 else f"{MINUS}infinite"
    return _with_minus(_figure(float(value), style))


def _figure(value: float, style: str) -> str:
    if style == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    if style == "count":
        return f"{value:.0f}"
    if style == "ratio":
        return f"{value:.2f}" if 0.1 <= value < 100 else f"{value:.3g}"
    if style in _DECIMALS:
        return f"{value * (100 if style == 'percent' else 1):.{_DECIMALS[style]}f}"
    return f"{value:.4g}"


def _with_minus(text: str) -> str:
    if not text.startswith("-"):
        return text
    return text[1:] if float(text) == 0 else MINUS + text[1:]

"""Template helpers: numbers as the style page wants them, and the phase rail."""

from __future__ import annotations

import math
from typing import Any

from django import template

register = template.Library()


@register.filter
def percent(value: float | None, decimals: int = 1) -> str:
    """Return a proportion as a percentage without the sign; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return f"{100 * value:.{decimals}f}".replace("-", "−")


@register.filter
def fixed(value: float | None, decimals: int = 2) -> str:
    """Return a number with a fixed count of decimals and a true minus sign."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{decimals}f}".replace("-", "−")


@register.filter
def pvalue(value: float | None) -> str:
    """Return a p-value with three decimals, or "< 0.001"."""
    if value is None or math.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """Return one value of a mapping."""
    return mapping.get(key)

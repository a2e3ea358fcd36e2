"""Numbers in sentences: rounded as docs and pages round them, undefined ones in words."""

from __future__ import annotations

import math
from typing import Any

MINUS = "−"


def fixed(value: float, places: int) -> str:
    """Return a number with a true minus sign; "not defined" for NaN."""
    if math.isnan(value):
        return "not defined"
    text = f"{value:.{places}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def percent(share: float) -> str:
    """Return a share in per cent with one decimal, without the sign."""
    return fixed(100 * share, 1)


def p_value(p: float) -> str:
    """Return "p = 0.012", "p < 0.001" or "p not defined"."""
    if math.isnan(p):
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval(found: Any, *, scale: float = 1.0, places: int = 2) -> str:
    """Return "95 % interval 0.12 to 0.34" of an estimate, or that there is none and why."""
    if math.isnan(found.low):
        reason = getattr(found, "reason", None)
        return f"no interval: {reason}" if reason else "no interval"
    low, high = (fixed(scale * limit, places) for limit in (found.low, found.high))
    return f"{100 * found.level:g} % interval {low} to {high}"


def many(count: int, word: str, plural: str = "") -> str:
    """Return "1 reader", "2,000 cases"."""
    return f"{count:,} {word if count == 1 else plural or word + 's'}"


def listed(names: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"

"""Template helpers: numbers and times as the style page wants them, and the phase rail."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
THIN = "\N{NARROW NO-BREAK SPACE}"
BLINDED_STATES = ("locked", "running", "closed")


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
def digits(value: float | None, count: int = 3) -> str:
    """Return a number with so many digits that tell, and a true minus sign."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{count}g}"
    if "e+" in text:
        text = f"{value:.0f}"
    return text.replace("-", "−")


@register.filter
def thousands(value: float | str | None) -> str:
    """Return a whole number with commas between thousands; a dash where there is none."""
    return "–" if value is None or isinstance(value, str) else f"{value:,.0f}".replace("-", "−")


@register.filter
def words(name: str) -> str:
    """Return the name of a score as words."""
    text = name.replace("_", " ")
    return f"{text[:3].upper()}{text[3:]}" if text[:3] in ("fid", "kid") else text


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


@register.filter
def is_draft(state: str) -> bool:
    """Can a study in this state still be changed?"""
    return state == "draft"


@register.filter
def seconds(value: float | None) -> str:
    """Return seconds as "23 s"; a dash where there are none."""
    return "–" if value is None else f"{value:.0f}{THIN}s"


@register.filter
def duration(value: float) -> str:
    """Return a length of time given in seconds as minutes, or as hours from 90 minutes on."""
    minutes = math.ceil(value / 60)
    return f"{minutes}{THIN}min" if minutes < 90 else f"{value / 3600:.1f}{THIN}h"


@register.filter
def short_hash(value: str) -> str:
    """Return the first 8 digits of a hash in groups of four."""
    return f"{value[:4]} {value[4:8]}"


@register.filter
def checksum(value: str) -> str:
    """Return the beginning and the end of a hash in groups of four."""
    return f"{value[:4]} {value[4:8]} … {value[-4:]}"


@register.simple_tag
def moment(at: datetime, kind: str = "datetime") -> SafeString:
    """Return a <time> element in UTC; the page's script turns it into local time."""
    at = at.astimezone(UTC)
    texts = {
        "datetime": f"{at.day} {at:%b %Y, %H:%M} UTC",
        "date": f"{at.day} {at:%b %Y}",
        "time": f"{at:%H:%M:%S} UTC",
    }
    return format_html(
        '<time datetime="{}" data-time="{}">{}</time>',
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        kind,
        texts[kind],
    )


@register.inclusion_tag("components/phase_rail.html")
def phase_rail(study: Any) -> dict[str, Any]:
    """Draw the phases of a study with the date on which each began."""
    states = [state.value for state in type(study).State]
    present = states.index(study.state)
    return {
        "phases": [
            {
                "name": state.capitalize(),
                "at": study.created_at if index == 0 else getattr(study, f"{state}_at"),
                "done": index < present or study.state == states[-1],
                "current": index == present,
            }
            for index, state in enumerate(states)
        ]
    }


@register.filter
def is_blinded(study: Any) -> bool:
    """Tell whether answers and origin of this study are hidden from its staff."""
    return study.state in BLINDED_STATES


@register.filter
def starts_with(text: str, beginning: str) -> bool:
    """Tell whether a text begins with another; an empty beginning is none."""
    return bool(beginning) and text.startswith(beginning)


@register.filter
def add_number(value: float, other: float) -> float:
    """Return a sum; for coordinates in drawings."""
    return value + other


@register.filter
def is_number(value: float | None) -> bool:
    """Tell whether there is a number to show, rather than a reason."""
    return value is not None and not math.isnan(value)

"""What the viewer's page says of a series: its grid, its values, its quality."""

from __future__ import annotations

from readerstudy.cases.flags import Flag, computed_codes, meaning
from readerstudy.cases.models import Series
from readerstudy.cases.native_layout import Shown
from readerstudy.cases.words import grid_text, spacing_text
from readerstudy.imaging import native


def flags_of(series: Series) -> list[Flag]:
    """Return the quality flags of one series in words."""
    codes = dict.fromkeys([*sorted(computed_codes(series)), *series.flags])
    return [Flag(code, m.words, m.tone, m.advice) for code in codes for m in [meaning(code)]]


def geometry_words(one: Shown) -> str:
    """Say on which grid a series lies and in which plane it is shown."""
    text = f"{grid_text(one.series)}, {spacing_text(one.series)}, {one.placement.plane}"
    return text if one.placement.exact else f"{text}, interpolated"


def value_words(one: Shown) -> str:
    """Say how what is read out relates to the values of the source; nothing where it does not."""
    if one.relative:
        return ""
    facts, unit = one.facts, f" {one.unit}" if one.unit else ""
    span = f"{facts.minimum:.6g} to {facts.maximum:.6g}{unit}"
    if not one.placement.exact:
        return f"Values {span}, interpolated, in steps of {one.scale.slope:.3g}{unit}."
    if one.scale.exact:
        steps = "" if facts.step == 1 else f", in its own steps of {facts.step:.4g}{unit}"
        return f"Exact values of the source, {span}{steps}."
    return f"Values {span}, read out in steps of {one.scale.slope:.3g}{unit}.{_clipped(one)}"


def _clipped(one: Shown) -> str:
    low, high = native.shown_range(one.facts)
    beyond = []
    if low > one.facts.minimum:
        beyond.append(f"below {low:.4g} are shown as {low:.4g}")
    if high < one.facts.maximum:
        beyond.append(f"above {high:.4g} are shown as {high:.4g}")
    return f" Values {' and '.join(beyond)}." if beyond else ""


def colour_words(one: Shown) -> str:
    """Say what the ends of the colours mean; nothing where there are none."""
    if one.colours is None:
        return ""
    low, high = one.colours
    return (
        f"Colours from {low:.3g} to {high:.3g} {one.unit}: the 2nd and the 98th percentile of "
        "this image, inside the head."
    )

"""How numbers are said, wherever they stand: on pages, in the report and in its tables.

One form of a number has one way of being said (`readerstudy.analysis.document.FORMS`). Files for
other programs take the number itself, never these words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from readerstudy.analysis.document import Column, Number
from readerstudy.analysis.endpoints.words import MINUS, fixed

GAP = "\N{NARROW NO-BREAK SPACE}"
NOT_DEFINED = "not defined"
PER_CENT, SECONDS = ("percent", "points"), ("seconds",)
UNITS = {"percent": "%", "points": "points", "seconds": "s"}
STRONG = re.compile(r"\*\*(.+?)\*\*")
BEFORE_UNIT = re.compile(r"(?<=\d) (?=%)")


def said(number: Number, *, unit: bool = True) -> str:
    """Return a number as it is shown, the reason where it is undefined.

    ``unit`` False leaves "%", "points" and "s" to the head of the column.
    """
    if not number.defined:
        return number.reason or NOT_DEFINED
    text = _said(number.value, number.form)
    name = UNITS.get(number.form, "")
    return f"{text}{GAP}{name}" if unit and name else text


def said_interval(number: Number) -> str:
    """Return "53.6 to 65.9", or nothing where there is no interval."""
    if not number.has_interval:
        return ""
    low, high = (_said(limit, number.form) for limit in (number.low, number.high))
    return f"{low} to {high}"


def said_level(number: Number) -> str:
    """Return the level of the interval, "95 %"."""
    return f"{100 * number.level:g}{GAP}%"


def said_whole(number: Number) -> str:
    """Return a number with its interval, "59.8 % (95 % interval 53.6 to 65.9)"."""
    limits = said_interval(number)
    return f"{said(number)} ({said_level(number)} interval {limits})" if limits else said(number)


def said_p(p: float) -> str:
    """Return "p = 0.012" or "p < 0.001"; "p not defined" for NaN."""
    if math.isnan(p):
        return f"p {NOT_DEFINED}"
    text = _p(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def said_cell(column: Column, cell: Number | str) -> str:
    """Return what stands in a table: the unit only where the head of the column lacks it."""
    if isinstance(cell, str):
        return gapped(cell)
    if column.kind == "interval":
        return said_interval(cell)
    return said(cell, unit=not names_unit(column, cell.form))


def names_unit(column: Column, form: str) -> bool:
    """Does the head of a column say the unit of its numbers?"""
    head = f"{column.group} {column.title}".casefold()
    if form in PER_CENT:
        return any(word in head for word in ("%", "per cent", "points"))
    return form in SECONDS and bool(re.search(r"\bs\b|seconds", head))


def exact(value: float) -> str:
    """Return a number at full precision; nothing for NaN."""
    return "" if math.isnan(value) else repr(float(value)).removesuffix(".0")


def gapped(text: str) -> str:
    """Keep a number and its per cent sign together, with a thin gap."""
    return BEFORE_UNIT.sub(GAP, text)


def strong_runs(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a sentence, each with whether it is strong (between ``**``)."""
    parts = STRONG.split(gapped(text))
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]


def plain(text: str) -> str:
    """Return a sentence without its marks."""
    return "".join(part for part, _ in strong_runs(text))


def _said(value: float, form: str) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return SAYERS.get(form, _number)(value)


def _count(value: float) -> str:
    return _grouped(value, 0)


def _percent(value: float) -> str:
    return fixed(100 * value, 1)


def _points(value: float) -> str:
    return _signed(100 * value, 1)


def _area(value: float) -> str:
    return fixed(value, 3)


def _difference(value: float) -> str:
    return _signed(value, 3)


def _two(value: float) -> str:
    return _grouped(value, 2)


def _signed(value: float, places: int) -> str:
    text = fixed(value, places)
    return f"+{text}" if value > 0 and float(text) else text


def _p(value: float) -> str:
    if value < 0.001:
        return "< 0.001"
    text = f"{value:.3f}"
    return "> 0.999" if text == "1.000" and value < 1 else text


def _number(value: float) -> str:
    """Three digits that tell; powers of ten where plain digits would need many noughts."""
    size = abs(value)
    if size == 0:
        return "0"
    power = math.floor(math.log10(float(f"{size:.2e}")))
    if -4 <= power < 6:
        return _grouped(value, max(0, 2 - power))
    digits = fixed(value / 10.0**power, 2)
    return f"{digits} × 10{_raised(power)}"


def _grouped(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.replace("-", MINUS) if float(f"{value:.{places}f}") else text.lstrip("-")


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


SAYERS: dict[str, Callable[[float], str]] = {
    "count": _count,
    "percent": _percent,
    "points": _points,
    "area": _area,
    "difference": _difference,
    "kappa": _two,
    "p": _p,
    "seconds": _count,
    "ratio": _two,
    "number": _number,
}

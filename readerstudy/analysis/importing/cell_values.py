"""From the text of a cell to an answer, or to what is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from readerstudy.analysis.importing import faults
from readerstudy.analysis.importing.mapping import Level, QuestionMapping, RatingsMapping

_NUMBER = re.compile(r"[-+−]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+−]?\d*,\d+")
_MONTH = "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_DATE = re.compile(rf"\d{{1,2}}[-. ]?({_MONTH})[a-z]*|({_MONTH})[a-z]*[-. ]?\d{{1,4}}|"
                   r"\d{4}-\d\d-\d\d(T[\d:]+)?", re.IGNORECASE)  # fmt: skip
_SEPARATORS = re.compile(r"[;|]")


class Unfit(ValueError):
    """A cell that cannot be taken; ``kind`` is one of faults.KINDS."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def is_missing(text: str, mapping: RatingsMapping) -> bool:
    """Does the text stand for no answer?"""
    return text.strip().casefold() in {"", *map(str.casefold, mapping.missing)}


def is_not_evaluable(text: str, mapping: RatingsMapping) -> bool:
    """Does the text stand for "not evaluable"?"""
    return text.strip().casefold() in set(map(str.casefold, mapping.not_evaluable))


def number_of(text: str, decimal: str) -> float:
    """Return the number that a text is.

    Raises
    ------
    Unfit
        For another decimal sign than the one stated, for dates, and for what is no number.
    """
    plain = text.strip()
    if _DATE.fullmatch(plain):
        raise Unfit(faults.DATE, "a spreadsheet made a date of it; format the column as text")
    if decimal == ",":
        if _COMMA.fullmatch(plain):
            plain = plain.replace(",", ".")
        elif "." in plain and _NUMBER.fullmatch(plain):
            raise Unfit(faults.COMMA, "has a decimal point, but the decimal sign is a comma")
    elif _COMMA.fullmatch(plain):
        raise Unfit(faults.COMMA, "has a comma; if that is the decimal sign, choose it above")
    if not _NUMBER.fullmatch(plain):
        raise Unfit(faults.NUMBER, "is not a number")
    return float(plain.replace("−", "-"))


def level_of(text: str, levels: tuple[Level, ...], decimal: str = ".") -> str | None:
    """Return the level that a text stands for; numbers match by value. None if there is none."""
    wanted = text.strip().casefold()
    found = next((one.code for one in levels if wanted in one.spellings), None)
    if found is not None:
        return found
    value = _number_or_none(wanted, decimal)
    same = (
        one.code
        for one in levels
        if value is not None
        and any(_number_or_none(spelling, ".") == value for spelling in one.spellings)
    )
    return next(same, None)


def _number_or_none(text: str, decimal: str) -> float | None:
    try:
        return number_of(text, decimal)
    except Unfit:
        return None


def answers_of(question: QuestionMapping, text: str, mapping: RatingsMapping) -> dict[str, Any]:
    """Return what a cell answers, by the code of the question; of a rating two answers.

    Raises
    ------
    Unfit
        If it is outside the scale.
    """
    if question.kind == "text":
        return {question.code: text.strip()}
    if question.kind == "multi":
        parts = [part for part in _SEPARATORS.split(text) if part.strip()]
        given = {_level(question, part, mapping) for part in parts}
        return {question.code: [one.code for one in question.levels if one.code in given]}
    if question.kind in ("number", "rating") or not question.levels:
        number = _within(question, number_of(text, mapping.decimal))
        return _rated(question, number) if question.kind == "rating" else {question.code: number}
    return {question.code: _level(question, text, mapping)}


def _level(question: QuestionMapping, text: str, mapping: RatingsMapping) -> str:
    found = level_of(text, question.levels, mapping.decimal)
    if found is not None:
        return found
    if _DATE.fullmatch(text.strip()):
        raise Unfit(faults.DATE, "a spreadsheet made a date of it; format the column as text")
    known = ", ".join(one.code for one in question.levels)
    raise Unfit(faults.SCALE, f"is not on the scale of “{question.text or question.code}”: {known}")


def _within(question: QuestionMapping, number: float) -> float:
    low, high = question.minimum, question.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        ends = " to ".join("…" if end is None else f"{end:g}" for end in (low, high))
        raise Unfit(faults.SCALE, f"lies outside the scale, {ends}")
    return number


def _rated(question: QuestionMapping, rating: float) -> dict[str, Any]:
    """Return call and sureness, which together keep the order of the ratings exactly."""
    negative, positive = question.levels
    called = positive if rating > question.middle else negative
    return {question.code: called.code, question.sureness: abs(rating - question.middle)}

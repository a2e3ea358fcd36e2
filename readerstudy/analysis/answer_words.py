"""Answers in words, as pages and sentences show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readerstudy.analysis.facts import EQUAL, QuestionFacts

REGION_WORDS = {"point": "Marked spot", "length": "Length", "ellipse": "Area"}


def answer_words(question: QuestionFacts, value: Any) -> str:
    """Return an answer in the words of the protocol; places as the case that stood there."""
    if isinstance(value, Mapping):
        return _region(value) if "points_mm" in value else _members(value)
    if isinstance(value, list | tuple):
        return ", ".join(question.label_of(str(code)) for code in value) or "nothing named"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return question.label_of(str(value))
    return f"{value:g} {question.unit}".strip().replace("-", "−")


def _members(value: Mapping[str, Any]) -> str:
    members = value.get("members", [value["member"]] if "member" in value else [])
    if not members:
        return EQUAL.capitalize()
    return ", then ".join(f"Case {int(member) + 1}" for member in members)


def _region(value: Mapping[str, Any]) -> str:
    what = REGION_WORDS.get(str(value.get("kind")), "Region")
    words = f"{what} on {value['role']}, {value['plane']}"
    length = (value.get("measured") or {}).get("length_mm")
    return words if length is None else f"{words}, {length:.1f} mm"

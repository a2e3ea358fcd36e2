"""Does the text of a question fit into the column beside the image? Estimates, without a browser.

Widths are those of common sans-serif fonts (Arial's advances, which Liberation Sans shares),
grouped; an estimate is within a few percent for running text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

COLUMN = 384 - 2 * 24  # the question column at 1280 px, less its margins
KEY, TICK, GAPS = 24, 16, 20
TWO_COLUMNS = (COLUMN - 8) // 2
HEIGHT = 768 - 48 - 130  # of the column at 1024 x 768, less bar and save button
NARROW, WIDE = frozenset("ijl.,:;'|!()[]{}tfr I/"), frozenset("mwMW%@—")
ROW, TITLE, LINE = 42, 60, 20


@dataclass(frozen=True)
class Misfitting:
    """Text that does not fit, and the question that it belongs to."""

    code: str
    text: str


def width_px(text: str, size: int = 14) -> float:
    """Return about how wide a text is, in pixels."""
    return size * sum(_advance(character) for character in text)


def _advance(character: str) -> float:
    if character in NARROW:
        return 0.29
    if character in WIDE:
        return 0.87
    return 0.68 if character.isupper() else 0.55


def warnings_of(questions: Sequence[dict[str, Any]]) -> list[Misfitting]:
    """Return what will not fit, for questions as a reader's page gets them."""
    found = [warning for question in questions for warning in _of_question(question)]
    total = sum(_height(question) for question in questions)
    if total > HEIGHT and questions:
        tall = max(questions, key=_height)
        found.append(
            Misfitting(
                tall["code"],
                f"All questions together are about {total} px high; on a small screen the column "
                f"shows {HEIGHT} px, and readers have to scroll it.",
            )
        )
    return found


def _of_question(question: dict[str, Any]) -> Iterable[Misfitting]:
    code, text, options = question["code"], question["text"], question["options"]
    if width_px(text, 15) > 2 * (COLUMN - 110):
        yield Misfitting(code, f"“{text[:40]}…” takes more than two lines in the reading column.")
    rows = any(option["anchor"] for option in options)
    room = COLUMN - KEY - TICK - GAPS
    for option in options:
        label, anchor = option["label"], option["anchor"]
        if rows and width_px(label) + width_px(anchor, 13) + 8 > room:
            yield Misfitting(
                code,
                f"“{label}” of “{text}” has a longer anchor than the reading column shows in "
                "one line at 1280 px.",
            )
        elif not rows and width_px(label) > room:
            yield Misfitting(code, f"“{label}” of “{text}” is wider than the reading column.")


def _height(question: dict[str, Any]) -> int:
    options = question["options"]
    rows = any(option["anchor"] for option in options)
    count = len(options) if rows else ceil(len(options) / 2)
    if question["kind"] == "ordinal" and not rows:
        count = 1 if len(options) <= 6 else len(options)
    return TITLE + ROW * max(1, count)


SECONDS = {
    "single": 4,
    "ordinal": 5,
    "multi": 6,
    "confidence": 3,
    "number": 10,
    "text": 20,
    "region": 12,
    "place": 6,
    "ranking": 10,
}
LOOK = 15


def seconds_of(questions: Sequence[dict[str, Any]]) -> int:
    """Return about how long one reading takes: a first look, then each required question."""
    return LOOK + sum(SECONDS[one["kind"]] for one in questions if one["required"])

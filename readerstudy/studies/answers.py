"""What counts as an answer, and which questions are asked: one rule object for both sides.

Pure. The same dictionaries go to the browser (static/src/reading/answers.ts); the shared cases
in tests/vectors/answers.json hold both to one meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "single": "One of several",
    "ordinal": "Ordered levels",
    "multi": "Any number",
    "confidence": "Confidence in another answer",
    "number": "A number with a unit",
    "text": "Free text",
    "region": "A point, a length or an area on the image",
    "place": "One of the images beside each other",
    "ranking": "Images in order of rank",
}
CHOICE_KINDS = frozenset({"single", "ordinal"})
NOT_EVALUABLE = {"not_evaluable": True}
TEXT_LIMIT = 4000
CONDITIONS = ("is", "not", "at_least", "at_most", "answered")


class Misfit(ValueError):
    """An answer does not fit its question; the message ends a sentence that names it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadRule(ValueError):
    """A question or its display rule contradicts itself."""


@dataclass(frozen=True)
class QuestionSpec:
    """One question as both sides know it.

    Attributes
    ----------
    code, kind : str
        Stable code; one of KINDS.
    options : tuple of str
        Codes of the choices or levels, lowest level first.
    required, may_be_not_evaluable : bool
    bound_to : str
        Of a confidence: the question it speaks of; asked only where that one has a value.
    minimum, maximum : float or None
        Of a number or a confidence on a line (0 to 100).
    whole : bool
        Only whole numbers.
    places : int
        Images beside each other, for "place" and "ranking".
    equal : bool
        "place" may also be answered with "equal".
    region : mapping
        {"kind": "point" | "length" | "ellipse", "role": role or None}.
    show_if : mapping
        {"all": [condition, …]} or {"any": [condition, …]}; empty: always. A condition is
        {"question": code} with one of: "is": [codes], "not": [codes], "at_least": number,
        "at_most": number, "answered": bool.
    """

    code: str
    kind: str
    options: tuple[str, ...] = ()
    required: bool = True
    may_be_not_evaluable: bool = False
    bound_to: str = ""
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    places: int = 1
    equal: bool = False
    region: Mapping[str, Any] = field(default_factory=dict)
    show_if: Mapping[str, Any] = field(default_factory=dict)


Answers = Mapping[str, Any]


def check_form(specs: Sequence[QuestionSpec], answers: Any) -> dict[str, Any]:
    """Check a complete form; return the values of the questions that were asked and answered.

    Raises
    ------
    Misfit
        For the first question, in their order, whose answer is missing or does not fit, or that
        was not asked.
    """
    if not isinstance(answers, Mapping):
        raise Misfit("", "The answers must be an object.")
    if unknown := set(answers) - {spec.code for spec in specs}:
        raise Misfit(min(unknown), "is no question of this study")
    values: dict[str, Any] = {}
    for spec in specs:
        raw = answers.get(spec.code)
        if not is_shown(spec, values):
            if not _empty(raw):
                raise Misfit(spec.code, "was not asked here")
        elif _empty(raw):
            if spec.required:
                raise Misfit(spec.code, "needs an answer")
        else:
            values[spec.code] = check_value(spec, raw)
    return values


def _empty(raw: Any) -> bool:
    return raw is None or raw == [] or (isinstance(raw, str) and not raw.strip())


def is_shown(spec: QuestionSpec, values: Answers) -> bool:
    """Tell whether a question is asked, given the values of those before it."""
    if spec.bound_to and (spec.bound_to not in values or values[spec.bound_to] == NOT_EVALUABLE):
        return False
    if not spec.show_if:
        return True
    (how, conditions), *_ = spec.show_if.items()
    holds = [_holds(condition, values) for condition in conditions]
    return all(holds) if how == "all" else any(holds)


def _holds(condition: Mapping[str, Any], values: Answers) -> bool:
    value = values.get(condition["question"])
    if "answered" in condition:
        return (value is not None) == condition["answered"]
    if value is None or value == NOT_EVALUABLE:
        return False
    if "is" in condition or "not" in condition:
        given = set(value) if isinstance(value, list) else {value}
        found = bool(given & set(condition.get("is", condition.get("not"))))
        return found if "is" in condition else not found
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if "at_least" in condition:
        return bool(value >= condition["at_least"])
    return bool(value <= condition["at_most"])


def check_value(spec: QuestionSpec, raw: Any) -> Any:
    """Return the value in its stored form.

    Raises
    ------
    Misfit
        If it does not fit the kind of the question.
    """
    if raw == NOT_EVALUABLE:
        if not spec.may_be_not_evaluable:
            raise Misfit(spec.code, "cannot be answered with “not evaluable”")
        return dict(NOT_EVALUABLE)
    if spec.kind in CHOICE_KINDS or (spec.kind == "confidence" and spec.options):
        return _one_of(spec, raw)
    checks = {
        "multi": _several,
        "confidence": _number,
        "number": _number,
        "text": _text,
        "region": _region,
        "place": _place,
        "ranking": _ranking,
    }
    return checks[spec.kind](spec, raw)


def _one_of(spec: QuestionSpec, raw: Any) -> str:
    if not isinstance(raw, str) or raw not in spec.options:
        raise Misfit(spec.code, "has no such choice")
    return raw


def _several(spec: QuestionSpec, raw: Any) -> list[str]:
    if not isinstance(raw, list) or any(code not in spec.options for code in raw):
        raise Misfit(spec.code, "has no such choice")
    return [code for code in spec.options if code in raw]


def _number(spec: QuestionSpec, raw: Any) -> float | int:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise Misfit(spec.code, "needs a number")
    if spec.whole and raw != round(raw):
        raise Misfit(spec.code, "needs a whole number")
    low, high = spec.minimum, spec.maximum
    if (low is not None and raw < low) or (high is not None and raw > high):
        raise Misfit(spec.code, f"must lie {_span(low, high)}")
    return raw


def _span(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"between {low:g} and {high:g}"
    return f"at {low:g} or above" if low is not None else f"at {high:g} or below"


def _text(spec: QuestionSpec, raw: Any) -> str:
    if not isinstance(raw, str):
        raise Misfit(spec.code, "needs text")
    if len(raw) > TEXT_LIMIT:
        raise Misfit(spec.code, f"may have at most {TEXT_LIMIT} characters")
    return raw.strip()


def _region(spec: QuestionSpec, raw: Any) -> dict[str, Any]:
    region = raw.get("region") if isinstance(raw, dict) else None
    if not isinstance(region, dict) or region.get("kind") != spec.region["kind"]:
        raise Misfit(spec.code, f"needs a {spec.region['kind']} on the image")
    return raw


def _place(spec: QuestionSpec, raw: Any) -> int | str:
    if raw == "equal" and spec.equal:
        return "equal"
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw < spec.places:
        raise Misfit(spec.code, "has no such image")
    return raw


def _ranking(spec: QuestionSpec, raw: Any) -> list[int]:
    if not isinstance(raw, list) or sorted(map(repr, raw)) != sorted(map(repr, range(spec.places))):
        raise Misfit(spec.code, "needs each image once")
    return list(raw)


def check_specs(specs: Sequence[QuestionSpec]) -> None:
    """Refuse questions that contradict themselves or refer to what comes later.

    Raises
    ------
    BadRule
        Naming the question and what to change.
    """
    before: dict[str, QuestionSpec] = {}
    for spec in specs:
        if spec.code in before:
            raise BadRule(f"Two questions have the code “{spec.code}”. Change one of them.")
        _check_kind(spec)
        for condition in _conditions(spec):
            _check_condition(spec, condition, before)
        if spec.bound_to and spec.bound_to not in before:
            raise BadRule(f"“{spec.code}” speaks of “{spec.bound_to}”, which must come before it.")
        before[spec.code] = spec


def _check_kind(spec: QuestionSpec) -> None:
    if spec.kind not in KINDS:
        raise BadRule(f"“{spec.code}” is of the unknown kind “{spec.kind}”.")
    if spec.kind in (*CHOICE_KINDS, "multi") and len(spec.options) < 2:
        raise BadRule(f"“{spec.code}” needs at least two choices.")
    if len(set(spec.options)) != len(spec.options):
        raise BadRule(f"“{spec.code}” has two choices with one code.")
    if spec.kind == "confidence" and not spec.bound_to:
        raise BadRule(f"“{spec.code}” must name the question it states the confidence of.")
    if None not in (spec.minimum, spec.maximum) and spec.minimum >= spec.maximum:  # type: ignore[operator]
        raise BadRule(f"The least value of “{spec.code}” must lie below the greatest.")
    if spec.kind in ("place", "ranking") and spec.places < 2:
        raise BadRule(f"“{spec.code}” compares images, but only one is shown.")
    if spec.kind == "region" and spec.region.get("kind") not in ("point", "length", "ellipse"):
        raise BadRule(f"“{spec.code}” must ask for a point, a length or an ellipse.")


def _conditions(spec: QuestionSpec) -> Sequence[Mapping[str, Any]]:
    if not spec.show_if:
        return ()
    if len(spec.show_if) != 1 or not set(spec.show_if) <= {"all", "any"}:
        raise BadRule(f"The display rule of “{spec.code}” must be “all” or “any” of a list.")
    conditions: Sequence[Mapping[str, Any]] = next(iter(spec.show_if.values()))
    if not conditions:
        raise BadRule(f"The display rule of “{spec.code}” has no condition.")
    return conditions


def _check_condition(
    spec: QuestionSpec, condition: Mapping[str, Any], before: Mapping[str, QuestionSpec]
) -> None:
    named = [name for name in CONDITIONS if name in condition]
    if len(named) != 1 or set(condition) - {"question", *CONDITIONS}:
        raise BadRule(f"A condition of “{spec.code}” must use one of {', '.join(CONDITIONS)}.")
    asked = before.get(condition.get("question", ""))
    if asked is None:
        raise BadRule(
            f"“{spec.code}” depends on “{condition.get('question')}”, which must come before it."
        )
    if named[0] in ("is", "not") and not set(condition[named[0]]) <= set(asked.options):
        raise BadRule(f"“{spec.code}” depends on a choice that “{asked.code}” does not have.")
    if named[0] in ("at_least", "at_most") and asked.kind not in ("number", "confidence"):
        raise BadRule(f"“{spec.code}” compares “{asked.code}” with a number, but it is none.")

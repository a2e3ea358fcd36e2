"""Fill in a form as plainly as it allows; what the robot answers is never analysed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readerstudy.studies.answers import NOT_EVALUABLE, QuestionSpec, is_shown

MEASURED = {
    "point": {"level": 1},
    "length": {"length_mm": 1},
    "ellipse": {"mean": 1, "sd": 0, "area_mm2": 1, "n": 1},
}
POINTS = {"point": 1, "length": 2, "ellipse": 2}
SPEC_FIELDS = (
    *("code", "kind", "required", "may_be_not_evaluable", "bound_to", "minimum", "maximum"),
    *("whole", "equal", "show_if"),
)


def filled(form: Mapping[str, Any]) -> dict[str, Any]:
    """Answer every question of a form that has to be answered, with its first choice.

    Parameters
    ----------
    form : mapping
        ``layout`` and ``questions`` as the reading page is told them.
    """
    slots = form["layout"]["slots"]
    given: dict[str, Any] = {}
    for question in form["questions"]:
        spec = _spec(question, places=len(slots))
        if spec.required and is_shown(spec, given):
            given[spec.code] = _answer(spec, slots)
    return given


def _spec(question: Mapping[str, Any], *, places: int) -> QuestionSpec:
    return QuestionSpec(
        **{name: question[name] for name in SPEC_FIELDS if name in question},
        options=tuple(option["code"] for option in question["options"]),
        region=question.get("region") or {},
        places=places,
    )


def _answer(spec: QuestionSpec, slots: Sequence[Mapping[str, Any]]) -> Any:
    if spec.may_be_not_evaluable:
        return dict(NOT_EVALUABLE)
    if spec.kind == "multi":
        return [spec.options[0]]
    if spec.options:
        return spec.options[0]
    if spec.kind == "region":
        return _region(spec, slots)
    plain = {"text": "–", "place": 0, "ranking": list(range(spec.places))}
    return plain[spec.kind] if spec.kind in plain else _number(spec)


def _number(spec: QuestionSpec) -> float:
    if spec.minimum is not None:
        return spec.minimum
    return spec.maximum if spec.maximum is not None else 0


def _region(spec: QuestionSpec, slots: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kind, role = spec.region["kind"], spec.region.get("role")
    slot = next((one for one in slots if role in (None, one["role"])), slots[0])
    return {
        "region": {
            "kind": kind,
            "role": slot["role"],
            "plane": slot["plane"],
            "points_mm": [list(slot["origin_mm"])] * POINTS[kind],
            "measured": MEASURED[kind],
        }
    }

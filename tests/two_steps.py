"""A study with every way of answering, read in two steps: unaided, then aided."""

from __future__ import annotations

import random
import sys
from typing import Any

import django

QUESTIONS: tuple[dict[str, Any], ...] = (
    {"code": "origin", "text": "Real or synthetic?", "kind": "single"},
    {
        "code": "sure",
        "text": "How sure are you?",
        "kind": "confidence",
        "bound_to": "origin",
        "minimum": 0,
        "maximum": 100,
        "whole": True,
    },
    {
        "code": "spot",
        "text": "Where is it seen best?",
        "kind": "region",
        "region": {"kind": "point", "role": "t1"},
        "show_if": {"all": [{"question": "origin", "is": ["synthetic"]}]},
    },
    {
        "code": "size",
        "text": "Largest diameter",
        "kind": "number",
        "minimum": 0,
        "maximum": 200,
        "unit": "mm",
    },
    {
        "code": "crosses",
        "text": "Does it cross the midline?",
        "kind": "single",
        "show_if": {"all": [{"question": "size", "at_least": 40}]},
    },
    {"code": "remark", "text": "Anything else", "kind": "text", "required": False},
    {"code": "cues", "text": "What decided it?", "kind": "multi", "required": False},
)
OPTIONS = {
    "origin": (("real", "Real"), ("synthetic", "Synthetic")),
    "crosses": (("yes", "Yes"), ("no", "No")),
    "cues": (("vessels", "Vessels"), ("sulci", "Sulci"), ("texture", "Texture")),
}


def ask_everything(study: Any) -> None:
    """Replace the questions of a draft by one of each kind."""
    from readerstudy.studies.models import Option, Question

    Option.objects.filter(question__study=study).delete()
    Question.objects.filter(study=study).delete()
    type(study).objects.filter(pk=study.pk).update(analysis_plan=[])  # it was for other questions
    for position, fields in enumerate(QUESTIONS, start=1):
        question = Question.objects.create(study=study, position=position, **fields)
        for place, (code, label) in enumerate(OPTIONS.get(question.code, ()), start=1):
            Option.objects.create(question=question, position=place, code=code, label=label)


def two_steps(study: Any, actor: Any) -> None:
    """Show T1 first, then T1 and T1c."""
    from readerstudy.studies import design
    from readerstudy.studies.models import Arm
    from readerstudy.studies.reading_design import ReadingDesign, document_of

    for position, (code, slots) in enumerate((("plain", ["t1"]), ("aided", ["t1", "t1c"])), 1):
        Arm.objects.create(study=study, position=position, code=code, name=code, slots=slots)
    plan = document_of(ReadingDesign(schedule="sequential"))
    design.set_plan(study=study, document=plan, actor=actor)


def answers(rng: random.Random, place: list[float]) -> dict[str, Any]:
    """Return a complete form, as the page sends it: what is not asked is left out."""
    synthetic = rng.random() < 0.5
    size = rng.randrange(0, 2000) / 10
    given: dict[str, Any] = {
        "origin": "synthetic" if synthetic else "real",
        "sure": rng.randrange(101),
        "size": size,
    }
    if synthetic:
        given["spot"] = {
            "region": {
                "kind": "point",
                "role": "t1",
                "plane": "axial",
                "points_mm": [place],
                "measured": {"level": rng.randrange(4096)},
            }
        }
    if size >= 40:
        given["crosses"] = rng.choice(["yes", "no"])
    if rng.random() < 0.5:
        given["remark"] = rng.choice(["motion", "naïve “quotes”, 5 µm, 头", "second\nline"])
    if rng.random() < 0.5:
        given["cues"] = rng.choice([["vessels"], ["sulci", "texture"]])
    return given


def draft(n_real: int, n_synthetic: int, **options: Any) -> Any:
    """Return the study as a draft, a `tests.scenario.Scenario`, in a fresh database."""
    django.setup()
    from django.core.management import call_command

    from readerstudy.studies.viewing import Slot
    from tests import scenario

    call_command("migrate", verbosity=0)
    shown = scenario.viewing_of(Slot("t1", "T1"), Slot("t1c", "T1c"))
    made = scenario.draft(n_real, n_synthetic, shown=shown, **options)
    ask_everything(made.study)
    two_steps(made.study, made.coordinator)
    made.refresh()
    return made


def main(cases: int) -> None:
    """Make and launch the study in a fresh database; print the addresses of its readers."""
    made = draft(cases, cases)
    from tests import scenario

    made = scenario.started(made)
    print(" ".join(made.enrolment(number).token for number in range(2)))


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Which questions are asked and which slots are shown in an arm of a study."""

from __future__ import annotations

from typing import Any

from readerstudy.studies.answers import QuestionSpec
from readerstudy.studies.models import Arm, Question, Study
from readerstudy.studies.viewing import Slot

SINGLE_ARM = "main"


def arms_of(study: Study) -> list[str]:
    """Return the codes of the arms in their order; a study without arms has one."""
    return list(study.arms.values_list("code", flat=True)) or [SINGLE_ARM]


def questions_in(study: Study, arm: str) -> list[Question]:
    """Return the questions that an arm asks, in order, with their options."""
    questions = study.questions.prefetch_related("options")
    return [question for question in questions if not question.arms or arm in question.arms]


def slots_in(study: Study, arm: str) -> list[Slot]:
    """Return the slots that an arm shows, in order."""
    found = Arm.objects.filter(study=study, code=arm).first()
    wanted = found.slots if found else []
    return [slot for slot in study.display.slots if not wanted or slot.code in wanted]


def spec_of(question: Question, *, places: int) -> QuestionSpec:
    """Return a question as the rule object that server and browser share."""
    return QuestionSpec(
        code=question.code,
        kind=question.kind,
        options=tuple(option.code for option in question.options.all()),
        required=question.required,
        may_be_not_evaluable=question.may_be_not_evaluable,
        bound_to=question.bound_to,
        minimum=question.minimum,
        maximum=question.maximum,
        whole=question.whole,
        places=places,
        equal=question.equal,
        region=question.region or {},
        show_if=question.show_if,
    )


def shown_question(question: Question) -> dict[str, Any]:
    """Return a question as a reader's page gets it, without a word of what is right."""
    return {
        "code": question.code,
        "text": question.text,
        "kind": question.kind,
        "required": question.required,
        "may_be_not_evaluable": question.may_be_not_evaluable,
        "help": question.help,
        "bound_to": question.bound_to,
        "minimum": question.minimum,
        "maximum": question.maximum,
        "whole": question.whole,
        "unit": question.unit,
        "equal": question.equal,
        "show_if": question.show_if,
        **_asked_region(question),
        "options": [
            {
                "code": option.code,
                "label": option.label,
                "anchor": option.anchor,
                "example": option.example_token if option.example else "",
            }
            for option in question.options.all()
        ],
    }


def _asked_region(question: Question) -> dict[str, Any]:
    """Return what kind of place a question asks for, and on which series."""
    if question.kind != Question.Kind.REGION or question.region is None:
        return {}
    asked = question.region
    return {"region": {"kind": asked["kind"], "role": asked.get("role"), "many": False}}

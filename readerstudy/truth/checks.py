"""The points of the launch checklist that need truth. They state counts, never which case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, Check, adds_checks
from readerstudy.studies.models import Question, Study, StudyCase
from readerstudy.truth import feedback
from readerstudy.truth.models import Origin

NAMED = 5


@adds_checks
def origin_checks(study: Study) -> Iterable[Check]:
    cases = list(study.cases.values_list("pk", flat=True))
    if not cases:
        return
    origins = Origin.objects.filter(case__in=cases)
    kinds = list(origins.values_list("kind", flat=True))
    missing = len(cases) - len(kinds)
    yield Check(
        "Cases",
        f"{missing} cases without a recorded origin"
        if missing
        else "Origin of every case on record",
        "Declare them as real, or leave them out" if missing else "Hidden until unblinding",
        BLOCKS if missing else PASSED,
    )
    both = {"real", "synthetic"} <= set(kinds)
    yield Check(
        "Cases",
        "Both classes are present" if both else "One class only",
        "Counts are kept from readers" if both else "Nothing could be told apart in this study",
        PASSED if both else LOOK,
    )


@adds_checks
def answer_checks(study: Study) -> Iterable[Check]:
    """Tell for how many cases the right answer of a question is not known, never for which."""
    questions = list(study.questions.exclude(truth={}))
    rows = list(study.study_cases.select_related("case").order_by("item", "place"))
    if not questions or not rows:
        return
    known = feedback.known_of([row.case for row in rows])
    items: dict[str, list[StudyCase]] = {}
    for row in rows:
        items.setdefault(row.item, []).append(row)
    found = [
        (
            members[0].phase,
            feedback.right_answers(questions, [row.case for row in members], known),
        )
        for members in items.values()
    ]
    for question in questions:
        yield _truth_check(question, [answers for _, answers in found])
    training = {
        item: answers
        for item, (phase, answers) in zip(items, found, strict=True)
        if phase == StudyCase.Phase.TRAINING
    }
    yield from _training_check(questions, training)


def _truth_check(question: Question, found: list[dict[str, Any]]) -> Check:
    missing = sum(question.code not in answers for answers in found)
    if not missing:
        return Check(
            "Analysis", f"Right answer known: “{question.text}”", f"For all {len(found)} cases"
        )
    # A reference standard may still come, as after a follow-up; an origin is known or not.
    later = question.truth.get("source") == "reference"
    advice = (
        "Record the reference standard before unblinding; without it they are left out"
        if later
        else "Record the origin, or leave the cases out"
    )
    return Check(
        "Analysis",
        f"Right answer missing: “{question.text}”",
        f"For {missing} of {len(found)} cases. {advice}",
        LOOK if later else BLOCKS,
    )


def _training_check(questions: list[Question], found: dict[str, Any]) -> Iterable[Check]:
    """Name the training cases that cannot tell what is right; readers are told it of the others."""
    if not found:
        return
    silent = sorted(item for item, answers in found.items() if not answers)
    partly = {
        question.text: sorted(
            item for item, answers in found.items() if answers and question.code not in answers
        )
        for question in questions
    }
    gaps = [f"“{text}”: {_cases(items)}" for text, items in partly.items() if items]
    if silent:
        yield Check(
            "Protocol",
            f"{len(silent)} training cases without feedback",
            f"No right answer is known for {_cases(silent)}. Record what is right, or choose "
            "other training cases",
            BLOCKS,
        )
    if gaps:
        yield Check(
            "Protocol",
            "Training cases without a known right answer",
            f"No feedback on {'; '.join(gaps)}",
            LOOK,
        )
    if not silent and not gaps:
        evidence = f"On {len(questions)} questions, for all {len(found)} cases"
        yield Check("Protocol", "Training gives feedback", evidence)


def _cases(codes: list[str]) -> str:
    more = f" and {len(codes) - NAMED} more" if len(codes) > NAMED else ""
    return f"case {', '.join(codes[:NAMED])}{more}"

"""The right answers of training cases, written into the study when it is locked.

A question says in ``truth`` how its right answer follows from the origin or from the reference
standard. Only training cases disclose it; the rows of all other cases stay empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.studies.locking import prepares_lock
from readerstudy.studies.models import Question, Study, StudyCase
from readerstudy.truth.models import Origin, ReferenceStandard


@prepares_lock
def fill_feedback(study: Study) -> None:
    """Store the right answers of every training item with its first case."""
    StudyCase.objects.filter(study=study).update(feedback=None)
    questions = list(study.questions.exclude(truth={}))
    for members in training_items(study):
        members[0].feedback = right_answers(questions, [member.case for member in members])
        members[0].save(update_fields=("feedback",))


def training_items(study: Study) -> list[list[StudyCase]]:
    """Return the training items, each as its rows in the order of their places."""
    rows = study.study_cases.filter(phase=StudyCase.Phase.TRAINING).select_related("case")
    items: dict[str, list[StudyCase]] = defaultdict(list)
    for row in rows.order_by("item", "place"):
        items[row.item].append(row)
    return list(items.values())


@dataclass(frozen=True)
class Known:
    """What is on record of some cases."""

    kinds: dict[Any, str]  # by case
    references: dict[tuple[Any, str], str]  # by case and endpoint


def known_of(cases: Iterable[Case]) -> Known:
    """Return origin and reference standard of cases, in two queries."""
    keys = [case.pk for case in cases]
    references = ReferenceStandard.objects.current().filter(case__in=keys)
    rows = references.values_list("case", "endpoint", "value")
    return Known(
        kinds=dict(Origin.objects.filter(case__in=keys).values_list("case", "kind")),
        references={(case, endpoint): value for case, endpoint, value in rows},
    )


def right_answers(
    questions: Sequence[Question], cases: Sequence[Case], known: Known | None = None
) -> dict[str, Any]:
    """Return by question what is right for an item; questions without a known answer are left out.

    The right image of several beside each other is given as ``{"member": number}``, since its
    side is drawn for each reading.
    """
    known = known or known_of(cases)
    found = {question.code: _right(question.truth, cases, known) for question in questions}
    return {code: answer for code, answer in found.items() if answer is not None}


def _right(truth: dict[str, Any], cases: Sequence[Case], known: Known) -> Any:
    if truth.get("source") == "reference":
        value = known.references.get((cases[0].pk, truth["endpoint"]))
        return None if value is None else truth["values"].get(value)
    kinds = [known.kinds.get(case.pk, "") for case in cases]
    if "place" in truth:
        wanted = [number for number, kind in enumerate(kinds) if kind == truth["place"]]
        return {"member": wanted[0]} if len(wanted) == 1 else None
    return truth.get(kinds[0]) if len(set(kinds)) == 1 else None

"""Make a new draft from a study: all of its design, none of its answers."""

from __future__ import annotations

from typing import Any

from django.db import models

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.tokens import new_token
from readerstudy.studies import design
from readerstudy.studies.models import Arm, Membership, Option, Question, Study, StudyCase

# What belongs to one study alone; every other column of a study is part of its design.
OWN = {
    *("id", "name", "state", "protocol", "protocol_hash", "rehearsal_of", "cloned_from"),
    *("archived_at", "created_by", "created_at", "locked_at", "running_at", "closed_at"),
    "unblinded_at",
}


def clone_study(
    *,
    study: Study,
    name: str,
    actor: Any,
    with_cases: bool = True,
    with_readers: bool = False,
) -> Study:
    """Return a draft with the questions, arms, display and design of a study.

    Readers get new codes. Withdrawn cases are left behind. Right answers of training cases are
    disclosed anew at the lock of the clone, where classes get new letters too.
    """
    if not name.strip():
        raise ReaderStudyError("Give the new study a name.")
    with write_transaction():
        clone = Study.objects.create(
            **described(study), name=name.strip(), cloned_from=study, created_by=actor
        )
        copy_form(study, clone)
        Membership.objects.create(study=clone, user=actor, role=Membership.Role.COORDINATOR)
        if with_cases:
            copy_cases(study, clone)
        audit.record(
            actor=actor,
            action="study.clone",
            target=f"study {clone.pk}",
            old={"study": str(study.pk)},
            new={"name": clone.name, "cases": with_cases, "readers": with_readers},
        )
        for enrolment in study.readers.order_by("pk") if with_readers else ():
            design.enrol(study=clone, reader=enrolment.reader, actor=actor)
    return clone


def described(study: Study) -> dict[str, Any]:
    """Return the columns of a study that are part of its design."""
    return _columns(study, without=OWN)


def _columns(row: models.Model, without: set[str] | None = None) -> dict[str, Any]:
    """Return the values of a row without its key and its place in another study."""
    left = without or {"id", "study", "question"}
    fields = [field for field in row._meta.concrete_fields if field.name not in left]
    return {field.name: getattr(row, field.name) for field in fields}


def copy_form(study: Study, clone: Study) -> None:
    """Copy questions with their options, and arms."""
    for question in study.questions.prefetch_related("options"):
        _copy_question(question, clone)
    Arm.objects.bulk_create(Arm(**_columns(arm), study=clone) for arm in study.arms.all())


def _copy_question(question: Question, clone: Study) -> None:
    copy = Question.objects.create(**_columns(question), study=clone)
    Option.objects.bulk_create(
        Option(
            **_columns(option) | {"example_token": new_token() if option.example else ""},
            question=copy,
        )
        for option in question.options.all()
    )


def copy_cases(study: Study, clone: Study) -> None:
    """Copy whole items: one that lost a case would no longer be what was designed."""
    rows = list(study.study_cases.select_related("case"))
    lost = {row.item for row in rows if row.case.withdrawn_at is not None}
    StudyCase.objects.bulk_create(
        StudyCase(**_columns(row) | {"feedback": None, "group": ""}, study=clone)
        for row in rows
        if row.item not in lost
    )

"""Change the arms of a draft: what is shown in each, and what the staff call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Arm, Study
from readerstudy.studies.questioning import CODE, check_questions

MAX_ARMS = 6
MAX_NAME = 80


def set_arm(*, study: Study, code: str, name: str, slots: Sequence[str], actor: Any) -> Arm:
    """Add an arm, or rename it and change its slots; no slots named: all are shown."""
    _check(study, code, name, slots)
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        arm = held.arms.filter(code=code).first() or _new(held, code)
        arm.name, arm.slots = name.strip(), list(slots)
        arm.save()
        check_questions(held)
        _record(held, actor, "study.set_arm", {"code": code, "name": name, "slots": list(slots)})
    return arm


def remove_arm(*, study: Study, code: str, actor: Any) -> None:
    """Remove an arm from a draft; refused while a question or a planned analysis names it."""
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        arm = held.arms.filter(code=code).first()
        if arm is None:
            raise NotFound(f"The study has no arm “{code}”. It may have been removed.")
        if naming := [one.text for one in held.questions.all() if code in one.arms]:
            raise ReaderStudyError(
                f"“{naming[0]}” is asked in the arm “{arm.name}”. Change the question first."
            )
        if comparing := [one.title for one in held.analyses if code in one.arms]:
            raise ReaderStudyError(
                f"“{comparing[0]}” compares the arm “{arm.name}”. Change the plan first."
            )
        arm.delete()
        _record(held, actor, "study.remove_arm", {"code": code})


def _check(study: Study, code: str, name: str, slots: Sequence[str]) -> None:
    if not CODE.fullmatch(code):
        raise ReaderStudyError(
            f"“{code}” is no code: use up to 32 small letters, digits and _, such as standard."
        )
    if not 0 < len(name.strip()) <= MAX_NAME:
        raise ReaderStudyError(f"Give the arm a name of at most {MAX_NAME} characters.")
    if unknown := set(slots) - {slot.code for slot in study.display.slots}:
        raise ReaderStudyError(f"The display has no series “{min(unknown)}”.")
    if len(set(slots)) < len(slots):
        raise ReaderStudyError("A series is named twice; an arm shows each once.")


def _new(study: Study, code: str) -> Arm:
    if study.arms.count() >= MAX_ARMS:
        raise ReaderStudyError(f"A study can have at most {MAX_ARMS} arms.")
    last = study.arms.order_by("position").last()
    return Arm(study=study, code=code, position=last.position + 1 if last else 1)


def _record(study: Study, actor: Any, action: str, new: dict[str, Any]) -> None:
    audit.record(actor=actor, action=action, target=f"study {study.pk}", new=new)

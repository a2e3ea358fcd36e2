"""Withdraw a whole reader: what was read stays and is marked, nothing more is read."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.reading.models import Reading
from readerstudy.studies import amending
from readerstudy.studies.amending import Change
from readerstudy.studies.models import Enrolment, Study

WITHDRAWABLE = (Study.State.DRAFT, *amending.AMENDABLE)


def withdraw_reader(*, study: Study, code: str, reason: str, actor: Any) -> Enrolment:
    """End the reading of one reader, for good and with a reason.

    In a draft the reader simply leaves, since nothing is drawn yet. After the lock it is an
    amendment: open cases are not shown any more, and answers that exist stay in the data, marked.

    Raises
    ------
    NotFound
        If the study has no such reader.
    Conflict
        If the reader was withdrawn before, or the study is closed.
    """
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it is kept with the study.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if study.state not in WITHDRAWABLE:
            raise Conflict(f"The study is {study.state}; nobody reads in it any more.")
        enrolment = study.readers.filter(code=code).first()
        if enrolment is None:
            raise NotFound(f"The study has no reader {code}.")
        if enrolment.withdrawn_at is not None:
            raise Conflict(f"{code} was withdrawn before.")
        _mark(enrolment, reason.strip(), actor)
        counts = _end_readings(enrolment)
        audit.record(
            actor=actor,
            action="study.withdraw_reader",
            target=f"study {study.pk}",
            new={"reader": code, **counts},
            reason=reason.strip(),
        )
        if study.state in amending.AMENDABLE:
            change = Change("Reader withdrawn", code, "")
            amending.store(study=study, changes=[change], reason=reason, actor=actor)
    return enrolment


def _mark(enrolment: Enrolment, reason: str, actor: Any) -> None:
    enrolment.withdrawn_at = timezone.now()
    enrolment.withdrawn_by, enrolment.withdrawal_reason = actor, reason
    enrolment.save(update_fields=("withdrawn_at", "withdrawn_by", "withdrawal_reason"))


def _end_readings(enrolment: Enrolment) -> dict[str, int]:
    """Take the open cases out; an answer that was opened for a correction stands as saved."""
    readings = Reading.objects.filter(enrolment=enrolment)
    readings.filter(reopened_at__isnull=False).update(reopened_at=None, draft=None)
    still_open = readings.filter(completed_at__isnull=True, withdrawn_at__isnull=True)
    left = still_open.update(withdrawn_at=enrolment.withdrawn_at)
    return {"read": readings.filter(completed_at__isnull=False).count(), "left": left}

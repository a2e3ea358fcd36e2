"""Discard what a dry run left: the one study whose rows may go, since nobody's answers are in it.

What was assumed and what came out stay, and so does the audit log.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.reading.models import (
    Allocation,
    DisplayForm,
    EncodedSeries,
    PeriodOpening,
    Rating,
    Reading,
    ReadingImage,
    ReadingSession,
    Submission,
)
from readerstudy.rehearsal.cloning import require_rehearsal
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies.models import Arm, Enrolment, Option, Question, Study, StudyCase
from readerstudy.truth.models import Unblinding


def discard(*, rehearsal: Rehearsal, actor: Any, reason: str) -> None:
    """Delete the simulated study of a dry run with its readings and answers."""
    with write_transaction():
        delete_clone(rehearsal=rehearsal)
        rehearsal.discarded_at = timezone.now()
        rehearsal.save(update_fields=("discarded_at",))
        audit.record(
            actor=actor,
            action="rehearsal.discard",
            target=f"study {rehearsal.study_id}",
            old={"dry_run": rehearsal.number},
            reason=reason,
        )


def delete_clone(*, rehearsal: Rehearsal) -> None:
    """Delete the study that a dry run read, if there is one."""
    clone = rehearsal.clone
    if clone is None:
        return
    require_rehearsal(clone)
    with write_transaction():
        rehearsal.clone = None
        rehearsal.save(update_fields=("clone",))
        _delete(clone)


def _delete(clone: Study) -> None:
    Rating.objects.filter(submission__reading__enrolment__study=clone).delete()
    submissions = Submission.objects.filter(reading__enrolment__study=clone)
    while submissions.exists():  # a correction protects what it corrects
        submissions.filter(superseded_by__isnull=True).delete()
    ReadingImage.objects.filter(reading__enrolment__study=clone).delete()
    Reading.objects.filter(enrolment__study=clone).delete()
    for model in (PeriodOpening, ReadingSession):
        model.objects.filter(enrolment__study=clone).delete()
    Option.objects.filter(question__study=clone).delete()
    parts = (
        Allocation,
        DisplayForm,
        EncodedSeries,
        Unblinding,
        Question,
        Arm,
        StudyCase,
        Enrolment,
    )
    for part in parts:
        part.objects.filter(study=clone).delete()
    clone.delete()

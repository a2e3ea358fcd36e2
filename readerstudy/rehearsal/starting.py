"""Note that a dry run is wanted; the work is done by `running.run`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.db.models import Max

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.rehearsal import assumptions
from readerstudy.rehearsal.cloning import MOST_READERS
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies.lifecycle import require_ready
from readerstudy.studies.models import Study


def note_rehearsal(
    *,
    study: Study,
    readers: int,
    actor: Any,
    seed: str = "",
    stated: Mapping[str, Any] | None = None,
    images: bool = False,
) -> Rehearsal:
    """Store a dry run with its assumptions; nothing is read yet.

    Raises
    ------
    ReaderStudyError
        For a dry run of a dry run, too many readers or assumptions out of range.
    """
    if study.rehearsal_of_id is not None:
        raise ReaderStudyError("This is a dry run already.")
    if not 1 <= readers <= MOST_READERS:
        raise ReaderStudyError(f"A dry run has 1 to {MOST_READERS} readers.")
    try:
        checked = assumptions.parse(stated or {})
    except assumptions.BadAssumption as error:
        raise ReaderStudyError(str(error)) from error
    with write_transaction():
        last = Rehearsal.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
        rehearsal = Rehearsal.objects.create(
            study=study,
            number=last + 1,
            readers=readers,
            seed=seed or secrets.token_hex(8),
            assumptions=assumptions.document_of(checked),
            images=images,
            created_by=actor,
        )
        audit.record(
            actor=actor,
            action="rehearsal.note",
            target=f"study {study.pk}",
            new={"dry_run": rehearsal.number, "readers": readers, "seed": rehearsal.seed},
        )
    return rehearsal


def start_rehearsal(*, study: Study, actor: Any, **settings: Any) -> Rehearsal:
    """Store a dry run and queue the job that carries it out."""
    if study.state == Study.State.DRAFT:
        _require_form(study)
    with write_transaction():
        rehearsal = note_rehearsal(study=study, actor=actor, **settings)
        jobs.enqueue(
            "rehearse_study",
            title=f"Dry run {rehearsal.number} of {study.name}",
            arguments={"study": str(study.pk), "rehearsal": str(rehearsal.pk)},
            actor=actor,
            key=f"rehearse:{rehearsal.pk}",
        )
    return rehearsal


def _require_form(study: Study) -> None:
    """Refuse at once what would fail at the lock of the copy; it brings readers of its own."""
    if study.readers.exists():
        require_ready(study, before="lock")
    elif not (study.questions.exists() and study.study_cases.exists()):
        raise ReaderStudyError("A dry run needs the questions and the cases of the study.")

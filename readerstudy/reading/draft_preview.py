"""Try a draft as a reader: a few of its cases on the real reading page, and nothing of it stays.

A copy of the draft with a handful of cases is brought into its display form and read under a
preview. It is outside every list, count and export, and is thrown away: when another preview is
begun, when the draft is locked, or after half a day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.core.regular import every_hour
from readerstudy.reading import allocation
from readerstudy.reading.models import (
    DisplayForm,
    EncodedSeries,
    PeriodOpening,
    Rating,
    Reading,
    ReadingImage,
    ReadingSession,
    Submission,
)
from readerstudy.reading.scheduling import items_of, store_rows
from readerstudy.studies import lifecycle, locking
from readerstudy.studies.asking import arms_of
from readerstudy.studies.cloning import copy_cases, copy_form, described
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Arm, Enrolment, Option, Question, Study, StudyCase

CASES = {StudyCase.Phase.TRAINING: 2, StudyCase.Phase.MAIN: 4}
KEPT_FOR = timedelta(hours=12)
CODE = "P1"


def copies_of(study: Study, user: Any = None) -> Any:
    """Return the copies of a draft that are being previewed, by one person or by all."""
    previews = Enrolment.objects.filter(
        study__rehearsal_of=study, kind=Enrolment.Kind.PREVIEW, study__state=Study.State.LOCKED
    )
    return previews.filter(reader=user) if user is not None else previews


def open_preview(study: Study, user: Any) -> Enrolment | None:
    """Return the preview of a draft that a member of the staff has begun."""
    found: Enrolment | None = copies_of(study, user).select_related("study").first()
    return found


def job_of(preview: Enrolment) -> Job | None:
    """Return the work that prepares the images of a preview."""
    return Job.objects.filter(key=_key(preview.study)).first()


def is_stale(preview: Enrolment, study: Study) -> bool:
    """Has the draft changed since its preview was begun?"""
    return preview.study.protocol_hash != _content_hash(study)


def begin_draft_preview(*, study: Study, user: Any) -> Enrolment:
    """Copy a draft with a few cases for one person to try; a former try is thrown away.

    Raises
    ------
    Conflict
        If the study is no draft, or its arms and schedule do not go together.
    ReaderStudyError
        If there are no questions or no cases to show.
    """
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        if not (study.questions.exists() and study.study_cases.exists()):
            raise ReaderStudyError("A preview needs questions and cases. Choose them first.")
        end_draft_preview(study=study, user=user)
        copy = _copy(study, user)
        preview = Enrolment.objects.create(
            study=copy, reader=user, code=CODE, kind=Enrolment.Kind.PREVIEW
        )
        store_rows(copy, {CODE: preview}, _draw(copy))
        audit.record(actor=user, action="preview.draft", target=f"study {study.pk}")
        jobs.enqueue(
            "prepare_preview",
            title=f"Prepare a preview of {study.name}"[:200],
            arguments={"study": str(study.pk), "copy": str(copy.pk)},
            actor=user,
            key=_key(copy),
        )
    return preview


def _key(copy: Study) -> str:
    return f"prepare_preview:{copy.pk}"


def _content_hash(study: Study) -> str:
    document = lifecycle.protocol_of(study)
    return lifecycle.hash_of({**document, "study": "", "readers": []})


def _copy(study: Study, user: Any) -> Study:
    copy = Study.objects.create(
        **described(study),
        name=f"Preview of a draft: {study.name}"[:120],
        rehearsal_of=study,
        created_by=user,
        protocol_hash=_content_hash(study),
    )
    copy_form(study, copy)
    copy_cases(study, copy)
    _keep_few(copy)
    locking.prepare(copy)
    copy.state = Study.State.LOCKED
    copy.save(update_fields=("state",))
    return copy


def _keep_few(copy: Study) -> None:
    """Leave a few whole items of each phase, by their random codes."""
    kept: list[str] = []
    for phase, count in CASES.items():
        rows = copy.study_cases.filter(phase=phase, place=0).order_by("item")
        kept += list(rows.values_list("item", flat=True)[:count])
    copy.study_cases.exclude(item__in=kept).delete()
    if not copy.study_cases.filter(phase=StudyCase.Phase.MAIN).exists():
        raise ReaderStudyError("No case can be shown. Choose cases that are not withdrawn.")


def _draw(copy: Study) -> list[allocation.Row]:
    plan = copy.plan
    design = allocation.Design(
        readers=(CODE,),
        items=items_of(copy, StudyCase.Phase.MAIN),
        training=items_of(copy, StudyCase.Phase.TRAINING),
        arms=tuple(arms_of(copy)),
        schedule=plan.schedule,
        counterbalance=plan.counterbalance,
    )
    try:
        return allocation.draw(design, str(copy.pk))
    except allocation.ImpossibleDesign as error:
        raise Conflict(str(error), code="impossible_design") from error


def end_draft_preview(*, study: Study, user: Any) -> int:
    """Throw away what one person tried; return how many previews that were."""
    with write_transaction():
        found = list(copies_of(study, user).select_related("study"))
        for preview in found:
            _discard(preview.study)
            audit.record(actor=user, action="preview.draft_end", target=f"study {study.pk}")
    return len(found)


def _discard(copy: Study) -> None:
    """Delete the rows of a copy. Nobody's answers are in it, and no list ever showed it."""
    if copy.rehearsal_of_id is None:
        raise ReaderStudyError("This is a real study. Nothing of it is deleted.")
    Rating.objects.filter(submission__reading__enrolment__study=copy).delete()
    submissions = Submission.objects.filter(reading__enrolment__study=copy)
    while submissions.exists():  # a correction protects what it corrects
        submissions.filter(superseded_by__isnull=True).delete()
    ReadingImage.objects.filter(reading__enrolment__study=copy).delete()
    Reading.objects.filter(enrolment__study=copy).delete()
    for model in (PeriodOpening, ReadingSession):
        model.objects.filter(enrolment__study=copy).delete()
    Option.objects.filter(question__study=copy).delete()
    for part in (DisplayForm, EncodedSeries, Question, Arm, StudyCase, Enrolment):
        part.objects.filter(study=copy).delete()
    copy.delete()


@locking.prepares_lock
def end_all(study: Study) -> None:
    """Throw away every preview of a draft that is locked."""
    for preview in copies_of(study).select_related("study"):
        _discard(preview.study)


@every_hour
def end_old() -> int:
    """Throw away previews that were begun half a day ago; return how many."""
    since = timezone.now() - KEPT_FOR
    old = Enrolment.objects.filter(
        study__rehearsal_of__isnull=False, kind=Enrolment.Kind.PREVIEW, enrolled_at__lt=since
    )
    with write_transaction():
        found = list(old.select_related("study"))
        for preview in found:
            _discard(preview.study)
    return len(found)

"""Amendments that touch readings: taking cases out of a study, adding a reader, the washout."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.utils import timezone

from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.reading import allocation
from readerstudy.reading.models import AllocationPart, PeriodOpening, Reading, ReadingImage
from readerstudy.reading.scheduling import design_of, store_rows
from readerstudy.studies import amending
from readerstudy.studies.amending import Change, Wanted
from readerstudy.studies.design import new_enrolment
from readerstudy.studies.models import Amendment, Enrolment, Study

# Only where every reader reads everything does one more leave the others' tables as they are.
OPEN_PLANS = ("crossed", "one_version")


def amend(*, study: Study, wanted: Wanted, reason: str, actor: Any) -> Amendment:
    """Amend texts, margin or washout; periods that wait for the washout move with it."""
    with write_transaction():
        before = Study.objects.get(pk=study.pk).plan.washout_days
        amendment = amending.amend(study=study, wanted=wanted, reason=reason, actor=actor)
        moved = timedelta(days=Study.objects.get(pk=study.pk).plan.washout_days - before)
        waiting = PeriodOpening.objects.filter(
            enrolment__study=study, opened_by__isnull=True, opens_at__gt=timezone.now()
        )
        for opening in waiting if moved else ():
            opening.opens_at += moved
            opening.save(update_fields=("opens_at",))
    return amendment


def withdraw_cases(*, study: Study, codes: Collection[str], reason: str, actor: Any) -> Amendment:
    """Take cases out of one study: their open readings are not shown any more.

    What was read of them stays, marked as withdrawn. A pair goes as a whole.
    """
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        amending.require_amendable(study)
        known = dict(study.cases.filter(code__in=codes).values_list("code", "pk"))
        if missing := sorted(set(codes) - set(known)):
            raise ReaderStudyError(f"The study has no case {', '.join(missing[:5])}.")
        showing = ReadingImage.objects.filter(
            reading__enrolment__study=study, case__in=known.values()
        )
        readings = Reading.objects.filter(pk__in=showing.values("reading"), withdrawn_at=None)
        if not readings.exists():
            raise Conflict("These cases were taken out before.")
        readings.update(withdrawn_at=timezone.now())
        change = Change("Cases taken out of the study", "", ", ".join(sorted(known)))
        return amending.store(study=study, changes=[change], reason=reason, actor=actor)


def why_no_more_readers(study: Study) -> str:
    """Return why no reader can be added to a locked study; empty if one can."""
    if study.state not in amending.AMENDABLE:
        return f"The study is {study.state}."
    if study.plan.plan not in OPEN_PLANS:
        return (
            "The cases were divided among the readers at the lock; one more reader would change "
            "what the others read."
        )
    return ""


def add_reader(
    *, study: Study, reader: Any, reason: str, actor: Any, seed: str | None = None
) -> Enrolment:
    """Enrol a reader after the lock and draw that reader's order, stored as a part of its own.

    The draw is the one of the lock with one reader more; only the rows of the new reader are
    kept, so that everybody else's table stays as it is.

    Raises
    ------
    Conflict
        If the plan divides the cases among the readers, or the person belongs to the study.
    """
    seed = seed or secrets.token_hex(16)
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if why := why_no_more_readers(study):
            raise Conflict(f"No reader can be added. {why}")
        enrolment = enrol_late(study, reader)
        _draw_part(study, enrolment, seed)
        change = Change("Reader added", "", enrolment.code)
        amending.store(study=study, changes=[change], reason=reason, actor=actor)
    return enrolment


def enrol_late(study: Study, reader: Any, *, replaces: Enrolment | None = None) -> Enrolment:
    """Enrol a person after the lock, with nothing to read as yet. Call it within the write."""
    if study.readers.filter(reader=reader).exists():
        raise Conflict(f"{reader} is a reader of this study already.")
    if study.memberships.filter(user=reader).exists():
        raise Conflict(f"{reader} belongs to the staff of this study and cannot read in it.")
    return new_enrolment(study, reader, replaces=replaces)


def _draw_part(study: Study, enrolment: Enrolment, seed: str) -> AllocationPart:
    design, rows = draw_for_one(study, enrolment.code, seed)
    store_rows(study, {enrolment.code: enrolment}, rows)
    _leave_out_withdrawn(study, enrolment)
    return AllocationPart.objects.create(
        enrolment=enrolment,
        seed=seed,
        algorithm=allocation.ALGORITHM,
        design=allocation.design_document(design),
        table_hash=allocation.table_hash(rows),
    )


def draw_for_one(
    study: Study, code: str, seed: str
) -> tuple[allocation.Design, list[allocation.Row]]:
    """Draw the table of all readers and one more; return the rows of that one."""
    others = [one for one in study.readers.values_list("code", flat=True) if one != code]
    design = design_of(study, [*others, code])
    try:
        rows = allocation.draw(design, seed)
    except allocation.ImpossibleDesign as error:
        raise Conflict(str(error), code="impossible_design") from error
    return design, [row for row in rows if row.reader == code]


def _leave_out_withdrawn(study: Study, enrolment: Enrolment) -> None:
    """What was taken out of the study is not shown to whoever comes later."""
    gone = Reading.objects.filter(
        enrolment__study=study, enrolment__kind=Enrolment.Kind.READER, withdrawn_at__isnull=False
    )
    enrolment.readings.filter(item__in=gone.values("item")).update(withdrawn_at=timezone.now())

"""Lock a study: draw the allocation once and store it as rows; then launch it."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.reading import allocation
from readerstudy.reading.models import Allocation, Reading, ReadingImage
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Study

WANTED_GAP = 10


def lock_and_allocate(*, study: Study, actor: Any, seed: str | None = None) -> Allocation:
    """Freeze the protocol, draw every reader's order and store it; images are prepared by a job.

    Raises
    ------
    Conflict
        If a point of the checklist blocks.
    """
    seed = seed or secrets.token_hex(16)
    with write_transaction():
        lifecycle.require_ready(study, before="lock")
        study = lifecycle.advance(study=study, to=Study.State.LOCKED, actor=actor)
        design = design_of(study)
        rows = allocation.draw(design, seed)
        stored = Allocation.objects.create(
            study=study,
            seed=seed,
            algorithm=allocation.ALGORITHM,
            design=allocation.design_document(design),
            table_hash=allocation.table_hash(rows),
        )
        _store_rows(study, rows)
        audit.record(
            actor=actor,
            action="study.allocate",
            target=f"study {study.pk}",
            new={"seed": seed, "table_hash": stored.table_hash},
        )
        prepare_images(study=study, actor=actor)
    return stored


def prepare_images(*, study: Study, actor: Any) -> None:
    """Queue the job that encodes every image of a locked study in its display form."""
    jobs.enqueue(
        "encode_study",
        title=f"Prepare the images of {study.name}",
        arguments={"study": str(study.pk)},
        actor=actor,
        key=f"encode_study:{study.pk}",
    )


def design_of(study: Study) -> allocation.Design:
    """Return the design of a study: every reader reads every case once."""
    items = tuple(
        allocation.Item(key=row.case.code, subject=row.case.subject.code)
        for row in study.study_cases.select_related("case__subject")
    )
    readers = tuple(study.enrolments.values_list("code", flat=True))
    return allocation.Design(readers=readers, items=items, gap=_gap(items))


def _gap(items: tuple[allocation.Item, ...]) -> int:
    """Keep the cases of one subject ten positions apart, or as far as a small set allows."""
    most = max(Counter(item.subject for item in items).values(), default=1)
    return 1 if most == 1 else max(2, min(WANTED_GAP, len(items) // (2 * most)))


def _store_rows(study: Study, rows: list[allocation.Row]) -> None:
    enrolments = {enrolment.code: enrolment for enrolment in study.enrolments.all()}
    cases = {case.code: case for case in study.cases.all()}
    readings = Reading.objects.bulk_create(
        Reading(enrolment=enrolments[row.reader], case=cases[row.item], position=row.position)
        for row in rows
    )
    roles = [*study.slots, *overlay_of_all(study)]
    ReadingImage.objects.bulk_create(
        ReadingImage(reading=reading, role=role) for reading in readings for role in roles
    )


def overlay_of_all(study: Study) -> list[str]:
    """Return the role of the overlay, in a list, if every case of the study has it."""
    overlay = study.display.overlay
    if overlay is None:
        return []
    cases = study.cases.all()
    return [overlay.role] if cases.with_role(overlay.role).count() == len(cases) else []


def launch(*, study: Study, actor: Any) -> Study:
    """Open the reading for the readers."""
    with write_transaction():
        lifecycle.require_ready(study, before="launch")
        return lifecycle.advance(study=study, to=Study.State.RUNNING, actor=actor)


def certificate(study: Study) -> dict[str, Any]:
    """Return all that a reviewer needs to draw the allocation again, with the stored table."""
    stored = study.allocation
    readings = Reading.objects.filter(enrolment__study=study).select_related("enrolment", "case")
    rows = [
        allocation.Row(
            reading.enrolment.code, reading.period, reading.position, reading.case.code, reading.arm
        )
        for reading in readings
    ]
    rows.sort(key=lambda row: (row.reader, row.period, row.position))
    return {
        "format": "readerstudy-allocation-certificate-1",
        "algorithm": stored.algorithm,
        "seed": stored.seed,
        "design": stored.design,
        "table_hash": stored.table_hash,
        "created_at": stored.created_at.isoformat(),
        "protocol_hash": study.protocol_hash,
        "table": allocation.table(rows),
    }

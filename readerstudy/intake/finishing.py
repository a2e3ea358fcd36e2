"""Store what became of an import, and set off what has to follow it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from readerstudy.cases.ingest import Outcome
from readerstudy.cases.models import Case
from readerstudy.cases.quality import FACE
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.models import Job
from readerstudy.intake import folders
from readerstudy.intake.importing import cases_of, counts_of
from readerstudy.intake.models import Import

PREPARE = "prepare_cases"
BRAIN_ONLY_CHAIN = [{"step": "brain_mask"}]


def begin(*, batch: Import, job: Job) -> None:
    """Note that a worker has taken an import."""
    batch.state, batch.job, batch.finished_at = Import.State.RUNNING, job, None
    with write_transaction():
        batch.save(update_fields=["state", "job", "finished_at"])


def fail(*, batch: Import) -> None:
    """Note that an import stopped; what came in stays, and it can be tried again."""
    with write_transaction():
        Import.objects.filter(pk=batch.pk).update(
            state=Import.State.FAILED, finished_at=timezone.now()
        )


def finish(*, batch: Import, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Store the list of outcomes and the counts, and remove the copies of the images.

    Returns
    -------
    dict
        What the job says of itself: no name of the source.
    """
    place = folders.place_of(batch)
    folders.write_json(place.rows, [one.to_dict() for one in outcomes])
    counts, cases = counts_of(outcomes), cases_of(outcomes)
    with write_transaction():
        Import.objects.filter(pk=batch.pk).update(
            state=Import.State.FINISHED, counts=counts, finished_at=timezone.now()
        )
        audit.record(
            actor=batch.created_by,
            action="intake.finish",
            target=f"import {batch.pk}",
            new={"counts": counts, "cases": len(cases)},
        )
        batch.files.all().delete()
    return _follow_up(batch, outcomes)


def finished_by(*, batch: Import, job: Job) -> dict[str, Any] | None:
    """Return the result, if this job has stored it and was stopped only then."""
    rows = folders.place_of(batch).rows
    if batch.state != Import.State.FINISHED or batch.job_id != job.pk or not rows.exists():
        return None
    return _follow_up(batch, [Outcome(**row) for row in json.loads(rows.read_text())])


def _follow_up(batch: Import, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    folders.place_of(batch).remove_images()
    cases = cases_of(outcomes)
    reduce_to_brain(batch=batch, cases=cases)
    return {"cases": cases, "counts": counts_of(outcomes)}


def reduce_to_brain(*, batch: Import, cases: Sequence[str]) -> Job | None:
    """Have a brain mask proposed for the whole heads that came in; asked twice, it is one job."""
    found = Case.objects.filter(code__in=cases).prefetch_related("series")
    heads = [case for case in found if any(FACE in series.flags for series in case.series.all())]
    if not heads or not jobs.is_handled(PREPARE):
        return None
    arguments = {"cases": [str(case.pk) for case in heads], "chain": BRAIN_ONLY_CHAIN}
    title = f"Cut the brain out of {len(heads)} case{'s' if len(heads) > 1 else ''}"
    key = f"{PREPARE}:{batch.job_id}"
    return jobs.enqueue(PREPARE, title=title, arguments=arguments, actor=batch.created_by, key=key)

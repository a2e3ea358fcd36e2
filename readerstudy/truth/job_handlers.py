"""Background work that brings cases in and records their origin."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cases.ingest import ERROR, OK, Outcome, import_folder
from readerstudy.cases.models import Case
from readerstudy.core.jobs import JobContext, handles
from readerstudy.truth import register


@handles("import_cases")
def import_cases(context: JobContext, *, folder: str, origin: str = "real") -> dict[str, Any]:
    """Import a folder; importing again finds what is there by checksum.

    The result holds no name of the source. What could not be imported is listed with its path
    in a file of the work folder: see `faults_of`.
    """
    actor = context.job.created_by
    outcomes = import_folder(Path(folder), actor=actor, progress=context.progress)
    codes = sorted({outcome.case for outcome in outcomes if outcome.case and outcome.status == OK})
    if origin == "real":
        register.declare_real(cases=Case.objects.filter(code__in=codes), actor=actor)
    _list_faults(context.job.pk, [one for one in outcomes if one.status == ERROR])
    return {"cases": codes, "counts": dict(Counter(outcome.status for outcome in outcomes))}


def faults_of(job: uuid.UUID) -> list[dict[str, Any]]:
    """Return path and reason of what an import job could not bring in."""
    path = _faults_file(job)
    return json.loads(path.read_text()) if path.exists() else []


def _list_faults(job: uuid.UUID, faults: list[Outcome]) -> None:
    path = _faults_file(job)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{"path": one.path, "reason": one.reason} for one in faults]))


def _faults_file(job: uuid.UUID) -> Path:
    return Path(settings.WORK_ROOT) / "imports" / f"{job}.json"

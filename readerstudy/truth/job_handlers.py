"""Background work that brings cases in and records their origin."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from readerstudy.cases.ingest import OK, import_folder
from readerstudy.cases.models import Case
from readerstudy.core.jobs import JobContext, handles
from readerstudy.truth import register


@handles("import_cases")
def import_cases(context: JobContext, *, folder: str, origin: str = "real") -> dict[str, Any]:
    """Import a folder; importing again finds what is there by checksum."""
    actor = context.job.created_by
    outcomes = import_folder(Path(folder), actor=actor, progress=context.progress)
    codes = sorted({outcome.case for outcome in outcomes if outcome.case and outcome.status == OK})
    if origin == "real":
        register.declare_real(cases=Case.objects.filter(code__in=codes), actor=actor)
    return {
        "cases": codes,
        "counts": dict(Counter(outcome.status for outcome in outcomes)),
        "not_imported": [o.to_dict() for o in outcomes if o.status != OK],
    }

"""Background work of the dry run."""

from __future__ import annotations

from typing import Any

from readerstudy.core.jobs import JobContext, handles
from readerstudy.rehearsal import running
from readerstudy.rehearsal.models import Rehearsal


@handles("rehearse_study")
def rehearse_study(context: JobContext, *, study: str, rehearsal: str) -> dict[str, Any]:
    """Let simulated readers read a copy of a study."""
    del study  # whose staff may see the job
    found = Rehearsal.objects.select_related("study", "clone").get(pk=rehearsal)
    if found.result is None:
        running.run(rehearsal=found, progress=context.progress)
    return {"dry_run": found.number}

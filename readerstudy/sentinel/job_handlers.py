"""Background work of the leak sentinel: a run, by itself once the images are prepared."""

from __future__ import annotations

from typing import Any

from readerstudy.core.jobs import JobContext, handles
from readerstudy.sentinel import running
from readerstudy.studies.models import Study


@handles("run_sentinel")
def run_sentinel(context: JobContext, *, study: str, actor: int | None = None) -> dict[str, Any]:
    """Walk a study as the robot reader and judge every cue."""
    stored = running.run(
        study=Study.objects.get(pk=study),
        actor=running.requested_by(actor),
        progress=context.progress,
    )
    return {"run": stored.pk, "verdict": stored.verdict}

"""What an import is doing, told from its row and its job together."""

from __future__ import annotations

from readerstudy.core.models import Job
from readerstudy.intake.models import Import

AT_WORK = (Import.State.QUEUED, Import.State.RUNNING)


def is_running(batch: Import) -> bool:
    """Tell whether a worker has this import, or is going to take it (again)."""
    if batch.state not in (*AT_WORK, Import.State.FAILED) or batch.job_id is None:
        return False
    return not Job.objects.get(pk=batch.job_id).is_finished


def state_of(batch: Import) -> str:
    """Return the state to show: a job that ended without a result has failed."""
    if batch.state in AT_WORK and batch.job is not None and batch.job.state == Job.State.FAILED:
        return Import.State.FAILED
    return batch.state

"""Doors to jobs and the audit log."""

from __future__ import annotations

from typing import Any

from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.core.models import Job


def access_job(*, pk: Any, user: Any) -> Job:
    """Return a job to a coordinator."""
    if not user.is_authenticated or not user.may_coordinate:
        raise NotAllowed("Jobs are shown to coordinators only.")
    job = Job.objects.filter(pk=pk).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job

"""Doors to jobs and the audit log."""

from __future__ import annotations

from typing import Any

from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.core.models import Job


def require_coordinator(user: Any) -> None:
    """Refuse who may not create studies, import cases or run generators."""
    if not user.is_authenticated or not user.may_coordinate:
        raise NotAllowed("This page is for coordinators. Sign in with a coordinator's account.")


def access_job(*, pk: Any, user: Any) -> Job:
    """Return a job to a coordinator."""
    require_coordinator(user)
    job = Job.objects.filter(pk=pk).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job

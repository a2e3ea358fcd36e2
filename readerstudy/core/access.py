"""Doors to jobs and the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.core.models import Job


def require_coordinator(user: Any) -> None:
    """Refuse who may not create studies, import cases or run generators."""
    if not user.is_authenticated or not user.may_coordinate:
        raise NotAllowed("This page is for coordinators. Sign in with a coordinator's account.")


Guard = Callable[[Job, Any, bool], bool]
_guards: list[Guard] = []


def guards_jobs(guard: Guard) -> Guard:
    """Register ``(job, user, change) -> bool``: may a user see a job, or start it again?"""
    _guards.append(guard)
    return guard


def access_job(*, pk: Any, user: Any, change: bool = False) -> Job:
    """Return a job to a coordinator, or of a study to its own staff."""
    job = Job.objects.filter(pk=pk).first()
    if job is None or "study" not in job.arguments:
        require_coordinator(user)
    if job is None or not all(guard(job, user, change) for guard in _guards):
        raise NotFound("There is no such job.")
    return job

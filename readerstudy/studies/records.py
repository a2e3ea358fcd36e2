"""Which audit records and background jobs the members of a study may see: their own study's."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from readerstudy.core.access import guards_jobs
from readerstudy.core.audit_pages import opens_records
from readerstudy.core.models import Job
from readerstudy.studies.access import studies_of
from readerstudy.studies.permissions import Action, is_administrator


@opens_records
def records_of_studies(user: Any) -> Q | None:
    """Return the records about the studies whose audit log a user may read."""
    keys = studies_of(user, Action.AUDIT).values_list("pk", flat=True)
    return Q(target__in=[f"study {key}" for key in keys]) if keys else None


@guards_jobs
def may_see_job(job: Job, user: Any, change: bool) -> bool:
    """Show the work on a study to its staff alone, and let its coordinators start it again."""
    if "study" not in job.arguments or is_administrator(user):
        return True
    action = Action.PROGRESS if change else Action.CHECKLIST
    return studies_of(user, action).filter(pk=job.arguments["study"]).exists()

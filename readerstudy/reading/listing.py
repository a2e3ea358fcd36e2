"""The list of studies as a member of the staff sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from readerstudy.reading.planned import is_planned
from readerstudy.studies import permissions
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Membership, Study
from readerstudy.studies.permissions import Action


@dataclass(frozen=True)
class Listed:
    """One study with its counts and the role of the user in it."""

    study: Any
    role: str

    @property
    def role_name(self) -> str:
        return permissions.ROLE_NAMES[self.role]

    @property
    def shows_progress(self) -> bool:
        return permissions.may(Action.PROGRESS, study=self.study, role=self.role)


def studies_for(user: Any, *, archived: bool = False) -> list[Listed]:
    """Return the studies of a member, newest first; an administrator sees the names of all."""
    roles = dict(Membership.objects.filter(user=user).values_list("study", "role"))
    everything = permissions.is_administrator(user)
    studies = Study.objects.all() if everything else studies_of(user)
    shown = _counted(studies.filter(archived_at__isnull=not archived, rehearsal_of__isnull=True))
    return [Listed(study, roles.get(study.pk, permissions.ADMINISTRATOR)) for study in shown]


def _counted(studies: QuerySet[Study]) -> QuerySet[Any]:
    real = Q(enrolments__kind="reader")
    readings = "enrolments__readings"
    done = Q(enrolments__readings__completed_at__isnull=False)
    return studies.annotate(
        n_readers=Count("enrolments", filter=real, distinct=True),
        n_cases=Count("study_cases", distinct=True),
        n_readings=Count(readings, filter=real & is_planned(f"{readings}__"), distinct=True),
        n_done=Count(readings, filter=real & done, distinct=True),
    ).order_by("-created_at")

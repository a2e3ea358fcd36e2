"""The only door to a study for the staff: whoever is no member finds nothing."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotFound
from readerstudy.studies.models import Membership, Study

__all__ = ["access_study", "require_coordinator", "studies_of"]


def studies_of(user: Any) -> QuerySet[Study]:
    """Studies in which the user is a member of the staff."""
    return Study.objects.filter(memberships__user=user)


def access_study(*, pk: Any, user: Any) -> Study:
    """Return a study to a coordinator of it; the same 404 for all others."""
    study = studies_of(user).filter(pk=pk, memberships__role=Membership.Role.COORDINATOR).first()
    if study is None:
        raise NotFound("There is no such study among yours.")
    return study


def find_study(name: str) -> Study:
    """Return a study by identifier or exact name, for the command line."""
    try:
        return Study.objects.get(pk=uuid.UUID(name))
    except (ValueError, Study.DoesNotExist):
        found = Study.objects.filter(name=name)
    if len(found) != 1:
        raise NotFound(
            f"{len(found)} studies are called {name!r}; give the identifier from the address of "
            "the study's page."
        )
    return found[0]

"""The only door to a study for the staff: whoever is no member finds nothing."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.studies import permissions
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import Action

__all__ = ["access_study", "is_staff", "require_coordinator", "require_staff", "studies_of"]


def studies_of(user: Any, action: Action = Action.SEE) -> QuerySet[Study]:
    """Studies in which the user is a member whose role has an action."""
    return Study.objects.filter(
        memberships__user=user, memberships__role__in=permissions.roles_with(action)
    )


def is_staff(user: Any) -> bool:
    """Does this user have any staff page: coordinator, member of a study, administrator?"""
    return bool(user.is_authenticated and user.is_staff_member)


def require_staff(user: Any) -> None:
    """Refuse who belongs to no study's staff."""
    if not is_staff(user):
        raise NotAllowed("This page is for the staff of studies. Sign in with a staff account.")


def access_study(*, pk: Any, user: Any, action: Action = Action.MANAGE) -> Study:
    """Return a study to a member whose role has the action.

    Raises
    ------
    NotFound
        For whoever is no member, whether the study exists or not.
    NotAllowed
        For a member whose role does not have the action, or not yet.
    """
    study, role = find_with_role(pk=pk, user=user)
    permissions.require_role(action, study=study, role=role)
    return study


def find_with_role(*, pk: Any, user: Any) -> tuple[Study, str]:
    """Return a study with the user's role in it; dry runs are found through their study alone."""
    real = Study.objects.filter(rehearsal_of__isnull=True)
    study = real.filter(pk=key).first() if (key := _as_uuid(pk)) else None
    role = permissions.role_in(study, user) if study else None
    if study is None or role is None:
        raise NotFound("There is no such study among yours.")
    return study, role


def _as_uuid(pk: Any) -> uuid.UUID | None:
    """Return an identifier, which may come from a query that anybody can write."""
    try:
        return uuid.UUID(str(pk))
    except ValueError:
        return None


def find_study(name: str) -> Study:
    """Return a real study by identifier or exact name, for the command line."""
    real = Study.objects.filter(rehearsal_of__isnull=True)
    try:
        return real.get(pk=uuid.UUID(name))
    except (ValueError, Study.DoesNotExist):
        found = real.filter(name=name)
    if len(found) != 1:
        raise NotFound(
            f"{len(found)} studies are called {name!r}; give the identifier from the address of "
            "the study's page."
        )
    return found[0]

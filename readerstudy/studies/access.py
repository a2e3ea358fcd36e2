"""The only door to a study for the staff: whoever is no member finds nothing."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.studies.models import Membership, Study


def studies_of(user: Any) -> QuerySet[Study]:
    """Studies in which the user is a member of the staff."""
    return Study.objects.filter(memberships__user=user)


def access_study(*, pk: Any, user: Any) -> Study:
    """Return a study to a coordinator of it; the same 404 for all others."""
    study = studies_of(user).filter(pk=pk, memberships__role=Membership.Role.COORDINATOR).first()
    if study is None:
        raise NotFound("There is no such study among yours.")
    return study


def require_coordinator(user: Any) -> None:
    """Refuse who may not create studies, import cases or run generators."""
    if not user.is_authenticated or not user.may_coordinate:
        raise NotAllowed("This page is for coordinators. Sign in with a coordinator's account.")

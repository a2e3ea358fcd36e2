"""The readers of the server, as far as a coordinator may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from readerstudy.readers.models import DisplayCheck, User
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Enrolment
from readerstudy.studies.permissions import Action, is_administrator


def people_for(viewer: Any) -> QuerySet[User]:
    """Return the readers of the viewer's studies and whom the viewer invited, with their
    display checks, the newest first.

    An administrator sees all readers; the studies shown beside them are the viewer's alone.
    """
    own = Enrolment.objects.filter(
        study__in=studies_of(viewer, Action.READERS), kind=Enrolment.Kind.READER
    ).select_related("study")
    known = Q(pk__in=own.values("reader")) | Q(invitation__invited_by=viewer)
    people = User.objects.filter(profile__isnull=False, is_active=True)
    if not is_administrator(viewer):
        people = people.filter(known)
    checks = DisplayCheck.objects.defer("answers").order_by("-at", "-pk")
    return (
        people.select_related("profile", "invitation")
        .prefetch_related(Prefetch("enrolments", queryset=own, to_attr="shown_enrolments"))
        .prefetch_related(Prefetch("display_checks", queryset=checks, to_attr="shown_checks"))
        .order_by("display_name", "username")
    )

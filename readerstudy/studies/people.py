"""The people of the server, as a coordinator sees them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet

from readerstudy.readers.models import User
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Enrolment


def people_for(viewer: Any) -> QuerySet[User]:
    """Return everybody with a reader's profile; of their studies only those of the viewer."""
    own = Enrolment.objects.filter(study__in=studies_of(viewer)).select_related("study")
    return (
        User.objects.filter(profile__isnull=False, is_active=True)
        .select_related("profile", "invitation")
        .prefetch_related(Prefetch("enrolments", queryset=own, to_attr="shown_enrolments"))
        .order_by("display_name", "username")
    )

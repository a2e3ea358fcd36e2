"""Which audit records about readings a user may see: those of their own studies."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from readerstudy.core.audit_pages import opens_records
from readerstudy.reading.models import Reading
from readerstudy.studies.access import studies_of
from readerstudy.studies.permissions import Action


@opens_records
def records_of_readings(user: Any) -> Q | None:
    """Return the records about the readings of studies whose audit log a user may read."""
    studies = studies_of(user, Action.AUDIT)
    if not studies.exists():
        return None
    named = Reading.objects.filter(enrolment__study__in=studies).annotate(
        target=Concat(Value("reading "), Cast("pk", CharField()))
    )
    return Q(target__in=named.values("target"))

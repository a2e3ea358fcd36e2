"""Which readings a study still counts on, once cases were withdrawn."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from readerstudy.reading.models import Reading
from readerstudy.studies.models import Enrolment


def is_planned(prefix: str = "") -> Q:
    """Return the condition for readings that are made or still to be made.

    An open reading of a withdrawn case is left out; one that was made stays. ``prefix`` leads to
    the readings, such as ``"readings__"`` from an enrolment.
    """
    made = Q(**{f"{prefix}completed_at__isnull": False})
    # Over an outer join a reader without readings has no case either: the key must be there.
    in_use = {f"{prefix}case__withdrawn_at__isnull": True, f"{prefix}pk__isnull": False}
    return made | Q(**in_use)


def withdrawn_under(enrolment: Enrolment) -> list[dict[str, Any]]:
    """Return the readings that this reader was offered and whose case was withdrawn meanwhile."""
    readings = Reading.objects.filter(
        enrolment=enrolment,
        offered_at__isnull=False,
        completed_at__isnull=True,
        case__withdrawn_at__isnull=False,
    )
    rows = readings.order_by("period", "position").values_list(
        "token", "position", "case__withdrawn_at"
    )
    return [{"token": token, "position": place, "at": at} for token, place, at in rows]

"""Which readings a study still counts on, once cases were withdrawn.

A case can be withdrawn as such, or from one study by an amendment. A reading shows one case or
several beside each other: it is out as soon as one of those it shows is withdrawn.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Min, Q, QuerySet

from readerstudy.cases.models import Case
from readerstudy.reading.models import Reading, ReadingImage
from readerstudy.studies.models import Enrolment


def is_in_use(prefix: str = "") -> Q:
    """Return the condition for readings none of whose cases was withdrawn.

    ``prefix`` leads to the readings, such as ``"readings__"`` from an enrolment.
    """
    gone = Case.objects.filter(withdrawn_at__isnull=False)
    showing = ReadingImage.objects.filter(case__in=gone).values("reading")
    return (
        # Over an outer join a reader without readings has no case either: the key must be there.
        Q(**{f"{prefix}pk__isnull": False})
        & Q(**{f"{prefix}withdrawn_at__isnull": True})
        & Q(**{f"{prefix}case__withdrawn_at__isnull": True})
        & ~Q(**{f"{prefix}pk__in": showing})
    )


def is_planned(prefix: str = "") -> Q:
    """Return the condition for readings that are made or still to be made.

    An open reading of a withdrawn case is left out; one that was made stays.
    """
    return Q(**{f"{prefix}completed_at__isnull": False}) | is_in_use(prefix)


def withdrawn_at(reading: Reading) -> datetime | None:
    """Return when a reading went out of use: the first withdrawal among what it shows."""
    shown = reading.images.aggregate(first=Min("case__withdrawn_at"))["first"]
    found = [at for at in (reading.withdrawn_at, reading.case.withdrawn_at, shown) if at]
    return min(found, default=None)


def withdrawn_under(enrolment: Enrolment) -> list[dict[str, Any]]:
    """Return the readings that this reader was offered and that were withdrawn meanwhile."""
    offered = Reading.objects.filter(
        enrolment=enrolment, offered_at__isnull=False, completed_at__isnull=True
    )
    rows = _out_of_use(offered).select_related("case").order_by("period", "position")
    return [{"token": one.token, "position": one.position, "at": withdrawn_at(one)} for one in rows]


def _out_of_use(readings: QuerySet[Reading]) -> QuerySet[Reading]:
    return readings.exclude(pk__in=readings.filter(is_in_use()).values("pk"))

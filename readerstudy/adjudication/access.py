"""The door of the panel: a signed-in member, an opaque seat, a case that was laid before it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from readerstudy.adjudication.models import Round
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Enrolment, Study


def seats_of(user: Any) -> QuerySet[Enrolment]:
    """Return the seats of a user in studies whose panel may vote now."""
    return Enrolment.objects.filter(
        reader=user,
        kind=Enrolment.Kind.ADJUDICATOR,
        study__state=Study.State.CLOSED,
        panels__concluded_at__isnull=True,
    ).select_related("study")


def access_seat(*, token: str, user: Any) -> tuple[Enrolment, Round]:
    """Return a user's seat and the open round it votes in."""
    seat = seats_of(user).filter(token=token).first()
    if seat is None:
        raise NotFound("There is no such panel among yours.")
    return seat, seat.panels.get(concluded_at__isnull=True)


def next_reading(seat: Enrolment, opened: Round) -> Reading | None:
    """Return the next case of a round that a member has not finished."""
    return seat.readings.filter(period=opened.number, completed_at__isnull=True).first()


def access_case(*, seat: Enrolment, opened: Round, token: str) -> Reading:
    """Return a case of the round; its images may be fetched from now on."""
    reading = seat.readings.filter(period=opened.number, token=token).first()
    if reading is None:
        raise NotFound("There is no such case before this panel.")
    if reading.offered_at is None:
        with write_transaction():
            Reading.objects.filter(pk=reading.pk).update(offered_at=timezone.now())
    return reading

"""What a reader may be shown now: training first, periods after their washout, stages in turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from readerstudy.core.db import write_transaction
from readerstudy.reading import training
from readerstudy.reading.models import PeriodOpening, Reading
from readerstudy.reading.planned import is_in_use
from readerstudy.studies import amending
from readerstudy.studies.models import Enrolment, Study

UPCOMING = 2


@dataclass(frozen=True)
class Offer:
    """The present reading and those that may be fetched ahead, or why there is none.

    ``waiting`` is "" or "washout", "qualification" or "amended" (something changed that the reader
    has not acknowledged); ``opens_at`` says until when.
    """

    current: Reading | None = None
    upcoming: tuple[Reading, ...] = ()
    waiting: str = ""
    opens_at: datetime | None = None


def is_running(enrolment: Enrolment) -> bool:
    """May answers be given now? Previews and the sentinel also read a locked study, and a panel
    looks at a closed one."""
    if enrolment.kind == Enrolment.Kind.ADJUDICATOR:
        return enrolment.study.state == Study.State.CLOSED
    if enrolment.kind != Enrolment.Kind.READER:
        return enrolment.study.state in (Study.State.LOCKED, Study.State.RUNNING)
    return enrolment.study.state == Study.State.RUNNING and enrolment.withdrawn_at is None


def offer(enrolment: Enrolment) -> Offer:
    """Return what is shown now and what next, and note that it was offered."""
    if not is_running(enrolment):
        return Offer()
    readings = list(_open(enrolment).prefetch_related("images")[: 2 + 2 * UPCOMING])
    if not readings:
        return Offer()
    if amending.unread_by(enrolment):
        return Offer(waiting="amended")
    if waiting := _closed_gate(enrolment, readings[0]):
        return waiting
    current, *rest = readings
    # A later stage shows what the first answer must not know: it is never fetched ahead.
    ahead = [one for one in rest if one.period == current.period and one.stage == 1]
    upcoming = tuple(ahead[:UPCOMING])
    _note_offered((current, *upcoming))
    return Offer(current, upcoming)


def _open(enrolment: Enrolment) -> QuerySet[Reading]:
    """Return the readings to be made, a re-opened one first."""
    return (
        enrolment.readings.filter(is_in_use())
        .filter(Q(completed_at__isnull=True) | Q(reopened_at__isnull=False))
        .order_by(F("reopened_at").asc(nulls_last=True), "period", "position")
    )


def _note_offered(readings: tuple[Reading, ...]) -> None:
    fresh = [reading.pk for reading in readings if reading.offered_at is None]
    if fresh:
        with write_transaction():
            Reading.objects.filter(pk__in=fresh).update(offered_at=timezone.now())


def _closed_gate(enrolment: Enrolment, first: Reading) -> Offer | None:
    """Return why the next reading cannot be shown yet, or None if it can."""
    if first.reopened_at is not None or first.period == 0:
        return None
    if enrolment.kind != Enrolment.Kind.READER:
        return None  # previews and the sentinel walk through at once
    if training.is_unqualified(enrolment):
        return Offer(waiting="qualification")
    if first.period == 1:
        return None
    opening = opening_of(enrolment, first.period)
    if opening.opens_at <= timezone.now():
        return None
    return Offer(waiting="washout", opens_at=opening.opens_at)


def is_waiting(enrolment: Enrolment) -> bool:
    """Must a reader wait now, for a washout or for another attempt at the training?"""
    return gate_of(enrolment) is not None


def gate_of(enrolment: Enrolment) -> Offer | None:
    """Return why the next reading cannot be shown yet, without offering anything."""
    first = _open(enrolment).first()
    return None if first is None else _closed_gate(enrolment, first)


def next_period(enrolment: Enrolment) -> int:
    """Return the period of the next open reading; 0 where nothing is open."""
    first = _open(enrolment).first()
    return first.period if first else 0


def opening_of(enrolment: Enrolment, period: int) -> PeriodOpening:
    """Return when a period opens whose predecessor is read.

    It is on record since the last answer before it; if instead the last open cases of the period
    before were withdrawn, it is put on record now, counted from the last answer.
    """
    found = PeriodOpening.objects.filter(enrolment=enrolment, period=period).first()
    if found is not None:
        return found
    before = enrolment.readings.filter(period__lt=period)
    last = before.aggregate(last=Max("completed_at"))["last"] or timezone.now()
    with write_transaction():
        return _store_opening(enrolment, period, last)


def _store_opening(enrolment: Enrolment, period: int, since: datetime) -> PeriodOpening:
    washout = timedelta(days=enrolment.study.plan.washout_days)
    opening, _ = PeriodOpening.objects.get_or_create(
        enrolment=enrolment, period=period, defaults={"opens_at": since + washout}
    )
    return opening


def open_next_period(reading: Reading) -> None:
    """Set when the next period opens, once the last reading of one is made."""
    enrolment, period = reading.enrolment, reading.period
    left = _open(enrolment).filter(period__lte=period).exclude(pk=reading.pk)
    later = enrolment.readings.filter(period=period + 1).exists()
    if period == 0 or not later or left.exists():
        return
    _store_opening(enrolment, period + 1, timezone.now())


def is_sealed(reading: Reading) -> bool:
    """Was a later stage of the same presentation shown already?"""
    return (
        Reading.objects.filter(
            enrolment=reading.enrolment_id,
            period=reading.period,
            item=reading.item,
            repeat=reading.repeat,
            stage__gt=reading.stage,
        )
        .exclude(offered_at=None)
        .exists()
    )


def waiting_document(found: Offer) -> dict[str, Any] | None:
    """Return why there is nothing to read now, as the page is told."""
    if not found.waiting:
        return None
    return {"reason": found.waiting, "opens_at": found.opens_at}

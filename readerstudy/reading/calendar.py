"""Periods and washouts of a reader as a line in time: done, break, today, next window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from readerstudy.reading.models import PeriodOpening
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies.models import Enrolment

WIDTH = 640.0
WINDOW = 0.12  # share of the line that the next period takes, since its length is not known


@dataclass(frozen=True)
class Washout:
    """A reader between two periods, or before one that is open.

    Times are those of the server; positions run from 0 to 640.
    """

    period: int  # the next one
    begun_at: datetime  # first answer of the period before
    done_at: datetime  # its last answer
    opens_at: datetime
    now: datetime
    opened_early: bool

    @property
    def is_open(self) -> bool:
        return self.opens_at <= self.now

    @property
    def days_left(self) -> int:
        """Whole days until the period opens, at least one while it is closed."""
        left = self.opens_at - self.now
        return 0 if self.is_open else -(-left // timedelta(days=1))

    @property
    def done_x(self) -> float:
        return self._x(self.done_at)

    @property
    def today_x(self) -> float:
        return min(self._x(self.now), WIDTH - 2)

    @property
    def gap_width(self) -> float:
        """From the last answer to today, or to the opening where that is past."""
        return max(0.0, min(self.today_x, self.opens_x) - self.done_x)

    @property
    def opens_x(self) -> float:
        return self._x(self.opens_at)

    @property
    def window_width(self) -> float:
        return WIDTH - self.opens_x

    def _x(self, at: datetime) -> float:
        span = (self.opens_at - self.begun_at) / timedelta(seconds=1) or 1.0
        share = (at - self.begun_at) / timedelta(seconds=1) / span
        return round(max(0.0, share) * WIDTH * (1 - WINDOW), 1)


def washout_of(enrolment: Enrolment) -> Washout | None:
    """Return the washout that a reader is in or comes from; None before the first one."""
    opening = PeriodOpening.objects.filter(enrolment=enrolment).order_by("-period").first()
    if opening is None:
        return None
    before = enrolment.readings.filter(period__gt=TRAINING_PERIOD, period__lt=opening.period)
    times = before.aggregate(first=Min("completed_at"), last=Max("completed_at"))
    if times["first"] is None:
        return None
    return Washout(
        period=opening.period,
        begun_at=times["first"],
        done_at=times["last"],
        opens_at=opening.opens_at,
        now=timezone.now(),
        opened_early=opening.opened_by_id is not None,
    )

"""The line of received readings over time, as points of a drawing with its table twin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from readerstudy.reading.models import Reading
from readerstudy.reading.planned import is_planned
from readerstudy.studies.models import Study

LEFT, RIGHT, TOP, BOTTOM = 44.0, 880.0, 14.0, 176.0


@dataclass(frozen=True)
class Mark:
    """A place on an axis with its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Pace:
    """Readings received up to the end of each day since the launch."""

    days: list[tuple[date, int]]
    total: int

    @property
    def points(self) -> list[tuple[float, float]]:
        return [(self._x(index), self._y(count)) for index, (_, count) in enumerate(self.days)]

    @property
    def line(self) -> str:
        """The points as an SVG polyline wants them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)

    @property
    def last(self) -> tuple[float, float]:
        return self.points[-1]

    @property
    def rows(self) -> list[Mark]:
        """Horizontal lines at round numbers."""
        step = _round_step(self.total)
        counts = range(0, self.total + 1, step)
        return [Mark(round(self._y(count), 1), str(count)) for count in counts]

    @property
    def columns(self) -> list[Mark]:
        """Dates along the foot, five at most."""
        step = max(1, -(-len(self.days) // 5))
        return [
            Mark(round(self._x(index), 1), f"{day.day} {day:%b}")
            for index, (day, _) in enumerate(self.days)
            if index % step == 0
        ]

    def _x(self, index: int) -> float:
        return LEFT + (RIGHT - LEFT) * index / max(1, len(self.days) - 1)

    def _y(self, count: int) -> float:
        return BOTTOM - (BOTTOM - TOP) * count / max(1, self.total)


def _round_step(total: int) -> int:
    """Return the smallest of 1, 2, 5, 10, … that gives at most five steps."""
    unit = 1
    while True:
        for factor in (1, 2, 5):
            if total <= 5 * factor * unit:
                return factor * unit
        unit *= 10


def pace_of(study: Study) -> Pace | None:
    """Return the line of a launched study, or None before the second day."""
    if study.running_at is None:
        return None
    readings = Reading.objects.filter(enrolment__in=study.readers)
    received = Counter(
        at.date()
        for at in readings.filter(completed_at__isnull=False).values_list("completed_at", flat=True)
    )
    begin = study.running_at.date()
    end = (study.closed_at or timezone.now()).date()
    if end == begin:
        return None
    return Pace(_cumulated(received, begin, end), readings.filter(is_planned()).count())


def _cumulated(received: Counter[date], begin: date, end: date) -> list[tuple[date, int]]:
    """Return the sum at the launch (0, the day before) and at the end of each day."""
    days = [(begin - timedelta(days=1), 0)]
    for offset in range((end - begin).days + 1):
        day = begin + timedelta(days=offset)
        days.append((day, days[-1][1] + received[day]))
    return days

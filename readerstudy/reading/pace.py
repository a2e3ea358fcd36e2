"""The line of received readings over time, as points of a drawing with its table twin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from django.utils import timezone

from readerstudy.reading import gates
from readerstudy.reading.models import Reading
from readerstudy.reading.planned import is_planned
from readerstudy.reading.projection import Projection, project
from readerstudy.studies.models import Study

AHEAD = 3  # the drawing goes on for so many times the days seen, at most
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
    projection: Projection = field(default_factory=Projection)

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
    def ahead(self) -> int:
        """Days that the drawing goes on after the last one: to the projected end, or nearly."""
        ends = [at for at in (self.projection.end, self.projection.latest) if at]
        if not ends:
            return 0
        return min((max(ends) - self.days[-1][0]).days, AHEAD * len(self.days))

    @property
    def expected(self) -> str:
        """The line from the last day to the projected end."""
        if self.projection.end is None:
            return ""
        return f"{self._text(self.last)} {self._text(self._on_the_way(self.projection.end))}"

    @property
    def fan(self) -> str:
        """The interval of the projection as a polygon."""
        first, last = self.projection.earliest, self.projection.latest
        if first is None or self.projection.end is None:
            return ""
        late = self._on_the_way(last) if last else (RIGHT, self.last[1])
        corners = (self.last, self._on_the_way(first), (late[0], TOP), late)
        return " ".join(self._text(point) for point in corners)

    def _on_the_way(self, end: date) -> tuple[float, float]:
        """Return where all is read, or where the line to it leaves the drawing."""
        (x, y), far = self.last, self._x(len(self.days) - 1 + (end - self.days[-1][0]).days)
        if far <= RIGHT:
            return far, TOP
        return RIGHT, y + (TOP - y) * (RIGHT - x) / (far - x)

    def _text(self, point: tuple[float, float]) -> str:
        return f"{point[0]:.1f},{point[1]:.1f}"

    @property
    def rows(self) -> list[Mark]:
        """Horizontal lines at round numbers."""
        step = _round_step(self.total)
        counts = range(0, self.total + 1, step)
        return [Mark(round(self._y(count), 1), str(count)) for count in counts]

    @property
    def columns(self) -> list[Mark]:
        """Dates along the foot, five at most."""
        count = len(self.days) + self.ahead
        dates = [self.days[0][0] + timedelta(days=index) for index in range(count)]
        step = max(1, -(-count // 5))
        return [
            Mark(round(self._x(index), 1), f"{day.day} {day:%b}")
            for index, day in enumerate(dates)
            if index % step == 0
        ]

    def _x(self, index: int) -> float:
        return LEFT + (RIGHT - LEFT) * index / max(1, len(self.days) - 1 + self.ahead)

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
    days = _cumulated(received, begin, end)
    total = readings.filter(is_planned()).count()
    return Pace(days, total, _projection(study, days, total))


def _projection(study: Study, days: list[tuple[date, int]], total: int) -> Projection:
    """Project the end of a running study from its whole days."""
    if study.state != Study.State.RUNNING:
        return Projection(reason=f"The study is {study.state}")
    waiting = [one.code for one in study.readers if gates.gate_of(one) is not None]
    if waiting:
        return Projection(reason=f"No projection while {', '.join(waiting)} cannot read")
    _, *whole, (today, done) = days  # the day before the launch is no day of reading
    counts = [after - before for (_, before), (_, after) in pairwise(whole)]
    return project(counts, left=total - done, today=today)


def _cumulated(received: Counter[date], begin: date, end: date) -> list[tuple[date, int]]:
    """Return the sum at the launch (0, the day before) and at the end of each day."""
    days = [(begin - timedelta(days=1), 0)]
    for offset in range((end - begin).days + 1):
        day = begin + timedelta(days=offset)
        days.append((day, days[-1][1] + received[day]))
    return days

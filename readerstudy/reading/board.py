"""The coordinator's board: progress and drift of a study, computed without any answer or truth."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from readerstudy.readers.models import DisplayCheck
from readerstudy.reading import training
from readerstudy.reading.models import ReadingSession, Submission
from readerstudy.reading.planned import is_planned
from readerstudy.studies.models import Enrolment, Study

SILENT_DAYS = 3
TREND_STEP = 10
ACCEPTED = Submission.Outcome.ACCEPTED


@dataclass(frozen=True)
class Spark:
    """A line of 84 by 32 units, ready for SVG."""

    line: str
    x: float
    y: float

    @classmethod
    def of(cls, values: list[float]) -> Spark:
        top = max(values) or 1.0
        points = [
            (2 + 78 * index / (len(values) - 1), 30 - 27 * value / top)
            for index, value in enumerate(values)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return cls(line, round(points[-1][0], 1), round(points[-1][1], 1))


@dataclass(frozen=True)
class ReaderRow:
    """One reader: how far, how fast, and when last."""

    enrolment: Enrolment
    done: int
    total: int
    times: list[float]
    last_session: ReadingSession | None
    last_answer: datetime | None

    @property
    def last_seen(self) -> datetime | None:
        return self.last_session.last_seen_at if self.last_session else None

    @property
    def display_check(self) -> DisplayCheck | None:
        return self.last_session.display_check if self.last_session else None

    @property
    def open(self) -> int:
        return self.total - self.done

    @property
    def median(self) -> float | None:
        return statistics.median(self.times) if self.times else None

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """The interquartile range in seconds; undefined below four cases."""
        if len(self.times) < 4:
            return None
        lower, _, upper = statistics.quantiles(self.times, n=4, method="inclusive")
        return lower, upper

    @property
    def trend(self) -> list[float]:
        """The median time of each full ten cases, in the order of answering."""
        ends = range(TREND_STEP, len(self.times) + 1, TREND_STEP)
        return [statistics.median(self.times[end - TREND_STEP : end]) for end in ends]

    @property
    def spark(self) -> Spark | None:
        """The trend as a small line from zero up; undefined below two points."""
        return Spark.of(self.trend) if len(self.trend) > 1 else None

    @property
    def seconds_left(self) -> float | None:
        """What is left at this reader's own pace; undefined before the first case."""
        return 0.0 if not self.open else self.open * self.median if self.median else None


@dataclass(frozen=True)
class Attention:
    """A fact that somebody should look at."""

    statement: str
    evidence: str


@dataclass(frozen=True)
class Board:
    """All figures of the board."""

    rows: list[ReaderRow]
    late: int
    last_hour: int
    last_receipt: datetime | None
    open_since: datetime | None  # None: not running

    @property
    def done(self) -> int:
        return sum(row.done for row in self.rows)

    @property
    def total(self) -> int:
        return sum(row.total for row in self.rows)

    @property
    def open(self) -> int:
        return self.total - self.done

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 0.0

    @property
    def readers_done(self) -> int:
        return sum(not row.open and row.enrolment.withdrawn_at is None for row in self.rows)

    @property
    def readers_begun(self) -> int:
        return sum(row.done > 0 for row in self.rows)

    @property
    def hours_read(self) -> float:
        return sum(sum(row.times) for row in self.rows) / 3600

    @property
    def seconds_left(self) -> float | None:
        """Time to go at the readers' own paces; undefined while somebody has not begun."""
        left = [row.seconds_left for row in self.rows]
        return None if None in left else sum(part for part in left if part)


def board_of(study: Study) -> Board:
    """Return the figures of a launched study."""
    now = timezone.now()
    all_sent = Submission.objects.filter(reading__enrolment__in=study.readers)
    sums = all_sent.aggregate(
        late=Count("pk", filter=Q(outcome=Submission.Outcome.LATE)),
        last_hour=Count(
            "pk", filter=Q(outcome=ACCEPTED, received_at__gte=now - timedelta(hours=1))
        ),
        last_receipt=Max("received_at"),
    )
    open_since = study.running_at if study.state == Study.State.RUNNING else None
    return Board(rows=_rows(study), open_since=open_since, **sums)


def _rows(study: Study) -> list[ReaderRow]:
    times = reading_times(study)
    sessions = ReadingSession.objects.filter(enrolment__study=study).order_by("last_seen_at")
    checked = sessions.select_related("display_check").defer("display_check__answers")
    last = {session.enrolment_id: session for session in checked}
    return [
        ReaderRow(
            enrolment=enrolment,
            done=enrolment.done,
            total=enrolment.total,
            times=times[enrolment.pk],
            last_session=last.get(enrolment.pk),
            last_answer=enrolment.last_answer,
        )
        for enrolment in _counted(study.readers.select_related("reader__profile"))
    ]


def _counted(enrolments: QuerySet[Enrolment]) -> QuerySet[Any]:
    return enrolments.annotate(
        total=Count("readings", filter=is_planned("readings__")),
        done=Count("readings", filter=Q(readings__completed_at__isnull=False)),
        last_answer=Max("readings__completed_at"),
    ).order_by("pk")


def reading_times(study: Study) -> dict[int, list[float]]:
    """Return each reader's seconds a case, load and look, in the order of answering.

    Only the clock of a stored answer is read. A correction does not count again, and practice
    says nothing about the study.
    """
    clocks = (
        Submission.objects.filter(
            reading__enrolment__study=study,
            reading__period__gt=training.TRAINING_PERIOD,
            outcome=ACCEPTED,
            supersedes__isnull=True,
        )
        .order_by("received_at")
        .values_list("reading__enrolment", "body__clock__load_ms", "body__clock__look_ms")
    )
    times: dict[int, list[float]] = defaultdict(list)
    for enrolment, load, look in clocks:
        if isinstance(load, int | float) and isinstance(look, int | float):
            times[enrolment].append((load + look) / 1000)
    return times


def attention_of(board: Board) -> list[Attention]:
    """Return what stands out, each as a fact with its evidence."""
    found = [item for row in board.rows if (item := _silence(row, board.open_since))]
    if board.late:
        answers = "1 answer" if board.late == 1 else f"{board.late} answers"
        found.append(Attention(f"{answers} came late", "Kept apart, with the reason"))
    return found


def _silence(row: ReaderRow, open_since: datetime | None) -> Attention | None:
    """Tell why a reader of a running study does not go on, if that is so."""
    if open_since is None or not row.open:
        return None
    code, evidence = row.enrolment.code, f"{row.open} cases are open"
    if not row.enrolment.reader.has_usable_password():
        return Attention(f"{code} has not used the invitation", "Reading begins with the link")
    days = (timezone.now() - (row.last_answer or open_since)).days
    if days < SILENT_DAYS:
        return None
    if row.last_answer is None:
        return Attention(f"{code} has not begun, {days} days after the launch", evidence)
    return Attention(f"{code} has not read for {days} days", evidence)

"""How far a reader is, in the numbers that the reader sees.

A part is the practice (period 0) or one period. A case counts once, in however many steps it is
read. Withdrawn cases that were not read drop out, so the numbers are counted, never the stored
positions.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from readerstudy.reading.models import Reading, Submission
from readerstudy.reading.planned import is_planned
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies.models import Enrolment

BREAK_MINUTES = 40
BREAK_STEPS = (10, 20, 25, 50)
ENOUGH_TIMES = 5
# What is answered and was not opened again for a correction.
MADE = Q(completed_at__isnull=False, reopened_at__isnull=True)
Times = list[tuple[int, int, float]]  # period, step, seconds


@dataclass(frozen=True)
class Part:
    """The part that is read now.

    Attributes
    ----------
    period, periods : int
        From 1, 0 for practice; how many the reader has.
    done, total : int
        Cases, however many steps each has.
    case_seconds : float or None
        The reader's own median for one case, all steps together; None before there is one, and
        in practice, which says nothing about the study.
    """

    period: int
    periods: int
    done: int
    total: int
    case_seconds: float | None

    def number_of(self, current: Reading | None) -> int:
        """Return the number of the present case; a further step keeps the number of the first."""
        return self.done + (1 if current is None or current.stage == 1 else 0)

    @property
    def breaks(self) -> list[int]:
        """Numbers of cases after which a break is suggested: about every forty minutes."""
        if self.period == TRAINING_PERIOD:
            return []
        seconds = self.case_seconds or 0
        fitting = [step for step in BREAK_STEPS if step * seconds <= BREAK_MINUTES * 60]
        step = max(fitting, default=BREAK_STEPS[0])
        return list(range(step, self.total, step))


def part_of(enrolment: Enrolment, current: Reading | None, times: Times | None = None) -> Part:
    """Return the part of the present case; without one, that of the last answer."""
    period = current.period if current else _last_period(enrolment)
    cases = _cases_of(enrolment, period)
    last = enrolment.readings.aggregate(last=Max("period"))["last"] or 1
    return Part(
        period=period,
        periods=max(1, last),
        **_counted(cases),
        case_seconds=case_seconds(enrolment, period, times),
    )


def document_of(part: Part) -> dict[str, Any]:
    """Return a part as the reading page is told."""
    return {
        "training": part.period == TRAINING_PERIOD,
        "number": part.period,
        "of": part.periods,
        "done": part.done,
        "total": part.total,
        "case_seconds": part.case_seconds,
        "breaks": part.breaks,
    }


def number_done(reading: Reading) -> int:
    """Return the number that the case of a reader's last answer had."""
    return _cases_of(reading.enrolment, reading.period).filter(MADE).count()


def _cases_of(enrolment: Enrolment, period: int) -> QuerySet[Reading]:
    """Return one reading for each case of a part; of practice, the cases of the last attempt."""
    cases = enrolment.readings.filter(is_planned(), period=period, stage=1)
    if period != TRAINING_PERIOD:
        return cases
    return cases.filter(repeat=cases.aggregate(last=Max("repeat"))["last"] or 0)


def _counted(readings: QuerySet[Reading]) -> dict[str, int]:
    return readings.order_by().aggregate(done=Count("pk", filter=MADE), total=Count("pk"))


def _last_period(enrolment: Enrolment) -> int:
    made = enrolment.readings.filter(completed_at__isnull=False)
    period = made.aggregate(last=Max("period"))["last"]
    return 1 if period is None else int(period)


def stages_of(enrolment: Enrolment, readings: Iterable[Reading]) -> dict[int, int]:
    """Return in how many steps the case of each reading is read, by the reading's key."""
    keys = {one.pk: (one.period, one.item, one.repeat) for one in readings}
    steps = enrolment.readings.filter(item__in={item for _, item, _ in keys.values()}).order_by()
    last: dict[tuple[int, str, int], int] = {}
    for period, item, repeat, stage in steps.values_list("period", "item", "repeat", "stage"):
        last[period, item, repeat] = max(stage, last.get((period, item, repeat), 1))
    return {pk: last[key] for pk, key in keys.items()}


def earlier_stages(reading: Reading) -> list[Reading]:
    """Return the readings of the steps before, in order."""
    return list(_presentation(reading).filter(stage__lt=reading.stage).order_by("stage"))


def _presentation(reading: Reading) -> QuerySet[Reading]:
    return Reading.objects.filter(
        enrolment=reading.enrolment_id,
        period=reading.period,
        item=reading.item,
        repeat=reading.repeat,
    )


def progress_of(enrolment: Enrolment, times: Times | None = None) -> dict[str, Any]:
    """Return how many readings are done, of how many, and the reader's own median time.

    Practice is not counted: it is no part of what was planned to be read.
    """
    planned = enrolment.readings.filter(is_planned()).exclude(period=TRAINING_PERIOD)
    return _counted(planned) | {"median_seconds": median_seconds(enrolment, times)}


def median_seconds(enrolment: Enrolment, times: Times | None = None) -> float | None:
    """Return the reader's median time a reading in seconds: load and look, breaks excluded."""
    rows = times_of(enrolment) if times is None else times
    return statistics.median(seconds for *_, seconds in rows) if rows else None


def reading_seconds(enrolment: Enrolment) -> list[float]:
    """Return the time of each answer outside practice in seconds, in the order of answering."""
    return [seconds for _, _, seconds in times_of(enrolment)]


def case_seconds(enrolment: Enrolment, period: int, times: Times | None = None) -> float | None:
    """Return the reader's median time a case in seconds, the sum of the medians of its steps.

    Times of this period count where there are enough of them, since a period may show more.
    """
    if period == TRAINING_PERIOD:
        return None
    rows = times_of(enrolment) if times is None else times
    here = _by_stage((stage, seconds) for at, stage, seconds in rows if at == period)
    if not here or min(map(len, here.values())) < ENOUGH_TIMES:
        here = _by_stage((stage, seconds) for _, stage, seconds in rows)
    stages = set(
        enrolment.readings.filter(period=period).order_by().values_list("stage", flat=True)
    )
    if not stages or not stages <= set(here):
        return None
    return sum(statistics.median(here[stage]) for stage in stages)


def _by_stage(times: Iterable[tuple[int, float]]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for stage, seconds in times:
        found[stage].append(seconds)
    return found


def times_of(enrolment: Enrolment) -> Times:
    """Return period, step and seconds of each answer outside practice, in order."""
    rows = (
        Submission.objects.filter(
            reading__enrolment=enrolment,
            outcome=Submission.Outcome.ACCEPTED,
            supersedes__isnull=True,
        )
        .exclude(reading__period=TRAINING_PERIOD)
        .order_by("received_at")
        .values_list("reading__period", "reading__stage", "body__clock")
    )
    return [
        (period, stage, seconds)
        for period, stage, clock in rows
        if (seconds := _clock_seconds(clock)) is not None
    ]


def _clock_seconds(clock: Any) -> float | None:
    told = clock if isinstance(clock, dict) else {}
    parts = [told.get("load_ms"), told.get("look_ms")]
    if not all(isinstance(part, int | float) for part in parts):
        return None
    return float(sum(parts)) / 1000

"""The times of a reading whose answer was corrected: of all its submissions together.

The rule by which the page divides the time of one submission is in docs/how-to/reading-times.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from readerstudy.reading.models import Submission
from readerstudy.studies.models import Study

PARTS = ("load", "look", "idle", "away")


def clocks_of(
    study: Study, *, readings: Collection[int] | None = None
) -> dict[int, list[dict[str, Any]]]:
    """Return by reading the clocks of its accepted submissions, the first answer first.

    ``readings`` names some by their keys; None: all of the study.
    """
    rows = Submission.objects.filter(
        reading__enrolment__study=study, outcome=Submission.Outcome.ACCEPTED
    )
    if readings is not None:
        rows = rows.filter(reading__in=readings)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for reading, clock in rows.order_by("received_at").values_list("reading_id", "body__clock"):
        found[reading].append(clock if isinstance(clock, dict) else {})
    return found


def seconds_of(clocks: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return load, look, idle and away time in seconds; None where no clock says one."""
    told = list(clocks)
    found: dict[str, float | None] = {}
    for part in PARTS:
        values = [clock.get(f"{part}_ms") for clock in told]
        numbers = [one for one in values if isinstance(one, int | float)]
        found[part] = sum(numbers) / 1000 if numbers else None
    return found

"""Which series a reader had on the screen: for pages that show a read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Series
from readerstudy.reading.models import ReadingImage
from readerstudy.studies.models import Study


@dataclass(frozen=True)
class Picture:
    """A series as it was shown."""

    series: Series
    label: str
    number: int  # among the pictures of its reading, from 0


def pictures_of(study: Study, readings: Collection[int]) -> dict[int, dict[Any, list[Picture]]]:
    """Return by reading and case the series that were shown, in the order of their slots."""
    labels = {slot.code: slot.label for slot in study.display.slots}
    images = list(ReadingImage.objects.filter(reading__in=readings).order_by("pk"))
    found = Series.objects.filter(case__in={one.case_id for one in images})
    series = {(one.case_id, one.role): one for one in found}
    made: dict[int, dict[Any, list[Picture]]] = {key: {} for key in readings}
    numbers = dict.fromkeys(readings, 0)
    for one in images:
        if known := series.get((one.case_id, one.role)):
            number = numbers[one.reading_id]
            picture = Picture(known, labels.get(one.slot, one.role), number)
            made[one.reading_id].setdefault(one.case_id, []).append(picture)
            numbers[one.reading_id] = number + 1
    return made

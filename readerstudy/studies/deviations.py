"""The deviations of a study from its protocol: what the system saw, and what people recorded.

Apps above this one add what they see by registering a function, as with the checklist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.studies.models import Deviation, Study


@dataclass(frozen=True)
class Entry:
    """One deviation as it is listed and exported."""

    at: datetime
    kind: str
    reader: str  # code, or "" where it concerns the study
    text: str
    reason: str = ""
    by: str = ""  # who recorded or decided it; "" for what the system saw


Source = Callable[[Study], Iterable[Entry]]
_sources: list[Source] = []


def adds_deviations(source: Source) -> Source:
    """Register a function that yields deviations of a study."""
    _sources.append(source)
    return source


def deviations_of(study: Study) -> list[Entry]:
    """Return all deviations of a study, oldest first."""
    found = [entry for source in _sources for entry in source(study)]
    return sorted(found, key=lambda entry: (entry.at, entry.kind, entry.reader))


def record_deviation(
    *, study: Study, text: str, happened_on: date, reason: str, code: str, actor: Any
) -> Deviation:
    """Put on record what the system cannot see, such as another monitor or a disturbance."""
    if not text.strip():
        raise ReaderStudyError("Say what departed from the protocol.")
    if happened_on > timezone.now().date():
        raise ReaderStudyError("The day lies in the future.")
    with write_transaction():
        enrolment = study.readers.filter(code=code).first() if code else None
        if code and enrolment is None:
            raise NotFound(f"The study has no reader {code}.")
        row = Deviation.objects.create(
            study=study,
            enrolment=enrolment,
            happened_on=happened_on,
            text=text.strip(),
            reason=reason.strip(),
            recorded_by=actor,
        )
        audit.record(
            actor=actor,
            action="study.record_deviation",
            target=f"study {study.pk}",
            new={"text": row.text, "reader": code},
            reason=row.reason,
        )
    return row


@adds_deviations
def recorded(study: Study) -> Iterable[Entry]:
    """Yield what people put on record."""
    for row in study.deviations.select_related("enrolment", "recorded_by"):
        yield Entry(
            at=datetime.combine(row.happened_on, time(), UTC),
            kind="recorded",
            reader=row.enrolment.code if row.enrolment else "",
            text=row.text,
            reason=row.reason,
            by=str(row.recorded_by),
        )


@adds_deviations
def amended(study: Study) -> Iterable[Entry]:
    """Yield the amendments: each is a planned change, and stands in the list with its reason."""
    for amendment in study.amendments.select_related("actor"):
        changed = ", ".join(change["what"] for change in amendment.changes)
        yield Entry(
            at=amendment.at,
            kind="amendment",
            reader="",
            text=f"Protocol version {amendment.version}: {changed}",
            reason=amendment.reason,
            by=str(amendment.actor),
        )

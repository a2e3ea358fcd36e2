"""Write to the readers that a study is open: at the launch, or later to whom it did not reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from readerstudy.core.errors import Conflict
from readerstudy.reading.planned import is_in_use
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies import letters
from readerstudy.studies.models import Enrolment, Letter, Study


@dataclass(frozen=True)
class Announced:
    """Codes of the readers whose letter the mail system took, and of the others."""

    taken: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What became of the letters, in words."""
        told = f"“The study is open” went to {', '.join(self.taken)}." if self.taken else ""
        lost = ", ".join(self.failed)
        more = f"The mail system did not take the letter to {lost}." if lost else ""
        return " ".join(part for part in (told, more) if part)


def unannounced(study: Study) -> QuerySet[Enrolment]:
    """Return the readers with open cases who got no letter yet that the study is open."""
    told = Letter.objects.filter(enrolment__study=study, kind=Letter.Kind.OPENING, handed_over=True)
    reading = study.readers.filter(withdrawn_at__isnull=True).exclude(
        pk__in=told.values("enrolment")
    )
    return reading.filter(readings__completed_at__isnull=True, readings__isnull=False).distinct()


def announce(*, study: Study, actor: Any) -> Announced:
    """Send the letter to every reader who did not get it yet.

    Raises
    ------
    Conflict
        If the study is not running.
    """
    if study.state != Study.State.RUNNING:
        raise Conflict(f"The study is {study.state}. The letter is sent while it is running.")
    taken: list[str] = []
    failed: list[str] = []
    for enrolment in unannounced(study).select_related("study", "reader"):
        letter = _send(enrolment, actor)
        (taken if letter.handed_over else failed).append(enrolment.code)
    return Announced(tuple(taken), tuple(failed))


def _send(enrolment: Enrolment, actor: Any) -> Letter:
    left = enrolment.readings.filter(is_in_use(), completed_at__isnull=True)
    return letters.send(
        enrolment=enrolment,
        kind=Letter.Kind.OPENING,
        actor=actor,
        shown={
            "left": left.exclude(period=TRAINING_PERIOD).count(),
            "training": left.filter(period=TRAINING_PERIOD).count(),
            "has_account": enrolment.reader.has_usable_password(),
        },
    )

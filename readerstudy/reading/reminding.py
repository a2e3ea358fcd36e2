"""Remind readers of open cases: by hand or by the schedule, once a week at most."""

from __future__ import annotations

import math
from typing import Any

from django.utils import timezone

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.regular import every_hour
from readerstudy.reading import gates
from readerstudy.reading.parts import median_seconds
from readerstudy.reading.planned import is_in_use
from readerstudy.studies import letters
from readerstudy.studies.models import Enrolment, Letter, Study


def why_not(enrolment: Enrolment) -> str:
    """Return why a reader is not to be reminded; empty if a reminder is due."""
    if not gates.is_running(enrolment):
        gone = enrolment.withdrawn_at is not None
        return "the reader was withdrawn" if gone else "the study is not running"
    if not enrolment.reader.has_usable_password():
        return "the invitation was not used yet; make a new link instead"
    if not _open(enrolment):
        return "every case is read"
    if gates.is_waiting(enrolment):
        return "the reader waits and cannot read now"
    if not letters.may_remind_again(enrolment):
        return f"a reminder was sent less than {letters.LEAST_DAYS} days ago"
    return ""


def remind(*, enrolment: Enrolment, actor: Any) -> Letter:
    """Send one reminder.

    Raises
    ------
    Conflict
        With the reason, if none is due.
    """
    if reason := why_not(enrolment):
        raise Conflict(f"{enrolment.code} was not reminded: {reason}.")
    pace, left = median_seconds(enrolment), _open(enrolment)
    minutes = math.ceil(left * pace / 60) if pace else None
    return letters.send(
        enrolment=enrolment,
        kind=Letter.Kind.REMINDER,
        actor=actor,
        shown={"left": left, "minutes": minutes},
    )


def _open(enrolment: Enrolment) -> int:
    return enrolment.readings.filter(is_in_use(), completed_at__isnull=True).count()


@every_hour
def remind_by_schedule() -> int:
    """Remind everybody who has been silent for as long as the study says; return how many."""
    count = 0
    for study in Study.objects.filter(state=Study.State.RUNNING, archived_at__isnull=True):
        days = letters.texts_of(study)["remind_every_days"]
        for enrolment in study.readers.select_related("study", "reader") if days else ():
            count += _remind_if_silent(enrolment, days)
    return count


def _remind_if_silent(enrolment: Enrolment, days: int) -> int:
    answered = enrolment.readings.filter(completed_at__isnull=False)
    last = answered.order_by("-completed_at").values_list("completed_at", flat=True).first()
    since = last or max(enrolment.study.running_at, enrolment.enrolled_at)
    if (timezone.now() - since).days < days or not letters.may_remind_again(enrolment, days):
        return 0
    try:
        remind(enrolment=enrolment, actor=None)
    except ReaderStudyError:
        return 0  # nothing is due: read to the end, waiting, or not yet signed in
    return 1

"""The deviations that show in the readings: late and doubled answers, periods opened early."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count

from readerstudy.readers import display_check_validity as validity
from readerstudy.readers.models import DisplayCheck
from readerstudy.reading.models import PeriodOpening, Reading, ReadingSession, Submission
from readerstudy.studies.deviations import Entry, adds_deviations
from readerstudy.studies.models import Study

KINDS = {
    Submission.Outcome.LATE: "late answer",
    Submission.Outcome.DUPLICATE: "second answer",
}


UNCHECKED = {
    DisplayCheck.Outcome.LOOK: "something was not seen in the check",
    DisplayCheck.Outcome.SKIPPED: "the reader chose to read without the check",
}


@adds_deviations
def answers_apart(study: Study) -> Iterable[Entry]:
    """Yield the answers that are kept apart from the data."""
    sent = Submission.objects.filter(
        reading__enrolment__in=study.readers, outcome__in=KINDS
    ).select_related("reading__enrolment")
    for one in sent:
        place = f"period {one.reading.period}, position {one.reading.position}"
        yield Entry(
            at=one.received_at,
            kind=KINDS[Submission.Outcome(one.outcome)],
            reader=one.reading.enrolment.code,
            text=f"An answer was kept apart: {place}",
            reason=one.reason,
        )


@adds_deviations
def openings(study: Study) -> Iterable[Entry]:
    """Yield the periods that were opened before their washout was over."""
    early = PeriodOpening.objects.filter(enrolment__in=study.readers, opened_by__isnull=False)
    for one in early.select_related("enrolment", "opened_by"):
        planned = f", planned for {one.planned_at:%Y-%m-%d}" if one.planned_at else ""
        yield Entry(
            at=one.opens_at,
            kind="washout shortened",
            reader=one.enrolment.code,
            text=f"Period {one.period} was opened early{planned}",
            reason=one.reason,
            by=str(one.opened_by),
        )


@adds_deviations
def unchecked_displays(study: Study) -> Iterable[Entry]:
    """Yield the sittings with answers on a display without a passed check."""
    if validity.policy() == validity.OFF or study.rehearsal_of_id is not None:
        return
    sittings = (
        ReadingSession.objects.filter(enrolment__in=study.readers)
        .exclude(display_check__outcome=DisplayCheck.Outcome.PASSED)
        .annotate(answers=Count("submissions"))
        .filter(answers__gt=0)
    )
    for one in sittings.select_related("enrolment", "display_check"):
        count = f"{one.answers} answer{'s' if one.answers != 1 else ''}"
        check = one.display_check
        why = UNCHECKED[DisplayCheck.Outcome(check.outcome)] if check else "no valid check"
        yield Entry(
            at=one.started_at,
            kind="no display check",
            reader=one.enrolment.code,
            text=f"{count} on a display without a passed check",
            reason=why,
        )


@adds_deviations
def attempts(study: Study) -> Iterable[Entry]:
    """Yield the further attempts at the training block."""
    again = Reading.objects.filter(enrolment__in=study.readers, period=0, repeat__gt=0)
    seen = {(one.enrolment.code, one.repeat): one for one in again.select_related("enrolment")}
    for (code, attempt), one in seen.items():
        if one.offered_at is not None:
            yield Entry(
                at=one.offered_at,
                kind="training repeated",
                reader=code,
                text=f"Attempt {attempt + 1} at the training block",
            )

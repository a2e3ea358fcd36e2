"""Let a reserve reader take over what a withdrawn reader has not begun.

The reserve reads under an enrolment of their own. A case passes on whole, in every arm, stage and
repeat, and only if the withdrawn reader read nothing of it: a difference between arms, a sealed
first answer or a hidden repeat means something within one reader alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.reading.allocation import Row
from readerstudy.reading.amending import enrol_late
from readerstudy.reading.models import Reading
from readerstudy.reading.scheduling import store_rows
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies import amending
from readerstudy.studies.amending import Change
from readerstudy.studies.models import Enrolment, Study


@dataclass(frozen=True)
class Remainder:
    """What a withdrawn reader left: readings that can pass on, and those that cannot."""

    passing: list[Reading]
    staying: int  # open readings of cases that the reader had begun
    training: list[Reading]

    @property
    def cases(self) -> int:
        return len({reading.item for reading in self.passing})


def remainder_of(enrolment: Enrolment) -> Remainder:
    """Return what is left of a withdrawn reader's list."""
    left = enrolment.readings.filter(
        completed_at__isnull=True, withdrawn_at=enrolment.withdrawn_at
    ).exclude(pk__in=_of_withdrawn_cases(enrolment))
    main = list(left.exclude(period=TRAINING_PERIOD))
    begun = set(_begun(enrolment))
    passing = [reading for reading in main if reading.item not in begun]
    training = enrolment.readings.filter(period=TRAINING_PERIOD, repeat=0)
    return Remainder(passing, len(main) - len(passing), list(training))


def _of_withdrawn_cases(enrolment: Enrolment) -> Any:
    """Return the readings that show a case which is withdrawn as such."""
    readings = Reading.objects.filter(enrolment=enrolment)
    showing = readings.filter(images__case__withdrawn_at__isnull=False)
    return showing.values("pk")


def _begun(enrolment: Enrolment) -> Any:
    made = enrolment.readings.filter(completed_at__isnull=False)
    return made.exclude(period=TRAINING_PERIOD).values_list("item", flat=True)


def why_no_takeover(enrolment: Enrolment) -> str:
    """Return why nobody can take over from a reader; empty if somebody can."""
    if enrolment.withdrawn_at is None:
        return f"{enrolment.code} still reads."
    if enrolment.study.state not in amending.AMENDABLE:
        return f"The study is {enrolment.study.state}."
    replacement = Enrolment.objects.filter(replaces=enrolment).first()
    if replacement is not None:
        return f"{replacement.code} took over already."
    left = remainder_of(enrolment)
    if left.passing:
        return ""
    if left.staying:
        return (
            f"{enrolment.code} has begun every case that is left: its other arms, stages or "
            "repeats mean nothing beside another reader's answers."
        )
    return f"{enrolment.code} has read every case."


def take_over(*, enrolment: Enrolment, reader: Any, reason: str, actor: Any) -> Enrolment:
    """Enrol a reserve and give them the cases that a withdrawn reader had not begun.

    Order, periods, arms and sides stay as they were drawn; the training block is read anew.

    Raises
    ------
    Conflict
        With the reason, if nothing can be taken over or the person belongs to the study.
    """
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=enrolment.study_id)
        enrolment = study.readers.get(pk=enrolment.pk)
        if why := why_no_takeover(enrolment):
            raise Conflict(f"Nobody can take over. {why}")
        left = remainder_of(enrolment)
        reserve = enrol_late(study, reader, replaces=enrolment)
        rows = [_row(reserve.code, reading) for reading in (*left.training, *left.passing)]
        store_rows(study, {reserve.code: reserve}, rows)
        change = Change("Reader replaced", enrolment.code, reserve.code)
        amending.store(study=study, changes=[change], reason=reason, actor=actor)
    return reserve


def _row(code: str, reading: Reading) -> Row:
    return Row(
        reader=code,
        period=reading.period,
        position=reading.position,
        item=reading.item,
        arm=reading.arm,
        stage=reading.stage,
        repeat=reading.repeat,
        sides=tuple(reading.sides),
    )

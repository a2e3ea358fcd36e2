"""Open a period before its washout is over: possible, with a reason, and a deviation."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.reading import gates
from readerstudy.reading.models import PeriodOpening
from readerstudy.studies.models import Enrolment


def open_early(*, enrolment: Enrolment, reason: str, actor: Any) -> PeriodOpening:
    """Let a reader begin the next period now, though the washout lasts on."""
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it stands in the list of deviations.")
    with write_transaction():
        found = gates.offer(enrolment)
        if found.waiting != "washout":
            raise Conflict(f"Reader {enrolment.code} does not wait for a washout.")
        opening = PeriodOpening.objects.select_for_update().get(
            enrolment=enrolment, period=gates.next_period(enrolment)
        )
        planned, opening.opens_at = opening.opens_at, timezone.now()
        opening.planned_at = planned
        opening.opened_by, opening.reason = actor, reason.strip()
        opening.save()
        audit.record(
            actor=actor,
            action="study.open_early",
            target=f"study {enrolment.study_id}",
            old={"reader": enrolment.code, "opens_at": planned.isoformat()},
            new={"period": opening.period},
            reason=opening.reason,
        )
    return opening

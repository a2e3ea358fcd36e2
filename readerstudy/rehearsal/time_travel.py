"""Let time pass in a dry run. The rule of the washout is unchanged; only openings are moved."""

from __future__ import annotations

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.reading.models import PeriodOpening
from readerstudy.rehearsal.cloning import require_rehearsal
from readerstudy.studies.models import Enrolment


def pass_washout(*, enrolment: Enrolment) -> int:
    """Open the next period of a simulated reader now; return the days that were skipped."""
    require_rehearsal(enrolment.study)
    now = timezone.now()
    with write_transaction():
        waiting = PeriodOpening.objects.filter(enrolment=enrolment, opens_at__gt=now)
        days = sum(round((one.opens_at - now).total_seconds() / 86400) for one in waiting)
        waiting.update(opens_at=now)
        audit.record(
            actor=None,
            action="rehearsal.pass_washout",
            target=f"enrolment {enrolment.pk}",
            new={"days": days},
        )
    return days

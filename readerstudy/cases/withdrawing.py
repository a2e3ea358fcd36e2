"""Take a case out of use, and back in. Nothing is deleted.

Readings of a withdrawn case that are not made yet are left out; answers given stay, and the
export marks them. Whoever has the case open is told, and what they send is kept as late.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError

MAX_REASON = 500


def withdraw(*, case: Case, reason: str, actor: Any) -> Case:
    """Withdraw a case, with the reason; it can be reinstated."""
    reason = clean_reason(reason)
    with write_transaction():
        case = Case.objects.select_for_update().get(pk=case.pk)
        if case.withdrawn_at is not None:
            raise Conflict(f"Case {case.code} was withdrawn already: {case.withdrawn_reason}")
        case.withdrawn_at, case.withdrawn_reason = timezone.now(), reason
        case.save(update_fields=["withdrawn_at", "withdrawn_reason"])
        audit.record(
            actor=actor,
            action="case.withdraw",
            target=f"case {case.pk}",
            old={"withdrawn": False},
            new={"withdrawn": True},
            reason=reason,
        )
    return case


def reinstate(*, case: Case, reason: str, actor: Any) -> Case:
    """Take a withdrawn case back into use, with the reason."""
    reason = clean_reason(reason)
    with write_transaction():
        case = Case.objects.select_for_update().get(pk=case.pk)
        if case.withdrawn_at is None:
            raise Conflict(f"Case {case.code} is not withdrawn.")
        former = case.withdrawn_reason
        case.withdrawn_at, case.withdrawn_reason = None, ""
        case.save(update_fields=["withdrawn_at", "withdrawn_reason"])
        audit.record(
            actor=actor,
            action="case.reinstate",
            target=f"case {case.pk}",
            old={"withdrawn": True, "reason": former},
            new={"withdrawn": False},
            reason=reason,
        )
    return case


def clean_reason(reason: str) -> str:
    """Return a reason as it is kept; refuse none and an overlong one."""
    reason = reason.strip()
    if not reason:
        raise ReaderStudyError("Give the reason; it is kept in the audit log with your name.")
    if len(reason) > MAX_REASON:
        raise ReaderStudyError(f"A reason has at most {MAX_REASON} characters.")
    return reason

"""What the staff may see of the audit log: all of it, but nothing that tells a class.

Records about truth, and about single cases (an import is a sign of a real case), are shown
without their name and target. The whole log is checked by ``manage.py verify_audit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from readerstudy.core.models import AuditRecord

PER_PAGE = 50
TRUTH = "truth"


@dataclass(frozen=True)
class Line:
    """One record as it is shown."""

    record: AuditRecord
    action: str
    target: str | None  # None: hidden

    @classmethod
    def of(cls, record: AuditRecord) -> Line:
        hidden = _is_truth(record.action) or record.target.startswith("case ")
        return cls(record, shown_action(record.action), None if hidden else record.target)


def _is_truth(action: str) -> bool:
    return action.startswith(f"{TRUTH}.")


def shown_action(action: str) -> str:
    """Return the name under which an action is shown and filtered."""
    return TRUTH if _is_truth(action) else action


def actions() -> list[str]:
    """Return the actions on record, for the filter."""
    stored = AuditRecord.objects.order_by().values_list("action", flat=True).distinct()
    return sorted({shown_action(action) for action in stored})


def page_of(*, action: str, number: Any) -> Page[AuditRecord]:
    """Return one page of the log, newest first."""
    records = AuditRecord.objects.select_related("actor").order_by("-sequence")
    return Paginator(_only(records, action), PER_PAGE).get_page(number)


def _only(records: QuerySet[AuditRecord], action: str) -> QuerySet[AuditRecord]:
    if not action:
        return records
    if action == TRUTH:
        return records.filter(action__startswith=f"{TRUTH}.")
    return records.filter(action=action)


def lines(page: Page[AuditRecord]) -> list[Line]:
    """Return the records of a page as they are shown."""
    return [Line.of(record) for record in page]

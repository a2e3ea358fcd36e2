"""What the staff may see of the audit log: all of it, but nothing that tells a class.

Records about truth, and about single cases (an import is a sign of a real case), are shown
without their name and target. The whole log is checked by ``manage.py verify_audit``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from readerstudy.core.errors import NotAllowed
from readerstudy.core.models import AuditRecord

PER_PAGE = 50
TRUTH = "truth"
# What all coordinators share: cases, imports, generators. Studies belong to their members.
SHARED = ("case", "import", "checkpoint", "server")
Scope = Callable[[Any], Q | None]
_scopes: list[Scope] = []


def opens_records(scope: Scope) -> Scope:
    """Register a function that returns which records of an app a user may read; None: none."""
    _scopes.append(scope)
    return scope


def visible_to(user: Any) -> QuerySet[AuditRecord]:
    """Return the records that a user may read.

    Raises
    ------
    NotAllowed
        For whoever may read none at all.
    """
    records = AuditRecord.objects.select_related("actor").order_by("-sequence")
    if user.is_authenticated and user.is_superuser:
        return records
    opened = [part for scope in _scopes if (part := scope(user)) is not None]
    if user.is_authenticated and user.may_coordinate:
        opened += [Q(target__startswith=f"{name} ") for name in SHARED]
        opened.append(Q(actor=user))
    if not opened:
        raise NotAllowed("The audit log is for coordinators and auditors.")
    condition = opened[0]
    for part in opened[1:]:
        condition |= part
    return records.filter(condition)


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


def actions(records: QuerySet[AuditRecord]) -> list[str]:
    """Return the actions among some records, for the filter."""
    stored = records.order_by().values_list("action", flat=True).distinct()
    return sorted({shown_action(action) for action in stored})


def page_of(records: QuerySet[AuditRecord], *, action: str, number: Any) -> Page[AuditRecord]:
    """Return one page of some records."""
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

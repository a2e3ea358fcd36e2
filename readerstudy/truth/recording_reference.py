"""Record what is held to be true of a case. The only place that writes reference standards.

Nothing is overwritten: a correction is a new row that supersedes the old one and states why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.truth.models import ReferenceStandard

MAX_ENDPOINT = ReferenceStandard._meta.get_field("endpoint").max_length or 0
MAX_TEXT = ReferenceStandard._meta.get_field("value").max_length or 0
ENDPOINT = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Statement:
    """What is said of one endpoint, as it is stored. An empty method says nothing about it."""

    endpoint: str
    value: str
    method: str = ""


def record_reference(
    *, case: Case, endpoint: str, value: str, method: str, actor: Any, reason: str = ""
) -> ReferenceStandard:
    """Record a value for one endpoint of a case; return the row that now holds.

    The same value again changes nothing. Another value is a correction and needs a reason. A
    value that is known already keeps its method where none is given.
    """
    said = clean_statement(endpoint=endpoint, value=value, method=method)
    reason = reason.strip()
    with write_transaction():
        Case.objects.select_for_update().get(pk=case.pk)  # corrections of a case queue up here
        known = current_reference(case, said.endpoint)
        if known is not None and not is_correction(known, said):
            return known
        if known is not None and not reason:
            raise Conflict(
                f"The reference standard {said.endpoint} of case {case.code} is on record with "
                "another value. A correction needs a reason."
            )
        return _append(case, said, known, reason, actor)


def _append(
    case: Case, said: Statement, known: ReferenceStandard | None, reason: str, actor: Any
) -> ReferenceStandard:
    row = ReferenceStandard.objects.create(
        case=case,
        endpoint=said.endpoint,
        value=said.value,
        method=said.method,
        recorded_by=actor if getattr(actor, "pk", None) else None,
        supersedes=known,
        reason=reason,
    )
    audit.record(
        actor=actor,
        action="truth.record_reference" if known is None else "truth.correct_reference",
        target=f"case {case.pk}",
        old=None if known is None else _said(known),
        new=_said(row),
        reason=reason,
    )
    return row


def _said(row: ReferenceStandard) -> dict[str, str]:
    return {"endpoint": row.endpoint, "value": row.value, "method": row.method}


def current_reference(case: Case, endpoint: str) -> ReferenceStandard | None:
    """Return what is held to be true of one endpoint now."""
    return ReferenceStandard.objects.current().filter(case=case, endpoint=endpoint).first()


def is_correction(known: ReferenceStandard, said: Statement) -> bool:
    """Would recording this change what is on record?"""
    return known.value != said.value or said.method not in ("", known.method)


def clean_statement(*, endpoint: str, value: str, method: str) -> Statement:
    """Return a statement as it is stored, or refuse it in words."""
    endpoint = endpoint.strip().lower()
    value, method = " ".join(value.split()), " ".join(method.split())
    if not ENDPOINT.fullmatch(endpoint) or len(endpoint) > MAX_ENDPOINT:
        raise ReaderStudyError(
            f"An endpoint is a short name such as who_grade: at most {MAX_ENDPOINT} letters, "
            "digits, - and _, a letter first."
        )
    if not value:
        raise ReaderStudyError(f"The reference standard {endpoint} needs a value.")
    for what, text in (("value", value), ("method", method)):
        if len(text) > MAX_TEXT:
            raise ReaderStudyError(
                f"The {what} of {endpoint} has at most {MAX_TEXT} characters; this one has "
                f"{len(text)}."
            )
    return Statement(endpoint, value, method)

"""Accept or reject what a preparation proposes."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.cases.models import Preparation, Series
from readerstudy.cases.preparing import BLINDED
from readerstudy.cases.quality import FACE, FACE_KEPT
from readerstudy.cases.usage import usage_of
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError

COLUMNS = ("object_name", "sha256", "dtype", "shape", "spacing_mm", "affine_lps")
MAX_REASON = 500


def accept(*, preparation: Preparation, actor: Any) -> Preparation:
    """Replace the series of a case by what was prepared; the old arrays stay in the store.

    Raises
    ------
    Conflict
        It was decided already, a blinded study shows the case, or a series is not the one that
        was prepared.
    """
    with write_transaction():
        row = _open(preparation)
        if usage_of(row.case).blinded:
            raise Conflict(f"Not accepted. {BLINDED}")
        old, new = {}, {}
        for role, outcome in row.results["series"].items():
            series = _unchanged(row, role, outcome)
            old[role], new[role] = series.sha256, outcome["columns"]["sha256"]
            _replace(series, outcome)
        _decide(row, Preparation.State.ACCEPTED, actor)
        record = {"record_sha256": row.results["record"]["sha256"], "preparation": str(row.pk)}
        audit.record(
            actor=actor,
            action="case.prepare.accept",
            target=f"case {row.case_id}",
            old={"sha256": old},
            new={"sha256": new, **record},
        )
    return row


def _open(preparation: Preparation) -> Preparation:
    rows = Preparation.objects.select_for_update().select_related("case")
    row = rows.get(pk=preparation.pk)
    if row.state != Preparation.State.PROPOSED:
        raise Conflict(f"This preparation is {row.state}; only a proposed one can be decided.")
    return row


def _unchanged(row: Preparation, role: str, outcome: dict[str, Any]) -> Series:
    """The series that was prepared, as it was."""
    series = Series.objects.select_for_update().filter(case=row.case, role=role).first()
    if series is None or series.sha256 != outcome["before"]["sha256"]:
        raise Conflict(
            f"The {role} series has changed since it was prepared. Prepare the case again."
        )
    return series


def _replace(series: Series, outcome: dict[str, Any]) -> None:
    for name in COLUMNS:
        setattr(series, name, outcome["columns"][name])
    series.preparation = [*series.preparation, *outcome["steps"]]
    if outcome["brain_only"]:
        series.flags = [code for code in series.flags if code not in (FACE, FACE_KEPT)]
    series.verified_at, series.damage = None, ""
    series.save()


def _decide(row: Preparation, state: Preparation.State, actor: Any, reason: str = "") -> None:
    row.state, row.reason, row.decided_at = state, reason, timezone.now()
    row.decided_by = actor if getattr(actor, "pk", None) else None
    row.save(update_fields=["state", "reason", "decided_at", "decided_by"])


def reject(*, preparation: Preparation, actor: Any, reason: str) -> Preparation:
    """Leave the series as they are, and say why.

    Raises
    ------
    ReaderStudyError
        No reason.
    Conflict
        It was decided already.
    """
    reason = reason.strip()[:MAX_REASON]
    if not reason:
        raise ReaderStudyError("Say why the preparation is rejected.")
    with write_transaction():
        row = _open(preparation)
        _decide(row, Preparation.State.REJECTED, actor, reason)
        audit.record(
            actor=actor,
            action="case.prepare.reject",
            target=f"case {row.case_id}",
            new={"preparation": str(row.pk)},
            reason=reason,
        )
    return row

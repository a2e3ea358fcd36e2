"""Compare what is held to be true with the audit log, without saying what that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from readerstudy.core.models import AuditRecord
from readerstudy.core.verifying import Scope, verifies
from readerstudy.studies.audit_checks import studies_in
from readerstudy.truth.models import CaseUnblinding, Origin, ReferenceStandard, Unblinding

DECLARED = {"truth.declare_real": Origin.Kind.REAL, "truth.declare_synthetic": "synthetic"}
STATED = ("truth.record_reference", "truth.correct_reference")


def _cases_in(scope: Scope) -> set[str] | None:
    """Return the cases of one study; None: all."""
    if not scope.study:
        return None
    rows = studies_in(scope).values_list("study_cases__case_id", flat=True)
    return {str(pk) for pk in rows if pk is not None}


def _case_of(record: AuditRecord) -> str:
    return record.target.removeprefix("case ")


@verifies("origins")
def origins(scope: Scope) -> Iterator[str]:
    """Yield the cases whose origin is not the one that was declared."""
    cases = _cases_in(scope)
    records = AuditRecord.objects.filter(action__in=DECLARED).order_by("sequence")
    declared = {_case_of(record): record for record in records.iterator()}
    stored = {str(row.pk): row for row in Origin.objects.all()}
    for case in sorted({*declared, *stored}):
        if cases is not None and case not in cases:
            continue
        record, row = declared.get(case), stored.get(case)
        if record is None:
            yield f"The origin of case {case} is not in the log."
        elif row is None:
            yield f"The origin of case {case} is gone (record {record.sequence})."
        elif _as_stored(row) != _as_declared(record):
            yield f"The origin of case {case} was changed (record {record.sequence})."


def _as_stored(row: Origin) -> tuple[str, str, str]:
    return row.kind, row.generator, str(row.generation_run or row.external_run)


def _as_declared(record: AuditRecord) -> tuple[str, str, str]:
    new = record.new or {}
    return str(DECLARED[record.action]), new.get("generator", ""), new.get("run", "")


@verifies("reference standards")
def references(scope: Scope) -> Iterator[str]:
    """Yield the cases whose reference standard, with its corrections, is not as it was stated."""
    cases = _cases_in(scope)
    stated: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for record in AuditRecord.objects.filter(action__in=STATED).order_by("sequence").iterator():
        new = record.new
        stated[_case_of(record), new["endpoint"]].append(
            (new["value"], new["method"], record.reason)
        )
    stored: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in ReferenceStandard.objects.order_by("pk").iterator():
        stored[str(row.case_id), row.endpoint].append((row.value, row.method, row.reason))
    for case, endpoint in sorted({*stated, *stored}):
        if cases is not None and case not in cases:
            continue
        if stated.get((case, endpoint)) != stored.get((case, endpoint)):
            yield f"The reference standard {endpoint} of case {case} is not as the log states it."


@verifies("unblindings")
def unblindings(scope: Scope) -> Iterator[str]:
    """Yield the studies whose acts of unblinding are not those in the log."""
    for study in studies_in(scope):
        mine = AuditRecord.objects.filter(target=f"study {study.pk}").order_by("sequence")
        broken = [(r.new["case"], r.reason) for r in mine.filter(action="truth.break_blind")]
        rows = CaseUnblinding.objects.filter(study=study).order_by("pk")
        if broken != [*rows.values_list("case__code", "reason")]:
            yield f"The cases unblinded in study {study.pk} are not those in the log."
        opened = mine.filter(Q(action="study.unblinded")).values_list("actor_id", "reason")
        acts = Unblinding.objects.filter(study=study).values_list("actor_id", "reason")
        if sorted(opened) != sorted(acts):
            yield f"The unblinding of study {study.pk} is not the one in the log."

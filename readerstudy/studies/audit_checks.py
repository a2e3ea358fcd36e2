"""Compare studies with the audit log: phases, protocols, amendments, questions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from readerstudy.core.errors import NotFound
from readerstudy.core.models import AuditRecord
from readerstudy.core.verifying import Scope, verifies
from readerstudy.studies.lifecycle import hash_of, protocol_of
from readerstudy.studies.models import Study

PHASES = [f"study.{state}" for state in Study.State.values if state != Study.State.DRAFT]


def studies_in(scope: Scope) -> QuerySet[Study]:
    """Return the studies that are to be compared.

    Raises
    ------
    NotFound
        If there is no study of that number.
    """
    if not scope.study:
        return Study.objects.all()
    try:
        found = Study.objects.filter(pk=uuid.UUID(scope.study))
    except ValueError:
        found = Study.objects.none()
    if not found.exists():
        raise NotFound(f"There is no study {scope.study}.")
    return found


@verifies("protocols")
def protocols(scope: Scope) -> Iterator[str]:
    """Yield what disagrees in the protocols of studies."""
    for study in studies_in(scope).order_by("created_at"):
        named = f"study {study.pk}"
        records = AuditRecord.objects.filter(target=named).order_by("sequence")
        yield from _phase(study, named, records.filter(action__in=PHASES).last())
        if study.protocol is None:
            continue
        yield from _locked(study, named, records.filter(action="study.locked").last())
        yield from _amendments(study, named, list(records.filter(action="study.amend")))
        yield from _questions(study, named)


def _phase(study: Study, named: str, record: AuditRecord | None) -> Iterator[str]:
    if study.rehearsal_of_id is not None and study.protocol is None:
        return  # the copy under a preview of a draft has no phases
    stated = record.new["state"] if record else Study.State.DRAFT
    if study.state != stated:
        yield f"The {named} is {study.state}, but by the log it is {stated}."


def _locked(study: Study, named: str, record: AuditRecord | None) -> Iterator[str]:
    if hash_of(study.protocol) != study.protocol_hash:
        yield f"The locked protocol of {named} does not have its hash."
    if record is None:
        yield f"The lock of {named} is not in the log."
    elif record.new["protocol_hash"] != study.protocol_hash:
        yield f"The protocol of {named} is not the one that was locked (record {record.sequence})."


def _amendments(study: Study, named: str, records: list[AuditRecord]) -> Iterator[str]:
    logged = {record.new["version"]: record for record in records}
    stored = {one.version: one for one in study.amendments.all()}
    for version in sorted({*logged, *stored}):
        what = f"Version {version} of the protocol of {named}"
        record, row = logged.get(version), stored.get(version)
        if record is None:
            yield f"{what} is not in the log."
        elif row is None:
            yield f"{what} is gone (record {record.sequence})."
        elif hash_of(row.protocol) != row.protocol_hash:
            yield f"{what} does not have its hash."
        elif (row.protocol_hash, row.reason) != (record.new["protocol_hash"], record.reason):
            yield f"{what} was changed (record {record.sequence})."


def _questions(study: Study, named: str) -> Iterator[str]:
    """The rows that readers are asked from must say what the protocol in force says."""
    now = {one["code"]: one for one in _plain(protocol_of(study))["questions"]}
    then = {one["code"]: one for one in study.protocol_in_force["questions"]}
    for code in sorted({*now, *then}):
        if now.get(code) != then.get(code):
            yield f"The question {code} of {named} is not as the protocol in force states it."


def _plain(document: Any) -> Any:
    return json.loads(json.dumps(document))

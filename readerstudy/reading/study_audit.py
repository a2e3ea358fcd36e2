"""What an auditor asks of one study: its records, its hashes computed again, its departures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from readerstudy.core import audit
from readerstudy.core.audit_pages import Line
from readerstudy.core.cells import safe_cell
from readerstudy.core.models import AuditRecord
from readerstudy.reading import allocation
from readerstudy.reading.models import Allocation, AllocationPart, Reading
from readerstudy.reading.scheduling import certificate
from readerstudy.studies.lifecycle import hash_of
from readerstudy.studies.models import Study

COLUMNS = ("sequence", "at_utc", "who", "action", "concerns", "reason", "previous_hash", "hash")


def records_of(study: Study) -> QuerySet[AuditRecord]:
    """Return the audit records about a study and its readings, newest first."""
    readings = Reading.objects.filter(enrolment__study=study).annotate(
        target=Concat(Value("reading "), Cast("pk", CharField()))
    )
    mine = Q(target=f"study {study.pk}") | Q(target__in=readings.values("target"))
    return AuditRecord.objects.filter(mine).select_related("actor").order_by("-sequence")


@dataclass(frozen=True)
class Seal:
    """One stored hash, and whether what it seals still gives it."""

    what: str
    stored: str
    agrees: bool
    note: str = ""


def seals_of(study: Study) -> list[Seal]:
    """Return every hash of a study, computed again from what is stored now."""
    return [*_protocols(study), *seals_of_allocation(study), _chain(study)]


def _protocols(study: Study) -> Iterable[Seal]:
    if study.protocol is not None:
        agrees = hash_of(study.protocol) == study.protocol_hash
        yield Seal("Protocol, version 1", study.protocol_hash, agrees)
    for one in study.amendments.order_by("version"):
        agrees = hash_of(one.protocol) == one.protocol_hash
        yield Seal(f"Protocol, version {one.version}", one.protocol_hash, agrees)


def seals_of_allocation(study: Study) -> Iterable[Seal]:
    """Yield the hashes of the draws, computed again from the readings."""
    stored = Allocation.objects.filter(study=study).first()
    if stored is None:
        return
    proof = certificate(study)
    whole = _table_hash(proof["table"]) == stored.table_hash
    yield Seal("Allocation", stored.table_hash, whole, f"{len(proof['table'])} rows")
    tables = {part["reader"]: part["table"] for part in proof["parts"]}
    for part in AllocationPart.objects.filter(enrolment__study=study).select_related("enrolment"):
        code = part.enrolment.code
        agrees = _table_hash(tables[code]) == part.table_hash
        yield Seal(f"Allocation of {code}", part.table_hash, agrees, "added after the lock")


def _table_hash(table: list[list[Any]]) -> str:
    return allocation.table_hash([allocation.Row(*row[:7], tuple(row[7])) for row in table])


def _chain(study: Study) -> Seal:
    rows = list(records_of(study))
    broken = [row.sequence for row in rows if audit.record_hash(row) != row.hash]
    note = f"{len(rows)} records, each computed again"
    if broken:
        note = f"changed after they were written: records {', '.join(map(str, broken[:5]))}"
    return Seal("Audit records", rows[0].hash if rows else "", not broken, note)


def csv_rows(study: Study) -> Iterable[dict[str, Any]]:
    """Yield the records as a table, oldest first; what would tell a class stays hidden."""
    for record in records_of(study).order_by("sequence"):
        line = Line.of(record)
        yield {
            "sequence": record.sequence,
            "at_utc": record.at.isoformat(),
            "who": safe_cell(str(record.actor or "the server")),
            "action": line.action,
            "concerns": line.target or "hidden in this role",
            "reason": safe_cell(record.reason),
            "previous_hash": record.previous_hash,
            "hash": record.hash,
        }

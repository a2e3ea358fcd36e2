"""Append-only audit log: every write and every look at truth leaves one hash-chained record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from readerstudy.core.models import AuditRecord

GENESIS = "0" * 64


def record(
    *,
    actor: Any,
    action: str,
    target: str,
    old: Any = None,
    new: Any = None,
    reason: str = "",
) -> AuditRecord:
    """Append one record. Call it inside the transaction of the write that it describes."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record must run inside core.db.write_transaction()")
    last = _last_record()
    row = AuditRecord(
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now(),
        actor=actor if getattr(actor, "pk", None) else None,
        action=action,
        target=target,
        old=old,
        new=new,
        reason=reason,
        previous_hash=last.hash if last else GENESIS,
    )
    row.hash = record_hash(row)
    row.save(force_insert=True)
    return row


def _last_record() -> AuditRecord | None:
    rows = AuditRecord.objects.order_by("-sequence")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE core_auditrecord IN SHARE ROW EXCLUSIVE MODE")
    return rows.first()


def record_hash(row: AuditRecord) -> str:
    """Return the SHA-256 over the record's content and its predecessor's hash."""
    content = {
        "sequence": row.sequence,
        "at": row.at.isoformat(),
        "actor": row.actor_id,
        "action": row.action,
        "target": row.target,
        "old": row.old,
        "new": row.new,
        "reason": row.reason,
        "previous_hash": row.previous_hash,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def broken_links() -> Iterator[str]:
    """Yield a sentence for each record that was changed, removed or put in."""
    expected, previous = 1, GENESIS
    for row in AuditRecord.objects.order_by("sequence").iterator():
        if row.sequence != expected:
            yield f"Record {expected} is missing before record {row.sequence}."
        if row.previous_hash != previous:
            yield f"Record {row.sequence} does not follow the record before it."
        if row.hash != record_hash(row):
            yield f"Record {row.sequence} was changed after it was written."
        expected, previous = row.sequence + 1, row.hash

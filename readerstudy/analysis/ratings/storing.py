"""Store the ratings of a draft as facts; the table itself is dropped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from readerstudy.analysis.importing import facts_json
from readerstudy.analysis.importing import mapping as mappings
from readerstudy.analysis.importing.ratings_import import Examined, examine
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings import tables
from readerstudy.analysis.ratings.access import require_draft
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.stats.results import json_safe

KEPT_FAULTS = 2000


def examined(row: RatingsImport) -> Examined:
    """Return what can be made of a draft, with every fault.

    Raises
    ------
    ReaderStudyError
        If the mapping is not complete, or names a column that is not there.
    """
    require_draft(row)
    cases = tables.from_json(row.cases_table) if row.cases_table else None
    return examine(tables.from_json(row.table), mappings.parse(row.mapping), cases=cases)


def store(*, row: RatingsImport, leave_out: bool, actor: Any) -> None:
    """Store the ratings of a draft.

    Raises
    ------
    ReaderStudyError
        If something is wrong and is not to be left out, or nothing can be taken.
    Conflict
        If the same ratings are stored already.
    """
    found = examined(row)
    if found.blocking and not leave_out:
        raise ReaderStudyError(
            f"{len(found.blocking)} faults stand in the way. Mend the file and upload it again, or "
            "choose to leave out what is faulty.",
            code="faulty",
        )
    if not found.data.reads:
        raise ReaderStudyError("No rating can be taken from this table.", code="empty")
    facts = json_safe(facts_json.to_json(found.data))
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    with write_transaction():
        held = RatingsImport.objects.select_for_update().get(pk=row.pk)
        require_draft(held)
        _refuse_twice(held, digest)
        held.facts, held.facts_sha256 = facts, digest
        held.faults = [_told(one) for one in found.faults[:KEPT_FAULTS]]
        held.left_out = found.left_out
        held.table = held.cases_table = None
        held.state, held.stored_at = RatingsImport.State.STORED, timezone.now()
        held.save()
        audit.record(
            actor=actor,
            action="ratings.store",
            target=f"ratings {row.pk}",
            new={"facts_sha256": digest, "reads": len(found.data.reads),
                 "left_out": found.left_out, "attested": held.mapping.get("attested")},
        )  # fmt: skip
    row.refresh_from_db()


def _refuse_twice(row: RatingsImport, digest: str) -> None:
    stored = RatingsImport.objects.filter(created_by=row.created_by, facts_sha256=digest).first()
    if stored is not None:
        raise Conflict(f"The same ratings are stored already, as “{stored.name}”.")


def _told(fault: Any) -> dict[str, Any]:
    """Return a fault as it is kept; what stood in the cell stays with the file."""
    return {key: value for key, value in asdict(fault).items() if key != "cell"}

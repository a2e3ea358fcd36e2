"""Change what the columns of a draft mean, or throw an import away."""

from __future__ import annotations

from typing import Any

from readerstudy.analysis.importing import mapping as mappings
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings.access import require_draft
from readerstudy.core import audit
from readerstudy.core.db import write_transaction


def note_columns(*, row: RatingsImport, wanted: dict[str, Any], actor: Any) -> None:
    """Keep which column means what; the questions are defined in the next step."""
    with write_transaction():
        held = _held(row)
        held.mapping = {**held.mapping, **wanted}
        held.save(update_fields=("mapping",))
        audit.record(
            actor=actor, action="ratings.columns", target=f"ratings {row.pk}", new=held.mapping
        )
    row.mapping = held.mapping


def note_mapping(*, row: RatingsImport, wanted: dict[str, Any], actor: Any) -> None:
    """Keep a whole mapping.

    Raises
    ------
    ReaderStudyError
        With the first thing that contradicts itself; the mapping stays as it was.
    """
    with write_transaction():
        held = _held(row)
        merged = {**held.mapping, **wanted, "name": held.name}
        held.mapping = mappings.document_of(mappings.parse(merged))
        held.save(update_fields=("mapping",))
        audit.record(
            actor=actor, action="ratings.mapping", target=f"ratings {row.pk}", new=held.mapping
        )
    row.mapping = held.mapping


def _held(row: RatingsImport) -> RatingsImport:
    held = RatingsImport.objects.select_for_update().get(pk=row.pk)
    require_draft(held)
    return held


def delete(*, row: RatingsImport, reason: str, actor: Any) -> None:
    """Delete an import with its ratings and results; that it existed stays on record."""
    with write_transaction():
        audit.record(
            actor=actor,
            action="ratings.delete",
            target=f"ratings {row.pk}",
            old={"name": row.name, "state": row.state, "file_sha256": row.file_sha256,
                 "facts_sha256": row.facts_sha256},
            reason=reason,
        )  # fmt: skip
        RatingsImport.objects.filter(pk=row.pk).delete()

"""Take a table of ratings in, as a draft."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from readerstudy.analysis.importing import mapping as mappings
from readerstudy.analysis.importing.guessing import guess
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings import tables
from readerstudy.core import audit
from readerstudy.core.db import write_transaction


@dataclass(frozen=True)
class File:
    """An uploaded file."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def short_name(self) -> str:
        """The name without folders, at most 200 characters."""
        return self.name.replace("\\", "/").rsplit("/", 1)[-1][-200:]


def upload(
    *,
    name: str,
    ratings: File,
    cases: File | None = None,
    mapping: dict[str, Any] | None = None,
    actor: Any,
) -> RatingsImport:
    """Return the draft of an import, its mapping as given or guessed from the columns.

    Raises
    ------
    ReaderStudyError
        If a file is no table, or the given mapping contradicts itself.
    """
    table = tables.table_of(ratings.content, ratings.name)
    of_cases = tables.table_of(cases.content, cases.name) if cases else None
    if mapping is not None:
        mapping = mappings.document_of(mappings.parse({**mapping, "name": name}))
    with write_transaction():
        row = RatingsImport.objects.create(
            name=name,
            file_name=ratings.short_name,
            file_sha256=ratings.sha256,
            table=tables.to_json(table),
            cases_name=cases.short_name if cases else "",
            cases_sha256=cases.sha256 if cases else "",
            cases_table=tables.to_json(of_cases) if of_cases else None,
            mapping=mapping or guess(table, of_cases, name=name),
            created_by=actor if getattr(actor, "pk", None) else None,
        )
        audit.record(
            actor=actor,
            action="ratings.upload",
            target=f"ratings {row.pk}",
            new={"name": name, "file_sha256": row.file_sha256, "rows": len(table.lines),
                 "cases_sha256": row.cases_sha256},
        )  # fmt: skip
    return row

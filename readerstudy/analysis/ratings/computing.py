"""Results of imported ratings: computed once, as a job, by the functions that serve studies."""

from __future__ import annotations

from typing import Any

from readerstudy.analysis.carrying_out import Entry, Tell, carry_out, plan_digest
from readerstudy.analysis.document import EXPLORATORY, PLANNED, Document
from readerstudy.analysis.document import from_dict as document_from
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings.access import imported_dataset
from readerstudy.analysis.software import software, versions
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict


def start(*, row: RatingsImport, actor: Any) -> None:
    """Queue the computation where results are missing or another version made them."""
    if row.document is not None and row.software == software():
        return
    if row.job is not None and row.document is None:
        return
    with write_transaction():
        row.document = None
        row.job = jobs.enqueue(
            "analyse_ratings",
            title=f"Analysis of {row.name}",
            arguments={"ratings": str(row.pk)},
            actor=actor,
            key=f"ratings:{row.pk}:{software()}",
        )
        row.save(update_fields=("job", "document"))


def compute(row: RatingsImport, *, tell: Tell | None = None) -> Document:
    """Compute the results of a stored import and keep them."""
    data = imported_dataset(row)
    attested = row.mapping.get("attested")
    tag = PLANNED if attested else EXPLORATORY
    entries = [Entry(one, tag) for one in data.protocol.plan]
    found = carry_out(data, entries, provenance=_provenance(row), tell=tell)
    with write_transaction():
        row.document, row.software = found.to_dict(), software()
        row.save(update_fields=("document", "software"))
        audit.record(
            actor=row.created_by,
            action="ratings.compute",
            target=f"ratings {row.pk}",
            new={"facts_sha256": row.facts_sha256, "software": row.software},
        )
    return found


def _provenance(row: RatingsImport) -> dict[str, Any]:
    data = imported_dataset(row)
    return {
        "ratings_import": str(row.pk),
        "file_sha256": row.file_sha256,
        "cases_sha256": row.cases_sha256,
        "data_sha256": row.facts_sha256,
        "plan_sha256": plan_digest([data.protocol.plan]),
        "left_out": row.left_out,
        "planned": row.mapping.get("attested") or "not attested: every result is exploratory",
        "software": versions(),
    }


def results_of(row: RatingsImport) -> Document:
    """Return the results.

    Raises
    ------
    Conflict
        While they are being computed.
    """
    if row.document is None:
        raise Conflict("The analysis is at work. Its page shows how far it is.")
    return document_from(row.document)

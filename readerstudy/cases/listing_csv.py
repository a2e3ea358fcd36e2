"""The chosen cases as a table for a spreadsheet. What the list hides, the table hides."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from readerstudy.cases.browser import HIDDEN, Row, rows_of
from readerstudy.cases.bulk import cases_of
from readerstudy.cases.columns import columns_of
from readerstudy.cases.words import grid_text, preparation_text, source_text, spacing_text
from readerstudy.core.cells import safe_cell

HEADINGS = (
    "case",
    "subject",
    "stratum",
    "tags",
    "sequences",
    "grid",
    "spacing",
    "flags",
    "prepared",
    "source",
    "imported_utc",
    "withdrawn_utc",
    "withdrawn_reason",
    "checksums",
)


def cases_csv(keys: Sequence[Any], user: Any) -> str:
    """Return the chosen cases as CSV with headings, by code."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for row in rows_of(cases_of(keys), columns_of(user)):
        writer.writerow([safe_cell(str(cell)) for cell in _cells(row)])
    return out.getvalue()


def _cells(row: Row) -> Iterator[str]:
    case, series = row.case, row.series
    hidden = HIDDEN if row.hides else None
    yield case.code
    yield case.subject.code
    yield case.stratum
    yield ", ".join(tag.name for tag in case.tags.all())
    yield ", ".join(series)
    yield grid_text(row.first) if row.first else ""
    yield spacing_text(row.first) if row.first else ""
    yield "; ".join(flag.words for flag in row.flags)
    yield hidden or preparation_text(series.values())
    yield hidden or source_text(series.values())
    yield hidden or f"{case.created_at:%Y-%m-%dT%H:%M:%SZ}"
    yield f"{case.withdrawn_at:%Y-%m-%dT%H:%M:%SZ}" if case.withdrawn_at else ""
    yield case.withdrawn_reason
    yield "; ".join(f"{role} {one.sha256}" for role, one in series.items())

"""Uploaded tables of ratings: read within bounds, and kept as JSON until they are stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from readerstudy.analysis.importing.guessing import knows
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.tables import Bounds, Line, Problem, Table, TableError, read_content

RATINGS = Bounds(
    what="table of ratings",
    sheet="ratings",
    file_bytes=40 * 2**20,
    unpacked_bytes=400 * 2**20,
    rows=400_000,
    columns=200,
    cell=4000,
)


def table_of(content: bytes, name: str) -> Table:
    """Return the table in a file.

    Raises
    ------
    ReaderStudyError
        If it cannot be read as a table at all.
    """
    try:
        table = read_content(content, name, knows=knows, bounds=RATINGS)
    except TableError as error:
        raise ReaderStudyError(str(error), code="table") from error
    if not table.lines:
        raise ReaderStudyError("The table has a header but no rows.", code="table")
    return table


def to_json(table: Table) -> dict[str, Any]:
    """Return a table as JSON."""
    return {
        "header": table.header,
        "lines": [[line.number, line.cells] for line in table.lines],
        "problems": [asdict(one) for one in table.problems],
        "notes": table.notes,
        "dated": [list(one) for one in sorted(table.dated)],
    }


def from_json(document: dict[str, Any]) -> Table:
    """Return the table that `to_json` wrote."""
    return Table(
        header=document["header"],
        lines=[Line(number, cells) for number, cells in document["lines"]],
        problems=[Problem(**one) for one in document["problems"]],
        notes=document["notes"],
        dated={(row, index) for row, index in document["dated"]},
        bounds=RATINGS,
    )

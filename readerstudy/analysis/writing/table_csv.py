"""Tables as CSV at full precision: one column for the number, others for its limits and reason."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from readerstudy.analysis.document import Cell, Column, Document, Number, Table
from readerstudy.analysis.writing.grid import Numbered, tables_of
from readerstudy.analysis.writing.words import exact
from readerstudy.core.cells import safe_cell

NUMBER_COLUMNS = (
    "table",
    "section",
    "tag",
    "row",
    "label",
    "column",
    "value",
    "low",
    "high",
    "level",
    "form",
    "reason",
)


def table_csv(table: Table) -> str:
    """Return a table as CSV.

    A column of words stays one column. One of counts has ``_reason`` beside it; any other number
    ``_low``, ``_high``, ``_level`` and ``_reason``. Undefined numbers are empty cells.
    """
    columns = own_columns(table)
    heads = [head for column in columns for head in _heads(table, column)]
    rows = [
        [
            text
            for column in columns
            for text in _texts(table, column, row.cells.get(column.cell, ""))
        ]
        for row in table.rows
    ]
    return to_csv(heads, rows)


def to_csv(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()


def own_columns(table: Table) -> list[Column]:
    """Return the columns that hold a cell of their own: each cell is written once."""
    seen: set[str] = set()
    kept = []
    for column in table.columns:
        if column.cell not in seen:
            seen.add(column.cell)
            kept.append(column)
    return kept


def _forms(table: Table, column: Column) -> set[str]:
    cells = (row.cells.get(column.cell, "") for row in table.rows)
    return {cell.form for cell in cells if isinstance(cell, Number)}


def _heads(table: Table, column: Column) -> list[str]:
    return [column.cell + ending for ending in _endings(table, column)]


def _endings(table: Table, column: Column) -> tuple[str, ...]:
    forms = _forms(table, column)
    if not forms:
        return ("",)
    if forms <= {"count", "p"}:
        return ("", "_reason")
    return ("", "_low", "_high", "_level", "_reason")


def _texts(table: Table, column: Column, cell: Cell) -> list[str]:
    endings = _endings(table, column)
    if isinstance(cell, str):
        if endings == ("",):
            return [safe_cell(cell)]
        return [safe_cell(cell) if ending == "_reason" else "" for ending in endings]
    level = exact(cell.level) if cell.has_interval else ""
    parts = {
        "": exact(cell.value),
        "_low": exact(cell.low),
        "_high": exact(cell.high),
        "_level": level,
        "_reason": safe_cell(cell.reason),
    }
    return [parts[ending] for ending in endings]


def numbers_csv(document: Document) -> str:
    """Return every number of every table, one per row: what the scripts compare themselves to."""
    rows = [
        [str(row[name]) for name in NUMBER_COLUMNS]
        for one, table in tables_of(document)
        for row in _number_rows(one, table)
    ]
    return to_csv(NUMBER_COLUMNS, rows)


def _number_rows(one: Numbered, table: Table) -> Iterable[dict[str, Any]]:
    columns = own_columns(table)
    for place, row in enumerate(table.rows, start=1):
        label = _label(columns, row.cells)
        for column in columns:
            cell = row.cells.get(column.cell, "")
            if isinstance(cell, Number):
                yield {
                    "table": one.name,
                    "section": one.section.code,
                    "tag": one.section.tag,
                    "row": place,
                    "label": safe_cell(label),
                    "column": column.cell,
                    **_limits(cell),
                }


def _limits(cell: Number) -> dict[str, str]:
    return {
        "value": exact(cell.value),
        "low": exact(cell.low),
        "high": exact(cell.high),
        "level": exact(cell.level if cell.has_interval else math.nan),
        "form": cell.form,
        "reason": safe_cell(cell.reason),
    }


def _label(columns: Sequence[Column], cells: Any) -> str:
    """Return the words of a row: its cells of text, separated by a vertical bar."""
    words = (column for column in columns if column.kind == "text")
    texts = (cells.get(column.cell, "") for column in words)
    return " | ".join(text for text in texts if isinstance(text, str))

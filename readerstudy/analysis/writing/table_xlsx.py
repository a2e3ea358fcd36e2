"""All tables as one workbook: numbers as numbers at full precision, method, n and notes below."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from readerstudy.analysis.document import Cell, Column, Document, Number, Table
from readerstudy.analysis.writing.grid import Numbered, foot, free_name, tables_of
from readerstudy.analysis.writing.packing import fixed_office
from readerstudy.analysis.writing.words import plain, said_level

FORMATS = {
    "count": "#,##0",
    "percent": "0.0%",
    "points": "+0.0%;-0.0%;0.0%",
    "area": "0.000",
    "difference": "+0.000;-0.000;0.000",
    "kappa": "0.00",
    "p": '[<0.001]"< 0.001";0.000',
    "seconds": "0",
    "ratio": "0.00",
    "number": "General",
}
BOLD, SMALL, TITLE = Font(bold=True), Font(size=9, color="4E565E"), Font(bold=True, size=13)
RULE = Border(bottom=Side(style="thin", color="7A8188"))
TINT = PatternFill("solid", fgColor="F2F3F0")
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
INDEX = "Index"
NAME_LENGTH = 28
FIRST_ROW = 4


@dataclass(frozen=True)
class Part:
    """A printed column: a cell, or one of its limits."""

    column: Column
    part: str
    head: str


def workbook(document: Document) -> bytes:
    """Return the workbook: an index, then one sheet for each table.

    Properties and times are fixed, so the same document gives the same bytes.
    """
    book = Workbook()
    index = book.active
    index.title = INDEX
    rows = []
    taken = {INDEX.casefold()}
    for one, table in tables_of(document):
        name = _sheet_name(one, taken)
        _fill(book.create_sheet(name), one, table)
        rows.append((one, table, name))
    _fill_index(index, document, rows)
    book.properties.creator = "readerstudy"
    book.properties.title = _clean(document.title)
    out = io.BytesIO()
    book.save(out)
    return fixed_office(out.getvalue())


def _sheet_name(one: Numbered, taken: set[str]) -> str:
    wanted = FORBIDDEN.sub(" ", f"{one.number} {one.name}")[:NAME_LENGTH].strip()
    return free_name(wanted, taken)


def _fill_index(sheet: Any, document: Document, rows: list[tuple[Numbered, Table, str]]) -> None:
    _put(sheet, 1, 1, document.title, font=TITLE)
    for place, head in enumerate(("Table", "Title", "Part of the report", "Kind"), start=1):
        _put(sheet, 3, place, head, font=BOLD, border=RULE)
    for place, (one, table, name) in enumerate(rows, start=4):
        link = _put(sheet, place, 1, one.label)
        link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{name}'!A1")
        link.style = "Hyperlink"
        _put(sheet, place, 2, table.title)
        _put(sheet, place, 3, one.section.title)
        _put(sheet, place, 4, one.section.tag)
    for place, width in enumerate((12, 60, 50, 14), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width


def _fill(sheet: Any, one: Numbered, table: Table) -> None:
    parts = [part for column in table.columns for part in _parts(table, column)]
    _put(sheet, 1, 1, f"{one.label}. {table.title}", font=TITLE)
    _put(sheet, 2, 1, f"{one.section.title} ({one.section.tag})", font=SMALL)
    for place, part in enumerate(parts, start=1):
        _put(sheet, FIRST_ROW - 1, place, part.column.group, font=SMALL)
        _put(sheet, FIRST_ROW, place, part.head, font=BOLD, border=RULE, alignment=WRAPPED)
        width = 26 if part.column.kind == "text" else 13
        sheet.column_dimensions[get_column_letter(place)].width = width
    for number, row in enumerate(table.rows, start=FIRST_ROW + 1):
        for place, part in enumerate(parts, start=1):
            cell = _put_part(sheet, number, place, part, row.cells.get(part.column.cell, ""))
            if row.strong:
                cell.font, cell.fill = BOLD, TINT
    for place, line in enumerate(foot(table), start=FIRST_ROW + len(table.rows) + 2):
        _put(sheet, place, 1, plain(line), font=SMALL)
    sheet.freeze_panes = sheet.cell(FIRST_ROW + 1, 2)


WRAPPED = Alignment(wrap_text=True, vertical="top")


def _parts(table: Table, column: Column) -> list[Part]:
    """Return the columns of a sheet: limits stand in columns of their own, once."""
    if column.kind == "plot" or (column.kind == "interval" and _has_estimate(table, column)):
        return []
    if column.kind == "text":
        return [Part(column, "value", column.title)]
    numbers = [n for row in table.rows if isinstance(n := row.cells.get(column.cell, ""), Number)]
    whole = [Part(column, "value", column.title)] if column.kind != "interval" else []
    limited = next((number for number in numbers if number.has_interval), None)
    if limited is None or not (column.kind != "value" or _is_shown_apart(table, column)):
        return whole
    level = said_level(limited)
    lower, upper = f"{column.title}, lower {level} limit", f"{column.title}, upper {level} limit"
    return [*whole, Part(column, "low", lower), Part(column, "high", upper)]


def _has_estimate(table: Table, column: Column) -> bool:
    """Does another column show the number whose interval this one shows?"""
    return any(
        other.cell == column.cell and other.kind in ("value", "estimate") for other in table.columns
    )


def _is_shown_apart(table: Table, column: Column) -> bool:
    return any(
        other.cell == column.cell and other.kind in ("interval", "plot") for other in table.columns
    )


def _put_part(sheet: Any, row: int, place: int, part: Part, cell: Cell) -> Any:
    if isinstance(cell, str):
        return _put(sheet, row, place, cell if part.part == "value" else "")
    value = float(getattr(cell, part.part))
    if math.isnan(value):
        return _put(sheet, row, place, cell.reason if part.part == "value" else "")
    if math.isinf(value):
        return _put(sheet, row, place, "∞" if value > 0 else "−∞")
    made = sheet.cell(row, place, int(value) if cell.form == "count" else value)
    made.number_format = FORMATS[cell.form]
    return made


def _put(sheet: Any, row: int, place: int, text: str, **style: Any) -> Any:
    """Write words; a cell that begins like a formula stays words."""
    cell = sheet.cell(row, place)
    cell.value = _clean(text)
    if text:
        cell.data_type = "s"
        cell.quotePrefix = True
    for name, value in style.items():
        setattr(cell, name, value)
    return cell


def _clean(text: str) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub(" ", text))

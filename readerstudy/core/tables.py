"""Read a CSV or XLSX file into rows of text, without trusting it.

Nothing is guessed silently: what a spreadsheet may have changed on its own (formulas, merged
cells, dates) is refused or told, with row and column as the spreadsheet shows them.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
from openpyxl.utils import get_column_letter

MAX_PARTS = 200
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a table. Row 0 stands for the file as a whole.

    ``text`` holds nothing of the table, so that it may be logged and stored; what stands in the
    cell is in ``cell``, for the person who handed the table in.
    """

    row: int
    column: str
    text: str
    cell: str = ""

    def __str__(self) -> str:
        if not self.row:
            return self.text
        return f"Row {self.row}{f', column {self.column}' if self.column else ''}: {self.text}"


@dataclass(frozen=True)
class Bounds:
    """What a table is called, and how large it may be.

    Attributes
    ----------
    what : str
        Name of such a table in messages, such as "manifest".
    sheet : str
        Sheet of a workbook that is read; where there is none of that name, the first one.
    """

    what: str = "table"
    sheet: str = ""
    file_bytes: int = 10 * 2**20
    unpacked_bytes: int = 60 * 2**20
    rows: int = 20_000
    columns: int = 100
    cell: int = 500


class TableError(Exception):
    """The file is no table that can be read."""


@dataclass(frozen=True)
class Line:
    """One row of the table: its number, and its cells as text."""

    number: int
    cells: list[str]


@dataclass
class Table:
    """The cells of a file, and what is to be said of them."""

    header: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dated: set[tuple[int, int]] = field(default_factory=set)  # (row, index of the column)
    bounds: Bounds = field(default_factory=Bounds)


def read_table(path: Path, *, knows: Callable[[str], bool], bounds: Bounds) -> Table:
    """Read a file; ``knows`` says which column names are expected, to find the separator.

    Raises
    ------
    TableError
        If the file cannot be read as a table at all.
    """
    if path.suffix.lower() in SUFFIXES:
        if path.is_symlink() or not path.is_file():
            raise TableError(f"The {bounds.what} is no plain file.")
        if path.stat().st_size > bounds.file_bytes:
            raise TableError(_too_large(bounds))
    content = path.read_bytes() if path.suffix.lower() in SUFFIXES else b""
    return read_content(content, path.name, knows=knows, bounds=bounds)


def read_content(
    content: bytes, name: str, *, knows: Callable[[str], bool], bounds: Bounds
) -> Table:
    """Read the content of a file; its name says which kind it is.

    Raises
    ------
    TableError
        If it cannot be read as a table at all.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise TableError(f"A {bounds.what} is a .csv or .xlsx file; save it as one of these.")
    if len(content) > bounds.file_bytes:
        raise TableError(_too_large(bounds))
    table = Table(bounds=bounds)
    if suffix == ".xlsx":
        _from_xlsx(content, table)
    else:
        _from_csv(content, table, knows=knows)
    if not table.header and not table.problems:
        raise TableError(f"The {bounds.what} is empty. Its first row names the columns.")
    return table


def _too_large(bounds: Bounds) -> str:
    return f"The {bounds.what} is larger than {bounds.file_bytes // 2**20} MB."


def _from_csv(content: bytes, table: Table, *, knows: Callable[[str], bool]) -> None:
    text = _decoded(content, table)
    delimiter = _delimiter(text, knows)
    table.notes.append(f"Columns are separated by {DELIMITERS[delimiter]}s.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        _collect(table, enumerate(reader, start=1))
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num} is not well-formed CSV: {error}.") from error


def _decoded(content: bytes, table: Table) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _text(content, "utf-16")
    if b"\0" in content or content.startswith(b"PK\3\4"):
        raise TableError("This is no text file. Save the table as CSV (UTF-8) or as .xlsx.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        table.notes.append(
            "The file is not UTF-8 and was read as Windows-1252 (Latin-1). Check names with "
            "accents or umlauts, or save it as CSV UTF-8."
        )
        return _text(content, "cp1252")


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError("The characters cannot be read. Save the table as CSV UTF-8.") from error


def _delimiter(text: str, knows: Callable[[str], bool]) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")

    def known_columns(delimiter: str) -> int:
        cells = next(csv.reader([first], delimiter=delimiter), [])
        return sum(knows(cell) for cell in cells)

    return max(DELIMITERS, key=known_columns)


def _collect(table: Table, rows: Iterator[tuple[int, list[str]]]) -> None:
    """Take the first filled row as header, the others as lines; leave out empty ones."""
    for number, cells in rows:
        texts = [" ".join(cell.split()) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            continue
        if not table.header:
            table.header = texts
            if len(texts) > table.bounds.columns:
                raise TableError(
                    f"A {table.bounds.what} has at most {table.bounds.columns} columns."
                )
            continue
        if len(table.lines) >= table.bounds.rows:
            raise TableError(
                f"A {table.bounds.what} has at most {table.bounds.rows} rows; split it."
            )
        _take(table, number, texts)


def _take(table: Table, number: int, texts: list[str]) -> None:
    width, longest = len(table.header), table.bounds.cell
    if len(texts) > width:
        table.problems.append(
            Problem(number, "", f"there are {len(texts)} cells, but only {width} columns")
        )
    texts = (texts + [""] * width)[:width]
    for name, text in zip(_names(table), texts, strict=True):
        if len(text) > longest:
            table.problems.append(
                Problem(number, name, f"the cell holds more than {longest} characters")
            )
        elif text.startswith(("=", "@")):
            table.problems.append(
                Problem(number, name, "the cell is a formula; put its value there instead")
            )
    table.lines.append(Line(number, [text[:longest] for text in texts]))


def _names(table: Table) -> list[str]:
    """Return the columns by letter, as a spreadsheet shows them."""
    return [get_column_letter(index) for index in range(1, len(table.header) + 1)]


def _from_xlsx(content: bytes, table: Table) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_parts(archive, table.bounds)
            name, part = _sheet_of(archive, table.bounds.sheet)
            merged = re.findall(rb'<mergeCell\s[^>]*?ref="([A-Z0-9:]+)"', archive.read(part))
        for cells in merged[:20]:
            text = f"The cells {cells.decode()} are merged. Split them and fill every one."
            table.problems.append(Problem(0, "", text))
        _read_sheet(content, name, table)
    except TableError:
        raise
    except Exception as error:  # openpyxl raises anything on a damaged file
        raise TableError("The .xlsx file is damaged. Save it again, or as CSV UTF-8.") from error


def _check_parts(archive: zipfile.ZipFile, bounds: Bounds) -> None:
    """Refuse archives that unpack to too much, or whose XML defines entities."""
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise TableError("The .xlsx file has too many parts to be a plain table.")
    total = 0
    for part in parts:
        with archive.open(part) as stream:
            end = b""
            while piece := stream.read(2**20):
                total += len(piece)
                if total > bounds.unpacked_bytes:
                    raise TableError(
                        f"The .xlsx file unpacks to more than {bounds.unpacked_bytes // 2**20} MB."
                    )
                _check_xml(part.filename, end + piece)
                end = piece[-16:]


def _check_xml(name: str, piece: bytes) -> None:
    is_xml = name.lower().endswith((".xml", ".rels"))
    if is_xml and (b"<!DOCTYPE" in piece or b"<!ENTITY" in piece or b"\0" in piece):
        raise TableError("The .xlsx file holds XML that no spreadsheet writes; it is not read.")


def _sheet_of(archive: zipfile.ZipFile, wanted: str) -> tuple[str, str]:
    """Return name and part of the sheet that is wanted, or of the first one."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - checked above
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    sheets = [node for node in book.iter() if node.tag.endswith("}sheet")]
    if not sheets:
        raise TableError("The .xlsx file has no sheet.")
    chosen = next((s for s in sheets if s.get("name", "").lower() == wanted), sheets[0])
    target = targets[chosen.get(_REL)]
    return chosen.get("name", ""), target.lstrip("/") if target[0] == "/" else f"xl/{target}"


def _read_sheet(content: bytes, name: str, table: Table) -> None:
    with warnings.catch_warnings():  # about drawings and the like, which are not read
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    try:
        rows = book[name].iter_rows(max_row=table.bounds.rows + 2, max_col=table.bounds.columns + 1)
        _collect(table, ((n, list(_texts(table, n, row))) for n, row in enumerate(rows, start=1)))
    finally:
        book.close()
    if len(book.sheetnames) > 1:
        table.notes.append(f"Only the sheet “{name}” is read.")


def _texts(table: Table, number: int, row: Any) -> Iterator[str]:
    for index, cell in enumerate(row):
        name = get_column_letter(index + 1)
        if cell.data_type == "e":
            table.problems.append(Problem(number, name, f"the cell shows the error {cell.value}"))
            yield ""
        elif cell.data_type == "f":
            yield "="
        elif isinstance(cell.value, datetime | date | time):
            table.dated.add((number, index))
            yield _date_text(cell.value)
        else:
            yield _plain_text(cell.value)


def _date_text(value: datetime | date | time) -> str:
    if isinstance(value, datetime) and value.time() == time(0):
        return value.date().isoformat()
    return value.isoformat()


def _plain_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)

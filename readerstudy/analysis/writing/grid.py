"""A table as rows of words, and the tests of a section as such a table.

What pages, documents and LaTeX print is laid out here once; how it is drawn is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from readerstudy.analysis.document import (
    Cell,
    Column,
    Document,
    Figure,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
)
from readerstudy.analysis.writing.words import gapped, said_cell, said_interval

SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Field:
    """One printed cell: a first line, and a second one for the interval of an estimate."""

    text: str
    second: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Grid:
    """A table ready to print. ``groups`` are headings over columns: (words, how many)."""

    columns: tuple[Column, ...]
    groups: tuple[tuple[str, int], ...]
    rows: tuple[tuple[tuple[Field, ...], bool], ...]

    @property
    def has_groups(self) -> bool:
        return any(words for words, _ in self.groups)

    def is_text(self, place: int) -> bool:
        """Is a column one of words? Columns of words stand left, those of numbers right."""
        return self.columns[place].kind == "text"


def grid(table: Table) -> Grid:
    """Return what is printed of a table; drawn columns are left out."""
    columns = tuple(column for column in table.columns if column.kind != "plot")
    rows = tuple(
        (tuple(_field(column, row) for column in columns), row.strong) for row in table.rows
    )
    return Grid(columns, _groups(columns), rows)


def _field(column: Column, row: Row) -> Field:
    cell: Cell = row.cells.get(column.cell, "")
    if isinstance(cell, str):
        return Field(gapped(cell))
    second = said_interval(cell) if column.kind == "estimate" else ""
    return Field(said_cell(column, cell), second, is_number=cell.defined)


def _groups(columns: tuple[Column, ...]) -> tuple[tuple[str, int], ...]:
    groups: list[tuple[str, int]] = []
    for column in columns:
        if groups and column.group and groups[-1][0] == column.group:
            groups[-1] = (column.group, groups[-1][1] + 1)
        else:
            groups.append((column.group, 1))
    return tuple(groups)


def foot(block: Table | Figure) -> list[str]:
    """Return the lines under a table or figure: method, n, notes."""
    n = block.n if not block.n or block.n.startswith("n ") else f"n = {block.n}"
    return [line for line in (block.method, n, *block.notes) if line]


TEST_COLUMNS = (
    Column("what", "What is compared", "text"),
    Column("name", "Test", "text"),
    Column("unit", "Unit of analysis", "text"),
    Column("n", "n", "text"),
    Column("symbol", "Statistic", "text"),
    Column("statistic", "Value"),
    Column("df", "Degrees of freedom", "text"),
    Column("p", "p"),
    Column("adjusted_p", "p, adjusted"),
    Column("adjustment", "Adjustment", "text"),
    Column("null", "Null hypothesis", "text"),
    Column("assumptions", "Assumptions", "text"),
    Column("warnings", "Warnings", "text"),
)


def tests_table(section: Section) -> Table | None:
    """Return the tests of a section as a table; None where it has none."""
    if not section.tests:
        return None
    return Table(
        code="tests",
        title=f"Tests: {section.title}",
        columns=TEST_COLUMNS,
        rows=tuple(Row(_test_cells(test)) for test in section.tests),
        method="Two-sided unless the name of the test says otherwise. "
        + (section.tests[0].adjustment or "No adjustment for multiple testing was planned."),
        n="; ".join(dict.fromkeys(test.n for test in section.tests)),
    )


def _test_cells(test: Test) -> dict[str, Cell]:
    unadjusted = Number(test.adjusted_p, "p", reason="none" if not test.adjustment else test.reason)
    texts = ("what", "name", "unit", "n", "symbol", "df", "adjustment", "null", "assumptions")
    return {
        **{name: getattr(test, name) for name in texts},
        "statistic": Number(test.statistic, reason=test.reason or "none"),
        "p": Number(test.p, "p", reason=test.reason),
        "adjusted_p": unadjusted,
        "warnings": "; ".join(test.warnings),
    }


@dataclass(frozen=True)
class Numbered:
    """A table or figure with its section, its number in the report and its name in files."""

    section: Section
    block: Table | Figure
    number: int
    name: str

    @property
    def label(self) -> str:
        return f"{'Table' if isinstance(self.block, Table) else 'Figure'} {self.number}"


def numbered(document: Document) -> list[Numbered]:
    """Return every table and figure in order, tables and figures counted apart, names unique."""
    found: list[Numbered] = []
    counts = {"table": 0, "figure": 0}
    taken: set[str] = set()
    for section, block in _blocks(document):
        counts[block.kind] += 1
        name = free_name(slug(f"{section.code}-{block.code}"), taken)
        found.append(Numbered(section, block, counts[block.kind], name))
    return found


def _blocks(document: Document) -> Iterator[tuple[Section, Table | Figure]]:
    for section in document.sections:
        for block in section.blocks:
            if not isinstance(block, Passage):
                yield section, block
        if (tests := tests_table(section)) is not None:
            yield section, tests


def tables_of(document: Document) -> list[tuple[Numbered, Table]]:
    """Return every table, those of the tests among them."""
    return [(one, one.block) for one in numbered(document) if isinstance(one.block, Table)]


def figures_of(document: Document) -> list[tuple[Numbered, Figure]]:
    """Return every figure."""
    return [(one, one.block) for one in numbered(document) if isinstance(one.block, Figure)]


def slug(text: str) -> str:
    """Return a name that every file system takes."""
    return SLUG.sub("-", text.casefold()).strip("-") or "table"


def free_name(wanted: str, taken: set[str]) -> str:
    """Return ``wanted``, or it with the first free number, and take it."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return name

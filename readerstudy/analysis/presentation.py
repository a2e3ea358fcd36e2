"""What the results page shows of a document, in words and in coordinates; nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    EXPLORATORY,
    PLANNED,
    Axis,
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Number,
    Row,
    Section,
    Table,
    Test,
)
from readerstudy.analysis.writing.grid import foot
from readerstudy.analysis.writing.words import (
    PER_CENT,
    exact,
    said,
    said_cell,
    said_interval,
    strong_runs,
)

PLOT_WIDTH, ROW_HEIGHT, DIAMOND = 240.0, 36.0, 7.0
SHADES = 9
SHORT = 24  # letters of a reason that may stand in a column of numbers
PARTS = (
    ("primary", "Primary endpoints"),
    ("secondary", "Secondary endpoints"),
    (EXPLORATORY, "Exploratory analyses"),
    (DESCRIPTIVE, "Description of the reads"),
)


@dataclass(frozen=True)
class Scale:
    """Where the intervals in the rows of a table lie, in pixels from the left."""

    axis: Axis
    factor: float = 1.0  # from the numbers to what is written at the ticks

    def x(self, value: float) -> float:
        share = (value - self.axis.low) / (self.axis.high - self.axis.low)
        return round(PLOT_WIDTH * min(1.0, max(0.0, share)), 2)

    @property
    def ticks(self) -> list[dict[str, Any]]:
        """Round values along the axis, with their place."""
        span = self.axis.high - self.axis.low
        step = 10 ** math.floor(math.log10(span / 2))
        step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
        first = math.ceil(round(self.axis.low / step, 9))
        last = math.floor(round(self.axis.high / step, 9))
        values = [round(number * step, 12) for number in range(first, last + 1)]
        return [
            {"text": f"{value * self.factor:g}".replace("-", "−"), "x": self.x(value)}
            for value in values
        ]

    @property
    def reference(self) -> float | None:
        return None if math.isnan(self.axis.reference) else self.x(self.axis.reference)

    @property
    def band(self) -> dict[str, float] | None:
        if self.axis.band is None:
            return None
        left, right = map(self.x, self.axis.band)
        return {"x": left, "width": round(right - left, 2)}


@dataclass(frozen=True)
class Shown:
    """One cell as it stands on the page."""

    kind: str
    text: str = ""
    small: str = ""
    reason: bool = False  # the small text says why there is no interval
    title: str = ""
    url: str = ""
    undefined: bool = False
    right: bool = False  # aligned to the right, as the numbers of its column
    mark: dict[str, Any] | None = None
    shade: int = 0


@dataclass(frozen=True)
class ShownTable:
    """A table of the page: heads in two lines, rows of cells."""

    table: Table
    groups: list[tuple[str, int]]
    heads: tuple[Column, ...]
    rows: list[tuple[list[Shown], bool]]
    scale: Scale | None = None

    @property
    def has_groups(self) -> bool:
        return any(name for name, _ in self.groups)


@dataclass(frozen=True)
class ShownTest:
    """A test of the page."""

    test: Test
    statistic: str
    p: str
    adjusted: str


@dataclass(frozen=True)
class ShownSection:
    """A section of the page."""

    section: Section
    lead: list[list[tuple[str, bool]]]
    blocks: list[Any]
    tests: list[ShownTest]
    part: str
    name: str = field(default="")

    @property
    def label(self) -> str:
        """The tag beside the title."""
        if self.section.tag != PLANNED:
            return self.section.tag
        return f"planned, {'primary' if self.section.primary else 'secondary'}"


def page_of(document: Document, *, reads_url: str = "") -> dict[str, Any]:
    """Return what the template needs; ``reads_url`` is the page of the reads behind a cell."""
    shown = [section_of(one, reads_url) for one in document.sections]
    parts = [
        {"code": code, "title": title, "sections": [one for one in shown if one.part == code]}
        for code, title in PARTS
    ]
    return {
        "document": document,
        "summary": [strong_runs(line) for line in document.summary],
        "parts": [part for part in parts if part["sections"]],
    }


def section_of(section: Section, reads_url: str) -> ShownSection:
    """Return a section as it is shown."""
    part = section.tag
    if part == PLANNED:
        part = "primary" if section.primary else "secondary"
    return ShownSection(
        section=section,
        lead=[strong_runs(line) for line in section.lead[1 if section.primary else 0 :]],
        blocks=[_block(one, reads_url) for one in section.blocks],
        tests=[_test(one) for one in section.tests],
        part=part,
    )


def _block(block: Block, reads_url: str) -> dict[str, Any]:
    if isinstance(block, Table):
        shown = table_of(block, reads_url)
        return {"kind": "table", "block": block, "shown": shown, "foot": foot(block)}
    if isinstance(block, Figure):
        return {"kind": "figure", "block": block, "foot": foot(block)}
    return {"kind": "passage", "block": block, "runs": strong_runs(block.text)}


def _test(test: Test) -> ShownTest:
    df = f" ({test.df})" if test.df else ""
    statistic = Number(test.statistic, "number")
    said_statistic = f"{test.symbol}{df} = {said(statistic)}" if statistic.defined else ""
    return ShownTest(
        test=test,
        statistic=said_statistic,
        p=said(Number(test.p, "p", reason=test.reason or "not defined")),
        adjusted="" if math.isnan(test.adjusted_p) else said(Number(test.adjusted_p, "p")),
    )


def table_of(table: Table, reads_url: str = "") -> ShownTable:
    """Return a table as it is shown."""
    scale = Scale(table.axis, _factor(table)) if table.axis else None
    rows = [
        ([_cell(table, column, row, scale, reads_url) for column in table.columns], row.strong)
        for row in table.rows
    ]
    return ShownTable(table, list(_groups(table.columns)), table.columns, rows, scale)


def _factor(table: Table) -> float:
    """Return 100 where the drawn numbers are said in per cent."""
    drawn = [column.cell for column in table.columns if column.kind == "plot"]
    cells = (row.cells.get(code) for row in table.rows for code in drawn)
    forms = {cell.form for cell in cells if isinstance(cell, Number)}
    return 100.0 if forms & set(PER_CENT) else 1.0


def _groups(columns: Sequence[Column]) -> Iterator[tuple[str, int]]:
    for name, members in groupby(columns, key=lambda column: column.group):
        yield name, len(list(members))


def _cell(table: Table, column: Column, row: Row, scale: Scale | None, reads_url: str) -> Shown:
    cell: Cell = row.cells.get(column.cell, "")
    right = column.kind in ("value", "estimate")
    if isinstance(cell, str):
        return Shown("text", said_cell(column, cell), right=right)
    if column.kind == "plot":
        return Shown("plot", mark=_mark(cell, scale, row.strong) if scale else None)
    if not cell.defined:
        repeated = column.kind == "interval"
        return Shown(column.kind, "" if repeated else cell.reason or "not defined", undefined=True)
    query = urlencode(sorted(cell.behind.items())) if cell.behind and reads_url else ""
    return Shown(
        kind=column.kind,
        text=said_cell(column, cell),
        small=_small(cell) if column.kind == "estimate" else "",
        reason=not cell.has_interval,
        title=_title(cell),
        url=f"{reads_url}?{query}" if query else "",
        shade=_shade(cell.value) if table.layout == "matrix" else 0,
    )


def _small(cell: Number) -> str:
    return said_interval(cell) or cell.reason


def _title(cell: Number) -> str:
    """Return the number at full precision, for whoever points at it."""
    if not cell.has_interval:
        return exact(cell.value)
    return f"{exact(cell.value)} ({exact(cell.low)} to {exact(cell.high)})"


def _shade(value: float) -> int:
    return max(0, min(SHADES - 1, int(value * SHADES)))


def _mark(cell: Number, scale: Scale, strong: bool) -> dict[str, Any] | None:
    """Return the places of estimate and limits; None where there is nothing to draw."""
    if not (cell.defined and cell.has_interval):
        return None
    x, low, high = (scale.x(value) for value in (cell.value, cell.low, cell.high))
    middle = ROW_HEIGHT / 2
    corners = ((low, middle), (x, middle - DIAMOND), (high, middle), (x, middle + DIAMOND))
    return {
        "x": x,
        "square": x - 4,
        "low": low,
        "high": high,
        "diamond": " ".join(f"{a:g},{b:g}" for a, b in corners) if strong else "",
    }

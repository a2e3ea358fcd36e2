"""A report laid out: parts with their blocks, ready for a template that only prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    EXPLORATORY,
    PLANNED,
    Block,
    Document,
    Figure,
    Number,
    Passage,
    Section,
    Table,
    Test,
)
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.writing import drawing
from readerstudy.analysis.writing.checklists import CHECKLISTS, filled
from readerstudy.analysis.writing.flow import flow_section
from readerstudy.analysis.writing.grid import Grid, Numbered, foot, grid, numbered
from readerstudy.analysis.writing.methods import Source, methods_of, references
from readerstudy.analysis.writing.papers import Papers, day
from readerstudy.analysis.writing.words import said, said_p, strong_runs
from readerstudy.stats.figure_data import ForestRow

Runs = list[tuple[str, bool]]
SHADES = 9
SHORT = 14  # rows of a table that is kept on one page
NARROW, CROWDED = 7, 10  # columns from which the letters are smaller
GROUPS = (
    ("planned-primary", "Results: planned, primary"),
    ("planned-secondary", "Results: planned, secondary"),
    ("exploratory", "Results: exploratory"),
    ("descriptive", "Results: descriptive"),
)
PHASES = {
    "locked": "Protocol locked",
    "running": "Reading began",
    "closed": "Reading closed",
    "unblinded": "Unblinded",
}
NO_PRIMARY = "No primary endpoint was planned. The results stand below, part by part."


@dataclass(frozen=True)
class Laid:
    """A block as a template prints it; ``kind`` is table, figure, passage or tests."""

    kind: str
    label: str = ""
    title: str = ""
    runs: Runs | None = None
    foot: Sequence[Runs] = ()
    rows: Sequence[Sequence[Mapping[str, Any]]] = ()
    heads: Sequence[Mapping[str, Any]] = ()
    groups: Sequence[tuple[str, int]] = ()
    css: str = ""
    svg: str = ""
    alt: str = ""
    tests: Sequence[Mapping[str, Any]] = ()
    adjusts: bool = False


def source_of(document: Document, data: Dataset, papers: Papers) -> Source:
    """Return what writers draw on: the document with the flow of the readings as first section."""
    if any(section.code == "flow" for section in document.sections):
        return Source(document, data, papers)
    sections = (flow_section(data), *document.sections)
    return Source(replace(document, sections=sections), data, papers)


def context_of(source: Source) -> dict[str, Any]:
    """Return everything that the template of the report prints."""
    document, papers = source.document, source.papers
    laid = {section.code: _laid(section, numbered(document)) for section in document.sections}
    sections = [one for one in document.sections if one.code != "flow"]
    return {
        "title": document.title or "Analysis",
        "identity": list(_identity(source)),
        "summary": [strong_runs(line) for line in document.summary or (NO_PRIMARY,)],
        "facts": document.facts,
        "flow": laid["flow"],
        "certificate": list(_certificate(papers)),
        "methods": [
            (heading, [strong_runs(one) for one in paragraphs])
            for heading, paragraphs in methods_of(source)
        ],
        "groups": [
            {"code": code, "title": title, "sections": [_shown(one, laid) for one in found]}
            for code, title in GROUPS
            if (found := [one for one in sections if _group(one) == code])
        ],
        "amendments": papers.amendments,
        "departures": papers.departures,
        "checklists": [_plain_table(filled(one, source)) for one in CHECKLISTS],
        "references": [*references(source), *(one.source for one in CHECKLISTS)],
    }


def _group(section: Section) -> str:
    if section.tag == PLANNED:
        return "planned-primary" if section.primary else "planned-secondary"
    return section.tag if section.tag in (EXPLORATORY, DESCRIPTIVE) else DESCRIPTIVE


def _shown(section: Section, laid: Mapping[str, list[Laid]]) -> dict[str, Any]:
    rank = ", primary" if section.primary else ""
    return {
        "code": section.code,
        "title": section.title,
        "tag": f"{section.tag}{rank}",
        "lead": [strong_runs(line) for line in section.lead],
        "blocks": laid[section.code],
    }


def _identity(source: Source) -> Iterable[tuple[str, str, bool]]:
    """Yield what the numbers rest on: (name, value, is a hash)."""
    protocol, rests = source.data.protocol, source.document.provenance
    yield "Study", protocol.name or source.document.title, False
    if protocol.hash:
        yield "Protocol", f"version {protocol.version}", False
        yield "SHA-256 of the protocol", protocol.hash, True
    for name, key in (("plan", "plan_sha256"), ("data", "data_sha256")):
        if rests.get(key):
            yield f"SHA-256 of the {name}", str(rests[key]), True
    for phase, words in PHASES.items():
        if at := source.papers.dates.get(phase):
            yield words, day(at), False
    for line in source.document.facts:
        yield "Readings", line, False
    software = rests.get("software") or {}
    if software:
        yield "Software", ", ".join(f"{name} {one}" for name, one in software.items()), False


def _certificate(papers: Papers) -> Iterable[tuple[str, str, bool]]:
    drawn = papers.certificate
    if not drawn:
        return
    yield "Algorithm", str(drawn["algorithm"]), False
    yield "Seed", str(drawn["seed"]), True
    yield "Drawn on", day(str(drawn["created_at"])), False
    yield "Rows of the stored table", f"{len(drawn['table']):,}", False
    yield "SHA-256 of the table", str(drawn["table_hash"]), True
    yield "SHA-256 of the design", str(drawn["design_hash"]), True
    for part in drawn.get("parts", ()):
        rows = f"{len(part['table']):,} rows, seed {part['seed']}"
        yield f"Added after the lock: {part['reader']}", rows, False
    for one in drawn.get("takeovers", ()):
        rows = f"{len(one['table']):,} readings of {one['replaces'] or 'a withdrawn reader'}"
        yield f"Taken over by {one['reader']}", rows, False


def _laid(section: Section, all_numbered: Sequence[Numbered]) -> list[Laid]:
    mine = {id(one.block): one for one in all_numbered if one.section.code == section.code}
    laid = [one for block in section.blocks for one in _block(block, mine)]
    return [*laid, *_tests(section, all_numbered)]


def _block(block: Block, mine: Mapping[int, Numbered]) -> list[Laid]:
    if isinstance(block, Passage):
        return [Laid("passage", runs=strong_runs(block.text))]
    label = mine[id(block)].label
    if isinstance(block, Figure):
        return [_figure(block, label)]
    return [_table(block, label)]


def _figure(figure: Figure, label: str) -> Laid:
    css = "half" if figure.width == "half" else "wide"
    return Laid(
        "figure",
        label,
        figure.title,
        foot=_foot(figure),
        svg=drawing.svg(figure),
        alt=figure.alt,
        css=css,
    )


def _foot(block: Table | Figure) -> list[Runs]:
    return [strong_runs(line) for line in foot(block)]


def _table(table: Table, label: str) -> Laid:
    made = grid(table)
    size = "crowded" if len(made.columns) >= CROWDED else "narrow"
    css = [size] if len(made.columns) >= NARROW else []
    css += ["short"] if len(made.rows) <= SHORT else []
    css += ["matrix"] if table.layout == "matrix" else []
    css += ["half"] if table.width == "half" and len(made.columns) < NARROW else []
    drawn = plot_of(table)
    return Laid(
        "table",
        label,
        table.title,
        foot=_foot(table),
        heads=[
            {"title": one.title, "css": "t" if made.is_text(n) else ""}
            for n, one in enumerate(made.columns)
        ],
        groups=made.groups if made.has_groups else (),
        rows=_rows(table, made),
        css=" ".join(css),
        svg=drawing.svg(drawn) if drawn else "",
        alt=drawn.alt if drawn else "",
    )


def _rows(table: Table, made: Grid) -> list[list[dict[str, Any]]]:
    rows = []
    for row, (fields, strong) in zip(table.rows, made.rows, strict=True):
        cells = []
        for place, (column, field) in enumerate(zip(made.columns, fields, strict=True)):
            cell = row.cells.get(column.cell, "")
            is_reason = isinstance(cell, Number) and not cell.defined
            css = [
                "t" if made.is_text(place) else "",
                "strong" if strong else "",
                "reason" if is_reason else "",
                _shade(table, cell),
            ]
            second = field.second
            cells.append({"text": field.text, "second": second, "css": " ".join(filter(None, css))})
        rows.append(cells)
    return rows


def _shade(table: Table, cell: Number | str) -> str:
    if table.layout != "matrix" or isinstance(cell, str) or not cell.defined:
        return ""
    return f"shade-{round(SHADES * min(1.0, max(0.0, cell.value)))}"


def _plain_table(table: Table) -> Laid:
    return _table(table, "")


def plot_of(table: Table) -> Figure | None:
    """Return the intervals that a table draws in its rows as a figure; None where it draws none."""
    from readerstudy.stats.figures import forest

    column = next((one for one in table.columns if one.kind == "plot"), None)
    if column is None or table.axis is None:
        return None
    before = table.columns[: table.columns.index(column)]
    words = [one.cell for one in before if one.kind == "text"]
    rows = []
    taken: set[str] = set()
    for row in table.rows:
        cell = row.cells.get(column.cell, "")
        if isinstance(cell, Number) and cell.defined:
            scale = 100.0 if cell.form in ("percent", "points") else 1.0
            named = (row.cells.get(name, "") for name in words)
            label = _unlike(", ".join(one for one in named if one and isinstance(one, str)), taken)
            value, low, high = (scale * one for one in (cell.value, cell.low, cell.high))
            rows.append(ForestRow(label, value, low, high, overall=row.strong))
    if not rows:
        return None
    scale = 100.0 if _is_share(table, column.cell) else 1.0
    axis = table.axis
    band = (scale * axis.band[0], scale * axis.band[1]) if axis.band else None
    reference = None if axis.reference != axis.reference else scale * axis.reference
    unit = ", %" if scale != 1.0 and "%" not in column.title else ""
    name = f"{column.title or table.title}{unit}{f' ({axis.title})' if axis.title else ''}"
    chart = forest(rows, reference=reference, band=band, axis=name)
    return Figure(f"{table.code}-plot", table.title, chart.to_dict(), name, table.method, table.n)


def _unlike(label: str, taken: set[str]) -> str:
    """Return a label that no other row has: rows of one label would be drawn as one."""
    while label in taken:
        label += "\N{ZERO WIDTH SPACE}"
    taken.add(label)
    return label


def _is_share(table: Table, code: str) -> bool:
    cells = (row.cells.get(code, "") for row in table.rows)
    return any(isinstance(one, Number) and one.form in ("percent", "points") for one in cells)


def _tests(section: Section, all_numbered: Sequence[Numbered]) -> list[Laid]:
    if not section.tests:
        return []
    label = next(
        one.label
        for one in all_numbered
        if one.section.code == section.code and one.block.code == "tests"
    )
    adjusts = any(test.adjustment for test in section.tests)
    shown = [_test(test) for test in section.tests]
    return [Laid("tests", label, "Tests", tests=shown, adjusts=adjusts)]


def _test(test: Test) -> dict[str, Any]:
    statistic = said(Number(test.statistic)) if test.symbol else ""
    df = f", df {test.df}" if test.df else ""
    adjusted = Number(test.adjusted_p, "p")
    return {
        "what": test.what,
        "name": test.name,
        "unit": test.unit,
        "n": test.n,
        "statistic": f"{test.symbol} = {statistic}{df}" if statistic else "",
        "p": said_p(test.p).removeprefix("p = ").removeprefix("p "),
        "reason": test.reason,
        "adjusted": said(adjusted) if adjusted.defined else "",
        "adjustment": test.adjustment,
        "null": test.null,
        "assumptions": test.assumptions,
        "warnings": "; ".join(test.warnings),
    }

"""Tables and running text as DOCX, with the look of a paper: three rules and no boxes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from readerstudy.analysis.document import Document, Table
from readerstudy.analysis.writing.grid import Field, Grid, Numbered, foot, grid, tables_of
from readerstudy.analysis.writing.packing import fixed_office
from readerstudy.analysis.writing.words import strong_runs

FONT = "Arial"
INK = RGBColor(0x1A, 0x1E, 0x22)
THICK, THIN = "12", "4"  # eighths of a point
WIDE = 7  # columns from which a sheet of its own is turned


def tables_docx(document: Document) -> bytes:
    """Return all tables as one document; the same document gives the same bytes."""
    made = _new(document.title)
    for place, (one, table) in enumerate(tables_of(document)):
        _sheet(made, first=place == 0, wide=len(grid(table).columns) >= WIDE)
        _add_table(made, one, table)
    return _saved(made)


def text_docx(title: str, parts: Sequence[tuple[str, Sequence[str]]]) -> bytes:
    """Return headings with their paragraphs as a document; ``**`` marks what is strong."""
    made = _new(title)
    _heading(made, title, 16)
    for heading, paragraphs in parts:
        _heading(made, heading, 12)
        for paragraph in paragraphs:
            _add_runs(made.add_paragraph(), paragraph, Pt(10.5))
    return _saved(made)


def checklists_docx(title: str, tables: Sequence[Table]) -> bytes:
    """Return tables of words, each under its title, as a document."""
    made = _new(title)
    for table in tables:
        _heading(made, table.title, 14)
        _draw(made, table)
    return _saved(made)


def _new(title: str) -> Any:
    made = docx.Document()
    style = made.styles["Normal"]
    style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(10), INK
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    properties = made.core_properties
    properties.author, properties.title, properties.comments = "readerstudy", title, ""
    properties.revision = 1
    section = made.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    _margins(section)
    return made


def _margins(section: Any) -> None:
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Mm(20))


def _saved(made: Any) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return fixed_office(out.getvalue())


def _heading(made: Any, text: str, size: int) -> None:
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = Pt(size / 2)
    run = paragraph.add_run(text)
    run.bold, run.font.size = True, Pt(size)


def _sheet(made: Any, *, first: bool, wide: bool) -> None:
    """Begin a page, turned where the table is wide."""
    section = made.sections[0] if first else made.add_section()
    _margins(section)
    short, long = Mm(210), Mm(297)
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if wide else (short, long)


def _add_table(made: Any, one: Numbered, table: Table) -> None:
    caption = made.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    _add_runs(caption, f"**{one.label}.** {table.title}", Pt(10))
    _draw(made, table)


def _draw(made: Any, table: Table) -> None:
    laid = grid(table)
    heads = 2 if laid.has_groups else 1
    drawn = made.add_table(rows=heads + len(laid.rows), cols=len(laid.columns))
    drawn.autofit = True
    _fill_heads(drawn, laid)
    for number, (fields, strong) in enumerate(laid.rows, start=heads):
        for place, field in enumerate(fields):
            _fill(drawn.cell(number, place), field, strong, right=not laid.is_text(place))
    _rule(drawn.rows[0], "top", THICK)
    _rule(drawn.rows[heads - 1], "bottom", THIN)
    _rule(drawn.rows[-1], "bottom", THICK)
    for row in drawn.rows:
        _keep_whole(row)
    for row in drawn.rows[:heads]:
        _repeat(row)
    for line in foot(table):
        _add_runs(made.add_paragraph(), line, Pt(8.5))


def _fill_heads(drawn: Any, laid: Grid) -> None:
    place = 0
    for words, width in laid.groups if laid.has_groups else ():
        cell = drawn.cell(0, place)
        if width > 1:
            cell = cell.merge(drawn.cell(0, place + width - 1))
        _fill(cell, Field(words), True, right=False)
        cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        if words:
            _cell_rule(cell, "bottom", THIN)
        place += width
    row = 1 if laid.has_groups else 0
    for place, column in enumerate(laid.columns):
        _fill(drawn.cell(row, place), Field(column.title), True, right=not laid.is_text(place))


def _fill(cell: Any, field: Field, strong: bool, *, right: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(2)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = paragraph.add_run(field.text)
    run.bold, run.font.size = strong, Pt(9)
    if field.second:
        run.add_break()
        second = paragraph.add_run(field.second)
        second.font.size = Pt(8)


def _add_runs(paragraph: Any, text: str, size: Any) -> None:
    for part, strong in strong_runs(text):
        run = paragraph.add_run(part)
        run.bold, run.font.size = strong, size


def _rule(row: Any, side: str, weight: str) -> None:
    for cell in row.cells:
        _cell_rule(cell, side, weight)


def _cell_rule(cell: Any, side: str, weight: str) -> None:
    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = OxmlElement("w:tcBorders")
        properties.append(borders)
    edge = borders.find(qn(f"w:{side}"))
    if edge is None:
        edge = OxmlElement(f"w:{side}")
        borders.append(edge)
    for name, value in (("val", "single"), ("sz", weight), ("space", "0"), ("color", "1A1E22")):
        edge.set(qn(f"w:{name}"), value)


def _keep_whole(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _repeat(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))

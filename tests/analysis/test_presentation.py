"""What the results page makes of a document: words, places on the axis, reasons in their place."""

from __future__ import annotations

import math

import pytest

from readerstudy.analysis.document import (
    NAN,
    PLANNED,
    Axis,
    Column,
    Document,
    Number,
    Row,
    Section,
    Table,
    Test,
    from_dict,
)
from readerstudy.analysis.presentation import PLOT_WIDTH, page_of, section_of, table_of

COLUMNS = (
    Column("reader", "Reader", "text"),
    Column("share", "Correct, %", "estimate"),
    Column("interval", "95 % interval", "interval", source="share"),
    Column("plot", "", "plot", source="share"),
    Column("p", "p"),
)


def table(*rows: Row, **more: object) -> Table:
    made = {"axis": Axis(0.4, 0.8, reference=0.5, band=(0.4, 0.6)), **more}
    return Table("t", "Readers", COLUMNS, tuple(rows), "Wilson.", "8 reads", **made)


def row(share: Number, p: float = 0.0004) -> Row:
    return Row({"reader": "R1", "share": share, "p": Number(p, "p")})


def test_numbers_are_said_and_kept_whole_in_the_title():
    shown = table_of(table(row(Number(0.598, "percent", 0.536, 0.659))))
    ((cells, strong),) = shown.rows
    reader, share, interval, plot, p = cells
    assert (reader.text, reader.kind, strong) == ("R1", "text", False)
    assert (share.text, share.small) == ("59.8", "53.6 to 65.9")
    assert share.title == "0.598 (0.536 to 0.659)"
    assert interval.text == "53.6 to 65.9"
    assert p.text == "< 0.001"
    assert plot.mark["x"] == pytest.approx(PLOT_WIDTH * (0.598 - 0.4) / 0.4, abs=0.01)
    assert [tick["text"] for tick in shown.scale.ticks] == ["40", "50", "60", "70", "80"]
    assert shown.scale.band == {"x": 0.0, "width": PLOT_WIDTH / 2}


def test_an_undefined_number_shows_its_reason_once():
    cells = table_of(table(row(Number(NAN, "percent", reason="no reads"), p=NAN))).rows[0][0]
    assert (cells[1].text, cells[1].undefined) == ("no reads", True)
    assert cells[2].text == ""
    assert cells[3].mark is None
    assert cells[4].text == "not defined"


def test_a_missing_interval_says_why_below_the_number():
    cell = table_of(table(row(Number(1.0, "percent", reason="one cluster")))).rows[0][0][1]
    assert (cell.text, cell.small, cell.reason) == ("100.0", "one cluster", True)


def test_a_count_leads_to_its_reads_and_nothing_else_does():
    behind = Number(7.0, "count", behind={"reader": "R1", "answer": "real"})
    made = table(Row({"reader": "R1", "share": behind, "p": Number(0.5, "p")}))
    cells = table_of(made, "/reads/").rows[0][0]
    assert cells[1].url == "/reads/?answer=real&reader=R1"
    assert cells[4].url == ""
    assert table_of(made).rows[0][0][1].url == ""


def test_sections_stand_in_their_part_with_every_p_value_explained():
    test = Test(
        code="main", what="all readers", name="Wald", unit="case", n="8 cases", null="half",
        assumptions="clusters are independent", p=NAN, reason="one class",
    )  # fmt: skip
    sections = (
        Section("a", "A", PLANNED, primary=True, lead=("**59.8 %** of reads.",), tests=(test,)),
        Section("b", "B", "exploratory"),
    )
    page = page_of(Document("Study", ("**59.8 %** of reads.",), (), sections))
    assert [part["code"] for part in page["parts"]] == ["primary", "exploratory"]
    assert page["summary"][0][0] == ("59.8\N{NARROW NO-BREAK SPACE}%", True)
    first, second = (part["sections"][0] for part in page["parts"])
    assert (first.label, second.label) == ("planned, primary", "exploratory")
    assert first.lead == [], "the summary says it"
    assert first.tests[0].p == "one class"


def test_a_stored_document_is_the_same_again():
    sections = (Section("a", "A", PLANNED, blocks=(table(row(Number(0.6, "percent"))),)),)
    made = Document("Study", (), ("8 reads",), sections, {"data_sha256": "x"})
    again = from_dict(made.to_dict())
    assert again.to_dict() == made.to_dict()
    number = again.section("a").tables[0].rows[0].cells["share"]
    assert (number.value, math.isnan(number.low)) == (0.6, True)
    with pytest.raises(KeyError):
        again.section("b")
    assert section_of(again.section("a"), "").label == "planned, secondary"

"""The report says everything of the document, nothing that it must not, and always the same."""

from __future__ import annotations

import html.parser
import re
from dataclasses import replace

import pypdfium2
import pytest
from PIL import ImageFile

from readerstudy.analysis.document import Document, Passage, Section
from readerstudy.analysis.writing import paged, report
from readerstudy.analysis.writing.checklists import AUTHORS, CHECKLISTS, filled
from readerstudy.analysis.writing.layout import plot_of, source_of
from readerstudy.analysis.writing.methods import methods_markdown
from readerstudy.analysis.writing.papers import NO_PAPERS
from tests.analysis.making import dataset, item
from tests.analysis.writing import making

VOID = {"meta", "br", "img", "link", "hr", "input"}


@pytest.fixture(scope="module")
def text():
    return report.html(making.document(), making.data(), making.papers())


class Balance(html.parser.HTMLParser):
    """Every element that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id" and "svg" not in self.open]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_html_is_well_formed_and_each_link_leads_somewhere(text):
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(parser.ids)


def test_the_html_fetches_nothing_and_runs_nothing(text):
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "http" not in without_names
    assert "<script" not in text
    assert " onclick" not in text


def test_the_report_holds_every_table_test_and_lead(text):
    words = words_of(text)
    for wanted in (
        "Research use only. Not for diagnosis or treatment.",
        "Real or synthetic, per reader",
        "53.6 to 65.9",
        "R3 has not answered",
        "Exact binomial test (Clopper and Pearson 1934)",
        "Null hypothesis: Readers guess",
        "holm over 2 tests of the family",
        "no event was observed",
        "0123456789abcdef",
        "A case was not fit to be read",
        "power cut",
        "STARD 2015",
        "GRRAS",
        "CLAIM 2024",
        "a" * 64,
        "c" * 64,
    ):
        assert wanted in words, wanted
    assert "=HYPERLINK(1)" in words


def test_primary_comes_before_secondary_before_exploratory_before_descriptive(text):
    places = [text.index(f'<section id="{code}"') for code in GROUPS]
    assert places == sorted(places)


GROUPS = ("planned-primary", "planned-secondary", "exploratory", "descriptive")


def test_text_of_people_is_escaped():
    bad = Section("s", "<b>x</b>", "planned", blocks=(Passage("<script>alert(1)</script>"),))
    made = report.html(Document("<i>t</i>", (), (), (bad,)), making.data())
    assert "<script" not in made
    assert "<b>x" not in made
    assert "<i>t" not in made


def test_an_empty_study_has_a_report():
    data = dataset([], [item("C1")], readers=("R1",), planned=1)
    made = words_of(report.html(Document("", (), (), ()), data))
    assert "No primary endpoint was planned" in made
    assert "no allocation was drawn" in made
    assert "collected elsewhere" in made


def test_the_pdf_has_the_same_bytes_numbered_pages_and_its_title(text):
    first = paged.pdf_of(text)
    assert first == paged.pdf_of(text)
    with pypdfium2.PdfDocument(first) as made:
        count = len(made)
        pages = [made[n].get_textpage().get_text_bounded() for n in range(count)]
        title = made.get_metadata_dict()["Title"]
    assert title == "A visual Turing test: report"
    assert f"Page 3 of {count}" in pages[2]
    assert "A visual Turing test" in pages[2]
    assert all(len(page.split()) > 20 for page in pages), "a page is all but empty"


def test_the_pdf_says_which_package_is_missing(monkeypatch):
    import builtins

    real = builtins.__import__

    def refuse(name, *rest):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(paged.DrawingUnavailable, match=r"libpango-1\.0-0 libpangoft2-1.0-0"):
        paged.pdf_of("<p>x</p>")


def test_a_report_may_not_fetch():
    made = report.html(making.document(), making.data())
    linked = made.replace("</head>", '<link rel="stylesheet" href="http://x.example/a.css"></head>')
    with pytest.raises(BaseException, match=r"x\.example") as refused:
        paged.pdf_of(linked)
    assert type(refused.value).__name__ == "FatalURLFetchingError"


def test_drawing_a_report_leaves_damaged_pictures_refused():
    """WeasyPrint tells Pillow to take them, for the whole process."""
    paged.pdf_of("<p>Nothing</p>")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize(("place", "count"), [(0, 34), (1, 15), (2, 44)])
def test_each_checklist_has_all_items_of_the_published_list(place, count):
    source = source_of(making.document(), making.data(), making.papers())
    table = filled(CHECKLISTS[place], source)
    assert len(table.rows) == count
    answers = [row.cells["answer"] for row in table.rows]
    assert all(answers)
    assert 0 < answers.count(AUTHORS) < count


def test_what_the_study_cannot_know_is_left_to_the_authors():
    data = replace(making.data(), protocol=replace(making.data().protocol, plan=(), hash=""))
    source = source_of(making.document(), data, NO_PAPERS)
    answers = {row.cells["item"]: row.cells["answer"] for row in filled(CHECKLISTS[0], source).rows}
    for number in ("13a", "14", "15", "18", "29"):
        assert answers[number] == AUTHORS, number


def test_methods_name_each_endpoint_with_its_numbered_references():
    source = source_of(making.document(), making.data(), making.papers())
    text = methods_markdown(source)
    listed = re.findall(r"^(\d+)\. (.+)$", text, re.MULTILINE)
    wilson = next(number for number, one in listed if one.startswith("Wilson EB"))
    assert f"share with Wilson’s interval [{wilson}]" in text
    assert "**Right calls of real and synthetic** (primary)" in text
    assert "0123456789abcdef" in text
    assert "Time to an event (asked by a reviewer)" in text


def test_intervals_drawn_in_rows_are_named_by_all_words_before_them():
    table = making.turing_table()
    twice = replace(table, rows=(table.rows[0], table.rows[0]))
    drawn = plot_of(twice)
    assert drawn is not None
    labels = [row["label"] for rows in drawn.spec["datasets"].values() for row in rows
              if "label" in row]  # fmt: skip
    assert len(set(labels)) == 2, "rows of one label would be drawn as one"
    assert {label.strip("\u200b") for label in labels} == {"R1"}
    assert plot_of(making.area_table()) is None

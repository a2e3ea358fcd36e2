"""Tables in each format are read back by what others read them with."""

from __future__ import annotations

import csv
import io
import zipfile

import docx
import openpyxl
import pandas as pd
import pytest

from readerstudy.analysis.writing import table_csv, table_docx, table_latex, table_xlsx
from readerstudy.analysis.writing.grid import tables_of
from tests.analysis.writing import making


@pytest.fixture(scope="module")
def document():
    return making.document()


def test_csv_holds_whole_numbers_limits_and_reasons():
    table = pd.read_csv(io.StringIO(table_csv.table_csv(making.turing_table())))
    assert table["correct"].iloc[3] == 0.6 + 1e-12 / 3
    assert table["correct_low"].tolist()[:2] == [0.532, 0.472]
    assert table["correct_reason"].iloc[2] == "R3 has not answered"
    assert pd.isna(table["correct"].iloc[2])
    assert set(table.columns) >= {"rr", "rr_reason", "p", "p_reason", "dprime_level"}


def test_csv_says_in_the_reason_what_stands_in_place_of_a_number():
    rows = list(csv.DictReader(io.StringIO(table_csv.table_csv(making.area_table()))))
    assert (rows[1]["p"], rows[1]["p_reason"]) == ("", "not planned")


def test_no_cell_of_a_csv_is_a_formula(document):
    for _, table in tables_of(document):
        for row in csv.reader(io.StringIO(table_csv.table_csv(table))):
            for cell in row:
                assert not cell.startswith(("=", "@", "+")), cell
                assert not cell.startswith("-") or float(cell) <= 0, cell


def test_the_workbook_holds_numbers_as_numbers(document):
    book = openpyxl.load_workbook(io.BytesIO(table_xlsx.workbook(document)))
    sheet = book.worksheets[1]
    heads = {cell.value: cell.column for cell in sheet[4]}
    share = sheet.cell(8, heads["Correct, %"])
    assert share.value == 0.6 + 1e-12 / 3
    assert share.number_format == "0.0%"
    assert sheet.cell(5, heads["Correct, %, lower 95\u202f% limit"]).value == 0.532
    assert sheet.cell(7, heads["Correct, %"]).value == "R3 has not answered"
    formula = sheet.cell(7, 1)
    assert (formula.value, formula.data_type) == (making.FORMULA, "s")


def test_the_workbook_has_an_index_that_leads_to_each_sheet(document):
    book = openpyxl.load_workbook(io.BytesIO(table_xlsx.workbook(document)))
    index = book["Index"]
    names = [
        index.cell(row, 1).hyperlink.location for row in range(4, 4 + len(book.worksheets) - 1)
    ]
    assert [name.split("'")[1] for name in names] == book.sheetnames[1:]
    text = [str(cell.value) for row in book.worksheets[1].iter_rows() for cell in row]
    assert any("Wilson intervals" in one for one in text)
    assert any(one.startswith("n = 200 reads") for one in text)


def test_latex_is_escaped_and_balanced(document):
    files = table_latex.tables_latex(document)
    text = files["turing-readers.tex"]
    assert r"correction\_1" in text
    assert r"d$'$ \& c" in text
    assert "Correct, \\%" in text
    for name, one in files.items():
        assert one.count("{") - one.count(r"\{") == one.count("}") - one.count(r"\}"), name
        assert one.count(r"\begin") == one.count(r"\end"), name
        assert one.count("$") % 2 == one.count(r"\$") % 2, name
    assert r"\input{turing-readers}" in files["all_tables.tex"]


def test_every_row_of_latex_has_as_many_cells_as_its_head(document):
    body = table_latex.tables_latex(document)["mrmc-areas.tex"]
    lines = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in lines} == {4}


def test_word_reads_the_tables(document):
    made = docx.Document(io.BytesIO(table_docx.tables_docx(document)))
    assert len(made.tables) == len(tables_of(document))
    first = made.tables[0]
    assert first.cell(0, 1).text == "Real"
    assert [cell.text for cell in first.rows[2].cells][:2] == ["R1", "34"]
    assert made.tables[2].cell(1, 1).text == "0.635\n0.532 to 0.737"
    words = [paragraph.text for paragraph in made.paragraphs]
    assert "Table 1. Real or synthetic, per reader" in words


@pytest.mark.parametrize("write", [table_xlsx.workbook, table_docx.tables_docx])
def test_office_files_have_the_same_bytes_and_no_date_of_today(write, document):
    first = write(document)
    assert first == write(document)
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        assert b"1980-01-01T00:00:00Z" in archive.read("docProps/core.xml")


def test_each_number_has_a_row_of_its_own(document):
    rows = list(csv.DictReader(io.StringIO(table_csv.numbers_csv(document))))
    found = [one for one in rows if one["table"] == "mrmc-areas" and one["column"] == "difference"]
    assert [(one["label"], float(one["value"])) for one in found] == [
        ("R1", 0.2231),
        ("Mean", 0.167),
    ]

"""Reading a manifest: what is understood, and that every fault is named with row and column."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from readerstudy.intake.manifest import ManifestError, find_manifest, read
from readerstudy.truth.recording_reference import Statement
from readerstudy.truth.register import GeneratedElsewhere

HEADER = ("path", "case", "sequence", "stratum")


def write_csv(path: Path, *rows: tuple[object, ...], delimiter=",", encoding="utf-8") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, *rows: tuple[object, ...], sheet="manifest", merge="") -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    book.save(path)
    return path


def faults(path: Path) -> list[tuple[int, str, str]]:
    with pytest.raises(ManifestError) as refused:
        read(path)
    return [(one.row, one.column, one.text) for one in refused.value.problems]


def one_fault(path: Path) -> str:
    (fault,) = faults(path)
    return fault[2]


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "manifest.csv"


@pytest.fixture
def sheet(tmp_path) -> Path:
    return tmp_path / "manifest.xlsx"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_of_every_spelling_reads_the_same(file, delimiter, encoding):
    write_csv(
        file, HEADER, ("Müller/t1.nii", "Müller, A; B", "t1", "Grad 4"),
        delimiter=delimiter, encoding=encoding,
    )  # fmt: skip
    manifest = read(file)
    (row,) = manifest.rows
    assert (row.number, row.path, row.case) == (2, "Müller/t1.nii", "Müller, A; B")
    assert (row.sequence, row.stratum) == ("t1", "Grad 4")
    assert any("Windows-1252" in note for note in manifest.notes) is (encoding == "cp1252")


def test_a_spreadsheet_reads_as_the_same_text(sheet):
    write_xlsx(
        sheet, ("Path", "Case", "ref:Grade", "ref:survival_days"),
        ("a/t1.nii", 12, 4.0, 412.5), ("a/t2.nii", "0012b", None, date(2024, 2, 1)),
    )  # fmt: skip
    one, two = read(sheet).rows
    assert (one.case, two.case) == ("12", "0012b")
    assert one.references == (Statement("grade", "4"), Statement("survival_days", "412.5"))
    assert two.references == (Statement("survival_days", "2024-02-01"),)


def test_everything_that_a_row_can_say(file):
    header = (
        "File", "Patient", "Case", "Role", "Stratum", "Tags", "Unit", "Origin", "Generator", "Run",
        "Record sha256", "ref:who_grade", "ref:who_grade : method", "Notes",
    )  # fmt: skip
    row = (
        r".\P1\cbv.nii.gz", "P1", "baseline", "rCBV", " grade  4 ", "IDH; Motion", "mL/100 g",
        "Synthetic", "BraTS-GAN", "epoch 80", "AB" * 32, "4", "histopathology", "seen by MK",
    )  # fmt: skip
    write_csv(file, header, row)
    (row,) = read(file).rows
    assert (row.path, row.subject, row.case) == ("P1/cbv.nii.gz", "P1", "baseline")
    assert (row.sequence, row.stratum, row.tags) == ("cbv", "grade 4", ("idh", "motion"))
    assert (row.unit, row.origin) == ("mL/100 g", "synthetic")
    assert row.generated == GeneratedElsewhere("BraTS-GAN", "epoch 80", "ab" * 32)
    assert row.references == (Statement("who_grade", "4", "histopathology"),)
    assert read(file).endpoints == ("who_grade",)


def test_empty_rows_are_passed_over_and_numbers_stay_those_of_the_spreadsheet(file):
    write_csv(file, (), HEADER, ("", "", "", ""), ("a.nii", "A", "", ""))
    assert [row.number for row in read(file).rows] == [4]


def test_all_faults_are_listed_with_row_and_column(file):
    write_csv(
        file,
        ("path", "series_uid", "case", "sequence", "stratum", "tags", "origin", "generator"),
        ("../a.nii", "", "A", "t1", "x" * 61, "", "", ""),
        ("", "1.2.x", "", "a role with words", "", "y" * 41, "", ""),
        ("b.nii", "1.2.3", "B", "", "", "", "fake", ""),
        ("c.nii", "", "C", "", "", "", "synthetic", ""),
        ("d.nii", "", "D", "", "", "", "real", "gan"),
    )
    found = [(row, column) for row, column, _ in faults(file)]
    assert found == [
        (2, "path"), (2, "stratum"),
        (3, "case"), (3, "series_uid"), (3, "sequence"), (3, "tags"),
        (4, "path"), (4, "origin"),
        (5, "generator"),
        (6, "generator"),
    ]  # fmt: skip


def test_the_message_names_the_first_ten_and_counts_the_rest(file):
    rows = [(f"{n}.nii", "", "t1", "") for n in range(15)]
    write_csv(file, HEADER, *rows)
    with pytest.raises(ManifestError) as refused:
        read(file)
    assert refused.value.message.startswith("The manifest has 15 problems. Row 2, column case:")
    assert refused.value.message.endswith("And 5 more.")
    assert len(refused.value.to_list()) == 15


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("path,case,sequnce", "a.nii,A,t1", "C"),
        ("path,case,case", "a.nii,A,B", "C"),
        ("path,case,,stratum", "a.nii,A,x,y", "C"),
        ("path,case,ref:WHO grade", "a.nii,A,4", "C"),
        ("path,case,ref:g:method", "a.nii,A,histology", "C"),
    ],
)
def test_wrong_columns_are_named(file, header, row, column):
    file.write_text(f"{header}\n{row}\n")
    assert (1, column) in [(number, name) for number, name, _ in faults(file)]


@pytest.mark.parametrize(
    ("rows", "row", "column"),
    [
        ([("a.nii", "A", "t1", ""), ("a.nii", "B", "t1", "")], 3, "path"),
        ([("a.nii", "A", "t1", ""), ("b.nii", "a", "T1", "")], 3, "sequence"),
        ([("a.nii", "A", "t1", "x"), ("b.nii", "A", "t2", "y")], 3, "stratum"),
    ],
)
def test_rows_that_contradict_each_other_are_named(file, rows, row, column):
    write_csv(file, HEADER, *rows)
    assert [(number, name) for number, name, _ in faults(file)] == [(row, column)]


def test_what_is_said_once_of_a_case_holds_for_its_other_rows(file):
    write_csv(file, HEADER, ("a.nii", "A", "t1", "x"), ("b.nii", "A", "t2", ""))
    assert len(read(file).rows) == 2


def test_a_case_must_not_stand_with_and_without_its_subject(file):
    write_csv(file, ("path", "case", "subject"), ("a.nii", "first", "P1"), ("b.nii", "first", ""))
    assert "row 2 names a subject" in one_fault(file)
    write_csv(file, ("path", "case", "subject"), ("a.nii", "first", "P1"), ("b.nii", "first", "P2"))
    assert len(read(file).rows) == 2


def test_a_code_is_for_labels_alone(file):
    write_csv(file, ("case_code", "stratum", "path"), ("0417", "x", ""))
    assert read(file).rows[0].case_code == "0417"
    write_csv(file, ("case_code", "stratum", "path"), ("0417", "x", "a.nii"))
    assert "name the case to import images" in one_fault(file)


@pytest.mark.parametrize("cell", ["=1+1", "=HYPERLINK(A1)", "@SUM(A1)"])
def test_formulas_are_refused_in_both_forms(file, sheet, cell):
    write_csv(file, HEADER, ("a.nii", "A", "t1", cell))
    write_xlsx(sheet, HEADER, ("a.nii", "A", "t1", cell))
    for path in (file, sheet):
        ((row, column, text),) = faults(path)
        assert (row, column) == (2, "D")
        assert "formula" in text


def test_a_name_that_the_spreadsheet_made_a_date_of_is_refused(sheet):
    write_xlsx(sheet, HEADER, ("a.nii", date(2001, 2, 1), "t1", date(2024, 5, 6)))
    ((row, column, text),) = faults(sheet)
    assert (row, column) == (2, "case")
    assert "format it as text" in text


def test_merged_cells_are_told(sheet):
    write_xlsx(sheet, HEADER, ("a.nii", "A", "t1", ""), ("b.nii", "A", "t2", ""), merge="B2:B3")
    assert any("B2:B3 are merged" in text for _, _, text in faults(sheet))


def test_error_cells_are_told(sheet):
    write_xlsx(sheet, HEADER, ("a.nii", "A", "t1", "#N/A"))
    assert one_fault(sheet) == "the cell shows the error #N/A"


def test_the_sheet_called_manifest_is_read_else_the_first(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "About"
    book.active.append(("Text",))
    sheet = book.create_sheet("Manifest")
    sheet.append(HEADER)
    sheet.append(("a.nii", "A", "t1", ""))
    book.save(tmp_path / "m.xlsx")
    manifest = read(tmp_path / "m.xlsx")
    assert len(manifest.rows) == 1
    assert "Only the sheet “Manifest” is read." in manifest.notes


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.doc", b"path,case\n", ".csv or .xlsx"),
        ("m.csv", b"", "is empty"),
        ("m.csv", b"\xef\xbb\xbf", "is empty"),
        ("m.csv", b"path,case\n", "no row below"),
        ("m.csv", b"a,\0b\n", "no text file"),
        ("m.csv", b"PK\3\4rest", "no text file"),
        ("m.csv", b"path,case\n\x81\x8d,b\n", "characters cannot be read"),
        ("m.csv", b'path,case\n"a.nii,b\n', "not well-formed"),
        ("m.csv", b"stratum\nx\n", "needs a column"),
        ("m.xlsx", b"no archive", "damaged"),
        ("m.xlsx", b"", "damaged"),
    ],
)
def test_files_that_are_no_table_get_one_clear_sentence(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    assert any(said in text for _, _, text in faults(path))


def test_too_many_rows_columns_and_bytes_are_refused(file, monkeypatch):
    write_csv(file, HEADER, *[(f"{n}.nii", str(n), "t1", "") for n in range(20_001)])
    assert "at most 20000 rows" in one_fault(file)
    write_csv(file, ("case", *[f"ref:e{n}" for n in range(100)]), ("A", *["1"] * 100))
    assert "at most 100 columns" in one_fault(file)
    file.write_bytes(b"path,case\n" + b" " * (10 * 2**20))
    assert "larger than 10 MB" in one_fault(file)


def test_a_row_with_more_cells_than_columns_is_told(file):
    file.write_text("path,case\na.nii,A,what\n")
    assert one_fault(file) == "there are 3 cells, but only 2 columns"


def test_a_link_is_not_followed(tmp_path, file):
    write_csv(tmp_path / "other.csv", HEADER, ("a.nii", "A", "t1", ""))
    file.symlink_to(tmp_path / "other.csv")
    assert "no plain file" in one_fault(file)


def repacked(path: Path, change) -> None:
    """Write an archive again with parts changed by ``change(name, content)``."""
    with zipfile.ZipFile(path) as old:
        parts = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(sheet):
    write_xlsx(sheet, HEADER, ("a.nii", "A", "t1", ""))
    repacked(sheet, lambda name, content: content + b" " * 2**20 * (61 if "sheet1" in name else 0))
    assert sheet.stat().st_size < 2**20
    assert "unpacks to more than 60 MB" in one_fault(sheet)


def test_a_spreadsheet_with_entities_is_refused(sheet):
    write_xlsx(sheet, HEADER, ("a.nii", "A", "t1", ""))
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    repacked(sheet, lambda name, content: bomb + content if "sheet1" in name else content)
    assert "XML that no spreadsheet writes" in one_fault(sheet)


def test_a_sheet_that_claims_a_million_rows_costs_nothing(sheet):
    write_xlsx(sheet, HEADER, ("a.nii", "A", "t1", ""))
    repacked(sheet, lambda _, content: content.replace(b"A1:D2", b"A1:XFD1048576"))
    assert len(read(sheet).rows) == 1


def test_the_manifest_of_a_folder_is_found_and_two_are_refused(tmp_path):
    assert find_manifest(tmp_path) is None
    (tmp_path / "Manifest.CSV").touch()
    assert find_manifest(tmp_path).name == "Manifest.CSV"
    (tmp_path / "manifest.xlsx").touch()
    with pytest.raises(ManifestError, match="2 manifests"):
        find_manifest(tmp_path)


def test_the_message_of_a_wrong_manifest_names_nobody(file):
    file.write_text("planted-header,case,sequence,tags\nx,,planted-role here,planted;" + "p" * 41)
    with pytest.raises(ManifestError) as refused:
        read(file)
    assert "planted" not in refused.value.message
    assert "pppp" not in refused.value.message
    cells = {one["cell"] for one in refused.value.to_list()}
    assert {"planted-header", "planted-role here"} <= cells

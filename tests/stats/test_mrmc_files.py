"""Files of iMRMC, RJafroc and MRMCaov: written, read back, and refused when broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from readerstudy.stats import mrmc_files
from readerstudy.stats.mrmc import obuchowski_rockette
from readerstudy.stats.mrmc_files import (
    MrmcTable,
    make_table,
    read_imrmc,
    read_long_csv,
    read_rjafroc,
    write_imrmc,
    write_long_csv,
    write_rjafroc,
)
from tests.stats.golden_mrmc import columns, van_dyke

MANUAL = """Simulated iMRMC input

NR: 2
N0: 1
N1: 1
NM: 2

BEGIN DATA:
-1,1,0,1
-1,2,0,0
reader1,1,film,1.4
reader1,1,digital,1.9
reader2,1,film,-0.41
reader2,1,digital,0.68
reader1,2,film,1.4
reader1,2,digital,1.9
reader2,2,film,-0.41
reader2,2,digital,0.68
"""


@pytest.fixture
def study() -> MrmcTable:
    return make_table(**columns(van_dyke()))


def test_reads_the_example_of_the_imrmc_manual(tmp_path: Path) -> None:
    path = tmp_path / "manual.imrmc"
    path.write_text(MANUAL)
    table = read_imrmc(path)
    assert list(table.rows())[:2] == [
        ("reader1", "film", "1", 1, 1.4),
        ("reader1", "digital", "1", 1, 1.9),
    ]
    assert table.truth_of_cases() == {"1": 1, "2": 0}


def test_reads_the_truth_in_words(tmp_path: Path) -> None:
    path = tmp_path / "words.imrmc"
    path.write_text("begin data:\ntruth, case1 ,truth,0\ntruth,case2,truth,1\n\nr,case2,m,3\n")
    assert list(read_imrmc(path).rows()) == [("r", "m", "case2", 1, 3.0)]


def test_imrmc_keeps_the_analysis(tmp_path: Path, study: MrmcTable) -> None:
    path = tmp_path / "study.imrmc"
    write_imrmc(path, study, description="Van Dyke\n5 readers")
    lines = path.read_text().splitlines()
    assert lines[:6] == ["Van Dyke", "5 readers", "NR: 5", "N0: 69", "N1: 45", "NM: 2"]
    assert lines[7:9] == ["BEGIN DATA:", "-1,1,0,0"]
    back = obuchowski_rockette(**read_imrmc(path).columns())
    assert back.pvalue == obuchowski_rockette(**study.columns()).pvalue


def test_scores_keep_their_full_precision(tmp_path: Path) -> None:
    score = (0.1 + 0.2, 1e-300)
    table = make_table(reader=[1, 1], test=[1, 1], case=[1, 2], truth=[0, 1], score=score)
    write_imrmc(tmp_path / "x.imrmc", table)
    assert read_imrmc(tmp_path / "x.imrmc").score == score
    write_long_csv(tmp_path / "x.csv", table)
    assert read_long_csv(tmp_path / "x.csv").score == score


def test_long_table_of_mrmcaov(tmp_path: Path, study: MrmcTable) -> None:
    path = tmp_path / "study.csv"
    write_long_csv(path, study)
    assert path.read_text().splitlines()[0] == "reader,treatment,case,truth,rating"
    assert read_long_csv(path).score == study.score
    names = {"test": "arm", "score": "confidence"}
    write_long_csv(path, study, names=names)
    assert path.read_text().splitlines()[0] == "reader,arm,case,truth,confidence"
    assert read_long_csv(path, names=names).test == tuple(str(t) for t in study.test)
    with pytest.raises(ValueError, match="lacks the columns treatment, rating"):
        read_long_csv(path)


def test_labels_of_a_long_table_may_hold_commas(tmp_path: Path) -> None:
    table = make_table(reader=["Dr A, B"], test=['"new"'], case=["1"], truth=[1], score=[2.0])
    write_long_csv(tmp_path / "x.csv", table)
    assert read_long_csv(tmp_path / "x.csv") == table


def test_rjafroc_sheets(tmp_path: Path, study: MrmcTable) -> None:
    folder = tmp_path / "sheets"
    numbers = write_rjafroc(folder, study)
    truth = (folder / "TRUTH.csv").read_text().splitlines()
    assert truth[0] == "CaseID,LesionID,Weight,ReaderID,ModalityID,Paradigm"
    assert truth[1] == '1,0,0,"1,2,3,4,5","1,2",ROC'
    assert truth[2].endswith("FCTRL")
    assert truth[3].endswith(",")
    assert len((folder / "FP.csv").read_text().splitlines()) == 1 + 690
    assert len((folder / "TP.csv").read_text().splitlines()) == 1 + 450
    back = read_rjafroc(folder)
    truths = study.truth_of_cases()
    assert all(truths[case] == (number > 69) for case, number in numbers.items())
    expected = obuchowski_rockette(**study.columns())
    found = obuchowski_rockette(**back.columns())
    assert found.differences.se == pytest.approx(expected.differences.se)


def test_rjafroc_sheets_of_older_versions(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("CaseID,LesionID,Weight\n1,0,0\n2,1,1\n")
    (tmp_path / "NL.csv").write_text("ReaderID,ModalityID,CaseID,NLRating\nr,m,1,2.5\n,,,\n")
    (tmp_path / "LL.csv").write_text("ReaderID,ModalityID,CaseID,LesionID,LLRating\nr,m,2,1,4\n")
    assert list(read_rjafroc(tmp_path).rows()) == [("r", "m", "1", 0, 2.5), ("r", "m", "2", 1, 4.0)]


def test_workbook_needs_its_package(
    tmp_path: Path, study: MrmcTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mrmc_files.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="need the package openpyxl"):
        write_rjafroc(tmp_path / "study.xlsx", study)


def test_workbook(tmp_path: Path, study: MrmcTable) -> None:
    pytest.importorskip("openpyxl", reason="openpyxl is optional")
    write_rjafroc(tmp_path / "study.xlsx", study)
    back = read_rjafroc(tmp_path / "study.xlsx")
    assert sorted(back.score) == sorted(study.score)


def test_workbook_cells_are_read_as_text(tmp_path: Path, study: MrmcTable) -> None:
    """Excel stores every number as a float; case numbers are read as whole ones all the same."""
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is optional")
    path = tmp_path / "study.xlsx"
    numbers = write_rjafroc(path, study)
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            cell.value = float(cell.value) if isinstance(cell.value, int) else cell.value
    book.save(path)
    back = read_rjafroc(path)
    assert set(back.case) == {str(n) for n in numbers.values()}
    assert sorted(back.score) == sorted(study.score)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r,1,m,2\n", "no line 'BEGIN DATA:'"),
        ("BEGIN DATA:\n-1,1,0,1\nr,1,m\n", "line 3 must be reader,case,modality,score"),
        ("BEGIN DATA:\n-1,1,0,1\nr,1,m,high\n", "line 3: 'high' is not a number"),
        ("BEGIN DATA:\n-1,1,0,2\n", "line 2: the truth of case '1' must be 0 or 1"),
        ("BEGIN DATA:\n-1,1,0,1\n-1,1,0,0\n", "line 3: case '1' has two truths"),
        ("BEGIN DATA:\n-1,1,0,1\nr,2,m,3\n", "1 cases were read but have no truth: 2"),
    ],
)
def test_broken_imrmc_files_are_named_by_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "broken.imrmc"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_imrmc(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reader": ["a,b"]}, "reader label 'a,b' cannot be written"),
        ({"case": [" 1"]}, "case label ' 1' cannot be written"),
        ({"test": ["m\nn"]}, "test label"),
        ({"reader": [-1]}, "reader label '-1' is what the format calls the truth"),
        ({"test": ["truth"]}, "test label 'truth' is what"),
    ],
)
def test_labels_that_imrmc_cannot_hold_are_refused(
    tmp_path: Path, change: dict[str, list[object]], message: str
) -> None:
    row = {"reader": [1], "test": ["m"], "case": [1], "truth": [1], "score": [2.0]}
    with pytest.raises(ValueError, match=message):
        write_imrmc(tmp_path / "x.imrmc", make_table(**(row | change)))


def test_tables_are_checked() -> None:
    with pytest.raises(ValueError, match="same length"):
        make_table(reader=[1], test=[1], case=[1, 2], truth=[0], score=[1.0])
    with pytest.raises(ValueError, match="truth must be 0 or 1"):
        make_table(reader=[1], test=[1], case=[1], truth=[2], score=[1.0])
    with pytest.raises(ValueError, match="case 1 has truth 0 in one row and 1 in another"):
        make_table(reader=[1, 2], test=[1, 1], case=[1, 1], truth=[0, 1], score=[1.0, 2.0])


def test_rjafroc_needs_a_crossed_study_and_plain_labels(tmp_path: Path) -> None:
    rows = van_dyke()
    with pytest.raises(ValueError, match="fully crossed study of 1140 reads"):
        write_rjafroc(tmp_path, make_table(**columns(rows[:-1])))
    blank = [(f"reader {r}", t, c, y, s) for r, t, c, y, s in rows]
    with pytest.raises(ValueError, match="no comma or blank"):
        write_rjafroc(tmp_path, make_table(**columns(blank)))


@pytest.mark.parametrize(
    ("truth", "fp", "message"),
    [
        (None, "", "there is no sheet TRUTH"),
        ("CaseID\n1\n", "", "sheet TRUTH lacks the columns LesionID"),
        ("CaseID,LesionID\n1,0\n1,1\n", "", "case 1 has two truths"),
        ("CaseID,LesionID\n1,1\n", "r,m,1,2\n", "against its truth"),
        ("CaseID,LesionID\n1,0\n", "r,m,1,\n", "sheet FP, case 1: no rating"),
        ("CaseID,LesionID\n1,0\n", "r,m,1,x\n", "'x' is not a number"),
    ],
)
def test_broken_sheets_are_named(tmp_path: Path, truth: str | None, fp: str, message: str) -> None:
    if truth is not None:
        (tmp_path / "TRUTH.csv").write_text(truth)
    (tmp_path / "FP.csv").write_text("ReaderID,ModalityID,CaseID,FP_Rating\n" + fp)
    (tmp_path / "TP.csv").write_text("ReaderID,ModalityID,CaseID,LesionID,TP_Rating\n")
    with pytest.raises(ValueError, match=message):
        read_rjafroc(tmp_path)

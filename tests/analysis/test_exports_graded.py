"""Graded reads for iMRMC, RJafroc and MRMCaov: read back by the programs, and by hand.

Where a program is not installed its test skips; the numbers that it gave stand in the others.
`READERSTUDY_R_LIBS` names a folder of R packages, `READERSTUDY_IMRMC` the class path of iMRMC.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from readerstudy.analysis.exports.for_others import (
    exports_of,
    file_for_others,
    files_for_others,
)
from readerstudy.analysis.exports.graded import graded_of
from readerstudy.core.errors import NotFound
from readerstudy.stats import obuchowski_rockette, u_statistic
from readerstudy.stats.mrmc_files import read_imrmc, read_long_csv, read_rjafroc
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis import making

ARMS = (("standard", "Standard"), ("standard_cbv", "With CBV"))
READERS = ("R1", "R2", "R3")
HERE = Path(__file__).parent
# RJafroc 2.1.3, UtilFigureOfMerit(DfReadDataFile("rjafroc_origin.xlsx"), FOM = "Wilcoxon"),
# by arm and reader; the same from MRMCaov 0.3.0 and pROC 1.18.0.
AREAS = {
    "standard": (0.80375, 0.83125, 0.9275),
    "standard_cbv": (0.8625, 0.81875, 0.9275),
}
# iMRMC 4.0.3 on imrmc_origin.imrmc, standard against standard_cbv: areas, root of totalVar.
IMRMC = (0.8541666666666666, 0.8695833333333334, 0.02041016441580971)
# MRMCaov 0.3.0: mrmc(empirical_auc(truth, rating), treatment, reader, case, cov = DeLong).
MRMCAOV = {"difference": -0.01541667, "se": 0.02196509, "p": 0.5554413}


def graded_study(**protocol):
    """Three readers grade 40 cases in two arms."""
    rng = np.random.default_rng(3)
    items = [making.item(f"{n:04d}", "synthetic" if n % 2 else "real") for n in range(40)]
    reads = []
    for reader in READERS:
        for arm, _ in ARMS:
            for item in items:
                shift = 1.2 if arm == "standard" else 1.8
                seen = rng.normal(shift * (item.origin == "synthetic"))
                call = "synthetic" if seen > 0.7 else "real"
                sure = str(1 + min(4, int(abs(seen - 0.7) * 2.5)))
                answers = {"origin": call, "confidence": sure}
                reads.append(making.read(reader, item, answers, arm=arm))
    return making.dataset(reads, items, arms=ARMS, **protocol)


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, content in files_for_others(graded_study()).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def run(*command: str, **environment: str) -> str:
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return made.stdout


def r_numbers(code: str, package: str) -> list[float]:
    """Run R code that prints numbers, in which a package is loaded; skip where it is not."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    libraries = {"R_LIBS": os.environ.get("READERSTUDY_R_LIBS", "")}
    there = f'cat(requireNamespace("{package}", quietly = TRUE))'
    if run("Rscript", "-e", there, **libraries).split()[-1:] != ["TRUE"]:
        pytest.skip(f"the R package {package} is not installed")
    told = run("Rscript", "-e", f"suppressMessages(library({package})); {code}", **libraries)
    return [float(number) for number in told.split()]


def by_hand(scores: list[float], truths: list[int]) -> float:
    """Area under the empirical curve: share of pairs in order, ties a half."""
    positive = [s for s, t in zip(scores, truths, strict=True) if t]
    negative = [s for s, t in zip(scores, truths, strict=True) if not t]
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    return sum(pairs) / len(pairs)


def test_imrmc_lines_are_reader_case_modality_score_with_truth_as_reader_minus_one(folder):
    """The iMRMC user manual, section "input file": free text, BEGIN DATA:, then the rows."""
    lines = (folder / "imrmc_origin.imrmc").read_text().splitlines()
    head, rows = lines[: lines.index("BEGIN DATA:")], lines[lines.index("BEGIN DATA:") + 1 :]
    assert {"NR: 3", "N0: 20", "N1: 20", "NM: 2"} <= set(head)
    cells = [row.split(",") for row in rows]
    assert {len(one) for one in cells} == {4}
    truths = {case: float(score) for reader, case, arm, score in cells if reader == "-1"}
    assert {arm for reader, _, arm, _ in cells if reader == "-1"} == {"0"}
    assert len(truths) == 40
    reads = [one for one in cells if one[0] != "-1"]
    assert len(reads) == 240
    for arm, expected in AREAS.items():
        for reader, area in zip(READERS, expected, strict=True):
            own = [(float(s), int(truths[c])) for r, c, a, s in reads if (r, a) == (reader, arm)]
            assert by_hand(*map(list, zip(*own, strict=True))) == pytest.approx(area, abs=1e-12)


def test_imrmc_itself_reads_the_file(folder):
    classes = os.environ.get("READERSTUDY_IMRMC")
    if not classes or shutil.which("java") is None:
        pytest.skip("READERSTUDY_IMRMC does not name the class path of iMRMC")
    told = run(
        *("java", "-Djava.awt.headless=true", "-cp", classes),
        str(HERE / "reference" / "ReadWithImrmc.java"),
        *(str(folder / "imrmc_origin.imrmc"), "standard", "standard_cbv"),
    )
    (result,) = [line for line in told.splitlines() if line.startswith("RESULT")]
    found = [float(part) for part in result.split()[1:]]
    assert found[:3] == [3, 20, 20]
    assert found[3:] == pytest.approx(IMRMC, abs=1e-12)


def test_our_u_statistic_of_the_file_is_that_of_imrmc(folder):
    found = u_statistic(**read_imrmc(folder / "imrmc_origin.imrmc").columns())
    assert [mean.value for mean in found.means] == pytest.approx(IMRMC[:2], abs=1e-12)
    assert found.differences[0].se == pytest.approx(IMRMC[2], abs=1e-12)


def test_mrmcaov_reads_the_data_frame(folder):
    code = (
        f'd <- read.csv("{folder}/mrmcaov_origin.csv"); '
        "e <- mrmc(empirical_auc(truth, rating), treatment, reader, case, data = d, cov = DeLong);"
        "s <- summary(e)$test_diffs; cat(s$Estimate, s$StdErr, s$`p-value`, fill = FALSE)"
    )
    found = r_numbers(code, "MRMCaov")
    assert found == pytest.approx(list(MRMCAOV.values()), abs=1e-6)


def test_our_analysis_of_the_data_frame_is_that_of_mrmcaov(folder):
    found = obuchowski_rockette(**read_long_csv(folder / "mrmcaov_origin.csv").columns())
    difference = found.differences[0]
    assert difference.value == pytest.approx(MRMCAOV["difference"], abs=1e-7)
    assert difference.se == pytest.approx(MRMCAOV["se"], abs=1e-7)
    assert difference.pvalue == pytest.approx(MRMCAOV["p"], abs=1e-6)


def test_proc_gives_the_same_areas_from_the_data_frame(folder):
    code = (
        f'd <- read.csv("{folder}/mrmcaov_origin.csv"); '
        'for (a in c("standard", "standard_cbv")) for (r in c("R1", "R2", "R3")) {'
        " s <- d[d$treatment == a & d$reader == r, ];"
        ' cat(as.numeric(auc(s$truth, s$rating, levels = c(0, 1), direction = "<")), "\\n") }'
    )
    assert r_numbers(code, "pROC") == pytest.approx([*sum(AREAS.values(), ())], abs=1e-7)


def test_rjafroc_reads_the_workbook(folder):
    code = (
        f'd <- DfReadDataFile("{folder}/rjafroc_origin.xlsx", newExcelFileFormat = TRUE); '
        'cat(t(as.matrix(UtilFigureOfMerit(d, FOM = "Wilcoxon"))))'
    )
    assert r_numbers(code, "RJafroc") == pytest.approx([*sum(AREAS.values(), ())], abs=1e-7)


def test_the_workbook_has_the_sheets_of_the_rjafroc_format(folder):
    book = openpyxl.load_workbook(folder / "rjafroc_origin.xlsx")
    assert book.sheetnames == ["TRUTH", "FP", "TP"]
    truth = [[cell.value for cell in row] for row in book["TRUTH"]]
    head = ["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"]
    assert truth[0] == head
    assert truth[1][5] == "ROC"
    assert truth[2][5] == "FCTRL"
    assert (book["FP"].max_row, book["TP"].max_row) == (121, 121)
    with (folder / "rjafroc_origin_cases.csv").open() as file:
        cases = {int(row["CaseID"]): row["case"] for row in csv.DictReader(file)}
    table = read_rjafroc(folder / "rjafroc_origin.xlsx")
    data = graded_study()
    for number, truth_of in table.truth_of_cases().items():
        assert data.items[cases[int(number)]].origin == ("synthetic" if truth_of else "real")


def test_the_same_reads_make_the_same_bytes(monkeypatch):
    first = files_for_others(graded_study())
    assert files_for_others(graded_study()) == first
    content = first["rjafroc_origin.xlsx"]
    assert b"1980" in _part(content, "docProps/core.xml")


def _part(workbook: bytes, name: str) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return archive.read(name)


def test_a_study_that_is_not_fully_crossed_says_why_rjafroc_has_no_file():
    data = graded_study()
    del data.reads[7]
    made = {one.program: one for one in exports_of(data)}
    assert made["RJafroc"].files == {}
    assert "fully crossed study of 240 reads; there are 239" in made["RJafroc"].reason
    assert "imrmc_origin.imrmc" in made["iMRMC"].files
    listed = files_for_others(data)["exports.csv"].decode()
    assert "fully crossed" in listed
    with pytest.raises(NotFound, match="no file for RJafroc: RJafroc needs a fully crossed study"):
        file_for_others(data, "rjafroc_origin.xlsx")


def test_without_truth_or_answers_each_program_has_its_reason():
    items = [making.item("1"), making.item("2")]
    unknown = making.dataset([making.read("R1", items[0], {"origin": "real"})], items)
    reasons = {one.program: one.reason for one in exports_of(unknown)}
    assert reasons["iMRMC"] == "no question with two levels has a known right answer"
    known = making.dataset([], [making.item("1", "real")])
    reasons = {one.program: one.reason for one in exports_of(known)}
    assert "no read answers it" in reasons["MRMCaov"]


def test_two_answers_of_a_reader_to_one_case_are_refused_in_words():
    item = making.item("1", "real")
    answers = {"origin": "real", "confidence": "2"}
    twice = [making.read("R1", item, answers), making.read("R1", item, answers)]
    reasons = {one.reason for one in exports_of(making.dataset(twice, [item]))}
    assert "reader R1 answered case 1 2 times in arm main" in reasons


def test_the_plan_says_what_grades_and_which_level_is_positive():
    entry = PlannedAnalysis(
        code="a", title="A", question="origin", endpoint="auc", confidence="confidence",
        positive="real",
    )  # fmt: skip
    data = graded_study(plan=(entry,))
    (graded,) = graded_of(data)
    assert (graded.name, graded.confidence, graded.positive) == ("origin", "confidence", "real")
    (plain,) = graded_of(
        making.dataset(data.reads, data.items.values(), questions=data.protocol.questions[:1])
    )
    assert (plain.confidence, plain.positive) == ("", "synthetic")


def test_one_file_is_the_same_alone_as_among_all():
    data = graded_study()
    files = files_for_others(data)
    assert {name: file_for_others(data, name) for name in files} == files
    assert file_for_others(data, "imrmc_other.imrmc") is None

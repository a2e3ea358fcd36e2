"""The template of a study can be filled in and read back."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from readerstudy.cases.labelling import set_stratum
from readerstudy.intake.manifest import read
from readerstudy.intake.manifest_template import template
from readerstudy.truth.recording_reference import record_reference
from tests.factories import CaseFactory, StudyFactory

pytestmark = pytest.mark.django_db
STRATUM = "Grade 4, IDH-wildtype"


@pytest.fixture
def study():
    case = CaseFactory(roles=())
    set_stratum(cases=[case], stratum=STRATUM, actor=None)
    record_reference(case=case, endpoint="progression", value="yes", method="", actor=None)
    return StudyFactory()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_template_reads_as_a_manifest_of_the_study(study, tmp_path, form):
    path = tmp_path / f"template.{form}"
    path.write_bytes(template(form, study))
    manifest = read(path)
    assert [row.sequence for row in manifest.rows] == study.slots * 2
    assert {row.stratum for row in manifest.rows} == {STRATUM}
    assert manifest.endpoints == ("progression",)


def test_without_a_study_the_usual_sequences_and_an_endpoint_are_shown(tmp_path):
    path = tmp_path / "template.xlsx"
    path.write_bytes(template("xlsx"))
    manifest = read(path)
    assert {row.sequence for row in manifest.rows} == {"t1", "t1c", "t2", "flair"}
    assert manifest.endpoints == ("who_grade",)


def test_the_spreadsheet_offers_values_and_explains_each_column(study):
    book = openpyxl.load_workbook(io.BytesIO(template("xlsx", study)))
    sheet = book["manifest"]
    header = [cell.value for cell in sheet[1]]
    explained = [row[0].value for row in book["columns"].iter_rows(min_row=2)]
    assert explained[: len(header)] == header
    offered = {one.formula1: one for one in sheet.data_validations.dataValidation}
    for name, first in (("sequence", study.slots[0]), ("origin", "real"), ("stratum", STRATUM)):
        (formula,) = (text for text in offered if text.startswith(f"='values {name}'!"))
        assert offered[formula].type == "list"
        letter = sheet.cell(1, header.index(name) + 1).column_letter
        assert f"{letter}2" in offered[formula].sqref
        assert book[f"values {name}"]["A1"].value == first
    letters = {name: sheet.cell(1, header.index(name) + 1).column_letter for name in header}
    assert sheet[f"{letters['case']}2"].number_format == "@"


def test_the_command_writes_once_and_says_what_is_wrong(study, tmp_path):
    out = tmp_path / "m.xlsx"
    call_command(
        "manifest_template", "--study", study.name, "--out", str(out), stdout=io.StringIO()
    )
    assert read(out).rows
    with pytest.raises(CommandError, match="exists already"):
        call_command("manifest_template", "--out", str(out))
    with pytest.raises(CommandError, match=r"\.csv or \.xlsx"):
        call_command("manifest_template", "--out", str(Path(tmp_path) / "m.ods"))
    with pytest.raises(CommandError, match="0 studies"):
        call_command("manifest_template", "--study", "none", "--out", str(tmp_path / "n.csv"))

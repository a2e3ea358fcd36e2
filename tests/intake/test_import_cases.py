"""``manage.py import_cases`` and its job: what they print, how they end, what goes on record."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connection, connections

from readerstudy.cases.models import Case
from readerstudy.core import jobs
from readerstudy.core.errors import Conflict
from readerstudy.core.models import AuditRecord, Job
from readerstudy.intake.options import Options
from readerstudy.intake.results import faults_of
from readerstudy.intake.starting import start_folder
from readerstudy.truth import register
from readerstudy.truth.models import Origin
from tests.cases.folders import beside, image, objects, rows, series
from tests.factories import CoordinatorFactory, synthetic_case

pytestmark = pytest.mark.django_db
FIELDS = {
    "path",
    "case",
    "series",
    "status",
    "reason",
    "shape",
    "spacing_mm",
    "orientation",
    "sha256",
}


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def run(*arguments: Any) -> tuple[int, str]:
    """Run the command; return its exit code and what it printed."""
    out = io.StringIO()
    try:
        call_command("import_cases", *map(str, arguments), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def from_the_shell(monkeypatch, *arguments: Any) -> int:
    """Return the exit code of ``manage.py import_cases …``."""
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test needs its own
    with pytest.raises(SystemExit) as end:
        ManagementUtility(["manage.py", "import_cases", *map(str, arguments)]).execute()
    return int(end.value.code or 0)


def test_every_entry_has_the_fields_of_the_contract(source):
    image(source / "case-1")
    series(source / "case-2" / "T2")
    (source / "case-3").mkdir()
    (source / "case-3" / "flair.nii.gz").write_text("no image")
    beside(source)
    code, printed = run(source, "--json")
    entries = {entry["path"]: entry for entry in json.loads(printed)}
    assert code == 2
    assert all(set(entry) == FIELDS for entry in entries.values())
    case = Case.objects.get(series__role="t2")
    stored = case.series.get()
    assert entries["case-2/T2"] == {
        "path": "case-2/T2",
        "case": case.code,
        "series": "t2",
        "status": "ok",
        "reason": "",
        "shape": [5, 14, 12],
        "spacing_mm": [3.0, 0.9, 1.1],  # of the slices, then rows, then columns
        "orientation": "LPS",
        "sha256": stored.sha256,
    }
    bad = entries["case-3/flair.nii.gz"]
    assert (bad["status"], bad["case"], bad["sha256"]) == ("error", None, None)
    assert "does not begin with a NIfTI header" in bad["reason"]
    assert entries["README.md"]["status"] == "skipped"


def test_it_ends_with_0_when_every_image_came_in_whatever_lies_beside(source):
    image(source / "case-1")
    beside(source)
    code, printed = run(source)
    assert code == 0
    assert printed.splitlines()[-1] == "1 of 1 series are in."


def test_it_ends_with_2_when_an_image_did_not_come_in(source):
    image(source / "case-1")
    image(source / "case-2").write_bytes(b"")
    beside(source)
    code, printed = run(source)
    assert code == 2
    assert "error  case-2/t1.nii.gz  the file is empty. Copy or export" in printed
    assert printed.splitlines()[-1] == "1 of 2 series are in."


def test_it_ends_with_2_when_there_was_no_image(source):
    beside(source)
    assert run(source) == (2, run(source)[1])
    assert run(source)[1].splitlines()[-1] == "0 of 0 series are in."


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("a", "--unknown"), ("a", "--origin", "x")])
def test_wrong_use_ends_with_1(monkeypatch, capsys, arguments):
    assert from_the_shell(monkeypatch, *arguments) == 1
    assert "error:" in capsys.readouterr().err


def test_a_folder_that_is_not_there_ends_with_1_and_a_sentence(monkeypatch, capsys, source):
    assert from_the_shell(monkeypatch, source / "none", "--json") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "none: it does not exist. Check the path." in printed.err
    with pytest.raises(CommandError, match="here are no files in this folder"):
        call_command("import_cases", str(source))


def test_help_ends_with_0(monkeypatch, capsys):
    assert from_the_shell(monkeypatch, "--help") == 0
    assert "0: all came in, 2: some did not, 1: wrong use" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_name_in_another_character_set_can_be_printed(source):
    image(Path(os.fsdecode(os.fsencode(source) + b"/M\xfcller")))
    code, printed = run(source)
    assert code == 0
    assert "M?ller/t1.nii.gz" in printed
    assert json.loads(run(source, "--json")[1])[0]["status"] == "ok"


def test_imported_cases_are_on_record_as_real(source):
    image(source / "case-1")
    run(source)
    origin = Origin.objects.get()
    assert (origin.case, origin.kind) == (Case.objects.get(), Origin.Kind.REAL)
    actions = AuditRecord.objects.values_list("action", flat=True).order_by("sequence")
    assert list(actions) == ["intake.open", "case.import", "truth.declare_real", "intake.finish"]


def test_the_origin_can_be_left_open_and_said_later(source):
    image(source / "case-1")
    run(source, "--origin", "unknown")
    assert Origin.objects.count() == 0
    run(source)
    assert Origin.objects.get().kind == Origin.Kind.REAL


def test_importing_again_changes_nothing(source):
    image(source / "case-1")
    series(source / "case-2" / "T2")
    first = json.loads(run(source, "--json")[1])
    before = ({**rows(), "AuditRecord": 0}, objects())
    code, printed = run(source, "--json")
    assert code == 0
    assert [{**entry, "reason": ""} for entry in json.loads(printed)] == first
    assert {entry["reason"] for entry in json.loads(printed)} == {"already imported"}
    assert ({**rows(), "AuditRecord": 0}, objects()) == before
    again = AuditRecord.objects.order_by("-sequence").values_list("action", flat=True)
    assert list(again[:2]) == ["intake.finish", "intake.open"]


def test_a_synthetic_case_cannot_be_put_on_record_as_real():
    case = synthetic_case(roles=["t1c"])
    with pytest.raises(Conflict, match="on record as synthetic already"):
        register.declare_real(cases=[case], actor=None)
    assert Origin.objects.get().kind == Origin.Kind.SYNTHETIC


# As a job


def imported(folder: Path, *, actor: Any = None, **options: Any) -> Job:
    job = start_folder(path=folder, options=Options(**options), actor=actor, key=str(folder))
    jobs.work_through("default")
    job.refresh_from_db()
    return job


def test_the_job_imports_as_the_command_does(source):
    image(source / "case-1")
    beside(source)
    person = CoordinatorFactory()
    job = imported(source, actor=person)
    assert (job.state, job.error) == (Job.State.DONE, "")
    assert job.result == {"cases": [Case.objects.get().code], "counts": {"ok": 1, "skipped": 3}}
    assert (job.step, job.of) == (4, 4)
    assert Origin.objects.get().declared_by == person
    assert set(AuditRecord.objects.values_list("actor", flat=True)) == {person.pk}
    assert faults_of(job.pk) == []


def test_the_job_lists_what_it_could_not_import(source):
    image(source / "case-1")
    image(source / "case-2").write_bytes(b"")
    job = imported(source)
    assert job.state == Job.State.DONE
    assert job.result["counts"] == {"error": 1, "ok": 1}
    (fault,) = faults_of(job.pk)
    assert fault["path"] == "case-2/t1.nii.gz"
    assert fault["reason"].startswith("the file is empty. ")


def test_a_job_on_a_folder_that_is_gone_fails_in_words(source):
    job = imported(source / "gone")
    assert job.state == Job.State.FAILED
    assert job.error == "The folder cannot be used: it does not exist. Check the path."


@pytest.mark.django_db(transaction=True)
def test_the_job_stores_no_name_of_a_source(source, settings):
    image(source / "Planted_Vesna_19720514")
    image(source / "Planted_Zoran", "t1.nii.gz").write_bytes(b"")
    job = imported(source)
    assert job.result["counts"] == {"error": 1, "ok": 1}
    assert len(faults_of(job.pk)) == 1
    database = Path(connection.settings_dict["NAME"])
    files = [*database.parent.glob(f"{database.name}*"), *Path(settings.MEDIA_ROOT).rglob("*")]
    for file in files:
        if file.is_file():
            content = str(file).encode() + file.read_bytes()
            found = [word for word in (b"Planted", b"Vesna", b"Zoran") if word in content]
            assert found == [], file

"""``manage.py import_cases`` and its job: what they print, how they end, what goes on record."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connection, connections
from django.utils import timezone
from PIL import Image

from readerstudy.cases.models import Case, Series
from readerstudy.core import jobs
from readerstudy.core.errors import Conflict
from readerstudy.core.models import AuditRecord, Job
from readerstudy.imaging.guarded import Guard
from readerstudy.intake import folders
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options
from readerstudy.intake.results import faults_of
from readerstudy.intake.starting import start_folder
from readerstudy.truth import register
from readerstudy.truth.models import Origin
from tests.cases.folders import beside, image, objects, rows, series
from tests.factories import CoordinatorFactory, synthetic_case
from tests.imaging.factories import write_nifti
from tests.intake.manifests import table

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
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


# Options of the command


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(source):
    image(source / "case-1")
    image(source / "case-2").write_bytes(b"")
    run(source / "case-1")
    known = Case.objects.get().code
    image(source / "case-1", "flair.nii.gz", seed=8)
    image(source / "case-3")
    before, files = rows(), objects()
    code, printed = run(source, "--dry-run", "--json")
    entries = {entry["path"]: entry for entry in json.loads(printed)}
    assert code == 2
    assert all(set(entry) == FIELDS for entry in entries.values())
    assert entries["case-1/t1.nii.gz"]["reason"] == "already imported"
    assert entries["case-1/flair.nii.gz"]["reason"] == f"would join case {known}"
    assert entries["case-3/t1.nii.gz"]["reason"] == "would make a new case"
    assert "the file is empty" in entries["case-2/t1.nii.gz"]["reason"]
    assert (rows(), objects()) == (before, files)
    assert Import.objects.count() == 1
    assert len(list(folders.imports_root().iterdir())) == 1


def test_a_zip_is_unpacked_imported_and_removed(source, settings):
    image(source / "case-1")
    series(source / "case-2" / "T2")
    archive = shutil.make_archive(str(source.parent / "scans"), "zip", source)
    code, printed = run(archive, "--json")
    assert code == 0
    entries = {entry["path"]: entry["series"] for entry in json.loads(printed)}
    assert entries == {"scans.zip/case-1/t1.nii.gz": "t1", "scans.zip/case-2/T2": "t2"}
    assert not list(Path(settings.WORK_ROOT).rglob("*.nii*"))
    code, printed = run(source, "--json")
    assert {entry["reason"] for entry in json.loads(printed)} == {"already imported"}


def test_a_zip_within_the_folder_is_taken_with_it(source):
    image(source / "case-1")
    image(source / "made" / "case-2", seed=8)
    shutil.make_archive(str(source / "more"), "zip", source / "made")
    shutil.rmtree(source / "made")
    code, printed = run(source, "--json")
    assert code == 0
    assert {entry["path"] for entry in json.loads(printed)} == {
        "case-1/t1.nii.gz",
        "more.zip/case-2/t1.nii.gz",
    }
    assert Case.objects.count() == 2


def test_a_source_label_keeps_equal_names_apart(source, tmp_path):
    image(source / "001", seed=1)
    image(tmp_path / "other" / "001", seed=2)
    assert run(source, "--source", "Ljubljana")[0] == 0
    assert run(tmp_path / "other", "--source", "Split")[0] == 0
    assert run(source, "--source", "Ljubljana")[0] == 0
    assert Case.objects.count() == 2


def test_synthetic_images_name_their_generator(source):
    image(source / "case-1")
    with pytest.raises(CommandError, match="Name the generator"):
        run(source, "--origin", "synthetic")
    assert run(source, "--origin", "synthetic", "--generator", "StyleGAN2")[0] == 0
    origin = Origin.objects.get()
    assert (origin.kind, origin.generator) == ("synthetic", "StyleGAN2")
    code, printed = run(source)
    assert code == 2
    assert "on record as synthetic already" in printed


def test_a_manifest_names_cases_strata_and_origin(source, tmp_path):
    image(source / "x" / "scans", "a.nii.gz", seed=1)
    image(source / "x" / "scans", "b.nii.gz", seed=2)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "path,case,sequence,stratum,origin\n"
        "x/scans/a.nii.gz,P1,t1,glioma,real\n"
        "x/scans/b.nii.gz,P1,flair,glioma,real\n"
    )
    code, printed = run(source, "--manifest", manifest, "--dry-run", "--json")
    assert (code, Case.objects.count()) == (0, 0)
    assert {entry["path"] for entry in json.loads(printed)} >= {"x/scans/a.nii.gz"}
    code, printed = run(source, "--manifest", manifest, "--json")
    assert code == 0
    case = Case.objects.get()
    assert (case.stratum, sorted(one.role for one in case.series.all())) == (
        "glioma",
        ["flair", "t1"],
    )
    assert Origin.objects.get().kind == Origin.Kind.REAL
    with pytest.raises(CommandError, match="it does not exist"):
        run(source, "--manifest", tmp_path / "none.csv")


# Faces


def head(folder: Path) -> Path:
    """Tissue up to the border and noise around it: nothing was cut away."""
    folder.mkdir(parents=True)
    array = np.random.default_rng(5).integers(20, 60, (12, 40, 36)).astype("int16")
    array[2:-2, 6:-6, 6:-6] += 400
    return write_nifti(folder / "t1.nii.gz", array.T, np.diag([4.0, 4.0, 4.0, 1]))


def do_nothing(_context: jobs.JobContext, **_: object) -> None:
    """Stand in for the preparation."""


def test_a_whole_head_is_handed_to_preparation(source, monkeypatch):
    monkeypatch.setitem(jobs._handlers, "prepare_cases", (do_nothing, "default"))
    image(source / "brain")
    head(source / "head")
    run(source)
    (case,) = [one.case for one in Series.objects.all() if "face" in one.flags]
    job = Job.objects.get(kind="prepare_cases")
    assert job.arguments == {"cases": [str(case.pk)], "chain": [{"step": "brain_mask"}]}
    run(source)
    assert Job.objects.filter(kind="prepare_cases").count() == 2, "asked for until it is done"


def test_a_head_that_is_kept_on_purpose_is_left_alone(source, monkeypatch, capsys):
    monkeypatch.setitem(jobs._handlers, "prepare_cases", (do_nothing, "default"))
    head(source / "head")
    run(source, "--faces", "keep")
    assert "People can be recognised" in capsys.readouterr().err
    assert Case.objects.get().series.get().flags == ["face_kept"]
    assert not Job.objects.filter(kind="prepare_cases").exists()
    assert AuditRecord.objects.get(action="intake.open").new["faces"] == "keep"


# Going on with what was stopped


def test_resuming_reads_only_what_is_new(source, monkeypatch):
    image(source / "case-1")
    image(source / "case-2", seed=8)
    run(source)
    image(source / "case-3", seed=9)
    read = []
    load = Guard.load
    monkeypatch.setattr(Guard, "load", lambda self, one: read.append(one.name) or load(self, one))
    code, printed = run(source, "--resume")
    assert (code, read) == (0, ["case-3/t1.nii.gz"])
    assert printed.splitlines()[-1] == "3 of 3 series are in."
    assert Import.objects.count() == 1
    image(source / "case-2", seed=10)  # another image under the same name
    assert run(source, "--resume")[0] == 2
    assert read[1:] == ["case-2/t1.nii.gz"]


def test_resuming_with_other_options_is_refused(source):
    image(source / "case-1")
    run(source)
    with pytest.raises(CommandError, match="had other options"):
        run(source, "--resume", "--source", "Split")
    assert run(source, "--resume")[0] == 0


def test_there_may_be_nothing_to_resume(source):
    image(source / "case-1")
    assert run(source, "--resume")[0] == 0


def test_an_import_that_a_worker_has_is_not_taken_from_it(source):
    image(source / "case-1")
    job = start_folder(path=source, options=Options(), key="one")
    worker = f"{socket.gethostname()}:{os.getpid()}:1"
    lease = timezone.now() + timedelta(seconds=30)
    Job.objects.filter(pk=job.pk).update(state="running", worker=worker, lease_until=lease)
    with pytest.raises(CommandError, match="A worker is at this import"):
        run(source, "--resume")


def test_an_import_that_waits_for_a_worker_can_be_taken_over(source):
    image(source / "case-1")
    job = start_folder(path=source, options=Options(), key="one")
    assert run(source, "--resume")[0] == 0
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert jobs.work_through("default") == 0


KILLED = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from readerstudy.intake import importing
from readerstudy.intake.journal import Journal
kept = Journal.remember
count = 0
def remember(self, found, outcome):
    global count
    kept(self, found, outcome)
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
Journal.remember = remember
call_command("import_cases", sys.argv[1], resume=True)
"""


@pytest.mark.slow
def test_a_killed_command_goes_on_and_each_series_is_in_once(tmp_path):
    source = tmp_path / "source"
    for number in range(9):
        image(source / f"case-{number}", seed=number)
    environment = {
        **os.environ,
        "READERSTUDY_VAR": str(tmp_path / "var"),
        "DJANGO_SETTINGS_MODULE": "tests.core.worker_settings",
        "PYTHONPATH": str(ROOT),
    }
    (tmp_path / "var" / "queue").mkdir(parents=True)

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=False, timeout=120, capture_output=True,
            text=True,
        )  # fmt: skip

    assert python("manage.py", "migrate", "-v", "0").returncode == 0
    for after in (3, 2):
        assert python("-c", KILLED, str(source), str(after)).returncode == -signal.SIGKILL
    done = python("manage.py", "import_cases", str(source), "--resume", "--json")
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert [one["status"] for one in outcomes] == ["ok"] * 9
    with closing(sqlite3.connect(tmp_path / "var" / "readerstudy.sqlite3")) as database:
        counts = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("cases_subject", "cases_case", "cases_series", "truth_origin")
        ]
        states = database.execute("SELECT state FROM intake_import").fetchall()
    assert counts == [9, 9, 9, 9]
    assert states == [("finished",)]
    assert not list((tmp_path / "var" / "media").rglob(".new-*"))


def picture(folder: Path, seed: int = 0) -> None:
    """Write a PNG picture of 12 rows and 10 columns."""
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 10), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "t1.png")


def test_the_plane_of_pictures_is_said_for_all_or_for_each(source):
    for number, name in enumerate(("case-1", "case-2")):
        picture(source / name, number)
    image(source / "case-3", "t2.nii.gz")
    told = [
        {"path": "case-1/t1.png", "case": "case-1", "sequence": "t1", "plane": ""},
        {"path": "case-2/t1.png", "case": "case-2", "sequence": "t1", "plane": "Coronal"},
        {"path": "case-3/t2.nii.gz", "case": "case-3", "sequence": "t2", "plane": "axial"},
    ]
    code, printed = run(source, "--manifest", table(source, *told), "--plane", "sagittal", "--json")
    entries = {entry["path"]: entry for entry in json.loads(printed)}
    assert code == 2
    assert entries["case-1/t1.png"]["shape"] == [12, 10, 1]
    assert entries["case-2/t1.png"]["shape"] == [12, 1, 10]
    assert "only a PNG picture is told its plane" in entries["case-3/t2.nii.gz"]["reason"]


def test_a_picture_is_axial_where_nothing_is_said(source):
    picture(source / "case-1")
    _, printed = run(source, "--json")
    (entry,) = json.loads(printed)
    assert entry["shape"] == [1, 12, 10]

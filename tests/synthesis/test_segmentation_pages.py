"""Progression, Dice by group and uploaded label maps: the command, the page, the files."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from readerstudy.cases.labelling import clean_day, set_day
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.stats import ProgressionRule
from readerstudy.truth.recording_reference import record_reference
from synthesis import overlap_tables, progression, segmenters
from synthesis.folders import label_maps_folder
from synthesis.models import Checkpoint, GenerationRun, Score
from tests.factories import CaseFactory, CoordinatorFactory, SubjectFactory

pytestmark = pytest.mark.django_db
NAME = "segmentation/1 network abcd1234"
DAYS = (0, 60, 120)
# patient: acquired, synthetic, label map
VOLUMES = {
    "S-1": ((10, 15, 20), (10, 15, 20), (10, 15, 20)),
    "S-2": ((10, 5, 8), (10, 5, 6), (10, 5, 8)),
    "S-3": ((10, 9, 9), (10, 9, 9), (10, 9, 13)),
}


@pytest.fixture
def run():
    checkpoint = Checkpoint.objects.create(
        preset="unet2d-t1c", name="unet2d-t1c", run_folder="r", weights_sha256="0" * 64,
        data_manifest_sha256="0" * 64, card={"architecture": {"settings": {"inputs": ["t1"]}}},
    )  # fmt: skip
    run = GenerationRun.objects.create(
        checkpoint=checkpoint, role="t1c", seed=1, record={"cases": {}, "images": []}
    )
    for patient, courses in VOLUMES.items():
        subject = SubjectFactory(code=patient)
        for visit, day in enumerate(DAYS):
            source = CaseFactory(subject=subject, roles=(), day=day, stratum=f"group {patient}")
            made = CaseFactory(subject=subject, roles=())
            run.record["cases"][made.code] = {"source": source.code, "case": made.code}
            rows = (
                (NAME, "acquired", courses[0]),
                (NAME, "synthetic", courses[1]),
                (f"{NAME}, label map", "label map", courses[2]),
                (f"{NAME}, label map", "synthetic", courses[1]),
            )
            for preset, candidate, volumes in rows:
                store(run, made.code, preset, candidate, "volume_ml", volumes[visit])
            store(run, made.code, NAME, "synthetic", "dice", 0.9 - 0.1 * visit)
    run.save()
    return run


def store(run, code, preset, candidate, metric, value):
    Score.objects.create(
        run=run, case_code=code, preset=preset, candidate=candidate, region="enhancing",
        metric=metric, value=value,
    )  # fmt: skip


def test_each_source_is_read_by_the_rule(run):
    found = progression.read_out(run, "", ProgressionRule())
    times = {(row["patient"], row["source"]): (row["time"], row["event"]) for row in found.rows}
    assert times == {
        ("S-1", "acquired"): (60, 1), ("S-1", "synthetic"): (60, 1), ("S-1", "label map"): (60, 1),
        ("S-2", "acquired"): (120, 1), ("S-2", "synthetic"): (120, 0),
        ("S-2", "label map"): (120, 1), ("S-3", "acquired"): (120, 0),
        ("S-3", "synthetic"): (120, 0), ("S-3", "label map"): (120, 1),
    }  # fmt: skip
    assert (found.compared.progressed, found.compared.progressed_synthetic) == (2, 1)
    assert found.compared.same_status.value == pytest.approx(2 / 3)
    assert found.compared.volumes.bias == pytest.approx(-2 / 9)


def test_a_case_without_a_day_is_left_out_and_told(run):
    code = next(iter(run.record["cases"].values()))["source"]
    from readerstudy.cases.models import Case

    Case.objects.filter(code=code).update(day=None)
    found = progression.read_out(run, NAME, ProgressionRule())
    assert found.without_day == 1
    assert found.compared.n == 3
    Case.objects.update(day=None)
    nothing = progression.read_out(run, NAME, ProgressionRule())
    assert nothing.compared is None
    assert "give it in a manifest" in nothing.reason


def test_the_command_writes_what_survival_takes(run, tmp_path, capsys):
    out = tmp_path / "ttp.csv"
    call_command("progression", str(run.pk)[:8], "--out", str(out), "--growth", "0.25")
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9
    assert {"patient", "source", "time", "event"} <= set(rows[0])
    assert {row["growth"] for row in rows} == {"0.25"}
    text = capsys.readouterr().out
    assert "S-1" in text
    assert "same status" in text
    call_command("progression", str(run.pk), "--json", "--confirm-days", "28")
    told = json.loads(capsys.readouterr().out)
    assert told["compared"]["rule"]["confirm_days"] == 28
    with pytest.raises(CommandError, match="no segmentation 'x'"):
        call_command("progression", str(run.pk), "--segmentation", "x")
    with pytest.raises(CommandError, match="growth"):
        call_command("progression", str(run.pk), "--growth", "-1")


def test_dice_by_grade_and_by_stratum(run):
    entry = next(iter(run.record["cases"].values()))
    from readerstudy.cases.models import Case

    source = Case.objects.get(code=entry["source"])
    record_reference(case=source, endpoint="who_grade", value="4", method="", actor=None)
    lines = {one.group: one.dice for one in overlap_tables.by_group(run, with_reference=True)}
    assert lines["all"].value == pytest.approx(0.8)
    assert (lines["all"].images, lines["all"].patients) == (9, 3)
    assert lines["grade 4"].value == pytest.approx(0.9)
    assert lines["group S-2"].value == pytest.approx(0.8)
    blind = {one.group for one in overlap_tables.by_group(run, with_reference=False)}
    assert blind == {"all", "group S-1", "group S-2", "group S-3"}


@pytest.fixture
def page(client):
    client.force_login(CoordinatorFactory())
    return client


def test_the_page_shows_progression_and_dice(page, run):
    address = reverse("run-segmentations", args=[run.pk])
    text = page.get(address).content.decode()
    assert "progression at 40 % over the smallest volume" in text
    assert "S-3" in text
    assert "group S-1" in text
    other = page.get(address, {"segmentation": NAME, "growth": 0.2, "measurable_ml": 1,
                               "confirm_days": 0}).content.decode()  # fmt: skip
    assert "progression at 20 %" in other
    assert address in page.get(reverse("run-scores", args=[run.pk])).content.decode()
    table = page.get(
        reverse("run-progression-csv", args=[run.pk]),
        {"segmentation": NAME, "growth": 0.2, "measurable_ml": 1, "confirm_days": 0},
    )
    assert len(list(csv.DictReader(io.StringIO(table.content.decode())))) == 9
    cases = page.get(reverse("run-overlaps-csv", args=[run.pk])).content.decode()
    rows = list(csv.DictReader(io.StringIO(cases)))
    assert len(rows) == 9 * 5
    assert {row["day"] for row in rows} == {"0", "60", "120"}


def test_a_run_without_segmentations_says_what_to_do(page, run):
    Score.objects.all().delete()
    text = page.get(reverse("run-segmentations", args=[run.pk])).content.decode()
    assert "No segmentation yet" in text


def test_label_maps_are_uploaded_once_and_can_be_chosen(page, run):
    code = next(iter(run.record["cases"]))
    address = reverse("upload-label-maps", args=[run.pk])
    files = [SimpleUploadedFile(f"{code}.nii.gz", b"content")]
    done = page.post(address, {"name": "nnunet", "files": files})
    assert done.status_code == 302
    assert (label_maps_folder() / "nnunet" / f"{code}.nii.gz").read_bytes() == b"content"
    assert ("uploaded:nnunet", "label maps nnunet") in segmenters.choices()
    assert AuditRecord.objects.filter(action="synthesis.label_maps").count() == 1
    for name, file, why in (
        ("nnunet", f"{code}.nii.gz", "already"),
        ("other", "9999x.nii.gz", "not named after a case"),
        ("other", f"{code}.png", "not a NIfTI file"),
        ("../other", f"{code}.nii.gz", "letters, digits"),
    ):
        files = [SimpleUploadedFile(file, b"x")]
        refused = page.post(address, {"name": name, "files": files})
        assert refused.status_code >= 400
        assert why in refused.content.decode()
    assert [one.name for one in label_maps_folder().iterdir()] == ["nnunet"]


def test_days_are_stored_once_and_dates_refused():
    case, actor = CaseFactory(roles=()), CoordinatorFactory()
    assert set_day(case=case, day=56, actor=actor)
    assert not set_day(case=case, day=56, actor=actor)
    case.refresh_from_db()
    assert case.day == 56
    record = AuditRecord.objects.get()
    assert (record.action, record.old, record.new) == ("case.set_day", {"day": None}, {"day": 56})
    assert clean_day(" ") is None
    for wrong in ("2024-01-01", "-3", "1.5", "99999"):
        with pytest.raises(ReaderStudyError, match="day"):
            clean_day(wrong)

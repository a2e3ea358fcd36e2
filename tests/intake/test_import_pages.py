"""The import pages: a plain form, the start of an upload, its result, its end."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readerstudy.cases.models import Case, Series
from readerstudy.core import audit, jobs
from readerstudy.core.models import AuditRecord, Job
from readerstudy.intake import closing, folders, results
from readerstudy.intake.models import Import, UploadedFile
from readerstudy.intake.summaries import last_import
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth.models import Origin
from tests.cases.folders import image
from tests.factories import CoordinatorFactory, StudyFactory

pytestmark = pytest.mark.django_db
OPTIONS = {"origin": "real", "faces": "brain-only"}


@pytest.fixture
def person():
    return CoordinatorFactory(display_name="M. Keller")


@pytest.fixture
def client(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def nifti(tmp_path: Path, seed: int = 7) -> bytes:
    return image(tmp_path / f"made-{seed}", seed=seed).read_bytes()


def sent(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def post(client: Client, *files: SimpleUploadedFile, **options: Any) -> Any:
    return client.post(reverse("import-new"), {**OPTIONS, "files": list(files), **options})


def imported(client: Client, *files: SimpleUploadedFile, **options: Any) -> tuple[Import, str]:
    """Send a plain form, let a worker do it; return the import and the text of its page."""
    answer = post(client, *files, **options)
    assert answer.status_code == 302, answer.content.decode()
    jobs.work_through("default")
    batch = Import.objects.latest("created_at")
    return batch, text_of(client.get(reverse("import", args=[batch.pk])))


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


# Without script


def test_a_plain_form_uploads_and_imports(client, person, tmp_path):
    content = zipped(**{"case-1/t1.nii.gz": nifti(tmp_path)})
    batch, text = imported(client, sent("scans.zip", content), label="Site A")
    assert (batch.state, batch.counts) == (Import.State.FINISHED, {"ok": 1})
    assert batch.options["label"] == "Site A"
    case = Case.objects.get()
    assert Origin.objects.get().kind == Origin.Kind.REAL
    assert "scans.zip/case-1/t1.nii.gz In" in text
    assert f"{case.code} t1" in text
    assert set(AuditRecord.objects.values_list("actor", flat=True)) == {person.pk}
    assert list(audit.broken_links()) == []


def test_the_images_are_gone_from_the_upload_once_they_are_in(client, tmp_path):
    batch, _ = imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    place = folders.place_of(batch)
    assert sorted(path.name for path in place.root.iterdir() if path.is_dir()) == []
    assert UploadedFile.objects.count() == 0
    assert Series.objects.count() == 1


def test_the_same_loose_file_is_recognised_in_another_upload(client, tmp_path):
    imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    batch, text = imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    assert "Already imported" in text
    assert (Case.objects.count(), batch.counts) == (1, {"ok": 1})
    imported(client, sent("t1.nii.gz", nifti(tmp_path, seed=8)))
    assert Case.objects.count() == 2


def test_a_form_without_files_is_refused_in_words(client):
    answer = post(client)
    assert answer.status_code == 400
    assert "Choose the files first" in answer.content.decode()
    assert Import.objects.get().state == Import.State.CANCELLED


def test_more_files_than_a_form_takes_are_one_clear_line(client, settings):
    many = [sent(f"{number}.dcm", b"x") for number in range(101)]
    answer = post(client, *many)
    assert answer.status_code == 400
    assert "One form takes at most 100 files. Nothing was stored." in text_of(answer)
    assert Import.objects.count() == 0


def test_a_synthetic_import_names_its_generator(client, tmp_path):
    answer = post(client, sent("t1.nii.gz", nifti(tmp_path)), origin="synthetic")
    assert answer.status_code == 400
    assert "Name the generator" in answer.content.decode()
    imported(client, sent("t1.nii.gz", nifti(tmp_path)), origin="synthetic", generator="StyleGAN2")
    origin = Origin.objects.get()
    assert (origin.kind, origin.generator) == ("synthetic", "StyleGAN2")


def test_what_is_on_record_as_synthetic_is_not_made_real(client, tmp_path):
    content = zipped(**{"case-1/t1.nii.gz": nifti(tmp_path)})
    imported(client, sent("a.zip", content), origin="synthetic", generator="StyleGAN2")
    batch, text = imported(client, sent("a.zip", content), origin="real")
    assert batch.counts == {"error": 1}
    assert "on record as synthetic already" in text
    assert Origin.objects.get().kind == "synthetic"


def test_the_origin_can_be_left_open(client, tmp_path):
    imported(client, sent("t1.nii.gz", nifti(tmp_path)), origin="unknown")
    assert Origin.objects.count() == 0


# Hostile content: one clear line each, and nothing else happens


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(3):
            archive.writestr(f"t{number}.nii", bytes(120 * 2**20))
    return out.getvalue()


HOSTILE = {
    "zip bomb": ("scans.zip", bomb, "unpacks to more than 100 times its size"),
    "zip slip": ("scans.zip", lambda: zipped(**{"../../evil.nii": b"x"}), ""),
    "damaged zip": ("scans.zip", lambda: b"PK\x03\x04" + b"x" * 90, "list of its members"),
    "text as zip": ("scans.zip", lambda: b"This is a letter", "named .zip but is none"),
    "another archive": ("scans.7z", lambda: b"7z\xbc\xaf\x27\x1c" + b"0" * 90, ".7z archive"),
    "empty zip": ("scans.zip", zipped, "holds no files"),
    "text as nifti": ("t1.nii.gz", lambda: b"This is a letter", "does not begin with"),
    "empty file": ("t1.nii.gz", lambda: b"", "is empty"),
    "half a gzip": ("t1.nii.gz", lambda: b"\x1f\x8b\x08\x00broken", "damaged"),
    "text as dicom": ("a.dcm", lambda: b"This is a letter." * 20, "not a DICOM file"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_content_is_one_clear_line(client, tmp_path, kind):
    name, content, words = HOSTILE[kind]
    good = sent("good.nii.gz", nifti(tmp_path))
    batch, _ = imported(client, sent(name, content()), good)
    assert batch.job.state == Job.State.DONE
    assert batch.counts == {"ok": 1, "error": 1}
    (fault,) = results.faults_of(batch.job.pk)
    assert words in fault["reason"]
    assert fault["path"].startswith(name)
    assert Series.objects.count() == 1
    assert not list(tmp_path.parent.rglob("evil.nii"))


def test_a_zip_inside_a_zip_is_not_unpacked(client, tmp_path):
    inner = zipped(**{"case-1/t1.nii.gz": nifti(tmp_path)})
    batch, _ = imported(client, sent("outer.zip", zipped(**{"inner.zip": inner})))
    assert batch.counts.get("ok") is None
    assert [one.path for one in results.outcomes_of(batch)] == ["outer.zip/inner.zip"]


# The result


def test_the_list_can_be_filtered_and_downloaded_without_formulas(client, tmp_path):
    good = sent("t1.nii.gz", nifti(tmp_path))
    batch, text = imported(client, sent("=cmd().nii.gz", b"x"), good)
    assert "Imported 1, refused 1" in text
    address = reverse("import", args=[batch.pk])
    assert "t1.nii.gz" not in text_of(client.get(f"{address}?show=error"))
    table = client.get(reverse("import-table", args=[batch.pk]))
    assert table["Content-Type"].startswith("text/csv")
    assert table["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert {row["path"] for row in rows} == {"'=cmd().nii.gz", "t1.nii.gz"}
    errors = client.get(reverse("import-table", args=[batch.pk]) + "?show=error")
    assert len(list(csv.DictReader(io.StringIO(errors.content.decode())))) == 1


def test_names_of_files_are_text_on_the_page(client):
    answer = imported(client, sent("<b>x<b>.nii.gz", b"x"))[0]
    content = client.get(reverse("import", args=[answer.pk])).content.decode()
    assert "<b>x" not in content
    assert "&lt;b&gt;x&lt;b&gt;.nii.gz" in content


def test_a_case_of_a_blinded_study_is_not_joined_to_its_name(client, person, tmp_path):
    batch, text = imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    case = Case.objects.get()
    assert case.code in text
    study = StudyFactory(actor=person)
    StudyCase.objects.create(study=study, case=case)
    Study.objects.filter(pk=study.pk).update(state=Study.State.LOCKED, locked_at=timezone.now())
    text = text_of(client.get(reverse("import", args=[batch.pk])))
    assert case.code not in text
    assert "Hidden: in a blinded study" in text
    assert case.code not in client.get(reverse("import-table", args=[batch.pk])).content.decode()


def test_the_last_import_is_told(client, tmp_path):
    assert last_import() is None
    imported(client, sent("t1.nii.gz", nifti(tmp_path)), sent("bad.nii.gz", b""))
    last = last_import()
    assert (last.ok, last.failed) == (1, 1)
    listed = text_of(client.get(reverse("cases")))
    assert "1 ok, 1 failed" in listed
    assert "Failed 1" in listed
    text = text_of(client.get(reverse("cases") + "?show=failed"))
    assert "The file is empty" in text or "the file is empty" in text
    assert "bad.nii.gz" not in text


def test_imports_are_listed(client, tmp_path):
    assert "No imports yet" in text_of(client.get(reverse("imports")))
    imported(client, sent("t1.nii.gz", nifti(tmp_path)), label="Site A")
    text = text_of(client.get(reverse("imports")))
    assert re.search(r"Upload Site A real 1 0 0 M\. Keller Finished", text)


# The upload with script


def announce(client: Client, *files: dict[str, Any]) -> tuple[Import, list[str]]:
    made = client.post(reverse("api-imports"), {}, content_type="application/json").json()
    body = json.dumps({"files": list(files)})
    answer = client.post(made["files_url"], body, content_type="application/json")
    return Import.objects.get(pk=made["id"]), [one["token"] for one in answer.json()["files"]]


def put(client: Client, batch: Import, token: str, content: bytes) -> None:
    client.put(
        reverse("api-import-file", args=[batch.pk, token]),
        content,
        content_type="application/octet-stream",
        headers={"Upload-Offset": "0"},
    )


def test_an_upload_is_started_when_it_is_whole(client, tmp_path):
    content = nifti(tmp_path)
    batch, (one, two) = announce(
        client,
        {"path": "Site/case-1/t1.nii.gz", "size": len(content), "modified": 1},
        {"path": "Site/case-1/flair.nii.gz", "size": 99, "modified": 1},
    )
    put(client, batch, one, content)
    address = reverse("import-start", args=[batch.pk])
    assert client.get(reverse("import", args=[batch.pk])).url == address
    assert "1 of 2 files have come" in text_of(client.get(address))
    refused = client.post(address, OPTIONS)
    assert refused.status_code == 409
    assert "1 file has not come whole" in text_of(refused)
    started = client.post(address, {**OPTIONS, "leave_out": "on"})
    assert started.url == reverse("import", args=[batch.pk])
    assert "Waiting for a worker" in text_of(client.get(started.url))
    jobs.work_through("default")
    assert "Imported 1" in text_of(client.get(started.url))
    assert [one.path for one in results.outcomes_of(batch)] == ["Site/case-1/t1.nii.gz"]
    assert client.post(address, OPTIONS).status_code == 409
    assert UploadedFile.objects.filter(token=two).count() == 0


def test_a_cancelled_upload_is_told_so(client):
    batch, _ = announce(client, {"path": "t1.nii", "size": 5, "modified": 1})
    answer = client.post(reverse("import-end", args=[batch.pk]))
    assert answer.url == reverse("imports")
    assert not folders.place_of(batch).root.exists()
    assert "Cancelled before its start" in text_of(client.get(reverse("import", args=[batch.pk])))


# Closing


def test_closing_removes_the_names_and_keeps_the_cases(client, tmp_path, settings):
    content = zipped(**{"Planted_Jelena_19610203/t1.nii.gz": nifti(tmp_path)})
    batch, text = imported(client, sent("Planted.zip", content))
    assert "Planted_Jelena" in text
    client.post(reverse("import-end", args=[batch.pk]))
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == (Import.State.CLOSED, {"ok": 1})
    text = text_of(client.get(reverse("import", args=[batch.pk])))
    assert "the names of the source were removed" in text
    assert "Planted" not in text
    assert Case.objects.count() == 1
    assert AuditRecord.objects.filter(action="intake.close").count() == 1
    for file in Path(settings.WORK_ROOT).rglob("*"):
        assert "Planted" not in str(file)
        assert not file.is_file() or b"Planted" not in file.read_bytes()


def test_an_import_at_work_cannot_be_closed(client, tmp_path):
    post(client, sent("t1.nii.gz", nifti(tmp_path)))
    batch = Import.objects.get()
    answer = client.post(reverse("import-end", args=[batch.pk]))
    assert answer.status_code == 409
    assert "still at work" in text_of(answer)


def test_an_import_that_stopped_can_be_tried_again(client, tmp_path, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "/Planted/name.nii")

    with monkeypatch.context() as patch:
        patch.setattr("readerstudy.cases.storage.os.replace", full)
        batch, text = imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    assert batch.state == Import.State.FAILED
    assert "The import stopped: No space left on device. What came in is kept." in text
    assert "Planted" not in Job.objects.get().error
    client.post(reverse("job-retry", args=[batch.job.pk]))
    assert client.post(reverse("import-end", args=[batch.pk])).status_code == 409
    jobs.work_through("default")
    assert "Imported 1" in text_of(client.get(reverse("import", args=[batch.pk])))


def test_what_was_finished_is_not_done_again_by_a_worker_that_died_after_it(client, tmp_path):
    batch, _ = imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    Job.objects.filter(pk=batch.job.pk).update(state=Job.State.WAITING, result={})
    jobs.work_through("default")
    job = Job.objects.get(pk=batch.job.pk)
    assert (job.state, job.result["counts"]) == (Job.State.DONE, {"ok": 1})
    batch.refresh_from_db()
    assert batch.state == Import.State.FINISHED


def test_old_names_are_swept_and_fresh_ones_kept(client, tmp_path, settings):
    old, _ = imported(client, sent("t1.nii.gz", nifti(tmp_path)))
    fresh, _ = imported(client, sent("t2.nii.gz", nifti(tmp_path, seed=8)))
    left, _ = announce(client, {"path": "t1.nii", "size": 5, "modified": 1})
    long_ago = timezone.now() - timedelta(days=31)
    Import.objects.filter(pk=old.pk).update(finished_at=long_ago)
    Import.objects.filter(pk=left.pk).update(created_at=long_ago)
    assert closing.sweep() == 2
    states = {one.pk: one.state for one in Import.objects.all()}
    assert states == {old.pk: "closed", fresh.pk: "finished", left.pk: "cancelled"}
    there = {one.pk: folders.place_of(one).root.exists() for one in Import.objects.all()}
    assert there == {old.pk: False, fresh.pk: True, left.pk: False}

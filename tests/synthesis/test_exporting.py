"""Images of a run handed out: files that other programs open, refused where a study is blinded."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from django.urls import reverse

from readerstudy.cases import canonical
from readerstudy.cases.models import Case
from readerstudy.core.models import AuditRecord
from synthesis.models import GenerationRun
from tests.factories import CoordinatorFactory, ReaderFactory, StudyFactory
from tests.synthesis.bench_jobs import generate_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(checkpoint: Any, sources: Any) -> tuple[GenerationRun, Case]:
    generate_job(checkpoint, sources[:1])
    run = GenerationRun.objects.get()
    (entry,) = run.record["cases"].values()
    return run, Case.objects.get(code=entry["case"])


def fetch(client: Any, run: GenerationRun, case: Case) -> Any:
    return client.post(reverse("generated-image", args=[run.pk, case.code]))


def test_the_files_hold_the_image_and_say_how_it_was_made(client, made):
    run, case = made
    client.force_login(CoordinatorFactory())
    response = fetch(client, run, case)
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    stem = f"{case.code}_t1c_synthetic"
    series = case.series.get(role="t1c")
    levels = canonical.load_array(series)

    nifti = nib.Nifti1Image.from_bytes(gzip.decompress(archive.read(f"{stem}.nii.gz")))
    np.testing.assert_array_equal(np.asarray(nifti.dataobj).transpose(2, 1, 0), levels)
    assert b"SYNTHETIC" in nifti.header["descrip"].item()
    turn = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(nifti.affine, turn @ np.asarray(series.affine_lps), atol=1e-4)

    told = json.loads(archive.read(f"{stem}.json"))
    (image,) = run.record["generation"]["images"]
    assert told["ImageUUID"] == image["uuid"]
    assert told["PixelSHA256"] == image["pixel_sha256"]
    assert told["GeneratedBy"][0]["WeightsSHA256"] == run.checkpoint.weights_sha256
    assert told["SourcesSHA256"] == image["sources"]

    slices = sorted(n for n in archive.namelist() if n.endswith(".dcm"))
    assert len(slices) == levels.shape[0]
    files = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in slices]
    np.testing.assert_array_equal(np.stack([one.pixel_array for one in files]), levels)
    assert {one[0x0008, 0x001C].value for one in files} == {"YES"}
    places = [np.array(one.ImagePositionPatient, dtype=float) for one in files]
    np.testing.assert_allclose(places[0], np.asarray(series.affine_lps)[:3, 3], atol=1e-4)
    assert fetch(client, run, case).content == response.content


def test_the_act_is_recorded_and_hidden_from_whoever_is_blinded(client, made):
    run, case = made
    coordinator = CoordinatorFactory()
    client.force_login(coordinator)
    assert fetch(client, run, case).status_code == 200
    record = AuditRecord.objects.filter(action="synthesis.export_image").get()
    assert (record.actor, record.new["case"]) == (coordinator, case.code)
    study = StudyFactory(actor=coordinator)
    study.study_cases.create(case=case, item=case.code)
    study.state = study.State.LOCKED
    study.save()
    refused = fetch(client, run, case)
    assert refused.status_code == 403
    assert "not handed out" in refused.content.decode()


def test_readers_get_nothing_and_unknown_images_are_told(client, made, sources):
    run, case = made
    client.force_login(CoordinatorFactory())
    assert fetch(client, run, sources[0]).status_code == 404
    client.force_login(ReaderFactory())
    assert fetch(client, run, case).status_code == 403

"""From a folder of generated images to cases: proven, once, and never of training subjects."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from readerstudy.cases import canonical
from readerstudy.cases.models import Case
from readerstudy.truth.models import Origin, TrainedOn
from synthesis.data.subjects import find_subjects, load_subject
from synthesis.folders import run_folder
from synthesis.generate import load_generator
from synthesis.manifest import GenerationRecord, verify
from synthesis.models import GenerationRun

pytestmark = pytest.mark.django_db


def command(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def written(checkpoint: Any, shown: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    command("generate", "toy", "--data", shown, "--out", folder, "--seed", 3)
    return folder


def register(folder: Path) -> list[dict[str, Any]]:
    return json.loads(command("register", folder, "--checkpoint", "toy", "--json"))


def test_each_image_is_made_again_from_its_record(written, shown, checkpoint):
    """The proof of provenance: weights, inputs and record give the same pixels."""
    record = GenerationRecord.from_dict(json.loads((written / "generation.json").read_text()))
    generator = load_generator(run_folder("toy"))
    files = find_subjects(shown, generator.config.inputs).subjects
    inputs = [load_subject(one, inputs=generator.config.inputs).raw for one in files]
    for image, raw in zip(record.images, inputs, strict=True):
        assert verify(record, image.uuid, generator, raw).exact


def test_the_folder_becomes_cases_with_their_origin(written, sources, checkpoint):
    found = register(written)
    assert [one["status"] for one in found] == ["registered"] * 3
    run = GenerationRun.objects.get()
    for one in found:
        case = Case.objects.get(code=one["case"])
        origin = Origin.objects.get(case=case)
        assert (origin.kind, origin.generation_run) == (Origin.Kind.SYNTHETIC, run.pk)
        image = nib.load(written / one["subject"] / "t1c_synthetic.nii.gz")
        ras = np.asarray(nib.as_closest_canonical(image).dataobj).transpose(2, 1, 0)
        stored = canonical.load_array(case.series.get(role="t1c"))
        np.testing.assert_array_equal(stored[:, ::-1, ::-1], ras)
        source = Case.objects.get(code=run.record["cases"][one["image"]]["source"])
        assert source.subject == case.subject
    assert TrainedOn.objects.filter(generation_run=run.pk).exists()


def test_registering_twice_makes_nothing_twice(written, sources):
    first, again = register(written), register(written)
    assert [one["status"] for one in again] == ["known"] * 3
    assert [one["case"] for one in again] == [one["case"] for one in first]
    assert GenerationRun.objects.count() == 1


def test_an_image_that_was_changed_is_refused_and_the_others_come_in(written, sources, capsys):
    path = next(written.glob("*/t1c_synthetic.nii.gz"))
    image = nib.load(path)
    values = np.asarray(image.dataobj).copy()
    values[values > 0] += 1
    nib.save(nib.Nifti1Image(values, image.affine, image.header), path)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("register", str(written), "--checkpoint", "toy", "--json", stdout=out)
    assert ended.value.code == 2
    found = json.loads(out.getvalue())
    assert sorted(one["status"] for one in found) == ["refused", "registered", "registered"]
    assert any("is not the image of its record" in one["reason"] for one in found)


def test_a_record_that_was_changed_or_is_missing_is_refused(written, tmp_path):
    path = written / "generation.json"
    record = json.loads(path.read_text())
    record["images"][0]["seed"] = 99
    path.write_text(json.dumps(record))
    with pytest.raises(CommandError, match="does not match its fingerprint"):
        register(written)
    with pytest.raises(CommandError, match="generate wrote nothing here"):
        register(tmp_path)


def test_sources_that_are_not_imported_are_named(written):
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("register", str(written), "--checkpoint", "toy", stdout=out)
    assert "No imported real case is called shown-10" in out.getvalue()


def test_images_of_training_subjects_never_become_cases(checkpoint, cohort, tmp_path):
    folder = tmp_path / "own"
    command("generate", "toy", "--data", cohort, "--out", folder)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("register", str(folder), "--checkpoint", "toy", stdout=out)
    assert out.getvalue().count("trained this network") == 3
    assert not Origin.objects.exists()


def test_the_sidecar_lies_beside_each_image(written):
    record = GenerationRecord.from_dict(json.loads((written / "generation.json").read_text()))
    told = {
        json.loads(path.read_text())["ImageUUID"]: json.loads(path.read_text())
        for path in written.glob("*/*_synthetic.json")
    }
    for image in record.images:
        assert told[image.uuid]["PixelSHA256"] == image.pixel_sha256
        assert told[image.uuid]["SyntheticData"] is True
        assert told[image.uuid]["Seed"] == 3

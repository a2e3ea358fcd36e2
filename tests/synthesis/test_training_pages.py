"""The road of a training through the staff pages: choose, order, follow, stop, go on, open."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from readerstudy.core import jobs
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.studies.models import StudyCase
from synthesis import case_data, ordering, presets
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingRun
from synthesis.training.regression import RegressionLearner
from tests.factories import CoordinatorFactory, ReaderFactory, StudyFactory

pytestmark = pytest.mark.django_db

SMALL = {
    "set_width": "4",
    "set_levels": "2",
    "set_batch": "2",
    "set_crop": "[24, 24]",
    "set_max_steps": "6",
    "set_validations": "2",
    "set_checkpoint_every": "2",
    "set_report_every": "1",
    "set_validation_fraction": "0.3",
    "set_threads": "1",
}


@pytest.fixture
def coordinator() -> Any:
    return CoordinatorFactory()


@pytest.fixture
def page(client: Client, coordinator: Any) -> Client:
    client.force_login(coordinator)
    return client


@pytest.fixture(autouse=True)
def folder(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cohort where trainings may take their images from."""
    root = tmp_path / "training"
    shutil.copytree(cohort, root / "cohort")
    monkeypatch.setattr(settings, "TRAINING_ROOTS", [root])
    return root / "cohort"


def text_of(response: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def filled(**changes: Any) -> dict[str, Any]:
    """The form as a browser would send it: the preset's settings with the toy's in their place."""
    defaults = {
        f"set_{one['name']}": one["default"]
        if isinstance(one["default"], str)
        else json.dumps(one["default"])
        for one in presets.find("unet2d-t1c")["settings"]
        if one["default"] not in (None, False, True) or one["default"] in (0, 1)
    }
    ticked = {
        f"set_{one['name']}": "on"
        for one in presets.find("unet2d-t1c")["settings"]
        if one["default"] is True
    }
    false = [
        f"set_{o['name']}" for o in presets.find("unet2d-t1c")["settings"] if o["default"] is False
    ]
    basis = {"name": "first", "source": "folder", "seed": 5, "device": "cpu", "processes": 1}
    sent = {**defaults, **ticked, **basis, **SMALL, **changes}
    return {name: value for name, value in sent.items() if name not in false}


def order(page: Client, images: Path, /, **changes: Any) -> Any:
    address = reverse("train-preset", args=["unet2d-t1c"])
    return page.post(address, filled(**{"folder": str(images), **changes}))


def test_every_preset_can_be_chosen(page):
    shown = text_of(page.get(reverse("train")))
    for preset in presets.presets():
        assert preset["name"] in shown
        assert preset["summary"] in shown


def test_the_form_tells_each_setting_with_its_help_and_default(page):
    found = page.get(reverse("train-preset", args=["unet2d-t1c"])).content.decode()
    assert 'name="set_learning_rate" value="0.003"' in found
    assert "Optimiser steps at most." in found
    assert "Share of crops centred on a voxel where the target outshines the reference" in found
    assert page.get(reverse("train-preset", args=["no-such"])).status_code == 404


def test_the_whole_road_to_a_generator(page, folder, coordinator, woken):
    response = order(page, folder)
    run = TrainingRun.objects.get()
    assert response.url == reverse("training", args=[run.pk])
    assert (run.job.kind, run.job.queue, run.created_by) == ("train", "gpu", coordinator)
    assert sorted(run.overrides) == sorted(
        [
            *("width=4", "levels=2", "crop=[24, 24]", "max_steps=6", "validations=2"),
            *("checkpoint_every=2", "report_every=1", "validation_fraction=0.3", "threads=1"),
            *(["batch=2"] if "batch=2" in run.overrides else []),
        ]
    )
    assert "Waiting for a worker" in text_of(page.get(response.url))
    jobs.work_through("gpu")
    checkpoint = Checkpoint.objects.get()
    assert checkpoint.card["training"]["seed"] == 5
    assert checkpoint.job.created_by == coordinator
    shown = page.get(response.url)
    assert "6 of 6 steps" in text_of(shown)
    assert "Finished" in text_of(shown)
    assert reverse("checkpoint", args=[checkpoint.pk]) in shown.content.decode()
    for name in ("loss.svg", "scores.svg"):
        curve = page.get(reverse("training-curve", args=[run.pk, name]))
        assert curve["Content-Type"] == "image/svg+xml"
        assert b"<svg" in curve.content
    sheet = page.get(reverse("training-samples", args=[run.pk]))
    assert b"".join(sheet).startswith(b"\x89PNG")
    assert "first" in text_of(page.get(reverse("generators")))


def test_a_stopped_run_goes_on_to_the_same_weights(page, folder, monkeypatch):
    step = RegressionLearner.step

    def stops_at_three(self: RegressionLearner, number: int, rate: float) -> Any:
        if number == 2 and not TrainingRun.objects.filter(stop_asked_at__isnull=False).exists():
            page.post(reverse("training-stop", args=[TrainingRun.objects.get(name="cut").pk]))
        return step(self, number, rate)

    order(page, folder, name="whole")
    jobs.work_through("gpu")
    with monkeypatch.context() as patch:
        patch.setattr("synthesis.job_handlers.StopWatch._SECONDS", 0.0)
        patch.setattr(RegressionLearner, "step", stops_at_three)
        order(page, folder, name="cut")
        jobs.work_through("gpu")
    run = TrainingRun.objects.get(name="cut")
    assert (run.job.state, run.job.result["stopped"]) == (Job.State.DONE, True)
    shown = text_of(page.get(reverse("training", args=[run.pk])))
    assert "Stopped at step 3" in shown
    assert "Go on" in shown
    page.post(reverse("training-resume", args=[run.pk]))
    jobs.work_through("gpu")
    whole, cut = Checkpoint.objects.order_by("-run_folder")
    assert (whole.run_folder, cut.run_folder) == ("whole", "cut")
    assert whole.weights_sha256 == cut.weights_sha256
    assert page.post(reverse("training-resume", args=[run.pk])).status_code == 409
    assert page.post(reverse("training-stop", args=[run.pk])).status_code == 409


def test_a_run_that_waits_is_stopped_at_once(page, folder):
    order(page, folder)
    run = TrainingRun.objects.get()
    page.post(reverse("training-stop", args=[run.pk]))
    assert jobs.work_through("gpu") == 0
    assert "Stopped" in text_of(page.get(reverse("training", args=[run.pk])))
    page.post(reverse("training-resume", args=[run.pk]))
    assert jobs.work_through("gpu") == 1
    assert Checkpoint.objects.count() == 1


def test_a_diverged_run_is_told_on_its_page(page, folder, monkeypatch):
    step = RegressionLearner.step

    def breaks(self: RegressionLearner, number: int, rate: float) -> dict[str, float]:
        losses = step(self, number, rate)
        return {**losses, "loss": float("nan")} if number == 3 else losses

    monkeypatch.setattr(RegressionLearner, "step", breaks)
    order(page, folder)
    jobs.work_through("gpu")
    shown = text_of(page.get(reverse("training", args=[TrainingRun.objects.get().pk])))
    assert "Training diverged at step 4" in shown
    assert "Start a new run with a smaller learning_rate" in shown


def test_a_worker_that_dies_is_taken_over_and_the_run_goes_on(page, folder, monkeypatch):
    """The lease runs out; the sweeper gives the job back; the next worker resumes the run."""
    step, died = RegressionLearner.step, []

    def dies(self: RegressionLearner, number: int, rate: float) -> Any:
        if number == 4 and not died:
            died.append(number)
            raise SystemExit  # leaves the job running, as a killed process does
        return step(self, number, rate)

    monkeypatch.setattr(RegressionLearner, "step", dies)
    order(page, folder)
    with pytest.raises(SystemExit):
        jobs.work_through("gpu")
    job = Job.objects.get()
    assert job.state == Job.State.RUNNING
    Job.objects.update(lease_until="2000-01-01T00:00:00Z")
    assert jobs.sweep() == 1
    jobs.work_through("gpu")
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.DONE, 2)
    steps = [
        line["step"]
        for line in map(
            json.loads, (run_folder("first") / "metrics.jsonl").read_text().splitlines()
        )
        if line["kind"] == "train"
    ]
    assert steps == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"set_batch": "0"}, "batch must lie between 1"),
        ({"set_crop": "[25, 24]"}, "crop must be multiples of"),
        ({"set_precision": "float16"}, "Select a valid choice"),
        ({"name": "not a slug"}, "without spaces"),
        ({"folder": "/etc"}, "Select a valid choice"),
        ({"source": "cases"}, "No imported case can be used"),
        ({"source": "cases", "codes": "9999"}, "Case 9999 cannot be used"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_and_kept(page, folder, changes, words):
    response = order(page, folder, **{"set_learning_rate": "0.0042", **changes})
    assert response.status_code == 400
    assert words in text_of(response)
    assert 'value="0.0042"' in response.content.decode()
    assert not TrainingRun.objects.exists()


def test_a_name_is_given_once(page, folder):
    order(page, folder)
    response = order(page, folder)
    assert response.status_code == 409
    assert "A run is called first already" in text_of(response)


def test_imported_cases_train_and_are_remembered(page, folder, sources, coordinator):
    response = order(page, folder, source="cases", codes="")
    run = TrainingRun.objects.get()
    assert response.status_code == 302
    assert run.cases == [case.code for case in sources]
    assert run.sequences == ["t1", "t2", "flair", "t1c"]
    jobs.work_through("gpu")
    keys = set(Checkpoint.objects.get().training_subjects.values_list("source_key", flat=True))
    assert keys == {case.subject.source_key for case in sources}


def test_cases_of_blinded_studies_do_not_train(sources):
    study = StudyFactory()
    StudyCase.objects.create(study=study, case=sources[0], item=sources[0].code)
    assert case_data.usable_cases(["t1"]) == [case.code for case in sources[1:]]
    assert case_data.usable_cases(["t1", "swi"]) == []


def test_files_of_cases_hold_their_values_and_place(sources, shown):
    """Read back by nibabel: the voxels and the affine of the files they were imported from."""
    import nibabel as nib
    import numpy as np

    folder = case_data.write_cases([sources[0].code], ["t1"])
    written = nib.load(folder / sources[0].code / "t1.nii.gz")
    originals = [nib.load(path) for path in shown.glob("*/t1n.nii.gz")]
    same = [
        original
        for original in originals
        if np.array_equal(
            nib.as_closest_canonical(original).get_fdata(),
            nib.as_closest_canonical(written).get_fdata(),
        )
    ]
    assert len(same) == 1
    np.testing.assert_allclose(
        nib.as_closest_canonical(written).affine, nib.as_closest_canonical(same[0]).affine
    )


def test_the_catalogue_stays_out_of_the_web_process():
    """The presets are asked of another process; this one hands out the words of the check."""
    with pytest.raises(ReaderStudyError, match="unet2d-t1c has no setting 'widht'"):
        presets.check("unet2d-t1c", ["widht=4"])
    assert presets.check("unet2d-t1c", ['inputs=["t1","t2"]']) == ["t1", "t2", "t1c"]


def test_an_order_needs_exactly_one_kind_of_images():
    for images in ({}, {"data": "x", "cases": ["1"]}):
        with pytest.raises(ReaderStudyError, match="one of the two"):
            ordering.order_training(
                order=ordering.Order(preset="unet2d-t1c", name="a", **images), actor=None
            )
    run_folder("taken").mkdir(parents=True)
    with pytest.raises(Conflict, match="exists already"):
        ordering.order_training(
            order=ordering.Order(preset="unet2d-t1c", name="taken", data="x"), actor=None
        )


def test_readers_cannot_train(client, folder):
    client.force_login(ReaderFactory())
    assert order(client, folder).status_code == 403
    assert not TrainingRun.objects.exists()

"""Scores by a segmentation network: what it finds in both images, and against the label map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from readerstudy.cases import canonical
from readerstudy.cases.ingest import import_folder
from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from readerstudy.truth import register
from synthesis import bench, scoring, segmenters, segmenting
from synthesis.data.subjects import brain_mask, zscore
from synthesis.folders import run_folder
from synthesis.levels import ZSCORE_MAPPING
from synthesis.models import Checkpoint, GenerationRun, Score, TrainingSubject
from synthesis.score_orders import ScoreOrder
from synthesis.segment import load_segmenter
from synthesis.training.loop import train
from tests.synthesis.bench_jobs import generate_job, silent
from tests.synthesis.conftest import make_volumes, write_nifti, write_subject
from tests.synthesis.test_scoring import dice, labels_of
from tests.synthesis.test_segmentation import segment_config

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def labelled(tmp_path_factory):
    """Subjects with label maps in the old numbers (4 enhances): two to train on, three to show."""
    folder = tmp_path_factory.mktemp("labelled")
    for seed in (20, 21, 10, 11, 12):
        kind = "trained" if seed >= 20 else "shown"
        write_subject(folder / kind / f"{kind}-{seed}", make_volumes(seed))
        write_nifti(folder / kind / f"{kind}-{seed}" / "seg.nii.gz", labels_of(seed))
    return folder


@pytest.fixture(scope="session")
def trained(labelled, tmp_path_factory):
    config = segment_config(
        patch=[8, 16, 16], window=None, width=8, max_steps=60, learning_rate=1e-2, validations=1,
        validation_fraction=0.5, ema_half_life=5.0,
    )  # fmt: skip
    return train(config, labelled / "trained", tmp_path_factory.mktemp("seg") / "r", resume=False)


@pytest.fixture
def network(trained) -> Checkpoint:
    run_folder("finder").parent.mkdir(parents=True, exist_ok=True)
    run_folder("finder").symlink_to(trained.run_dir)
    return bench.store_checkpoint("finder", job=None)


@pytest.fixture
def run(checkpoint, labelled) -> GenerationRun:
    import_folder(labelled / "shown")
    cases = list(Case.objects.order_by("code"))
    register.declare_real(cases=cases, actor=None)
    generate_job(checkpoint, cases)
    return GenerationRun.objects.get()


def score(run: GenerationRun, segmenter: str, **changes: Any):
    order = ScoreOrder(**{"presets": (), "segmenter": segmenter, **changes})
    return scoring.score_run(run, order, job=None, progress=silent)


def dices(run: GenerationRun, code: str) -> dict[tuple[str, str, str], float]:
    rows = Score.objects.filter(run=run, case_code=code, metric="dice")
    return {(one.preset, one.candidate, one.region): one.value for one in rows}


def test_the_network_looks_at_both_images_and_both_are_held_against_the_label_map(run, network):
    done = score(run, "network:finder")
    entry = next(iter(run.record["cases"].values()))
    source, case = (Case.objects.get(code=entry[key]) for key in ("source", "case"))
    stored = {s.role: canonical.load_array(s)[:, ::-1, ::-1] for s in source.series.all()}
    brain = brain_mask([stored[role] for role in ("t1", "t2", "flair")])
    made = canonical.load_array(case.series.get(role="t1c"))[:, ::-1, ::-1]
    shown = ZSCORE_MAPPING.apply(zscore(stored["t1c"]).z, brain)
    model = load_segmenter(run_folder("finder"))
    spacing = source.series.get(role="t1").spacing_mm
    found = {name: model.labels({**stored, "t1c": image}, spacing)
             for name, image in (("synthetic", made), ("acquired", shown))}  # fmt: skip
    name = f"segmentation/1 network {network.weights_sha256[:8]}"
    true = {"tumour": stored["mask"] > 0, "core": np.isin(stored["mask"], (1, 4)),
            "enhancing": stored["mask"] == 4}  # fmt: skip
    parts = {"tumour": (1, 2, 3), "core": (1, 3), "enhancing": (3,)}
    expected = {}
    for region, numbers in parts.items():
        masks = {k: np.isin(v, numbers) for k, v in found.items()}
        expected[name, "synthetic", region] = dice(masks["synthetic"], masks["acquired"])
        for candidate, mask in masks.items():
            expected[f"{name}, label map", candidate, region] = dice(mask, true[region])
    assert dices(run, case.code) == pytest.approx(expected)
    assert max(expected.values()) > 0.3  # something was found
    told = done.record["segmenter"]
    assert (told["run"], told["weights_sha256"]) == ("finder", network.weights_sha256)
    assert done.settings["segmenter"] == f"network:{network.pk}"


def test_a_case_whose_patient_trained_the_network_is_not_judged(run, network):
    source = Case.objects.get(code=next(iter(run.record["cases"].values()))["source"])
    TrainingSubject.objects.create(checkpoint=network, source_key=source.subject.source_key)
    score(run, "network:finder")
    undefined = Score.objects.filter(run=run, metric="dice", value=None)
    assert {one.reason for one in undefined} == {
        "synthetic image: the patient trained the segmentation network"
    }
    assert len({one.case_code for one in undefined}) == 1
    assert Score.objects.filter(run=run, metric="dice", value__isnull=False).exists()


def test_what_cannot_be_scored_is_told(run, network, checkpoint):
    with pytest.raises(ReaderStudyError, match="which makes images"):
        score(run, "network:toy")
    with pytest.raises(ReaderStudyError, match="There is no checkpoint"):
        score(run, "network:none")
    run.role = "adc"
    with pytest.raises(ReaderStudyError, match="looks at t1, t1c, t2, flair, not at adc"):
        score(run, "network:finder")


def test_the_network_makes_no_counterparts_and_can_be_chosen(run, network):
    with pytest.raises(ReaderStudyError, match="makes label maps, not images"):
        bench.generate_run(str(network.pk), [], seed=1, job=None, progress=silent)
    assert (f"network:{network.pk}", "network finder") in segmenters.choices()


def test_the_command_scores_with_it(run, network, capsys):
    call_command("score", str(run.pk)[:8], "--preset", "--segmentations", "network:finder")
    printed = capsys.readouterr().out
    assert "dice" in printed
    assert f"segmentation/1 network {network.weights_sha256[:8]}, label map" in printed


def test_a_missing_sequence_leaves_the_case_undefined(network):
    finder = segmenting.segmenter_of("network:finder")
    with pytest.raises(segmenting.NotSegmentedError, match="no t2, flair on the same grid"):
        finder.labels("X", {"t1": np.ones((2, 2, 2)), "t1c": np.ones((2, 2, 2))}, np.eye(4))


def test_an_empty_uploaded_label_map_means_no_tumour(run, labelled, tmp_path):
    for entry in run.record["cases"].values():
        write_nifti(tmp_path / f"{entry['case']}.nii.gz", 0 * labels_of(10))
    score(run, str(tmp_path))
    rows = Score.objects.filter(run=run, metric="dice", region="tumour")
    assert rows.count() == 3
    assert {one.value for one in rows} == {0.0}

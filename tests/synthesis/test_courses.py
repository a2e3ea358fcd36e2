"""FID over a training on the pages, networks that become generators, archives, sessions."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core import jobs
from readerstudy.core.errors import Conflict, NotFound
from readerstudy.core.models import AuditRecord
from readerstudy.truth.models import Origin
from synthesis import releasing
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, GenerationRun, TrainingRun
from synthesis.sessions import checkpoints_of, sessions_of
from tests.analysis.test_programme import ended, session
from tests.factories import CoordinatorFactory
from tests.synthesis.bench_jobs import run_job, train_job
from tests.synthesis.test_gan_training import KINDS

pytestmark = pytest.mark.django_db


def overrides() -> list[str]:
    _, settings = KINDS["dcgan"]
    changed = {**settings, "validations": 3}
    return [f"{name}={json.dumps(value)}" for name, value in changed.items()]


@pytest.fixture
def training(cohort: Path) -> TrainingRun:
    job = train_job(cohort, "gan", preset="han2018-dcgan-t1-128", overrides=overrides())
    assert job.state == "done", job.error
    return TrainingRun.objects.get()


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(CoordinatorFactory())
    return client


def release(training: TrainingRun, step: int) -> Checkpoint:
    releasing.release(run=training, step=step, actor=None)
    jobs.work_through("default")
    return checkpoints_of(training.name)[0]


def test_the_page_draws_fid_and_names_the_extractor(page: Client, training: TrainingRun) -> None:
    shown = page.get(reverse("training", args=[training.pk])).content.decode()
    assert "FID over training" in shown
    assert "random-encoder" in shown
    assert "which follows the course and says little of realism" in shown
    for name in ("fid.svg", "kid.svg", "scores.svg", "loss.svg"):
        figure = page.get(reverse("training-curve", args=[training.pk, name]))
        assert figure.status_code == 200
        assert figure.content.startswith(b"<svg")
    compared = page.get(reverse("generator-scores")).content.decode()
    assert "FID within trainings" in compared


def test_the_course_is_a_table_as_well(page: Client, training: TrainingRun) -> None:
    text = page.get(reverse("courses-csv")).content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["step"], row["metric"]) for row in rows] == [
        (step, metric) for step in ("2", "4", "6") for metric in ("fid", "kid")
    ]
    lines = (run_folder("gan") / "metrics.jsonl").read_text().splitlines()
    log = [json.loads(line) for line in lines]
    told = [line["fid"] for line in log if line["kind"] == "validation"]
    assert [float(row["value"]) for row in rows if row["metric"] == "fid"] == told
    assert {len(row["extractor_sha256"]) for row in rows} == {64}


def test_a_network_on_the_way_becomes_a_generator(page: Client, training: TrainingRun) -> None:
    address = reverse("training-release", args=[training.pk, 2])
    assert page.post(address).url == reverse("training", args=[training.pk])
    jobs.work_through("default")
    final, early = Checkpoint.objects.get(run_folder="gan"), checkpoints_of("gan")[0]
    assert early.run_folder == "gan/snapshots/0000002"
    assert early.card["training"]["steps"] == 2
    assert early.weights_sha256 != final.weights_sha256
    trained = [set(one.training_subjects.values_list("source_key", flat=True))
               for one in (early, final)]  # fmt: skip
    assert trained[0] == trained[1] != set()
    job = run_job("draw", checkpoint=str(early.pk), count=2, seed=1, truncation=1.0)
    assert job.state == "done", job.error
    shown = page.get(reverse("training", args=[training.pk])).content.decode()
    assert reverse("checkpoint", args=[early.pk]) in shown
    with pytest.raises(Conflict, match="on record already"):
        releasing.release(run=training, step=2, actor=None)
    with pytest.raises(NotFound, match="was not kept"):
        releasing.release(run=training, step=3, actor=None)


def test_a_whole_run_is_one_archive(page: Client, training: TrainingRun, cohort: Path) -> None:
    checkpoint = Checkpoint.objects.get()
    response = page.post(reverse("checkpoint-files", args=[checkpoint.pk]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    names = set(archive.namelist())
    assert {"config.json", "metrics.jsonl", "log.csv", "model_card.md", "samples.png"} <= names
    assert {"fid.svg", "loss.svg", "scores.svg", "scores.csv", "weights.safetensors"} <= names
    kept = (run_folder("gan") / "weights.safetensors").read_bytes()
    assert archive.read("weights.safetensors") == kept
    told = json.loads(archive.read("subjects.json"))["subjects"]
    assert {"name"} & {key for one in told for key in one} == set()
    assert len(told) == len(list(cohort.iterdir()))
    rows = list(csv.DictReader(io.StringIO(archive.read("log.csv").decode())))
    assert [row["kind"] for row in rows].count("validation") == 3
    assert AuditRecord.objects.filter(action="synthesis.export_run").count() == 1


def test_scores_by_case_are_a_table_unless_a_study_hides_them(
    page: Client, training: TrainingRun
) -> None:
    checkpoint = Checkpoint.objects.get()
    run_job("draw", checkpoint=str(checkpoint.pk), count=2, seed=1, truncation=1.0)
    run = GenerationRun.objects.get()
    address = reverse("run-scores-csv", args=[run.pk])
    assert page.get(address).content.decode().startswith("source,case,candidate,preset")


def test_readers_sessions_stand_at_the_steps_of_their_checkpoints(training: TrainingRun) -> None:
    early = release(training, 2)
    made = session({0: 3, 1: 1})
    synthetic = Origin.objects.filter(kind="synthetic").values_list("case__code", flat=True)
    run = GenerationRun.objects.create(checkpoint=early, role="t1", seed=0)
    run.record = {"cases": {str(n): {"source": None, "case": c} for n, c in enumerate(synthetic)}}
    run.save()
    checkpoints = checkpoints_of("gan")
    assert sessions_of(checkpoints, actor=made.coordinator) == [], "nothing before unblinding"
    ended(made)
    (only,) = sessions_of(checkpoints, actor=made.coordinator)
    assert (only.step, only.number, only.reads, only.readers) == (2, 1, 12, 2)
    assert only.share == pytest.approx(8 / 12)
    assert only.low < only.share < only.high
    looks = AuditRecord.objects.filter(action="truth.look").count()
    sessions_of(checkpoints, actor=made.coordinator)
    assert AuditRecord.objects.filter(action="truth.look").count() == looks, "one look, one record"
    assert sessions_of(checkpoints, actor=CoordinatorFactory()) == [], "a study of others"


def test_a_run_like_another_begins_with_its_settings(page: Client, training: TrainingRun) -> None:
    address = reverse("train-preset", args=[training.preset])
    found: Any = page.get(f"{address}?like={training.pk}").context["form"]
    assert found["set_max_steps"].value() == "6"
    assert found["name"].value() == f"{training.preset}-1"

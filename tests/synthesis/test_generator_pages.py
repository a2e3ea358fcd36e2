"""The pages of the generators: what they tell, and the form that orders images."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.cases.ingest import import_folder
from readerstudy.cases.models import Case
from readerstudy.core import jobs
from readerstudy.core.models import Job
from readerstudy.truth import register
from readerstudy.truth.models import Origin
from synthesis import summaries
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, Score
from tests.factories import CoordinatorFactory, ReaderFactory
from tests.synthesis.bench_jobs import codes_of, generate_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(CoordinatorFactory())
    return client


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_the_page_of_generators_lists_checkpoints_and_work(page, checkpoint, sources):
    assert "No generator yet" not in text_of(page.get(reverse("generators")))
    generate_job(checkpoint, sources[:2])
    shown_text = text_of(page.get(reverse("generators")))
    steps = checkpoint.card["training"]["steps"]
    assert f"run toy, {steps} steps, 2 images made" in shown_text
    assert checkpoint.weights_sha256[:4] in shown_text
    address = reverse("checkpoint", args=[checkpoint.pk])
    assert f'href="{address}"' in page.get(reverse("generators")).content.decode()


def test_without_a_generator_the_page_says_how_to_train_one(page):
    assert "No generator yet" in text_of(page.get(reverse("generators")))


def test_the_page_of_a_checkpoint_tells_what_it_is_and_what_it_scored(page, checkpoint, sources):
    generate_job(checkpoint, sources[:2])
    shown_text = text_of(page.get(reverse("checkpoint", args=[checkpoint.pk])))
    card = checkpoint.card
    assert f"{card['data']['training_subjects']} training, 1 held out" in shown_text
    assert "8 steps in" in shown_text
    assert "Not for diagnosis" in shown_text
    assert "Cases that can be used: 1." in shown_text
    lines = summaries.mean_scores(checkpoint)
    assert {line["n"] for line in lines} == {2}
    for line in lines:
        assert f"{line['synthetic']:.3f}" in shown_text
        assert f"{line['do_nothing']:.3f}" in shown_text


def test_mean_scores_are_means_over_the_images(checkpoint, sources):
    generate_job(checkpoint, sources)
    rows = Score.objects.filter(candidate="synthetic", metric="rmse")
    line = next(x for x in summaries.mean_scores(checkpoint) if x["metric"] == "rmse")
    assert line["synthetic"] == pytest.approx(np.mean([row.value for row in rows]))
    assert (line["n"], len(rows)) == (3, 3)


def test_the_samples_of_a_run_are_shown(page, checkpoint):
    address = reverse("checkpoint-samples", args=[checkpoint.pk])
    response = page.get(address)
    assert b"".join(response).startswith(b"\x89PNG")
    (run_folder("toy") / "samples.png").unlink()
    assert page.get(address).status_code == 404


def order(page: Client, checkpoint: Checkpoint, count: Any, seed: Any = 1) -> Any:
    address = reverse("generate", args=[checkpoint.pk])
    return page.post(address, {"count": count, "seed": seed})


def test_the_form_queues_a_job_that_makes_counterparts(page, checkpoint, sources, woken):
    response = order(page, checkpoint, 2)
    assert response.url == reverse("checkpoint", args=[checkpoint.pk])
    job = Job.objects.get()
    assert (job.kind, job.queue, job.state) == ("generate", "gpu", Job.State.WAITING)
    assert len(job.arguments["cases"]) == 2
    assert set(job.arguments["cases"]) < set(codes_of(sources))
    assert job.created_by.may_coordinate
    jobs.work_through("gpu")
    job.refresh_from_db()
    assert (job.state, job.result["images"]) == (Job.State.DONE, 2)
    synthetic = Origin.objects.filter(kind=Origin.Kind.SYNTHETIC)
    assert {origin.declared_by for origin in synthetic} == {job.created_by}


def test_a_double_click_is_one_job(page, checkpoint, sources):
    order(page, checkpoint, 2)
    order(page, checkpoint, 2)
    assert Job.objects.count() == 1


def test_an_order_whose_job_failed_is_tried_again(page, checkpoint, sources):
    order(page, checkpoint, 2)
    Job.objects.update(state=Job.State.FAILED, error="The disk is full.")
    order(page, checkpoint, 2)
    assert Job.objects.get().state == Job.State.WAITING


def test_cases_that_have_a_counterpart_are_not_drawn_again(page, checkpoint, sources):
    order(page, checkpoint, 2)
    jobs.work_through("gpu")
    order(page, checkpoint, 1)
    jobs.work_through("gpu")
    drawn = [set(job.arguments["cases"]) for job in Job.objects.all()]
    assert drawn[0] | drawn[1] == set(codes_of(sources))
    shown_text = text_of(page.get(reverse("checkpoint", args=[checkpoint.pk])))
    assert "Not possible now." in shown_text


def test_subjects_that_trained_and_synthetic_cases_are_never_drawn(checkpoint, sources, cohort):
    import_folder(cohort)
    register.declare_real(cases=Case.objects.all(), actor=None)
    assert summaries.free_sources(checkpoint) == codes_of(sources)


def test_more_than_there_are_is_refused_and_what_was_typed_stays(page, checkpoint, sources):
    response = order(page, checkpoint, 7, seed=44)
    assert response.status_code == 400
    assert "Only 3 cases have every input" in text_of(response)
    assert 'value="44"' in response.content.decode()
    assert order(page, checkpoint, "many").status_code == 400
    assert Job.objects.count() == 0


def test_readers_see_nothing_of_generators(client, checkpoint):
    client.force_login(ReaderFactory())
    assert order(client, checkpoint, 1).status_code == 403
    for name in ("checkpoint", "checkpoint-samples"):
        assert client.get(reverse(name, args=[checkpoint.pk])).status_code == 403

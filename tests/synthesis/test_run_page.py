"""The page of a run: every image with its scores and its comparison, unless a study is blinded."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.cases.models import Case
from readerstudy.core.models import AuditRecord
from synthesis.models import GenerationRun, Score
from tests.factories import CoordinatorFactory, ReaderFactory, locked_study
from tests.synthesis.bench_jobs import generate_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(checkpoint, sources) -> GenerationRun:
    generate_job(checkpoint, sources[:2])
    return GenerationRun.objects.get()


@pytest.fixture
def page(client):
    client.force_login(CoordinatorFactory())
    return client


def pairs(run):
    for entry in run.record["cases"].values():
        yield Case.objects.get(code=entry["source"]), Case.objects.get(code=entry["case"])


def test_each_image_has_its_scores_and_its_comparison(page, run):
    text = page.get(reverse("generation-run", args=[run.pk])).content.decode()
    for source, made in pairs(run):
        address = reverse("case-compare", args=[source.pk, made.pk])
        assert f'href="{address}?role={run.role}"' in text
        assert page.get(f"{address}?role={run.role}").status_code == 200
        score = Score.objects.filter(run=run, case_code=made.code, candidate="synthetic")
        known = score.filter(metric="ssim", value__isnull=False).first()
        assert f"{known.value:.3f}" in text
    assert AuditRecord.objects.filter(action="truth.look", target=f"run {run.pk}").exists()


def test_a_synthetic_case_leads_to_its_run(page, run):
    _, made = next(pairs(run))
    text = page.get(reverse("case-viewer", args=[made.pk])).content.decode()
    assert f'href="{reverse("generation-run", args=[run.pk])}"' in text


def test_images_of_a_blinded_study_are_counted_and_not_named(page, run):
    (source, made), (_, other) = pairs(run)
    study = locked_study()
    study.study_cases.model.objects.create(study=study, case=made, item="X1")
    text = page.get(reverse("generation-run", args=[run.pk])).content.decode()
    assert "1 image not shown" in text
    assert f">{made.code}<" not in text
    assert f">{source.code}<" not in text
    assert f">{other.code}<" in text


def test_the_page_of_the_generator_lists_its_runs_for_coordinators(page, run):
    text = page.get(reverse("checkpoint", args=[run.checkpoint_id])).content.decode()
    address = reverse("generation-run", args=[run.pk])
    assert f'href="{address}"' in text
    page.force_login(ReaderFactory())
    assert page.get(address).status_code == 403

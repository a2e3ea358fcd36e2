"""The page that sets stored scores beside the answers of an unblinded study."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from readerstudy.studies import lifecycle
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from synthesis.models import Checkpoint, GenerationRun, Score
from tests import scenario
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def finished():
    """Five synthetic cases of one run; the better a case scores, the more call it real."""
    made = scenario.running(5, 5)
    checkpoint = Checkpoint.objects.create(
        preset="flow-matching", name="G", run_folder="g", weights_sha256="0" * 64,
        data_manifest_sha256="0" * 64, card={},
    )  # fmt: skip
    run = GenerationRun.objects.create(checkpoint=checkpoint, role="t1c", seed=1)
    synthetic = sorted(Origin.objects.filter(kind="synthetic"), key=lambda one: one.case.code)
    good = {one.case.code for one in synthetic[2:]}
    for number, one in enumerate(synthetic):
        with unguarded():
            Origin.objects.filter(pk=one.pk).update(generation_run=run.pk, generator="G")
        Score.objects.create(
            run=run, case_code=one.case.code, candidate="synthetic", region="brain",
            preset="paired-1", metric="ssim", value=0.8 + number / 100,
        )  # fmt: skip
    Score.objects.create(run=run, candidate="synthetic", preset="set-1", metric="fid", value=12.5)
    Score.objects.create(run=run, candidate="synthetic", preset="set-1", metric="kid", value=None,
                         reason="fewer images than features")  # fmt: skip
    for number in range(2):
        scenario.read_all(
            made.enrolment(number),
            lambda case: scenario.body("real" if case.code in good else "synthetic"),
        )
    lifecycle.close(study=made.study, actor=made.coordinator, reason="done")
    made.refresh()
    unblind(study=made.study, actor=made.coordinator, reason="x", typed_name=made.study.name)
    return made


def test_scores_of_the_cases_and_of_the_run_stand_beside_the_answers(client, finished):
    client.force_login(finished.coordinator)
    text = client.get(reverse("study-image-scores", args=[finished.study.pk])).content.decode()
    assert "ssim, brain (paired-1)" in text
    assert "Share of readers who called it real" in text
    assert "12.5" in text
    assert "fewer images than features" in text
    assert "at least 4 are needed" in text
    name = "image_scores_cases.correlations.csv"
    address = reverse("study-image-scores-table", args=[finished.study.pk, name])
    assert b"rho" in client.get(address).content
    figure = reverse(
        "study-image-scores-figure", args=[finished.study.pk, "image_scores_cases.scatter_1.json"]
    )
    assert client.get(figure).json()["mark"]
    assert client.get(figure.replace(".json", ".exe")).status_code == 404
    assert client.get(address.replace("correlations", str(uuid.uuid4()))).status_code == 404


def test_nothing_is_shown_before_unblinding(client):
    made = scenario.running(2, 2)
    client.force_login(made.coordinator)
    answer = client.get(reverse("study-image-scores", args=[made.study.pk]))
    assert answer.status_code == 403

"""The planner and the dry run as a coordinator meets them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core.models import Job
from readerstudy.rehearsal.models import Rehearsal, SampleSize
from readerstudy.studies.checklist import checklist
from tests.factories import locked_study, ready_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return ready_study()


@pytest.fixture
def browser(study):
    client = Client()
    client.force_login(study.created_by)
    return client


def test_the_plan_starts_with_what_fits_the_study(browser, study):
    page = browser.get(reverse("study-sample-size", args=[study.pk]))
    # two readers, margin 10 points, correlation 0.1: 214.1 reads times 1.1 over 2 readers
    assert "118 cases read by 2 readers give 80 % power" in page.content.decode()


def test_a_size_is_stated_with_its_inputs_and_shown_on_the_checklist(browser, study):
    address = reverse("study-sample-size", args=[study.pk])
    query = "?aim=equivalence&readers=4&power=0.8&alpha=0.05&accuracy=0.5&margin=0.1&icc=0.1"
    browser.post(address + query)
    stated = SampleSize.objects.get(study=study)
    assert stated.result["cases"] == 70
    assert stated.inputs["icc"] == 0.1
    points = {one.statement: one.evidence for one in checklist(study)}
    assert points["Sample size stated"].startswith("70 cases read by 4 readers")


def test_after_the_lock_no_size_is_stated(browser):
    study = locked_study()
    browser.force_login(study.created_by)
    browser.post(reverse("study-sample-size", args=[study.pk]))
    assert not SampleSize.objects.exists()


def test_what_cannot_be_calculated_is_said_in_words(browser, study):
    address = reverse("study-sample-size", args=[study.pk])
    page = browser.get(f"{address}?aim=kappa&readers=1&kappa=0.6&prevalence=0.5&width=0.2")
    assert "2 cases and 2 raters are the least" in page.content.decode()
    assert browser.get(f"{address}?aim=fame").status_code == 404


def test_a_dry_run_is_queued_as_a_job_of_its_study(browser, study):
    address = reverse("study-dry-run", args=[study.pk])
    form = browser.get(address).context["form"]
    data = {name: field.initial for name, field in form.fields.items() if name != "images"}
    answer = browser.post(address, {**data, "readers": 3, "seed": "s", "dprime": 0.5})
    assert answer.status_code == 302
    run = Rehearsal.objects.get(study=study)
    assert (run.readers, run.seed, run.assumptions["dprime"]) == (3, "s", 0.5)
    assert Job.objects.get(kind="rehearse_study").arguments["study"] == str(study.pk)
    assert "Waiting" in browser.get(address).content.decode()


def test_wrong_assumptions_are_refused_in_the_form(browser, study):
    address = reverse("study-dry-run", args=[study.pk])
    form = browser.get(address).context["form"]
    data = {name: field.initial for name, field in form.fields.items() if name != "images"}
    shares = {"case_share": 0.6, "arm_case_share": 0.6}
    answer = browser.post(address, {**data, "readers": 3, "seed": "", **shares})
    assert "may not exceed 100 % together" in answer.content.decode()
    assert not Rehearsal.objects.exists()

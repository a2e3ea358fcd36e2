"""Variance components of a dry run are carried into the planner, with their source named."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.rehearsal import running, starting
from readerstudy.rehearsal.models import Rehearsal, SampleSize
from readerstudy.rehearsal.pilots import pilots_of
from readerstudy.stats.sample_size import plan
from tests.factories import ready_study
from tests.rehearsal.studies import draft_of

# Components as Hillis, Obuchowski and Berbaum 2011 print them for the data of Van Dyke et al.,
# with another number of cases so that they cannot be mistaken for the defaults.
COMPONENTS = {
    "test_reader": 0.00020,
    "error": 0.00080,
    "cov1": 0.00035,
    "cov2": 0.00034,
    "cov3": 0.00024,
    "pilot_cases": 60,
}


def dry_run(study, number: int = 1, **components) -> Rehearsal:
    rows = [
        {"title": "Agreement", "components": None},
        {"title": "Gain", "components": COMPONENTS | components},
    ]
    return Rehearsal.objects.create(
        study=study,
        number=number,
        readers=4,
        seed="s",
        assumptions={},
        result={"endpoints": rows},
        created_by=study.created_by,
    )


@pytest.fixture
def study():
    return ready_study()


@pytest.fixture
def browser(study):
    client = Client()
    client.force_login(study.created_by)
    return client


def page(study, query: str) -> str:
    return f"{reverse('study-sample-size', args=[study.pk])}?{query}"


@pytest.mark.django_db
def test_one_click_puts_the_components_into_the_plan_and_names_their_source(browser, study):
    dry_run(study)
    context = browser.get(page(study, "aim=mrmc&run=1")).context
    expected = plan("mrmc", {**COMPONENTS, "readers": 2, "effect": 0.05})
    assert context["plan"].sizes == expected.sizes
    assert "dry run 1, “Gain”: 4 simulated readers, 60 cases, seed s" in context["source"]
    assert "run=1" in context["query"]


@pytest.mark.django_db
def test_a_stated_size_keeps_the_source_unless_a_component_was_changed(browser, study):
    dry_run(study)
    browser.post(page(study, "aim=mrmc&run=1&readers=6"))
    browser.post(page(study, "aim=mrmc&run=1&readers=6&error=0.0009"))
    changed, kept = SampleSize.objects.filter(study=study)
    assert kept.inputs["source"].startswith("dry run 1")
    assert (kept.inputs["error"], kept.inputs["readers"]) == (0.0008, 6)
    assert "source" not in changed.inputs
    text = browser.get(page(study, "aim=mrmc&run=1&error=0.0009")).content.decode()
    assert "changed by hand" in text
    assert "Variance components of dry run 1" in text  # of the size that was stated with them


@pytest.mark.django_db
def test_without_a_dry_run_the_components_are_those_of_the_literature(browser, study):
    text = browser.get(page(study, "aim=mrmc&run=9")).content.decode()
    assert "Data of Van Dyke et al." in text
    assert "compares two arms gives components of its own" in text


@pytest.mark.django_db
def test_a_component_below_zero_can_be_planned_with(browser, study):
    dry_run(study, cov3=-0.00002)
    assert browser.get(page(study, "aim=mrmc&run=1")).context["plan"] is not None


@pytest.mark.django_db(transaction=True)
def test_the_components_of_a_dry_run_are_kept_with_its_result(live_server):
    study = draft_of("wang2023-added-value", 16)
    run = starting.note_rehearsal(study=study, readers=3, seed="p", actor=study.created_by)
    running.run(rehearsal=run, url=live_server.url, progress=lambda *_: None)
    rows = [row for row in run.result["endpoints"] if row["measure"].startswith("Difference")]
    assert rows
    for row in rows:  # the gain is the area of the later arm less that of the first
        areas = {
            r["measure"]: r["estimate"]
            for r in run.result["endpoints"]
            if r["title"] == row["title"]
        }
        gain = areas["Area under the curve, standard_cbv"] - areas["Area under the curve, standard"]
        assert row["estimate"] == pytest.approx(gain)
        # Where all readers agree there is no variance, and the interval is undefined.
        assert row["low"] is None or row["low"] <= row["estimate"] <= row["high"]
    assert any(row["low"] is not None for row in rows)
    (pilot,) = pilots_of(study)
    assert pilot.inputs["error"] > 0
    assert 0 < pilot.inputs["pilot_cases"] <= study.study_cases.count()
    client = Client()
    client.force_login(study.created_by)
    told = client.get(reverse("study-dry-run", args=[study.pk])).content.decode()
    assert "?aim=mrmc&amp;run=1" in told
    assert client.get(page(study, "aim=mrmc&run=1")).context["source"] == pilot.source

"""Answers by question of studies that ask other things than real or synthetic."""

from __future__ import annotations

import csv
import io
import json
import uuid

import pytest
from django.urls import reverse

from readerstudy.analysis import datasets, export, running
from readerstudy.analysis.answers import answers_of
from readerstudy.analysis.models import AnalysisRun
from readerstudy.core import jobs
from readerstudy.core.errors import Conflict
from readerstudy.reading.recording import submit
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Option, Question
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
# Two readers grade ten cases; 6 of the answers agree.
FIRST = ["low", "low", "low", "mid", "mid", "mid", "high", "high", "high", "high"]
SECOND = ["low", "low", "mid", "mid", "mid", "high", "high", "high", "low", "mid"]


@pytest.fixture
def graded():
    made = scenario.draft(5, 5)
    Option.objects.filter(question__study=made.study).delete()
    Question.objects.filter(study=made.study).delete()
    type(made.study).objects.filter(pk=made.study.pk).update(analysis_plan=[])
    made.refresh()
    ask = Question.objects.create
    grade = ask(study=made.study, position=1, code="grade", text="Quality", kind="ordinal")
    for position, code in enumerate(("low", "mid", "high")):
        Option.objects.create(question=grade, position=position, code=code, label=code)
    ask(study=made.study, position=2, code="size", text="Size", kind="number", unit="mm")
    ask(study=made.study, position=3, code="why", text="Why", kind="text", required=False)
    made = scenario.started(made)
    codes = sorted(made.study.cases.values_list("code", flat=True))
    for number, grades in enumerate((FIRST, SECOND)):
        enrolment = made.enrolment(number)
        for _ in codes:
            reading = scenario.offer(enrolment)
            place = codes.index(reading.case.code)
            answers = {"grade": grades[place], "size": place, "why": "=SUM(A1)"}
            submit(reading=reading, key=str(uuid.uuid4()), body={"answers": answers})
    lifecycle.close(study=made.study, actor=made.coordinator, reason="done")
    with unguarded():
        Origin.objects.filter(case__code=codes[0]).delete()
    unblind(
        study=made.refresh(), actor=made.coordinator, reason="planned", typed_name=made.study.name
    )
    return made


def data_of(made):
    return datasets.load(made.refresh(), actor=made.coordinator)


def test_levels_are_counted_and_agreement_is_weighted(graded):
    grade, size, why = answers_of(data_of(graded))
    assert [row.counts for row in grade.rows] == [(3, 3, 4), (3, 4, 3)]
    (pair,) = grade.agreement
    assert pair.kappa.percent_agreement == pytest.approx(0.6)
    # R, irr::kappa2(cbind(FIRST, SECOND), weight = "equal"): by hand, observed 1 - (3*.5 + 1)/10 =
    # 0.75; expected 1 - (0.5*(.3*.4+.3*.3+.3*.3+.4*.4) + (.3*.3+.4*.3)) = 0.56
    assert pair.kappa.value == pytest.approx((0.75 - 0.56) / (1 - 0.56))
    assert [(row.median, row.mean) for row in size.rows] == [(4.5, 4.5)] * 2
    assert (why.levels, why.agreement) == ((), ())


def test_the_export_has_every_answer_and_no_formula(graded):
    data = data_of(graded)
    files = export.files(data, running.here(graded.study, actor=graded.coordinator))
    rows = list(csv.DictReader(io.StringIO(files["reads_long.csv"].decode())))
    assert len(rows) == 60
    assert {row["value"] for row in rows if row["question"] == "why"} == {"'=SUM(A1)"}
    assert {row["origin"] for row in rows} == {"real", "synthetic", "unknown"}
    document = json.loads(files["results.json"])
    assert [q["question"] for q in document["results"]["answers"]] == ["grade", "size", "why"]


def test_the_page_says_how_far_it_is_and_then_shows_everything(client, graded):
    client.force_login(graded.coordinator)
    address = reverse("study-results", args=[graded.study.pk])
    assert "The analysis is at work" in client.get(address).content.decode()
    with pytest.raises(Conflict):
        running.finished(graded.refresh(), actor=graded.coordinator)
    jobs.work_through("default")
    text = client.get(address).content.decode()
    assert "No primary endpoint was planned" in text
    assert client.get(reverse("study-figure", args=[graded.study.pk, "a.b.svg"])).status_code == 404


def test_a_cancelled_analysis_leaves_nothing_and_can_be_tried_again(client, graded):
    client.force_login(graded.coordinator)
    address = reverse("study-results", args=[graded.study.pk])
    client.get(address)
    client.post(reverse("study-analysis-cancel", args=[graded.study.pk]))
    jobs.work_through("default")
    assert AnalysisRun.objects.get(study=graded.study).document is None
    assert "It was cancelled." in client.get(address).content.decode()
    run = AnalysisRun.objects.get(study=graded.study)
    jobs.retry(job=run.job)
    assert jobs.work_through("default") == 2  # the results, then the report
    assert "Files and further analyses" in client.get(address).content.decode()


def test_what_is_asked_later_is_marked_and_leaves_the_planned_run_as_it_was(client, graded):
    client.force_login(graded.coordinator)
    study = graded.refresh()
    first = running.here(study, actor=graded.coordinator)
    asked = {"question": "grade", "endpoint": "agreement"}
    page = reverse("study-explore", args=[study.pk])
    form = client.get(page, asked).context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    sent = {name: value for name, value in sent.items() if value is not False}
    refused = client.post(page, {**sent, "reason": ""})
    assert refused.status_code == 400
    sent["subgroups"] = sent["covariates"] = sent["cutoffs"] = sent["horizons"] = ""
    client.post(page, {**sent, "reason": "a reviewer asked"})
    second = running.here(study, actor=graded.coordinator)
    assert [one.tag for one in second.sections if one.tag == "exploratory"] == ["exploratory"]
    assert not [one for one in first.sections if one.tag == "exploratory"]
    assert AnalysisRun.objects.filter(study=study, finished_at__isnull=False).count() == 2
    assert running.here(study, actor=graded.coordinator).to_dict() == second.to_dict()

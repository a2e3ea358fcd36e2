"""Answers by question of studies that ask other things than real or synthetic."""

from __future__ import annotations

import csv
import io
import json
import uuid

import pytest
from django.urls import reverse

from readerstudy.analysis import datasets, export, reporting
from readerstudy.reading.recording import submit
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Option, Question
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario

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
    Origin.objects.filter(case__code=codes[0]).delete()
    unblind(
        study=made.refresh(), actor=made.coordinator, reason="planned", typed_name=made.study.name
    )
    return made


def report_of(made):
    data = datasets.load(made.refresh(), actor=made.coordinator)
    return data, reporting.analyse(data)


def test_levels_are_counted_and_agreement_is_weighted(graded):
    _, report = report_of(graded)
    assert report.turing is None
    grade, size, why = report.answers
    assert [row.counts for row in grade.rows] == [(3, 3, 4), (3, 4, 3)]
    (pair,) = grade.agreement
    assert pair.kappa.percent_agreement == pytest.approx(0.6)
    # R, irr::kappa2(cbind(FIRST, SECOND), weight = "equal"): by hand, observed 1 - (3*.5 + 1)/10 =
    # 0.75; expected 1 - (0.5*(.3*.4+.3*.3+.3*.3+.4*.4) + (.3*.3+.4*.3)) = 0.56
    assert pair.kappa.value == pytest.approx((0.75 - 0.56) / (1 - 0.56))
    assert [(row.median, row.mean) for row in size.rows] == [(4.5, 4.5)] * 2
    assert (why.levels, why.agreement) == ((), ())


def test_the_export_has_every_answer_and_no_formula(graded):
    data, report = report_of(graded)
    files = export.files(data, report)
    assert "results.csv" not in files
    rows = list(csv.DictReader(io.StringIO(files["reads_long.csv"].decode())))
    assert len(rows) == 60
    assert {row["value"] for row in rows if row["question"] == "why"} == {"'=SUM(A1)"}
    assert {row["origin"] for row in rows} == {"real", "synthetic", "unknown"}
    document = json.loads(files["results.json"])
    assert [q["question"] for q in document["results"]["answers"]] == ["grade", "size", "why"]


def test_the_page_shows_the_answers(client, graded):
    client.force_login(graded.coordinator)
    text = client.get(reverse("study-results", args=[graded.study.pk])).content.decode()
    assert "did not ask whether images are real" in text
    assert "linear weights" in text
    assert client.get(reverse("study-figure", args=[graded.study.pk])).status_code == 404

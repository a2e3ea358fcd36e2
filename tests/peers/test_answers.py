"""Where other systems change, lose or misread an answer; see README.md here."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from readerstudy.analysis import datasets, export
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading import recording
from readerstudy.reading.models import Rating, Submission
from readerstudy.studies.models import Option, Question, Study
from tests import scenario
from tests.core.test_routes import ROUTES

pytestmark = pytest.mark.django_db


@pytest.fixture
def made():
    return scenario.running()


def answer(made, number: int = 0, **more) -> Submission:
    reading = scenario.offer(made.enrolment(number))
    sent = scenario.body(**more)
    return recording.submit(reading=reading, key=str(uuid.uuid4()), body=sent)[0]


def exported(made) -> list[dict[str, str]]:
    Study.objects.filter(pk=made.study.pk).update(state=Study.State.UNBLINDED)
    data = datasets.load(made.refresh(), actor=made.coordinator)
    text = export.to_csv(export.long_rows(data), export.LONG_COLUMNS)
    return list(csv.DictReader(io.StringIO(text)))


def test_a_stable_code_is_exported_and_not_the_key_of_a_row(made):
    answer(made, origin="synthetic", confidence="4")
    rows = {row["question"]: row["value"] for row in exported(made)}
    assert (rows["origin"], rows["confidence"]) == ("synthetic", "4")
    keys = {str(key) for key in Option.objects.values_list("pk", flat=True)}
    assert "synthetic" not in keys


def test_a_missing_confidence_is_never_filled_in(made):
    """Elsewhere it silently becomes the middle level."""
    reading = scenario.offer(made.enrolment())
    sent = {"answers": {"origin": "real"}}
    with pytest.raises(ReaderStudyError, match="needs an answer"):
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=sent)
    assert not Rating.objects.exists()


def test_a_set_of_choices_is_the_same_in_any_order(made):
    """Elsewhere sets are compared by position, and the same set in another order scores 0."""
    cues = [option.code for option in Option.objects.filter(question__code="cues")][:3]
    assert len(cues) == 3
    answer(made, 0, cues=cues)
    answer(made, 1, cues=cues[::-1])
    values = [row["value"] for row in exported(made) if row["question"] == "cues"]
    assert values == ["|".join(cues)] * 2


def test_a_yes_or_no_can_be_required():
    """Elsewhere an unticked box is an answer, so that no box can be required."""
    made = scenario.draft()
    asked = Question.objects.create(
        study=made.study, position=20, code="lesion", text="Is there a lesion?", kind="single"
    )
    for position, code in enumerate(("no", "yes")):
        Option.objects.create(question=asked, position=position, code=code, label=code)
    made = scenario.started(made)
    with pytest.raises(ReaderStudyError, match=r"lesion.*needs an answer"):
        answer(made)
    answer(made, lesion="no")
    assert Rating.objects.get(question__code="lesion").choice.code == "no"


def test_no_request_of_anybody_deletes_or_overwrites_an_answer(made):
    """Elsewhere an editor may delete the answers of a reader."""
    first = answer(made)
    recording.undo(reading=first.reading)
    answer(made, origin="synthetic")
    before = list(Submission.objects.order_by("pk").values())
    ratings = list(Rating.objects.order_by("pk").values())
    assert len(before) == 2
    administrator = scenario.person("root", coordinator=True)
    type(administrator).objects.filter(pk=administrator.pk).update(is_superuser=True)
    people = [made.coordinator, made.readers[0], administrator]
    reading, enrolment = first.reading, made.enrolment()
    arguments = {
        **{name: (enrolment.token, reading.token) for name in ("api-answers", "api-undo")},
        **{name: (enrolment.token,) for name in ("api-state", "read", "read-changes")},
        **{name: (made.study.pk,) for name in ROUTES if name.startswith("study-")},
    }
    for user in people:
        browser = Client()
        browser.force_login(user)
        for route, given in arguments.items():
            try:
                address = reverse(route, args=given)
            except NoReverseMatch:  # an address of one reader, question or file
                continue
            for method in (browser.delete, browser.put, browser.patch):
                method(address, {"answers": {}}, content_type="application/json")
    assert list(Submission.objects.order_by("pk").values()) == before
    assert list(Rating.objects.order_by("pk").values()) == ratings


def test_the_first_value_stays_beside_its_correction(made):
    first = answer(made, origin="real")
    recording.undo(reading=first.reading)
    second = answer(made, origin="synthetic")
    told = {
        submission.pk: submission.ratings.get(question__code="origin").choice.code
        for submission in (first, second)
    }
    assert list(told.values()) == ["real", "synthetic"]
    rows = [row for row in exported(made) if row["question"] == "origin"]
    assert [(row["value"], row["corrections"]) for row in rows] == [("synthetic", "1")]

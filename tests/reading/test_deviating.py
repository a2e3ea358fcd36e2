"""Deviations that the system sees by itself: displays without a passed check."""

from __future__ import annotations

import uuid

import pytest

from readerstudy.readers.models import DisplayCheck
from readerstudy.reading import progress, recording
from readerstudy.reading.models import Reading
from readerstudy.studies import deviations
from tests.factories import body, make_display_check, running_study
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def advised(settings):
    settings.DISPLAY_CHECK = "advised"


def read_on(enrolment, check) -> None:
    reading = Reading.objects.get(token=progress.state_of(enrolment)["reading"]["token"])
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=body(), display=check)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (None, "no valid check"),
        ("skipped", "the reader chose to read without the check"),
        ("look", "something was not seen in the check"),
    ],
)
def test_answers_on_an_unchecked_display_are_a_deviation(advised, outcome, reason):
    study = running_study()
    enrolment = study.readers.first()
    check = None
    if outcome:
        check = make_display_check(enrolment.reader)
        with unguarded():
            DisplayCheck.objects.update(outcome=outcome)
    read_on(enrolment, check)
    read_on(enrolment, check)
    (entry,) = deviations.deviations_of(study)
    assert (entry.kind, entry.reader, entry.by) == ("no display check", "R1", "")
    assert entry.text == "2 answers on a display without a passed check"
    assert entry.reason == reason


def test_a_passed_check_or_a_visit_without_an_answer_is_none(advised):
    study = running_study()
    first, second = study.readers.order_by("code")
    read_on(first, make_display_check(first.reader))
    recording.current_session(second)
    assert deviations.deviations_of(study) == []


def test_a_server_that_asks_for_no_check_lists_none():
    study = running_study()
    read_on(study.readers.first(), None)
    assert deviations.deviations_of(study) == []

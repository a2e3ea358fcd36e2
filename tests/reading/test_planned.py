"""A pair is out as soon as one of its two cases is withdrawn, whichever it is."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from readerstudy.cases.withdrawing import withdraw
from readerstudy.core.errors import Conflict, NotFound
from readerstudy.reading import access, board, gates, listing, planned, progress, recording
from readerstudy.reading.models import PeriodOpening, Reading, Submission
from readerstudy.studies.models import StudyCase
from tests import scenario
from tests.reading.test_designs import answer, crossover, pairs

pytestmark = pytest.mark.django_db
BODY = {"answers": {"which": 0}, "clock": {}, "viewer": {}}


@pytest.fixture
def made() -> scenario.Scenario:
    return pairs()  # four pairs for each of two readers


def take_out(made, reading: Reading, place: int) -> None:
    row = StudyCase.objects.get(study=made.study, item=reading.item, place=place)
    withdraw(case=row.case, reason="Consent withdrawn", actor=made.coordinator)


@pytest.mark.parametrize("place", [0, 1])
def test_the_pair_is_counted_no_more(made, place):
    take_out(made, scenario.offer(made.enrolment()), place)
    assert progress.progress_of(made.enrolment())["total"] == 3
    assert [row.total for row in board.board_of(made.study).rows] == [3, 3]
    (listed,) = listing.studies_for(made.coordinator)
    assert listed.study.n_readings == 6


@pytest.mark.parametrize("place", [0, 1])
def test_the_pair_is_shown_no_more(made, place):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    images = list(reading.images.all())
    take_out(made, reading, place)
    assert scenario.offer(enrolment).item != reading.item
    for image in images:
        with pytest.raises(NotFound):
            access.access_image(token=image.token, user=enrolment.reader)
    (told,) = planned.withdrawn_under(enrolment)
    assert told["token"] == reading.token
    assert told["at"] is not None


@pytest.mark.parametrize("place", [0, 1])
def test_an_answer_on_its_way_is_kept_as_late(made, place):
    reading = scenario.offer(made.enrolment())
    take_out(made, reading, place)
    stored, _ = recording.submit(reading=reading, key=str(uuid.uuid4()), body=BODY)
    assert stored.outcome == Submission.Outcome.LATE
    assert "withdrawn" in stored.reason


@pytest.mark.parametrize("place", [0, 1])
def test_a_saved_answer_stays_and_cannot_be_undone(made, place):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=BODY)
    take_out(made, reading, place)
    assert progress.state_of(enrolment)["undo"] is None
    with pytest.raises(Conflict, match="withdrawn"):
        recording.undo(reading=reading)
    assert progress.progress_of(enrolment)["total"] == 4


def test_a_reading_taken_out_by_its_study_is_out_there_alone(made):
    reading = scenario.offer(made.enrolment())
    Reading.objects.filter(pk=reading.pk).update(withdrawn_at=timezone.now())
    assert scenario.offer(made.enrolment()).item != reading.item
    assert progress.progress_of(made.enrolment())["total"] == 3
    assert progress.progress_of(made.enrolment(1))["total"] == 4


def test_the_next_period_opens_also_when_the_last_open_case_was_withdrawn():
    made = crossover(washout_days=28)
    enrolment = made.enrolment()
    for _ in range(5):
        last = answer(enrolment)
    withdraw(case=scenario.offer(enrolment).case, reason="Motion", actor=made.coordinator)
    told = progress.state_of(enrolment)["waiting"]
    assert told["reason"] == "washout"
    reading = Reading.objects.get(pk=last.reading_id)
    assert told["opens_at"] == reading.completed_at + timedelta(days=28)
    PeriodOpening.objects.update(opens_at=timezone.now())
    assert gates.offer(enrolment).current.period == 2

"""What a reader is told of the way: numbers of cases, time left, steps, practice, the next part."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from readerstudy.cases.withdrawing import withdraw
from readerstudy.core.errors import NotFound
from readerstudy.reading import calendars, parts
from readerstudy.reading.attempts import allow_attempt
from readerstudy.reading.models import PeriodOpening, Reading
from readerstudy.reading.practice import practice_of
from readerstudy.reading.progress import state_of
from readerstudy.reading.recording import save_draft, submit, undo
from tests import scenario
from tests.reading.test_designs import (
    add_arms,
    answer,
    crossover,
    pairs,
    planned,
    training_study,
    two_series,
)

pytestmark = pytest.mark.django_db


def sequential() -> scenario.Scenario:
    made = two_series()
    add_arms(made.study, plain=["t1"], aided=["t1", "t1c"])
    return scenario.started(planned(made, schedule="sequential"))


def timed(enrolment, look_ms: int) -> None:
    body = scenario.body() | {"clock": {"load_ms": 0, "look_ms": look_ms}}
    submit(reading=scenario.offer(enrolment), key=str(uuid.uuid4()), body=body)


def numbers(enrolment) -> tuple[int, int]:
    told = state_of(enrolment)
    return told["reading"]["number"], told["progress"]["part"]["total"]


def test_the_number_shown_is_one_more_than_the_cases_read():
    enrolment = scenario.running(n_readers=1).enrolment()
    told = state_of(enrolment)
    assert [told["reading"]["number"], *(one["number"] for one in told["upcoming"])] == [1, 2, 3]
    answer(enrolment)
    assert numbers(enrolment) == (2, 6)
    assert state_of(enrolment)["undo"]["number"] == 1


def test_what_is_shown_and_asked_is_told_once_in_the_forms():
    told = state_of(scenario.running(n_readers=1).enrolment())
    assert {"layout", "questions"} & set(told) == set()
    assert [set(form) for form in told["forms"]] == [{"layout", "questions"}]


def test_a_withdrawal_never_leads_to_a_case_beyond_the_last():
    made = scenario.running(n_readers=1)
    enrolment = made.enrolment()
    answer(enrolment)
    withdraw(case=scenario.offer(enrolment).case, reason="wrong patient", actor=made.coordinator)
    seen = []
    while state_of(enrolment)["reading"]:
        seen.append(numbers(enrolment))
        answer(enrolment)
    assert seen == [(2, 5), (3, 5), (4, 5), (5, 5)]


def test_a_case_opened_again_has_its_number_again():
    enrolment = scenario.running(n_readers=1).enrolment()
    first = scenario.offer(enrolment)
    answer(enrolment)
    undo(reading=first)
    told = state_of(enrolment)
    assert (told["reading"]["number"], told["progress"]["done"]) == (1, 0)


def test_the_steps_of_a_case_share_its_number_and_the_answer_before_is_shown_sealed():
    enrolment = sequential().enrolment()
    told = state_of(enrolment)
    assert (told["reading"]["stage"], told["reading"]["stages"]) == (1, 2)
    assert told["reading"]["sealed"] == []
    shown = {"t1": {"slice": 7, "window": {"width": 2, "level": 1}, "slices_seen": [[0, 9]]}}
    body = scenario.body("synthetic", "4") | {"viewer": {**shown, "hanging": "1x1"}}
    submit(reading=scenario.offer(enrolment), key=str(uuid.uuid4()), body=body)
    second = state_of(enrolment)["reading"]
    assert (second["stage"], second["number"]) == (2, 1)
    assert second["sealed"] == [
        {"form": 0, "stage": 1, "answers": {"origin": "synthetic", "confidence": "4"}}
    ]
    assert second["form"] == 1
    assert second["draft"]["answers"] == {}, "nothing is filled in"
    view = second["draft"]["viewer"]
    assert view == {"t1": {**shown["t1"], "slices_seen": []}}, "the same place, seen anew"
    answer(enrolment)
    assert numbers(enrolment) == (2, 6)


def test_a_half_filled_second_step_comes_back_as_it_was():
    enrolment = sequential().enrolment()
    answer(enrolment)
    draft = {"answers": {"origin": "real"}, "viewer": {"hanging": "1x2"}}
    save_draft(reading=scenario.offer(enrolment), draft=draft)
    assert state_of(enrolment)["reading"]["draft"] == draft


def test_periods_are_counted_by_themselves():
    enrolment = crossover(washout_days=28).enrolment()
    for _ in range(6):
        answer(enrolment)
    told = state_of(enrolment)
    assert told["waiting"]["calendar"] == f"/read/{enrolment.token}/next.ics"
    part = told["progress"]["part"]
    assert (part["number"], part["of"], part["done"], part["total"]) == (1, 2, 6, 6)
    assert told["undo"]["number"] == 6
    PeriodOpening.objects.filter(enrolment=enrolment).update(opens_at=timezone.now())
    assert numbers(enrolment) == (1, 6)
    assert state_of(enrolment)["progress"]["part"]["number"] == 2


def test_practice_is_no_progress_and_sets_no_pace():
    enrolment = training_study(qualification=0.5).enrolment()
    told = state_of(enrolment)
    assert (told["progress"]["done"], told["progress"]["total"]) == (0, 4)
    assert told["progress"]["part"]["training"]
    assert told["progress"]["part"]["total"] == 2
    assert told["practice"] == {
        "done": 0,
        "total": 2,
        "told": 0,
        "right": 0,
        "needed": 0.5,
        "qualified": None,
    }
    answer(enrolment, origin="real")
    answer(enrolment, origin="synthetic")
    told = state_of(enrolment)
    assert told["progress"]["median_seconds"] is None
    assert told["progress"]["part"]["training"] is False
    assert numbers(enrolment) == (1, 4)
    practice = practice_of(enrolment)
    assert (practice["told"], practice["right"], practice["qualified"]) == (2, 1, True)


def test_a_study_without_practice_says_so():
    assert practice_of(scenario.running(n_readers=1).enrolment()) is None


def test_time_for_a_case_is_the_sum_of_the_medians_of_its_steps():
    enrolment = sequential().enrolment()
    for first, second in ((10_000, 4_000), (30_000, 6_000), (20_000, 5_000)):
        timed(enrolment, first)
        timed(enrolment, second)
    assert parts.case_seconds(enrolment, 1) == 25
    assert parts.median_seconds(enrolment) == 8, "the middle of 4, 5, 6, 10, 20 and 30 s"


def test_the_pace_of_another_period_counts_until_this_one_has_its_own():
    enrolment = crossover().enrolment()
    for _ in range(6):
        timed(enrolment, 10_000)
    PeriodOpening.objects.filter(enrolment=enrolment).update(opens_at=timezone.now())
    for _ in range(4):
        timed(enrolment, 50_000)
    assert parts.case_seconds(enrolment, 2) == 10
    timed(enrolment, 50_000)
    assert parts.case_seconds(enrolment, 2) == 50
    assert parts.case_seconds(enrolment, 1) == 10


@pytest.mark.parametrize(
    ("seconds", "breaks"),
    [
        (None, [50, 100]),
        (20, [50, 100]),
        (60, [25, 50, 75, 100]),
        (600, list(range(10, 120, 10))),
    ],
)
def test_breaks_come_about_every_forty_minutes(seconds, breaks):
    part = parts.Part(period=1, periods=1, done=0, total=120, case_seconds=seconds)
    assert part.breaks == breaks


def test_questions_name_how_many_images_stand_beside_each_other():
    told = state_of(pairs().enrolment())
    (question,) = told["forms"][0]["questions"]
    assert question["places"] == 2
    assert [slot["place"] for slot in told["forms"][0]["layout"]["slots"]] == [0, 1]


def test_the_calendar_file_holds_the_opening_and_no_name_but_the_readers_title():
    made = crossover(washout_days=28)
    enrolment = made.enrolment()
    with pytest.raises(NotFound):
        calendars.next_part(enrolment)
    for _ in range(6):
        answer(enrolment)
    opens = state_of(enrolment)["waiting"]["opens_at"]
    text = calendars.next_part(enrolment)
    assert f"DTSTART:{opens:%Y%m%dT%H%M%SZ}\r\n" in text
    assert f"DTEND:{opens + timedelta(hours=1):%Y%m%dT%H%M%SZ}\r\n" in text
    assert "SUMMARY:Reading can go on: Brain MR reading A\r\n" in text
    assert made.study.name not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_the_calendar_file_is_the_readers_own(client):
    made = crossover(washout_days=28)
    enrolment = made.enrolment()
    for _ in range(6):
        answer(enrolment)
    client.force_login(made.readers[1])
    assert client.get(f"/read/{enrolment.token}/next.ics").status_code == 404
    client.force_login(made.readers[0])
    response = client.get(f"/read/{enrolment.token}/next.ics")
    assert response["Content-Type"] == "text/calendar"
    assert response["Content-Disposition"] == 'attachment; filename="reading.ics"'


def test_no_reading_is_lost_between_the_numbers():
    enrolment = sequential().enrolment()
    seen = []
    while (told := state_of(enrolment))["reading"]:
        seen.append((told["reading"]["number"], told["reading"]["stage"]))
        answer(enrolment)
    assert seen == [(case, stage) for case in range(1, 7) for stage in (1, 2)]
    assert Reading.objects.filter(enrolment=enrolment, completed_at=None).count() == 0


def test_another_attempt_at_the_practice_counts_from_one():
    made = training_study(qualification=0.9)
    enrolment = made.enrolment()
    answer(enrolment, origin="synthetic")
    answer(enrolment, origin="synthetic")
    allow_attempt(enrolment=enrolment, reason="asked to try again", actor=made.coordinator)
    assert numbers(enrolment) == (1, 2)
    answer(enrolment, origin="real")
    assert numbers(enrolment) == (2, 2)
    answer(enrolment, origin="real")
    told = state_of(enrolment)
    assert (told["reading"]["number"], told["progress"]["part"]["total"]) == (1, 4)

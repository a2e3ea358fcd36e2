"""The coordinator's board: figures worked out by hand, and no answer among them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from readerstudy.reading import board, listing, pace, progress, recording
from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Study
from tests.factories import StudyFactory, body, locked_study, running_study
from tests.reading.test_designs import training_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return running_study(n_each=6)  # two readers, twelve cases each


def answer(enrolment, times: list[float]) -> None:
    for seconds in times:
        token = progress.state_of(enrolment)["reading"]["token"]
        reading = Reading.objects.get(token=token)
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=body(seconds))


def reader(study, code: str):
    return study.enrolments.get(code=code)


def row(study, code: str) -> board.ReaderRow:
    return next(r for r in board.board_of(study).rows if r.enrolment.code == code)


def test_nothing_is_read_yet(study):
    figures = board.board_of(study)
    assert (figures.done, figures.total, figures.open) == (0, 24, 24)
    assert (figures.readers_done, figures.readers_begun, figures.late) == (0, 0, 0)
    assert (figures.hours_read, figures.share, figures.last_receipt) == (0, 0, None)
    assert figures.seconds_left is None
    assert row(study, "R1").median is None
    assert row(study, "R1").quartiles is None


def test_counts_and_hours(study):
    answer(reader(study, "R1"), [30.0] * 12)
    answer(reader(study, "R2"), [60.0] * 3)
    figures = board.board_of(study)
    assert (figures.done, figures.open, figures.share) == (15, 9, 15 / 24)
    assert (figures.readers_done, figures.readers_begun) == (1, 2)
    assert figures.hours_read == pytest.approx((12 * 30 + 3 * 60) / 3600)
    assert figures.last_hour == 15
    assert figures.seconds_left == pytest.approx(9 * 60)


def test_median_and_quartiles(study):
    answer(reader(study, "R1"), [10.0, 20.0, 30.0, 40.0, 50.0])
    found = row(study, "R1")
    assert found.median == 30
    assert found.quartiles == (20, 40)  # type 7, as R's quantile()


def test_quartiles_need_four_cases(study):
    answer(reader(study, "R1"), [10.0, 20.0, 30.0])
    assert row(study, "R1").quartiles is None


def test_the_trend_has_one_median_for_each_full_ten(study):
    answer(reader(study, "R1"), [float(seconds) for seconds in range(1, 13)])
    assert row(study, "R1").trend == [5.5]


def test_a_correction_does_not_count_again(study):
    enrolment = reader(study, "R1")
    answer(enrolment, [30.0])
    recording.undo(reading=enrolment.readings.get(position=1))
    answer(enrolment, [90.0])
    assert row(study, "R1").times == [30.0]
    assert board.board_of(study).done == 1


def test_practice_does_not_count_as_time_of_the_study():
    made = training_study()
    enrolment = made.enrolment()
    answer(enrolment, [300.0, 300.0, 20.0])
    assert board.reading_times(made.study)[enrolment.pk] == [20.0]


def test_late_answers_are_counted_apart(study):
    enrolment = reader(study, "R1")
    token = progress.state_of(enrolment)["reading"]["token"]
    lifecycle.close(study=study, actor=study.created_by, reason="Enough")
    recording.submit(reading=Reading.objects.get(token=token), key=str(uuid.uuid4()), body=body())
    study.refresh_from_db()
    figures = board.board_of(study)
    assert (figures.late, figures.done) == (1, 0)
    statements = [item.statement for item in board.attention_of(figures)]
    assert statements == ["1 answer came late"]


def test_silence_is_named_after_three_days(study):
    answer(reader(study, "R1"), [20.0])
    answer(reader(study, "R2"), [20.0])
    for code, days in (("R1", 6), ("R2", 2)):
        at = timezone.now() - timedelta(days=days, hours=1)
        Reading.objects.filter(enrolment__code=code, completed_at__isnull=False).update(
            completed_at=at
        )
    found = board.attention_of(board.board_of(study))
    assert [item.statement for item in found] == ["R1 has not read for 6 days"]
    assert found[0].evidence == "11 cases are open"


def test_who_has_not_begun_and_who_has_not_used_the_invitation(study):
    user = reader(study, "R2").reader
    user.set_unusable_password()
    user.save()

    def statements() -> list[str]:
        study.refresh_from_db()
        return [item.statement for item in board.attention_of(board.board_of(study))]

    assert statements() == ["R2 has not used the invitation"]
    Study.objects.update(running_at=timezone.now() - timedelta(days=4))
    assert statements() == [
        "R1 has not begun, 4 days after the launch",
        "R2 has not used the invitation",
    ]
    lifecycle.close(study=study, actor=study.created_by, reason="Enough")
    assert statements() == []


def test_no_answer_is_read_for_the_board(study):
    answer(reader(study, "R1"), [20.0])
    with CaptureQueriesContext(connection) as queries:
        board.attention_of(board.board_of(study))
        pace.pace_of(study)
    asked = " ".join(query["sql"].lower() for query in queries)
    for table in ("reading_rating", "truth_"):
        assert table not in asked
    assert "answers" not in asked


def test_the_number_of_queries_does_not_grow_with_the_readings(study):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            board.board_of(study)
        return len(queries)

    before = count()
    answer(reader(study, "R1"), [20.0] * 5)
    assert count() == before


def test_the_page_shows_names_codes_and_progress(client, study):
    answer(reader(study, "R1"), [20.0] * 4)
    client.force_login(study.created_by)
    text = " ".join(client.get(reverse("study", args=[study.pk])).content.decode().split())
    assert str(reader(study, "R1").reader) in text
    assert "<strong>4</strong> of 24 reads" in text
    assert "no estimate: not every reader has begun" in text
    assert "20 reads are open and would stay open" in text
    assert "neuroradiology, 9 y" in text


def test_pace_begins_with_the_second_day(study):
    assert pace.pace_of(study) is None


def test_pace_adds_up_the_readings_by_day(study):
    answer(reader(study, "R1"), [20.0] * 3)
    today = timezone.now()
    Study.objects.filter(pk=study.pk).update(running_at=today - timedelta(days=2))
    Reading.objects.filter(enrolment__code="R1", position=1).update(
        completed_at=today - timedelta(days=1)
    )
    study.refresh_from_db()
    drawn = pace.pace_of(study)
    assert [count for _, count in drawn.days] == [0, 0, 1, 3]
    assert [mark.text for mark in drawn.rows] == ["0", "5", "10", "15", "20"]
    x, y = drawn.last
    assert x == pace.RIGHT
    assert y == pytest.approx(pace.BOTTOM - (pace.BOTTOM - pace.TOP) * 3 / 24)


@pytest.mark.parametrize(
    ("total", "step"), [(3, 1), (9, 2), (24, 5), (50, 10), (51, 20), (440, 100)]
)
def test_the_axis_has_round_steps(total, step):
    assert pace._round_step(total) == step


def test_the_list_of_studies_counts_cases_readers_and_reads(client, study):
    answer(reader(study, "R1"), [20.0] * 2)
    StudyFactory(actor=study.created_by)
    StudyFactory(name="Somebody else’s study")
    drafted, running = (one.study for one in listing.studies_for(study.created_by))
    assert (running.n_cases, running.n_readers) == (12, 2)
    assert (running.n_done, running.n_readings) == (2, 24)
    assert (drafted.n_cases, drafted.n_readings) == (0, 0)
    client.force_login(study.created_by)
    assert "Somebody else’s study" not in client.get(reverse("studies")).content.decode()


def test_a_locked_study_leads_to_its_checklist(client):
    study = locked_study()
    client.force_login(study.created_by)
    response = client.get(reverse("study", args=[study.pk]))
    assert response.url == reverse("study-launch", args=[study.pk])
    assert not ReadingSession.objects.exists()

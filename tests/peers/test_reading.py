"""Where other systems lose, double or mistime what a reader did; see README.md here."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from readerstudy.analysis import datasets, export
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading import board, recording
from readerstudy.reading.models import Rating, Submission
from readerstudy.studies.models import Study
from tests import scenario
from tests.tampering import unguarded

AT_ONCE = 8


def at_the_same_moment(work) -> list:
    """Run ``work(number)`` in several threads that start together; return what each gave."""
    gate, found, lock = threading.Barrier(AT_ONCE), [], threading.Lock()

    def run(number: int) -> None:
        try:
            gate.wait(20)
            given = work(number)
        except ReaderStudyError as error:
            given = error.code
        finally:
            connection.close()
        with lock:
            found.append(given)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == AT_ONCE
    return found


@pytest.mark.django_db(transaction=True)
def test_the_same_answer_sent_at_the_same_moment_is_stored_once():
    """Elsewhere the second one is an error, although the answer is stored."""
    made = scenario.running()
    reading, key = scenario.offer(made.enrolment()), str(uuid.uuid4())
    found = at_the_same_moment(
        lambda _: recording.submit(reading=reading, key=key, body=scenario.body())
    )
    assert len({submission.pk for submission, _ in found}) == 1
    assert sum(new for _, new in found) == 1
    assert Submission.objects.count() == 1
    assert Rating.objects.filter(question__code="origin").count() == 1


@pytest.mark.django_db(transaction=True)
def test_answers_of_several_windows_at_the_same_moment_count_once_and_none_is_lost():
    made = scenario.running()
    reading = scenario.offer(made.enrolment())
    said = ["real", "synthetic"] * (AT_ONCE // 2)
    found = at_the_same_moment(
        lambda number: recording.submit(
            reading=reading, key=str(uuid.uuid4()), body=scenario.body(said[number])
        )
    )
    outcomes = sorted(submission.outcome for submission, _ in found)
    assert outcomes == ["accepted", *["duplicate"] * (AT_ONCE - 1)]
    assert Submission.objects.count() == AT_ONCE
    assert Rating.objects.filter(question__code="origin").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_with_several_bodies_at_the_same_moment_keeps_the_first_alone():
    made = scenario.running()
    reading, key = scenario.offer(made.enrolment()), str(uuid.uuid4())
    found = at_the_same_moment(
        lambda number: recording.submit(
            reading=reading, key=key, body=scenario.body(confidence=str(1 + number % 5))
        )
    )
    stored = Submission.objects.get()
    refused = [one for one in found if one == "key_reused"]
    taken = [one for one in found if one != "key_reused"]
    assert refused
    assert {submission.pk for submission, _ in taken} == {stored.pk}
    kept = Rating.objects.get(question__code="confidence").choice.code
    assert kept == stored.body["answers"]["confidence"]


@pytest.mark.django_db
def test_an_expired_session_costs_neither_the_form_nor_the_answer():
    """Elsewhere the page has to be loaded again, and what was typed is gone."""
    made = scenario.running()
    browser, token = Client(), made.enrolment().token
    assert browser.login(username="reader1", password=scenario.PASSWORD)
    reading = browser.get(f"/api/read/{token}/state").json()["reading"]["token"]
    path = f"/api/read/{token}/readings/{reading}"
    half = {"answers": {"origin": "real"}, "viewer": {"t1c": {"slice": 4}}}
    sent = {"key": str(uuid.uuid4()), **scenario.body("synthetic")}

    def send(method, address, body):
        return getattr(browser, method)(address, body, content_type="application/json")

    assert send("put", f"{path}/draft", half).status_code == 204
    Session.objects.all().delete()
    refused = send("post", f"{path}/answers", sent)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "signed_out"
    other = {"username": "reader2", "password": scenario.PASSWORD, "enrolment": token}
    assert send("post", "/api/session", other).json()["error"]["code"] == "other_user"
    again = {**other, "username": "reader1"}
    assert send("post", "/api/session", again).status_code == 204
    state = browser.get(f"/api/read/{token}/state").json()
    assert (state["reading"]["token"], state["reading"]["draft"]) == (reading, half)
    assert send("post", f"{path}/answers", sent).status_code == 201
    assert send("post", f"{path}/answers", sent).status_code == 200
    assert Submission.objects.count() == 1


@pytest.mark.django_db
def test_a_reading_without_times_does_not_take_away_the_times_of_the_others():
    """Elsewhere one missing duration makes the total unknown."""
    made = scenario.running()
    for seconds in (10, None, 30, 20, 40):
        sent = scenario.body()
        sent["clock"] = {} if seconds is None else {"load_ms": 0, "look_ms": 1000 * seconds}
        reading = scenario.offer(made.enrolment())
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=sent)
    (row,) = [one for one in board.board_of(made.study).rows if one.times]
    assert (len(row.times), row.median) == (4, 25)
    Study.objects.filter(pk=made.study.pk).update(state=Study.State.UNBLINDED)
    data = datasets.load(made.refresh(), actor=made.coordinator)
    times = [row["look_seconds"] for row in export.wide_rows(data)]
    assert times == [10, "", 30, 20, 40]


@pytest.mark.django_db
@pytest.mark.parametrize("claimed", ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_the_time_of_receipt_is_the_servers_whatever_the_browser_claims(claimed):
    made = scenario.running()
    sent = scenario.body()
    sent |= {"received_at": claimed, "clock": {**sent["clock"], "received_at": claimed}}
    reading = scenario.offer(made.enrolment())
    stored, _ = recording.submit(reading=reading, key=str(uuid.uuid4()), body=sent)
    assert abs(timezone.now() - stored.received_at) < timedelta(minutes=1)


@pytest.mark.django_db
def test_a_draft_is_kept_although_answers_cannot_be_changed_any_more():
    """Elsewhere drafts are saved only in studies that let readers change their answers."""
    made = scenario.running()
    enrolment = made.enrolment()
    done = scenario.offer(enrolment)
    recording.submit(reading=done, key=str(uuid.uuid4()), body=scenario.body())
    with unguarded():
        Submission.objects.update(received_at=timezone.now() - timedelta(hours=1))
    half = {"answers": {"confidence": "2"}, "viewer": {}}
    recording.save_draft(reading=scenario.offer(enrolment), draft=half)
    done.refresh_from_db()
    recording.save_draft(reading=done, draft=half)
    done.refresh_from_db()
    assert done.draft is None
    assert scenario.state_of(enrolment)["reading"]["draft"] == half
    assert scenario.state_of(enrolment)["undo"] is None

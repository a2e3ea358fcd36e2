"""An answer is stored once, never lost, never silently changed."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading import recording
from readerstudy.reading.models import Rating, Reading, Submission
from readerstudy.reading.progress import state_of
from readerstudy.studies import lifecycle
from tests import scenario
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
Outcome = Submission.Outcome


@pytest.fixture
def made():
    return scenario.running()


def key() -> str:
    return str(uuid.uuid4())


def test_an_answer_is_stored_with_its_ratings_and_the_page_moves_on(made):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    submission, new = recording.submit(
        reading=reading, key=key(), body=scenario.body("synthetic", "4", cues=["texture"])
    )
    assert new
    ratings = {r.question.code: r for r in submission.ratings.select_related("question", "choice")}
    assert ratings["origin"].choice.code == "synthetic"
    assert ratings["confidence"].choice.code == "4"
    assert ratings["cues"].choices == ["texture"]
    state = state_of(enrolment)
    assert state["progress"]["done"] == 1
    assert state["reading"]["position"] == 2
    assert state["last_receipt"]["id"] == str(submission.pk)


def test_the_same_key_and_body_give_the_same_receipt(made):
    reading, once = scenario.offer(made.enrolment()), key()
    first, _ = recording.submit(reading=reading, key=once, body=scenario.body())
    second, new = recording.submit(reading=reading, key=once, body=scenario.body())
    assert (second.pk, new) == (first.pk, False)
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("kind", [str, uuid.UUID])  # as the page and as the API hand it on
def test_the_same_key_with_another_body_is_refused_and_logged(made, kind):
    reading, once = scenario.offer(made.enrolment()), kind(key())
    recording.submit(reading=reading, key=once, body=scenario.body("real"))
    with pytest.raises(Conflict) as refused:
        recording.submit(reading=reading, key=once, body=scenario.body("synthetic"))
    assert refused.value.code == "key_reused"
    logged = AuditRecord.objects.get(action="reading.key_reused")
    assert logged.new["body"]["answers"]["origin"] == "synthetic"
    assert Rating.objects.get(question__code="origin").choice.code == "real"


def test_a_second_answer_from_another_window_is_kept_and_not_counted(made):
    reading = scenario.offer(made.enrolment())
    recording.submit(reading=reading, key=key(), body=scenario.body("real"))
    second, _ = recording.submit(reading=reading, key=key(), body=scenario.body("synthetic"))
    assert second.outcome == Outcome.DUPLICATE
    assert second.body["answers"]["origin"] == "synthetic"
    assert not second.ratings.exists()
    assert Rating.objects.filter(question__code="origin").count() == 1


def test_undo_reopens_the_last_reading_and_the_correction_supersedes(made):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    first, _ = recording.submit(reading=reading, key=key(), body=scenario.body("real"))
    recording.undo(reading=reading)
    state = state_of(enrolment)
    assert state["reading"]["token"] == reading.token
    assert state["reading"]["draft"]["answers"]["origin"] == "real"
    reading.refresh_from_db()
    second, _ = recording.submit(reading=reading, key=key(), body=scenario.body("synthetic"))
    assert second.supersedes_id == first.pk
    assert "Corrected by the reader" in second.reason
    assert first.ratings.exists(), "the former value stays on record"
    assert recording.current_submission(reading) == second
    assert state_of(enrolment)["reading"]["position"] == 2


def test_after_the_grace_time_an_answer_is_sealed(made):
    reading = scenario.offer(made.enrolment())
    submission, _ = recording.submit(reading=reading, key=key(), body=scenario.body())
    late = timezone.now() - timedelta(seconds=recording.UNDO_SECONDS + 1)
    with unguarded():
        Submission.objects.filter(pk=submission.pk).update(received_at=late)
    with pytest.raises(Conflict, match="grace time"):
        recording.undo(reading=reading)


def test_an_answer_after_closing_is_kept_as_late(made):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    lifecycle.close(study=made.study, actor=made.coordinator, reason="enough")
    submission, _ = recording.submit(reading=reading, key=key(), body=scenario.body())
    assert submission.outcome == Outcome.LATE
    assert "closed" in submission.reason
    assert not submission.ratings.exists()


def test_an_answer_to_a_withdrawn_case_is_kept_as_late(made):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    type(reading.case).objects.filter(pk=reading.case_id).update(withdrawn_at=timezone.now())
    submission, _ = recording.submit(reading=reading, key=key(), body=scenario.body())
    assert submission.outcome == Outcome.LATE
    assert state_of(enrolment)["reading"]["token"] != reading.token


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"confidence": "3"}, "needs an answer"),
        ({"origin": "perhaps", "confidence": "3"}, "no such choice"),
        ({"origin": ["real"], "confidence": "3"}, "no such choice"),
        ({"origin": "real", "confidence": "3", "cues": "texture"}, "no such choice"),
        ({"origin": "real", "confidence": "3", "cues": ["nothing"]}, "no such choice"),
        ({"origin": {"not_evaluable": True}, "confidence": "3"}, "not evaluable"),
        ({"origin": "real", "confidence": "3", "grade": "4"}, "no question"),
        ("real", "must be an object"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_and_nothing_is_stored(made, answers, words):
    reading = scenario.offer(made.enrolment())
    with pytest.raises(ReaderStudyError, match=words):
        recording.submit(reading=reading, key=key(), body={"answers": answers})
    assert not Submission.objects.exists()
    assert Reading.objects.get(pk=reading.pk).completed_at is None


def test_a_key_must_be_a_uuid(made):
    with pytest.raises(ReaderStudyError, match="UUID"):
        recording.submit(reading=scenario.offer(made.enrolment()), key="1", body=scenario.body())


def test_the_database_refuses_a_second_accepted_chain(made):
    reading = scenario.offer(made.enrolment())
    recording.submit(reading=reading, key=key(), body=scenario.body())
    row = Submission(
        reading=reading,
        key=uuid.uuid4(),
        body_hash="0" * 64,
        body={},
        received_at=timezone.now(),
        outcome=Outcome.ACCEPTED,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_every_submission_leaves_one_link_in_an_unbroken_audit_chain(made):
    from readerstudy.core import audit

    for number in range(2):
        scenario.read_all(made.enrolment(number), lambda _: scenario.body("real"))
    assert AuditRecord.objects.filter(action="reading.accepted").count() == 12
    assert list(audit.broken_links()) == []


def test_a_changed_audit_record_is_found(made):
    from readerstudy.core import audit

    row = AuditRecord.objects.order_by("sequence")[3]
    with unguarded():
        AuditRecord.objects.filter(pk=row.pk).update(reason="nothing to see")
    assert list(audit.broken_links()) == [
        f"Record {row.sequence} was changed after it was written."
    ]


def test_pausing_ends_the_sitting_and_keeps_the_draft(made):
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    recording.save_draft(reading=reading, draft={"answers": {"origin": "real"}, "viewer": {}})
    first = recording.current_session(enrolment)
    recording.pause(enrolment=enrolment)
    assert recording.current_session(enrolment).pk != first.pk
    assert state_of(enrolment)["reading"]["draft"]["answers"] == {"origin": "real"}


def test_a_reader_gets_only_readings_that_were_offered(made):
    from readerstudy.core.errors import NotFound
    from readerstudy.reading.access import access_reading

    enrolment = made.enrolment()
    scenario.offer(enrolment)
    far = enrolment.readings.get(position=5)
    with pytest.raises(NotFound):
        access_reading(enrolment=enrolment, token=far.token)
    others = made.enrolment(1).readings.get(position=1)
    with pytest.raises(NotFound):
        access_reading(enrolment=enrolment, token=others.token)

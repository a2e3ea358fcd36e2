"""Reminders: when one is due, once a week at most, by hand and by the schedule."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from readerstudy.core import regular
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading import progress, recording, reminding
from readerstudy.reading.models import PeriodOpening, Reading
from readerstudy.studies import letters, lifecycle
from readerstudy.studies.models import Letter, Study
from tests.factories import body, running_study
from tests.reading.test_designs import answer, crossover
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return running_study()


def read(enrolment, count: int, seconds: float = 30.0) -> None:
    for _ in range(count):
        token = progress.state_of(enrolment)["reading"]["token"]
        reading = Reading.objects.get(token=token)
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=body(seconds))


def days_ago(study, days: int) -> None:
    Study.objects.filter(pk=study.pk).update(running_at=timezone.now() - timedelta(days=days))
    with unguarded():
        study.enrolments.update(enrolled_at=timezone.now() - timedelta(days=days))


def test_a_reminder_says_what_is_left_and_how_long_it_takes(study):
    letters.set_texts(
        study=study,
        invitation="",
        reminder="Dr O'Neil's group thanks you.",
        remind_every_days=7,
        actor=study.created_by,
    )
    study.refresh_from_db()
    enrolment = study.readers.first()
    read(enrolment, 1)
    reminding.remind(enrolment=study.readers.first(), actor=study.created_by)
    (letter,) = mail.outbox
    assert letter.to == [enrolment.reader.email]
    assert "3 cases" in letter.body
    assert "about 2 minutes" in letter.body  # three of 30 s
    assert "Dr O'Neil's group thanks you." in letter.body
    assert study.name not in letter.body
    stored = Letter.objects.get(kind="reminder")
    assert (stored.sent_by, stored.handed_over) == (study.created_by, True)
    assert AuditRecord.objects.filter(action="letter.reminder").count() == 1


def test_at_most_one_reminder_in_a_week(study):
    enrolment = study.readers.first()
    reminding.remind(enrolment=enrolment, actor=study.created_by)
    with pytest.raises(Conflict, match="less than 7 days ago"):
        reminding.remind(enrolment=enrolment, actor=study.created_by)
    with unguarded():
        Letter.objects.update(at=timezone.now() - timedelta(days=7, minutes=1))
    reminding.remind(enrolment=enrolment, actor=study.created_by)
    assert len(mail.outbox) == 2


def test_nobody_is_reminded_of_nothing(study):
    enrolment = study.readers.first()
    read(enrolment, 4)
    with pytest.raises(Conflict, match="every case is read"):
        reminding.remind(enrolment=enrolment, actor=study.created_by)
    other = study.readers.last()
    other.reader.set_unusable_password()
    other.reader.save()
    with pytest.raises(Conflict, match="not used yet"):
        reminding.remind(enrolment=other, actor=study.created_by)
    study = lifecycle.close(study=study, actor=study.created_by, reason="Done")
    with pytest.raises(Conflict, match="not running"):
        reminding.remind(enrolment=study.readers.last(), actor=study.created_by)


def test_who_waits_for_a_washout_is_left_in_peace():
    enrolment = crossover().enrolment()
    for _ in range(6):
        answer(enrolment)
    with pytest.raises(Conflict, match="cannot read now"):
        reminding.remind(enrolment=enrolment, actor=None)
    PeriodOpening.objects.update(opens_at=timezone.now())
    assert reminding.why_not(enrolment) == ""


def test_the_schedule_reminds_the_silent_and_asking_twice_sends_once(study):
    assert reminding.remind_by_schedule() == 0
    days_ago(study, 8)
    read(study.readers.first(), 1)
    assert reminding.remind_by_schedule() == 1
    assert reminding.remind_by_schedule() == 0
    (letter,) = mail.outbox
    assert letter.to == [study.readers.last().reader.email]
    assert Letter.objects.get(kind="reminder").sent_by is None


def test_the_schedule_can_be_switched_off(study):
    days_ago(study, 30)
    letters.set_texts(
        study=study, invitation="", reminder="", remind_every_days=0, actor=study.created_by
    )
    assert reminding.remind_by_schedule() == 0
    with pytest.raises(ReaderStudyError, match="7 days at most"):
        letters.set_texts(
            study=study, invitation="", reminder="", remind_every_days=3, actor=study.created_by
        )


def test_a_mail_system_that_is_away_is_told_and_recorded(client, study, monkeypatch):
    def away(**_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("readerstudy.studies.letters.send_mail", away)
    client.force_login(study.created_by)
    address = reverse("study-remind", args=[study.pk, "R1"])
    text = client.post(address, follow=True).content.decode()
    assert "did not take the reminder" in text
    assert Letter.objects.get().handed_over is False


def test_one_fault_by_the_clock_does_not_stop_the_rest(study, monkeypatch):
    done = []

    def fails() -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(regular, "_hourly", [fails, lambda: done.append(1)])
    assert regular.run_hourly() == 1
    assert done == [1]


def test_the_letters_page_keeps_the_words(client, study):
    client.force_login(study.created_by)
    address = reverse("study-letters", args=[study.pk])
    sent = {"invitation": "Welcome.", "reminder": "Soon, please.", "remind_every_days": "14"}
    assert client.post(address, sent).status_code == 302
    assert letters.texts_of(Study.objects.get(pk=study.pk)) == {
        "invitation": "Welcome.",
        "opening": "",
        "reminder": "Soon, please.",
        "remind_every_days": 14,
    }

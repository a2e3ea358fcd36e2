"""The letter that a study is open: with the launch, once to each, and kept as it was sent."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from readerstudy.core.errors import Conflict
from readerstudy.core.models import AuditRecord
from readerstudy.reading import announcing
from readerstudy.studies import letters
from readerstudy.studies.models import Letter, LetterVersion, Study
from tests.factories import locked_study, prepare_images, ready_study, running_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    study = locked_study()
    prepare_images(study)
    client.force_login(study.created_by)
    return study


def launch(client, study, **data):
    return client.post(reverse("study-launch", args=[study.pk]), data, follow=True)


def words(study, **texts) -> None:
    given = {"invitation": "", "opening": "", "reminder": "", "remind_every_days": 7, **texts}
    letters.set_texts(study=study, actor=study.created_by, **given)


def test_the_letter_is_ticked_and_goes_to_every_reader(client, study):
    page = client.get(reverse("study-launch", args=[study.pk])).content.decode()
    assert 'name="send_letters"' in page
    assert "checked" in page
    text = launch(client, study, send_letters="on", note="Approved on 3 March").content.decode()
    assert "went to R1, R2." in text
    readers = [one.reader.email for one in study.readers.order_by("code")]
    assert [letter.to for letter in mail.outbox] == [[address] for address in readers]
    assert "4 cases are waiting for you" in mail.outbox[0].body
    assert study.name not in mail.outbox[0].body
    assert AuditRecord.objects.get(action="study.running").reason == "Approved on 3 March"


def test_without_the_tick_nothing_is_sent(client, study):
    launch(client, study)
    assert Study.objects.get(pk=study.pk).state == "running"
    assert mail.outbox == []


def test_who_did_not_get_it_can_be_told_later_and_nobody_is_told_twice(client, monkeypatch):
    study = running_study()
    client.force_login(study.created_by)
    address = reverse("study-announce", args=[study.pk])

    def away(**_: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("readerstudy.studies.letters.send_mail", away)
        assert (
            "did not take the letter to R1, R2"
            in client.post(address, follow=True).content.decode()
        )
    assert "went to R1, R2" in client.post(address, follow=True).content.decode()
    assert "has this letter already" in client.post(address, follow=True).content.decode()
    assert len(mail.outbox) == 2


def test_a_study_that_does_not_run_is_not_announced(study):
    with pytest.raises(Conflict, match="locked"):
        announcing.announce(study=study, actor=study.created_by)


def test_who_has_not_used_the_invitation_is_sent_to_it(study, client):
    reader = study.readers.get(code="R1").reader
    reader.set_unusable_password()
    reader.save()
    launch(client, study, send_letters="on")
    assert "Use the personal link" in mail.outbox[0].body
    assert "Sign in as always" in mail.outbox[1].body


def test_changed_words_are_a_new_version_and_what_was_sent_stays(client):
    study = running_study()
    words(study, opening="Welcome to the reading.")
    study.refresh_from_db()
    announcing.announce(study=study, actor=study.created_by)
    words(study, opening="Something else.")
    words(study, opening="Something else.", remind_every_days=14)
    sent = Letter.objects.filter(kind="opening").order_by("pk").first()
    assert sent.version == 2  # version 1 had no words of the study's own
    assert "Welcome to the reading." in sent.text
    assert sent.text == mail.outbox[0].body
    stored = LetterVersion.objects.filter(kind="opening").values_list("version", "text")
    assert dict(stored) == {1: "", 2: "Welcome to the reading.", 3: "Something else."}
    client.force_login(study.created_by)
    page = client.get(reverse("study-letters", args=[study.pk])).content.decode()
    assert "Welcome to the reading." in page
    assert "version 3" in page


def test_line_ends_of_a_browser_are_no_new_version():
    study = running_study()
    words(study, reminder="One\nTwo")
    words(study, reminder="One\r\nTwo\r\n")
    assert LetterVersion.objects.filter(kind="reminder").count() == 2


def test_a_personal_link_is_sent_and_not_kept():
    study = running_study()
    link = "https://example.org/invitation/secret"
    letters.send(enrolment=study.readers.first(), kind=Letter.Kind.INVITATION, shown={"link": link})
    assert link in mail.outbox[0].body
    stored = Letter.objects.get()
    assert "secret" not in stored.text
    assert "personal link, not kept" in stored.text


def test_the_lock_keeps_a_note(client):
    draft = ready_study()
    client.force_login(draft.created_by)
    client.post(reverse("study-lock", args=[draft.pk]), {"note": "After the pilot"})
    record = AuditRecord.objects.filter(action="study.locked", target=f"study {draft.pk}").get()
    assert record.reason == "After the pilot"

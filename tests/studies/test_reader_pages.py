"""Readers are invited by name; the personal link is shown once and stored nowhere."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from readerstudy.readers import invitations
from readerstudy.readers.models import Invitation, User
from readerstudy.studies import design
from readerstudy.studies.models import Enrolment
from tests.factories import ReaderFactory, StudyFactory, locked_study

pytestmark = pytest.mark.django_db
WEISS = {
    "name": "Dr K. Weiss",
    "email": "weiss@example.org",
    "subspecialty": "neuroradiology",
    "years_of_experience": "14",
}


@pytest.fixture
def study(client):
    study = StudyFactory(reader_title="Brain MR reading A")
    client.force_login(study.created_by)
    return study


@pytest.fixture
def invite(client, study):
    return lambda **changes: client.post(
        reverse("study-readers", args=[study.pk]), {**WEISS, **changes}
    )


def link_in(text: str) -> str:
    return re.search(r'id="invitation-link">([^<]+)<', text)[1]


def test_the_link_is_shown_once_mailed_and_works(client, study, invite):
    response = invite()
    link = link_in(response.content.decode())
    assert "no-store" in response["Cache-Control"]
    assert link.startswith("http://testserver/invitation/")
    assert "was handed to the mail system" in response.content.decode()
    assert mail.outbox[0].to == ["weiss@example.org"]
    assert link in mail.outbox[0].body
    again = client.get(reverse("study-readers", args=[study.pk])).content.decode()
    assert "invitation-link" not in again
    client.logout()
    assert "Dr K. Weiss" in client.get(link).content.decode()


def test_the_letter_names_the_title_for_readers_and_not_the_study(study, invite):
    invite()
    letter = mail.outbox[0].subject + mail.outbox[0].body
    assert "Brain MR reading A" in letter
    assert study.name not in letter


def test_the_token_is_stored_as_a_hash_only(invite):
    token = link_in(invite().content.decode()).rstrip("/").split("/")[-1]
    stored = Invitation.objects.get()
    assert stored.token_hash == invitations.hash_token(token)
    assert token not in str(vars(stored))


def test_the_profile_is_stored(study, invite):
    invite()
    user = User.objects.get(email="weiss@example.org")
    assert (user.profile.subspecialty, user.profile.years_of_experience) == ("neuroradiology", 14)
    assert study.enrolments.get().reader == user


def test_a_known_person_is_enrolled_without_a_link(study, invite):
    known = ReaderFactory()
    response = invite(email=known.email)
    text = response.content.decode()
    assert "has an account already" in text
    assert "invitation-link" not in text
    assert study.enrolments.get().reader == known
    (letter,) = mail.outbox
    assert "/invitation/" not in letter.body
    assert "sign in as always" in letter.body


def test_nobody_is_enrolled_twice(study, invite):
    invite()
    response = invite(name="Typed again")
    text = response.content.decode()
    assert response.status_code == 409
    assert "is a reader of this study already" in text
    assert "Typed again" in text
    assert study.enrolments.count() == 1


def test_the_coordinator_cannot_read_in_the_own_study(study, invite):
    response = invite(email=study.created_by.email)
    assert response.status_code == 409
    assert "cannot read in it" in response.content.decode()


def test_a_refused_enrolment_leaves_no_account(study, invite, monkeypatch):
    def refuse(**_: object) -> None:
        raise design.Conflict("No room.")

    monkeypatch.setattr("readerstudy.studies.inviting.design.enrol", refuse)
    assert invite().status_code == 409
    assert not User.objects.filter(email="weiss@example.org").exists()


@pytest.mark.parametrize(
    "changes", [{"email": "no address"}, {"name": ""}, {"years_of_experience": "-1"}]
)
def test_what_is_wrong_is_told_in_place(invite, changes):
    response = invite(**changes)
    assert response.status_code == 400
    assert set(response.context["form"].errors) == set(changes)
    assert not Enrolment.objects.exists()


def test_a_mail_server_that_is_away_leaves_the_link_to_the_coordinator(study, invite, monkeypatch):
    def away(**_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("readerstudy.studies.letters.send_mail", away)
    text = invite().content.decode()
    assert "The e-mail could not be sent" in text
    assert link_in(text)
    assert study.enrolments.count() == 1


def test_a_locked_study_takes_no_readers(client):
    study = locked_study()
    client.force_login(study.created_by)
    address = reverse("study-readers", args=[study.pk])
    assert "Not any more" in client.get(address).content.decode()
    response = client.post(address, WEISS)
    assert response.status_code == 409
    assert "The protocol is locked" in response.content.decode()


def test_the_list_of_people_names_only_the_own_studies(client, study):
    reader = ReaderFactory(display_name="Dr C. Haddad")
    other = StudyFactory(name="Somebody else’s study")
    design.enrol(study=study, reader=reader, actor=study.created_by)
    design.enrol(study=other, reader=reader, actor=other.created_by)
    text = client.get(reverse("readers")).content.decode()
    assert "Dr C. Haddad" in text
    assert study.name in text
    assert other.name not in text


def test_an_empty_list_of_people_says_what_to_do(client, study):
    assert "Readers are invited into a study" in client.get(reverse("readers")).content.decode()

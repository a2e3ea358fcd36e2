"""A personal link that was lost before it was used can be made anew, and only then."""

from __future__ import annotations

import pytest
from django.test import Client

from readerstudy.core.models import AuditRecord
from readerstudy.studies.models import Enrolment
from tests import scenario

pytestmark = pytest.mark.django_db
INVITED = {"name": "Dr A. Moreau", "email": "moreau@example.org", "subspecialty": "Neuroradiology"}


@pytest.fixture
def made():
    return scenario.draft(n_readers=0)


@pytest.fixture
def client(made):
    browser = Client()
    browser.force_login(made.coordinator, "django.contrib.auth.backends.ModelBackend")
    return browser


def invite(client, made) -> str:
    page = client.post(f"/staff/studies/{made.study.pk}/readers/", INVITED)
    return page.context["invited"].link


def renew(client, made):
    return client.post(f"/staff/studies/{made.study.pk}/readers/R1/link/", follow=True)


def path(link: str) -> str:
    return link.removeprefix("http://testserver")


def accept(link: str) -> int:
    password = "a quiet dim reading room"
    form = {"new_password1": password, "new_password2": password}
    return Client().post(path(link), form).status_code


def test_the_new_link_works_and_the_old_one_does_not(client, made):
    first = invite(client, made)
    second = renew(client, made).context["invited"].link
    assert second != first
    assert Client().get(path(first)).status_code == 404
    assert accept(second) == 302
    assert Enrolment.objects.get(study=made.study).reader.has_usable_password()
    assert AuditRecord.objects.filter(action="reader.renew_link").count() == 1


def test_who_has_a_password_gets_no_new_link(client, made):
    assert accept(invite(client, made)) == 302
    page = renew(client, made)
    assert "has used the link already" in page.content.decode()
    assert "invited" not in page.context


def test_inviting_into_a_second_study_gives_a_link_while_none_was_used(client, made):
    from readerstudy.studies.design import create_study

    invite(client, made)
    other = create_study(
        template="visual-turing-test",
        name="Second",
        reader_title="Brain MR reading B",
        actor=made.coordinator,
    )
    page = client.post(f"/staff/studies/{other.pk}/readers/", INVITED)
    assert accept(page.context["invited"].link) == 302

"""A personal link opens once, shows a name, and sets a password."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.readers.invitations import find_or_invite
from readerstudy.readers.models import User
from tests.factories import PASSWORD, CoordinatorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def address() -> str:
    _, token = find_or_invite(
        email="weiss@example.org", name="Dr K. Weiss", profile={}, actor=CoordinatorFactory()
    )
    return reverse("invitation", args=[token])


def choose(client, address: str, first: str = PASSWORD, second: str = PASSWORD):
    return client.post(address, {"new_password1": first, "new_password2": second})


def test_the_link_shows_the_name_and_what_to_sign_in_with(client, address):
    text = client.get(address).content.decode()
    assert "Welcome, Dr K. Weiss" in text
    assert "weiss@example.org" in text


def test_choosing_a_password_signs_in_and_uses_the_link_up(client, address):
    assert choose(client, address).url == reverse("profile")
    user = User.objects.get(email="weiss@example.org")
    assert user.check_password(PASSWORD)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert AuditRecord.objects.filter(action="reader.accept", actor=user).exists()
    again = client.get(address)
    assert again.status_code == 404
    assert "was used already" in again.content.decode()


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("short", "short", "too short"),
        (PASSWORD, PASSWORD + "x", "didn’t match"),
        ("password1234", "password1234", "too common"),
        ("", "", "required"),
    ],
)
def test_a_bad_password_is_told_in_place_and_the_link_stays_open(
    client, address, first, second, message
):
    response = choose(client, address, first, second)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert client.get(address).status_code == 200
    assert not User.objects.get(email="weiss@example.org").has_usable_password()


def test_a_link_that_nobody_was_given(client):
    assert client.get(reverse("invitation", args=["x" * 22])).status_code == 404


def test_the_page_is_not_kept_by_the_browser(client, address):
    assert "no-store" in client.get(address)["Cache-Control"]

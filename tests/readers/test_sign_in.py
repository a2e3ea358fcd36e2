"""Signing in and out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import PASSWORD, CoordinatorFactory, ReaderFactory

pytestmark = pytest.mark.django_db


def sign_in(client, username: str, password: str = PASSWORD, **more):
    return client.post(reverse("sign-in"), {"username": username, "password": password, **more})


def test_a_reader_arrives_at_the_own_studies(client):
    response = sign_in(client, ReaderFactory().username)
    assert response.url == reverse("home")
    assert client.get(response.url).templates[0].name == "reading/home.html"


def test_a_coordinator_arrives_at_the_studies(client):
    response = sign_in(client, CoordinatorFactory().username)
    assert client.get(response.url).url == reverse("studies")


def test_the_page_asked_for_is_shown_after_sign_in(client):
    asked = reverse("audit")
    assert client.get(asked).url == f"{reverse('sign-in')}?next={asked}"
    assert sign_in(client, CoordinatorFactory().username, next=asked).url == asked


def test_no_other_site_is_opened_after_sign_in(client):
    response = sign_in(client, ReaderFactory().username, next="https://elsewhere.example/")
    assert response.url == reverse("home")


def test_a_wrong_password_is_told_in_place_and_keeps_the_name(client):
    user = ReaderFactory()
    response = sign_in(client, user.username, "wrong")
    text = response.content.decode()
    assert "The name or the password is not right" in text
    assert f'value="{user.username}"' in text
    assert "_auth_user_id" not in client.session


def test_an_invited_person_without_password_cannot_sign_in(client):
    user = ReaderFactory()
    user.set_unusable_password()
    user.save()
    assert sign_in(client, user.username, "").context["form"].errors


def test_signing_out_needs_a_post(client):
    client.force_login(ReaderFactory())
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).url == reverse("sign-in")
    assert "_auth_user_id" not in client.session

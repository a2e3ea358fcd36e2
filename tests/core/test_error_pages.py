"""Errors come as a page to a person and as JSON to a program, in words that tell what to do."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from readerstudy.core import views
from tests.factories import PASSWORD, CoordinatorFactory, UserFactory

pytestmark = pytest.mark.django_db
DATABASE_HANDLER = "axes.handlers.database.AxesDatabaseHandler"


def test_an_address_that_leads_nowhere(client):
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "There is no page at this address" in response.content.decode()


def test_a_fault_is_answered_with_what_was_kept(client, monkeypatch):
    def fault(**_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("readerstudy.core.audit_pages.page_of", fault)
    client.raise_request_exception = False
    client.force_login(CoordinatorFactory())
    response = client.get(reverse("audit"))
    text = response.content.decode()
    assert response.status_code == 500
    assert "What was saved before is kept" in text
    assert "secret detail" not in text


def test_a_refusal_names_the_role(client):
    client.force_login(UserFactory())
    response = client.get(reverse("studies"))
    assert response.status_code == 403
    assert "Not shown in this role" in response.content.decode()


@override_settings(
    AXES_ENABLED=True,
    AXES_FAILURE_LIMIT=2,
    AXES_HANDLER=DATABASE_HANDLER,
)
def test_too_many_wrong_passwords_close_the_account_for_a_while():
    cache.clear()
    user = UserFactory()
    client = Client()
    for _ in range(2):
        response = client.post(reverse("sign-in"), {"username": user.username, "password": "no"})
    assert response.status_code == 429
    assert "Try again in 15 minutes" in response.content.decode()
    right = client.post(reverse("sign-in"), {"username": user.username, "password": PASSWORD})
    assert right.status_code == 429


def test_programs_get_the_same_errors_as_json(rf):
    response = views.page_not_found(rf.get("/api/nothing"), Exception())
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"

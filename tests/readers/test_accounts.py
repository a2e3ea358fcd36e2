"""Administrators change accounts with a reason; nobody the own, and nothing is deleted."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core.errors import NotAllowed
from readerstudy.core.models import AuditRecord
from readerstudy.readers import accounts
from readerstudy.readers.models import User
from tests.factories import PASSWORD, CoordinatorFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    person = UserFactory(is_superuser=True)
    client.force_login(person)
    return person


def change(client, user, reason: str = "New post", **ticked: str):
    return client.post(reverse("accounts"), {"user": user.pk, "reason": reason, **ticked})


def test_a_person_may_coordinate_from_now_on(client, administrator):
    person = UserFactory()
    assert change(client, person, may_coordinate="on", is_active="on").status_code == 302
    person.refresh_from_db()
    assert person.may_coordinate
    record = AuditRecord.objects.get(action="account.change")
    assert (record.old["may_coordinate"], record.new["may_coordinate"]) == (False, True)
    assert record.reason == "New post"


def test_a_closed_account_cannot_sign_in_and_keeps_its_rows(client, administrator):
    person = CoordinatorFactory()
    change(client, person)
    assert not Client().login(username=person.username, password=PASSWORD)
    assert User.objects.filter(pk=person.pk).exists()


def test_the_own_account_and_an_empty_change_are_refused(client, administrator):
    assert change(client, administrator, is_active="on").status_code == 409
    person = UserFactory()
    response = change(client, person, is_active="on")
    assert "Nothing is changed" in response.content.decode()
    assert not AuditRecord.objects.filter(action="account.change").exists()


def test_who_is_no_administrator_changes_nothing():
    with pytest.raises(NotAllowed):
        accounts.set_account(
            user=UserFactory(),
            may_coordinate=True,
            is_active=True,
            reason="x",
            actor=CoordinatorFactory(),
        )

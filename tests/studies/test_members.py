"""Roles of a study: given, changed and ended with a reason, and never without a coordinator."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.studies import members
from readerstudy.studies.models import Membership
from tests.factories import CoordinatorFactory, ReaderFactory, StudyFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return StudyFactory()


@pytest.fixture
def page(client: Client, study):
    client.force_login(study.created_by)
    return client


def add(client, study, email: str, role: str = "auditor", reason: str = "Planned audit"):
    data = {"email": email, "role": role, "reason": reason}
    return client.post(reverse("study-members", args=[study.pk]), data)


def change(client, study, user, role: str, reason: str = "New duties"):
    data = {"user": user.pk, "role": role, "reason": reason}
    return client.post(reverse("study-member-change", args=[study.pk]), data)


def roles(study) -> dict[str, str]:
    return dict(study.memberships.values_list("user__email", "role"))


def test_a_person_with_an_account_gets_a_role(page, study):
    person = UserFactory()
    assert add(page, study, person.email.upper()).status_code == 302
    assert roles(study)[person.email] == "auditor"
    record = AuditRecord.objects.get(action="study.add_member")
    assert (record.new, record.reason) == ({"user": person.pk, "role": "auditor"}, "Planned audit")


@pytest.mark.parametrize(
    ("email", "words"),
    [("nobody@example.org", "Nobody has an account"), ("reader", "reads in this study")],
)
def test_who_cannot_get_a_role(page, study, email, words):
    from readerstudy.studies.design import enrol

    reader = ReaderFactory()
    enrol(study=study, reader=reader, actor=study.created_by)
    response = add(page, study, reader.email if email == "reader" else email)
    assert response.status_code in (404, 409)
    assert words in response.content.decode()
    assert len(roles(study)) == 1


def test_nobody_gives_a_role_to_themselves(study):
    administrator = UserFactory(is_superuser=True)
    browser = Client()
    browser.force_login(administrator)
    response = add(browser, study, administrator.email, "coordinator", "To look")
    assert "to yourself" in response.content.decode()


def test_an_administrator_names_a_coordinator_for_a_study_without_a_working_one(study):
    browser = Client()
    browser.force_login(UserFactory(is_superuser=True))
    successor = CoordinatorFactory()
    assert add(browser, study, successor.email, "coordinator", "Left").status_code == 302
    assert roles(study)[successor.email] == "coordinator"


@pytest.mark.parametrize("role", ["auditor", ""])
def test_the_last_coordinator_stays(page, study, role):
    response = change(page, study, study.created_by, role)
    assert response.status_code == 409
    assert "Name another one first" in response.content.decode()
    assert list(roles(study).values()) == ["coordinator"]


def test_with_another_coordinator_the_first_can_go(page, study):
    other = CoordinatorFactory()
    add(page, study, other.email, "coordinator", "Deputy")
    assert change(page, study, study.created_by, "").url == reverse("studies")
    assert roles(study) == {other.email: "coordinator"}
    record = AuditRecord.objects.get(action="study.remove_member")
    assert record.old == {"user": study.created_by_id, "role": "coordinator"}
    assert page.get(reverse("study", args=[study.pk])).status_code == 404


def test_a_role_is_changed_with_a_reason_only(page, study):
    person = UserFactory()
    add(page, study, person.email)
    assert change(page, study, person, "statistician", reason=" ").status_code == 400
    assert roles(study)[person.email] == "auditor"
    assert change(page, study, person, "statistician").status_code == 302
    assert roles(study)[person.email] == "statistician"


def test_the_functions_refuse_what_the_forms_refuse(study):
    from readerstudy.core.errors import NotFound, ReaderStudyError

    actor, person = study.created_by, UserFactory()
    with pytest.raises(ReaderStudyError, match="no role called"):
        members.add_member(study=study, email=person.email, role="king", reason="x", actor=actor)
    with pytest.raises(NotFound, match="no role in the study"):
        members.remove_member(study=study, user=person, reason="x", actor=actor)
    assert Membership.objects.count() == 1

"""The page of a case's truth, and the panel that leads there."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.truth.models import ReferenceStandard
from tests.factories import CoordinatorFactory, locked_study, real_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(client):
    user = CoordinatorFactory()
    client.force_login(user)
    return user


@pytest.fixture
def case():
    return real_case(roles=["t1c"])


def address(case) -> str:
    return reverse("case-truth", args=[case.pk])


def send(client, case, **data):
    sent = {"endpoint": "who_grade", "value": "4", "method": "histopathology", "reason": "", **data}
    return client.post(address(case), sent, follow=True)


def looks() -> int:
    return AuditRecord.objects.filter(action="truth.look").count()


def test_the_page_shows_the_truth_and_records_the_look(client, coordinator, case):
    page = client.get(address(case)).content.decode()
    assert "Nothing on record" in page
    assert "<dd>Real</dd>" in page
    assert looks() == 1


def test_a_value_and_its_correction_are_recorded_with_their_history(client, coordinator, case):
    assert "who_grade is on record" in send(client, case, value="3").content.decode()
    refused = send(client, case, value="4")
    assert refused.status_code == 409
    assert "A correction needs a reason" in refused.content.decode()
    page = send(client, case, value="4", reason="Second sample").content.decode()
    assert "<s>3</s>" in page
    assert "<strong>4</strong>" in page
    assert "Second sample" in page
    assert ReferenceStandard.objects.count() == 2


def test_while_blinded_the_page_neither_shows_nor_takes_anything(client, coordinator):
    case = locked_study().cases.first()
    before = looks()
    for answer in (client.get(address(case)), send(client, case)):
        assert answer.status_code == 403
        assert "locked, running or closed" in answer.content.decode()
    assert (looks(), ReferenceStandard.objects.count()) == (before, 0)


def panel(user, case) -> str:
    request = RequestFactory().get("/")
    request.user = user
    return Template("{% load truth %}{% truth_panel case %}").render(
        Context({"request": request, "case": case})
    )


def test_the_panel_leads_there_or_says_why_not(coordinator, case):
    assert address(case) in panel(coordinator, case)
    shut = panel(coordinator, locked_study().cases.first())
    assert "href" not in shut
    assert "not unblinded" in shut

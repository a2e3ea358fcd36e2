"""The audit page shows every record, and none that tells a class."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core import audit, audit_pages
from readerstudy.core.db import write_transaction
from tests.factories import CoordinatorFactory, real_case, synthetic_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator():
    return CoordinatorFactory(display_name="M. Keller")


@pytest.fixture
def page(client: Client, coordinator):
    client.force_login(coordinator)
    return lambda **query: client.get(reverse("audit"), query)


def record(actor, action: str = "study.describe", **kwargs) -> None:
    with write_transaction():
        audit.record(actor=actor, action=action, target="study 1", **kwargs)


def test_records_are_listed_newest_first_with_actor_and_reason(page, coordinator):
    record(coordinator)
    record(coordinator, action="study.closed", reason="All cases are read")
    text = page().content.decode()
    assert text.index("study.closed") < text.index("study.describe", text.index("<tbody>"))
    assert "M. Keller" in text
    assert "All cases are read" in text


def test_truth_and_single_cases_are_shown_as_hidden(page):
    real, synthetic = real_case(roles=[]), synthetic_case(roles=[])
    with write_transaction():
        audit.record(actor=None, action="case.import", target=f"case {real.pk}")
    response = page()
    text = response.content.decode()
    assert [line.target for line in response.context["lines"]] == [None, None, None]
    assert "hidden in this role" in text
    assert "declare" not in text
    assert str(real.pk) not in text
    assert str(synthetic.pk) not in text


def test_the_filter_leaves_one_action(page, coordinator):
    record(coordinator)
    record(coordinator, action="study.closed")
    shown = [line.action for line in page(action="study.closed").context["lines"]]
    assert shown == ["study.closed"]
    assert [line.action for line in page(action="truth").context["lines"]] == []


def test_actions_about_truth_are_one_choice_of_the_filter(page):
    real_case(roles=[])
    synthetic_case(roles=[])
    response = page(action="truth")
    assert response.context["actions"] == ["truth"]
    assert len(response.context["lines"]) == 2


def test_long_logs_come_in_pages(page, coordinator, monkeypatch):
    monkeypatch.setattr(audit_pages, "PER_PAGE", 2)
    for _ in range(5):
        record(coordinator)
    response = page(page=3)
    assert [line.record.sequence for line in response.context["lines"]] == [1]
    assert re.search(r"5 to 5 of 5", response.content.decode())


def test_an_empty_log_says_so(page):
    assert "No records" in page().content.decode()

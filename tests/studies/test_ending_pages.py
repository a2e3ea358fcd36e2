"""Closing and unblinding: each a deliberate step with a reason, never out of order."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.studies import lifecycle
from tests.factories import locked_study, running_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    study = running_study(name="GAN against real")
    client.force_login(study.created_by)
    return study


def close(client, study, reason: str = "All cases are read"):
    return client.post(reverse("study-close", args=[study.pk]), {"reason": reason})


def unblind(client, study, **changes: str):
    data = {"typed_name": study.name, "reason": "Planned analysis", **changes}
    return client.post(reverse("study-unblind", args=[study.pk]), data)


def state_of(study) -> str:
    study.refresh_from_db()
    return study.state


def test_closing_is_recorded_with_its_reason(client, study):
    assert close(client, study).url == reverse("study", args=[study.pk])
    assert state_of(study) == "closed"
    record = AuditRecord.objects.get(action="study.closed")
    assert (record.actor, record.reason) == (study.created_by, "All cases are read")


def test_closing_needs_a_reason(client, study):
    response = close(client, study, reason="  ")
    assert response.status_code == 400
    assert response.context["form"].errors["reason"]
    assert state_of(study) == "running"


def test_only_a_running_study_can_be_closed(client):
    study = locked_study()
    client.force_login(study.created_by)
    address = reverse("study-close", args=[study.pk])
    assert "Not now" in client.get(address).content.decode()
    response = close(client, study)
    assert response.status_code == 409
    assert "the study must be running; it is locked" in response.content.decode()


def test_unblinding_opens_the_results(client, study):
    close(client, study)
    response = unblind(client, study)
    assert response.url == reverse("study-results", args=[study.pk])
    assert state_of(study) == "unblinded"
    assert AuditRecord.objects.get(action="study.unblinded").reason == "Planned analysis"
    assert "See the results" in client.get(reverse("study", args=[study.pk])).content.decode()


def test_unblinding_asks_for_the_exact_name_and_keeps_the_reason(client, study):
    close(client, study)
    response = unblind(client, study, typed_name="gan against real")
    text = response.content.decode()
    assert response.status_code == 400
    assert "type the name of the study exactly" in text
    assert "Planned analysis" in text
    assert state_of(study) == "closed"


def test_unblinding_needs_a_reason(client, study):
    close(client, study)
    assert unblind(client, study, reason="").context["form"].errors["reason"]
    assert state_of(study) == "closed"


def test_a_running_study_cannot_be_unblinded(client, study):
    address = reverse("study-unblind", args=[study.pk])
    assert "close reading first" in client.get(address).content.decode()
    assert unblind(client, study).status_code == 409
    assert state_of(study) == "running"


def test_unblinding_happens_once(client, study):
    close(client, study)
    unblind(client, study)
    assert unblind(client, study).status_code == 409
    assert "Done." in client.get(reverse("study-unblind", args=[study.pk])).content.decode()


def test_the_role_is_blinded_from_lock_to_unblinding(client, study):
    address = reverse("study", args=[study.pk])
    assert "Coordinator, blinded" in client.get(address).content.decode()
    study = lifecycle.close(study=study, actor=study.created_by, reason="All read")
    assert "Coordinator, blinded" in client.get(address).content.decode()
    unblind(client, study)
    assert "Coordinator, blinded" not in client.get(address).content.decode()

"""Breaking the blind for one case: shown once, recorded for good, and nothing else unblinded."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.errors import Conflict, NotAllowed, NotFound
from readerstudy.core.models import AuditRecord
from readerstudy.studies import deviations
from readerstudy.truth import unblinding
from readerstudy.truth.models import CaseUnblinding, Origin
from tests.factories import ready_study, running_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    study = running_study()
    client.force_login(study.created_by)
    return study


def send(client, study, code: str, reason: str = "Incidental finding, the patient is called"):
    address = reverse("study-unblind-case", args=[study.pk])
    return client.post(address, {"code": code, "reason": reason})


def test_the_truth_of_one_case_is_shown_once_and_recorded(client, study):
    case = study.cases.first()
    response = send(client, study, case.code)
    kind = Origin.objects.get(case=case).get_kind_display()
    assert response.context["origin"].get_kind_display() == kind
    assert f"<dd>{kind}" in response.content.decode()
    row = CaseUnblinding.objects.get()
    assert (row.case, row.actor, row.study) == (case, study.created_by, study)
    record = AuditRecord.objects.get(action="truth.break_blind")
    assert record.reason == "Incidental finding, the patient is called"
    later = client.get(reverse("study-unblind-case", args=[study.pk])).content.decode()
    assert case.code in later
    assert f"<dd>{kind}" not in later
    study.refresh_from_db()
    assert study.state == "running"


def test_it_stands_among_the_deviations_without_the_truth(client, study):
    send(client, study, study.cases.first().code)
    (entry,) = deviations.deviations_of(study)
    assert (entry.kind, entry.by) == ("case unblinded", str(study.created_by))
    assert "synthetic" not in entry.text
    assert "real" not in entry.text


def test_it_needs_a_reason_and_a_case_of_the_study(client, study):
    assert send(client, study, study.cases.first().code, " ").status_code == 400
    assert send(client, study, "nosuch").status_code == 404
    assert not CaseUnblinding.objects.exists()


def test_who_reads_in_the_study_is_refused(study):
    with pytest.raises(NotAllowed, match="read in this study"):
        unblinding.break_blind(
            study=study,
            code=study.cases.first().code,
            actor=study.readers.first().reader,
            reason="Curious",
        )


def test_a_draft_is_not_blinded_and_another_study_has_other_cases(study):
    draft = ready_study()
    code = draft.cases.first().code
    with pytest.raises(Conflict, match="not blinded"):
        unblinding.break_blind(study=draft, code=code, actor=draft.created_by, reason="x")
    with pytest.raises(NotFound):
        unblinding.break_blind(study=study, code=code, actor=study.created_by, reason="x")

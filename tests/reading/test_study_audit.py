"""The auditor's page of one study: its records alone, every hash computed again, read only."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.reading import amending, progress, recording, study_audit
from readerstudy.reading.models import Reading
from readerstudy.studies.amending import Wanted
from readerstudy.studies.models import Membership
from readerstudy.truth import unblinding
from tests.factories import ReaderFactory, StudyFactory, UserFactory, body, running_study
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return running_study()


@pytest.fixture
def auditor(study):
    user = UserFactory()
    Membership.objects.create(study=study, user=user, role="auditor")
    client = Client()
    client.force_login(user)
    return client


def page(study) -> str:
    return reverse("study-audit", args=[study.pk])


def read_one(study) -> Reading:
    enrolment = study.readers.first()
    reading = Reading.objects.get(token=progress.state_of(enrolment)["reading"]["token"])
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=body())
    return reading


def test_it_shows_the_records_of_this_study_and_of_no_other(study, auditor):
    other = running_study()
    reading = read_one(study)
    read_one(other)
    targets = set(study_audit.records_of(study).values_list("target", flat=True))
    assert targets == {f"study {study.pk}", f"reading {reading.pk}"}
    text = auditor.get(page(study)).content.decode()
    assert "reading.accepted" in text
    assert auditor.get(page(other)).status_code == 404


def test_every_hash_agrees_until_something_is_changed(study):
    amending.amend(
        study=study, wanted=Wanted(margin=0.2), reason="Reviewer", actor=study.created_by
    )
    amending.add_reader(
        study=study, reader=ReaderFactory(), reason="Third reader", actor=study.created_by
    )
    seals = {seal.what: seal.agrees for seal in study_audit.seals_of(study)}
    assert seals == dict.fromkeys(
        [
            "Protocol, version 1",
            "Protocol, version 2",
            "Protocol, version 3",
            "Allocation",
            "Allocation of R3",
            "Audit records",
        ],
        True,
    )
    first = study.readers.first().readings.order_by("position")
    with unguarded():
        first.filter(position=1).update(position=99)
        AuditRecord.objects.filter(action="study.amend").update(reason="Another reason")
        study.protocol["margin"] = 0.4
        study.save()
    wrong = {seal.what for seal in study_audit.seals_of(study) if not seal.agrees}
    assert wrong == {"Protocol, version 1", "Allocation", "Audit records"}


def test_unblindings_amendments_and_deviations_stand_on_it_without_truth(study, auditor):
    case = study.cases.first()
    unblinding.break_blind(
        study=study, code=case.code, actor=study.created_by, reason="Incidental finding"
    )
    amending.amend(
        study=study, wanted=Wanted(margin=0.2), reason="Reviewer", actor=study.created_by
    )
    text = auditor.get(page(study)).content.decode()
    for shown in ("Incidental finding", case.code, "Equivalence margin", "Reviewer"):
        assert shown in text
    assert "truth.break_blind" not in text  # named as truth alone
    assert "does not agree" not in text


def test_it_takes_no_change_and_other_roles_do_not_see_it(study, auditor):
    assert auditor.post(page(study)).status_code == 405
    for role, status in (("statistician", 403), ("blinded", 403), ("adjudicator", 403)):
        user = UserFactory()
        Membership.objects.create(study=study, user=user, role=role)
        client = Client()
        client.force_login(user)
        assert client.get(page(study)).status_code == status
    reader = Client()
    reader.force_login(study.readers.first().reader)
    assert reader.get(page(study)).status_code == 404


def test_a_draft_has_records_and_no_hashes(client):
    draft = StudyFactory()
    client.force_login(draft.created_by)
    text = client.get(page(draft)).content.decode()
    assert "study.create" in text
    assert "not locked yet" in text


def test_the_file_has_every_record_and_no_formula(study, auditor):
    amending.amend(study=study, wanted=Wanted(margin=0.2), reason="=1+1", actor=study.created_by)
    response = auditor.get(reverse("study-audit-file", args=[study.pk]))
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert len(rows) == study_audit.records_of(study).count()
    numbers = [int(row["sequence"]) for row in rows]
    assert numbers == sorted(numbers)
    assert rows[-1]["reason"] == "'=1+1"

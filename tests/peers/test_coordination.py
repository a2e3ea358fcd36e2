"""Where other systems leave a coordinator in the dark or in the way; see README.md here."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.reading import amending, recording
from readerstudy.reading.models import Rating, Submission
from readerstudy.studies import cloning, design
from readerstudy.studies.amending import Wanted
from readerstudy.studies.lifecycle import protocol_of
from readerstudy.studies.models import Study
from readerstudy.studies.templates.registry import TEMPLATES
from tests import scenario
from tests.factories import CoordinatorFactory

pytestmark = pytest.mark.django_db
OWN = {"study", "name", "readers", "cases", "training"}


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_copy_has_all_of_the_protocol(key):
    """Elsewhere a copy lacks what somebody forgot to copy."""
    study = design.create_study(
        template=key, name="First", reader_title="Reading", actor=CoordinatorFactory()
    )
    copy = cloning.clone_study(study=study, name="Second", actor=study.created_by)
    first, second = protocol_of(study), protocol_of(Study.objects.get(pk=copy.pk))
    assert first.keys() == second.keys()
    assert {k: v for k, v in first.items() if k not in OWN} == {
        k: v for k, v in second.items() if k not in OWN
    }


def test_words_changed_after_answers_keep_the_answers_with_their_version():
    """Elsewhere a question cannot be mended once it was answered, or all answers are deleted."""
    made = scenario.running()
    reading = scenario.offer(made.enrolment())
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    before = list(Rating.objects.values())
    study = made.refresh()
    wanted = Wanted(
        reader_title=study.reader_title,
        instructions=study.instructions + "\n\nUse the grey scale.",
        helps={"origin": "Both occur."},
        margin=study.margin,
        washout_days=study.plan.washout_days,
    )
    stored = amending.amend(
        study=study, wanted=wanted, reason="Readers asked", actor=made.coordinator
    )
    assert list(Rating.objects.values()) == before
    first = study.protocol
    assert stored.protocol["instructions"] != first["instructions"]
    assert stored.at > Submission.objects.get().received_at


def test_a_study_that_cannot_start_says_each_reason_on_its_own_page():
    """Elsewhere nobody is told why a study cannot be used yet."""
    study = design.create_study(
        template="image-quality", name="Empty", reader_title="R", actor=CoordinatorFactory()
    )
    browser = Client()
    browser.force_login(study.created_by)
    page = browser.get(reverse("study-launch", args=[study.pk]))
    reasons = page.context["launching"].reasons
    assert len(reasons) >= 2
    text = page.content.decode()
    assert [reason for reason in reasons if reason not in text] == []
    refused = browser.post(reverse("study-lock", args=[study.pk]))
    assert refused.status_code == 409


def test_progress_is_finished_only_when_every_case_is_answered():
    """Elsewhere “completed” is shown when it is not."""
    made = scenario.running()
    enrolment = made.enrolment()
    total = enrolment.readings.count()
    for number in range(total):
        told = scenario.state_of(enrolment)
        assert (told["reading"] is None, told["progress"]["done"]) == (False, number)
        reading = scenario.offer(enrolment)
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    told = scenario.state_of(enrolment)
    assert (told["reading"], told["progress"]["done"]) == (None, total)
    recording.undo(reading=reading)
    told = scenario.state_of(enrolment)
    assert told["reading"]["token"] == reading.token, "taken back: not finished any more"

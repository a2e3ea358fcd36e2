"""Trying a draft: a few cases on the real page, the answers thrown away, the draft untouched."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from readerstudy.analysis import programme
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord, Job
from readerstudy.reading import access, display, draft_preview, listing, progress, recording
from readerstudy.reading.models import Reading, Submission
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.studies import design
from readerstudy.studies.models import Enrolment, Study, StudyCase
from readerstudy.truth import visibility
from tests import scenario
from tests.factories import CoordinatorFactory, StudyFactory, locked_study
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def made():
    return scenario.draft()


def begin(made) -> Enrolment:
    preview = draft_preview.begin_draft_preview(study=made.study, user=made.coordinator)
    display.prepare(preview.study, lambda *_: None)
    return preview


def test_a_few_cases_are_read_on_the_real_page_and_nothing_is_left(made, client):
    preview = begin(made)
    client.force_login(made.coordinator)
    page = client.get(reverse("read", args=[preview.token])).content.decode()
    assert "Preview of a draft" in page
    assert reverse("study-preview", args=[made.study.pk]) in page
    told = progress.state_of(preview)
    assert told["progress"]["total"] == 4
    assert [q["code"] for q in told["forms"][0]["questions"]] == ["origin", "confidence", "cues"]
    image = next(iter(told["reading"]["images"].values()))
    chunk = client.get(reverse("image", args=[image, 0]))
    assert (chunk.status_code, len(b"".join(chunk)) > 0) == (200, True)
    while (shown := progress.state_of(preview)["reading"]) is not None:
        reading = Reading.objects.get(token=shown["token"])
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    assert Submission.objects.count() == 4
    assert draft_preview.end_draft_preview(study=made.study, user=made.coordinator) == 1
    assert not Submission.objects.exists()
    assert not Reading.objects.exists()
    assert not Study.objects.filter(rehearsal_of=made.study).exists()
    made.refresh()
    assert made.study.study_cases.count() == 6
    assert (made.study.state, made.study.protocol) == ("draft", None)


def test_it_is_in_no_list_and_hides_no_truth(made):
    begin(made)
    (listed,) = listing.studies_for(made.coordinator)
    assert listed.study == made.study
    assert programme.history_of(made.study, actor=made.coordinator).sessions is not None
    case = made.study.cases.first()
    assert visibility.why_hidden(made.coordinator, case) == ""


def test_a_second_try_throws_the_first_away(made):
    first = begin(made)
    second = draft_preview.begin_draft_preview(study=made.study, user=made.coordinator)
    assert Study.objects.filter(rehearsal_of=made.study).get() == second.study
    with pytest.raises(NotFound):
        access.access_enrolment(token=first.token, user=made.coordinator)


def test_the_page_says_when_the_draft_has_changed(made, client):
    preview = begin(made)
    client.force_login(made.coordinator)
    address = reverse("study-preview", args=[made.study.pk])
    Job.objects.update(state="done", finished_at=timezone.now())
    assert "The draft has changed" not in client.get(address).content.decode()
    assert reverse("read", args=[preview.token]) in client.get(address).content.decode()
    question = made.study.questions.first()
    question.text = "Acquired or computed?"
    question.save()
    assert "The draft has changed" in client.get(address).content.decode()
    assert client.post(address, {"step": "end"}).url == address
    assert "Prepare a preview" in client.get(address).content.decode()


def test_the_lock_and_the_clock_end_it(made):
    begin(made)
    lock_and_allocate(study=made.study, actor=made.coordinator)
    assert not Study.objects.filter(rehearsal_of=made.study).exists()


def test_after_half_a_day_it_is_gone(made):
    preview = begin(made)
    assert draft_preview.end_old() == 0
    with unguarded():
        Enrolment.objects.filter(pk=preview.pk).update(
            enrolled_at=timezone.now() - timedelta(hours=13)
        )
    assert draft_preview.end_old() == 1
    assert not Study.objects.filter(rehearsal_of=made.study).exists()


def test_training_cases_come_first_with_feedback(made):
    rows = list(made.study.study_cases.order_by("item"))
    chosen = [
        design.Chosen(row.case, phase="training" if row is rows[0] else "main") for row in rows
    ]
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    preview = begin(made)
    reading = scenario.offer(preview)
    assert reading.period == 0
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    assert progress.state_of(preview)["practice"]["told"] == 1
    draft = StudyCase.objects.filter(study=made.study)
    assert not draft.exclude(feedback=None).exists()


def test_what_cannot_be_tried_is_refused_in_words(made):
    with pytest.raises(Conflict, match="locked"):
        draft_preview.begin_draft_preview(study=locked_study(), user=made.coordinator)
    empty = StudyFactory()
    with pytest.raises(ReaderStudyError, match="needs questions and cases"):
        draft_preview.begin_draft_preview(study=empty, user=empty.created_by)
    document = {**made.study.design, "schedule": "crossover"}
    design.set_plan(study=made.study, document=document, actor=made.coordinator)
    with pytest.raises(Conflict, match="at least two arms"):
        draft_preview.begin_draft_preview(study=made.study, user=made.coordinator)
    assert not Study.objects.filter(rehearsal_of__isnull=False).exists()
    assert not AuditRecord.objects.filter(action="preview.draft").exists()


def test_another_coordinator_finds_nothing(made, client):
    preview = begin(made)
    client.force_login(CoordinatorFactory())
    assert client.get(reverse("study-preview", args=[made.study.pk])).status_code == 404
    assert client.get(reverse("read", args=[preview.token])).status_code == 404

"""The checklist: what blocks is said beside the button; lock and launch are one step each."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.models import Job
from readerstudy.reading.models import Reading
from tests.factories import (
    StudyFactory,
    locked_study,
    prepare_images,
    ready_study,
    running_study,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sign_in(client):
    def signed_in(study):
        client.force_login(study.created_by)
        return study

    return signed_in


def text_of(client, study) -> str:
    page = client.get(reverse("study-launch", args=[study.pk]))
    return " ".join(page.content.decode().split())


def test_an_empty_draft_names_what_is_missing(client, sign_in):
    study = sign_in(StudyFactory())
    text = text_of(client, study)
    assert "No cases chosen" in text
    assert "2 block the lock" in text
    assert "2 reasons left:</strong> No cases chosen; No readers." in text
    assert reverse("study-cases", args=[study.pk]) in text
    assert "disabled" in text


def test_locking_an_empty_draft_is_refused_in_place(client, sign_in):
    study = sign_in(StudyFactory())
    response = client.post(reverse("study-lock", args=[study.pk]))
    assert response.status_code == 409
    assert "Not yet: No cases chosen; No readers." in response.content.decode()
    study.refresh_from_db()
    assert study.state == "draft"


def test_the_lock_draws_the_allocation_and_queues_the_images(
    client, sign_in, woken, django_capture_on_commit_callbacks
):
    study = sign_in(ready_study())
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("study-lock", args=[study.pk]))
    assert response.url == reverse("study-launch", args=[study.pk])
    study.refresh_from_db()
    assert study.state == "locked"
    assert Reading.objects.filter(enrolment__study=study).count() == 8
    assert woken == ["default"]
    assert "Waiting for a worker" in text_of(client, study)


def test_a_locked_study_waits_for_its_images(client, sign_in):
    study = sign_in(locked_study())
    text = text_of(client, study)
    assert "1 reason left:</strong> Images are being prepared." in text
    assert f'data-job-url="{reverse("job", args=[Job.objects.get().pk])}"' in text
    response = client.post(reverse("study-launch", args=[study.pk]))
    assert response.status_code == 409
    assert "Not yet: Images are being prepared" in response.content.decode()


def test_a_failed_preparation_says_why_and_can_be_tried_again(client, sign_in):
    study = sign_in(locked_study())
    Job.objects.update(state="failed", error="The disk is full.")
    text = text_of(client, study)
    assert "The disk is full." in text
    assert reverse("job-retry", args=[Job.objects.get().pk]) in text


def test_launch_opens_the_reading(client, sign_in):
    study = sign_in(locked_study())
    prepare_images(study)
    assert "nothing blocks the launch" in text_of(client, study)
    response = client.post(reverse("study-launch", args=[study.pk]))
    assert response.url == reverse("study", args=[study.pk])
    study.refresh_from_db()
    assert study.state == "running"


@pytest.mark.parametrize("step", ["study-lock", "study-launch"])
def test_a_launched_study_is_not_launched_again(client, sign_in, step):
    study = sign_in(running_study())
    assert "<strong>Launched.</strong>" in text_of(client, study)
    assert client.post(reverse(step, args=[study.pk])).status_code == 409


def test_an_open_invitation_is_to_be_looked_at_and_does_not_block(client, sign_in):
    study = sign_in(locked_study())
    prepare_images(study)
    user = study.enrolments.get(code="R1").reader
    user.set_unusable_password()
    user.save()
    text = text_of(client, study)
    assert "1 invitations not accepted yet" in text
    assert "to look at,</strong> not blocking" in text
    assert client.post(reverse("study-launch", args=[study.pk])).status_code == 302


def test_the_certificate_is_a_file_without_truth(client, sign_in):
    study = sign_in(locked_study())
    response = client.get(reverse("study-certificate", args=[study.pk]))
    assert "attachment" in response["Content-Disposition"]
    told = response.json()
    assert told["seed"] == "seed"
    assert len(told["table"]) == 8
    assert "synthetic" not in response.content.decode()


def test_a_draft_has_no_certificate(client, sign_in):
    study = sign_in(StudyFactory())
    response = client.get(reverse("study-certificate", args=[study.pk]))
    assert response.status_code == 403
    assert "it is draft" in response.content.decode()

"""A job tells how far it is; a failed one can be tried again from the page that shows it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.core.models import Job
from tests.factories import CoordinatorFactory, ReaderFactory, make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator_client(client: Client) -> Client:
    client.force_login(CoordinatorFactory())
    return client


def test_a_running_job_tells_its_progress(coordinator_client):
    job = make_job(state="running", step=3, of=12, message="Encoded 3 of 12 series")
    assert coordinator_client.get(reverse("job", args=[job.pk])).json() == {
        "state": "running",
        "step": 3,
        "of": 12,
        "message": "Encoded 3 of 12 series",
        "error": "",
        "finished": False,
    }


def test_a_waiting_job_says_that_it_waits(coordinator_client):
    told = coordinator_client.get(reverse("job", args=[make_job().pk])).json()
    assert (told["message"], told["finished"]) == ("Waiting for a worker", False)


def test_a_failed_job_is_finished_and_says_why(coordinator_client):
    job = make_job(state="failed", error="The disk is full.")
    told = coordinator_client.get(reverse("job", args=[job.pk])).json()
    assert (told["error"], told["finished"]) == ("The disk is full.", True)


def test_trying_again_puts_the_job_back_and_returns_to_the_page(coordinator_client):
    job = make_job(state="failed", error="The disk is full.", attempts=3)
    back = reverse("audit")
    response = coordinator_client.post(reverse("job-retry", args=[job.pk]), {"next": back})
    assert response.url == back
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == (Job.State.WAITING, 0, "")


def test_trying_again_never_leads_to_another_site(coordinator_client):
    job = make_job(state="failed")
    data = {"next": "https://elsewhere.example/"}
    response = coordinator_client.post(reverse("job-retry", args=[job.pk]), data)
    assert response.url == reverse("studies")


def test_only_a_failed_job_can_be_tried_again(coordinator_client):
    job = make_job(state="running")
    response = coordinator_client.post(reverse("job-retry", args=[job.pk]))
    assert response.status_code == 409
    assert "Only a failed job" in response.content.decode()


def test_readers_see_no_jobs(client):
    client.force_login(ReaderFactory())
    job = make_job(state="failed")
    assert client.get(reverse("job", args=[job.pk])).status_code == 403
    assert client.post(reverse("job-retry", args=[job.pk])).status_code == 403
    job.refresh_from_db()
    assert job.state == Job.State.FAILED

"""The studies of two papers, read to the end through HTTP with answers that were laid down."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.test import Client
from django.urls import reverse

from readerstudy.readers.models import User
from readerstudy.reading import display
from readerstudy.reading.models import Reading
from readerstudy.reading.scheduling import launch, lock_and_allocate
from readerstudy.studies import design
from readerstudy.studies.models import Enrolment, Membership, Study
from tests.factories import ReaderFactory, UserFactory, pass_sentinel
from tests.rehearsal.studies import draft_of

Answers = Callable[[str, str], Mapping[str, Any]]  # reader, item


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def running_study(template: str, n_subjects: int) -> Study:
    """A launched study of a template with two readers."""
    study = draft_of(template, n_subjects)
    for _ in range(2):
        design.enrol(study=study, reader=ReaderFactory(), actor=study.created_by)
    lock_and_allocate(study=study, actor=study.created_by, seed="paper")
    study.refresh_from_db()
    display.prepare(study, lambda *_: None)
    study.refresh_from_db()
    pass_sentinel(study)
    return launch(study=study, actor=study.created_by)


def read_to_the_end(study: Study, answers: Answers) -> None:
    """Let every reader read every case through the reading page's interface."""
    for enrolment in study.readers.select_related("reader"):
        client = signed_in(enrolment.reader)
        address = f"/api/read/{enrolment.token}"
        while (state := client.get(f"{address}/state").json())["reading"] is not None:
            token = state["reading"]["token"]
            item = Reading.objects.get(token=token).item
            body = {
                "key": str(uuid.uuid4()),
                "answers": answers(enrolment.code, item),
                "clock": {"load_ms": 500, "look_ms": 8000, "idle_ms": 0, "away_ms": 0},
                "viewer": {},
            }
            sent = client.post(
                f"{address}/readings/{token}/answers", json.dumps(body), "application/json"
            )
            assert sent.status_code == 201, sent.content


def close(study: Study) -> Client:
    """Close the reading as the coordinator, who stays signed in."""
    client = signed_in(study.created_by)
    client.post(reverse("study-close", args=[study.pk]), {"reason": "All cases are read."})
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED
    return client


def panel_of(study: Study, count: int) -> list[User]:
    users = [UserFactory() for _ in range(count)]
    for user in users:
        Membership.objects.create(study=study, user=user, role=Membership.Role.ADJUDICATOR)
    return users


def vote(study: Study, member: User, own: Answers, final: Answers) -> None:
    """Cast both votes on every case of the open round through the panel's pages."""
    client = signed_in(member)
    seat = Enrolment.objects.get(study=study, reader=member, kind="adjudicator")
    start = reverse("adjudicate-next", args=[seat.token])
    while (case := client.get(start).url) != reverse("adjudicate"):
        item = Reading.objects.get(token=case.rstrip("/").split("/")[-1]).item
        for stage, chosen in (("own", own), ("final", final)):
            said = {f"vote-{code}": value for code, value in chosen(seat.code, item).items()}
            assert client.post(case, {"stage": stage, **said}).status_code == 302

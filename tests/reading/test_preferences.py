"""A reader's own keys and mouse buttons come back with the state; nonsense is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.readers.models import ReaderProfile
from readerstudy.reading import preferences
from readerstudy.reading.progress import state_of
from readerstudy.studies.models import Enrolment
from tests.factories import CoordinatorFactory, running_study

pytestmark = pytest.mark.django_db
STATIC = Path(__file__).resolve().parents[2] / "static/src"
DEFAULT_MOUSE = {"left": "window", "middle": "pan", "right": "zoom"}


@pytest.fixture
def enrolment():
    return Enrolment.objects.filter(study=running_study()).first()


def put(client, body):
    return client.put(reverse("api-preferences"), json.dumps(body), content_type="application/json")


def test_without_own_keys_the_usual_ones_hold(enrolment):
    layout = state_of(enrolment)["forms"][0]["layout"]
    assert (layout["keys"], layout["mouse"]) == ({}, DEFAULT_MOUSE)


def test_own_keys_and_buttons_come_back_with_the_state(client, enrolment):
    client.force_login(enrolment.reader)
    body = {"keys": {"invert": "Q", "cine": ""}, "mouse": {"left": "slice", "right": "window"}}
    assert put(client, body).status_code == 204
    enrolment.refresh_from_db()
    layout = state_of(enrolment)["forms"][0]["layout"]
    assert layout["keys"] == {"invert": "q", "cine": ""}
    assert layout["mouse"] == {"left": "slice", "middle": "pan", "right": "window"}
    assert AuditRecord.objects.get(action="reader.preferences").actor == enrolment.reader


def test_two_actions_may_change_places(client, enrolment):
    client.force_login(enrolment.reader)
    body = {"keys": {"window": "z", "zoom": "w"}, "mouse": {}}
    assert put(client, body).status_code == 204


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"keys": {"invert": "q", "reset": "Q"}, "mouse": {}}, "two things: invert and reset"),
        ({"keys": {"invert": "w"}, "mouse": {}}, "two things: window and invert"),
        ({"keys": {"explode": "q"}, "mouse": {}}, "no action “explode”"),
        ({"keys": {"invert": "1"}, "mouse": {}}, "fixed meaning"),
        ({"keys": {"invert": "Enter"}, "mouse": {}}, "fixed meaning"),
        ({"keys": {"invert": 5}, "mouse": {}}, "short text"),
        ({"keys": {"invert": "x" * 30}, "mouse": {}}, "short text"),
        ({"keys": {}, "mouse": {"left": "shoot"}}, "drags one of"),
        ({"keys": {}, "mouse": {"fourth": "pan"}}, "drags one of"),
    ],
)
def test_nonsense_is_refused_in_words_and_the_former_keys_stay(client, enrolment, body, words):
    client.force_login(enrolment.reader)
    put(client, {"keys": {"cine": "q1"}, "mouse": {}})
    response = put(client, body)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert preferences.of(enrolment.reader)["keys"] == {"cine": "q1"}


def test_every_action_has_a_key_of_its_own():
    keys = list(preferences.ACTIONS.values())
    assert len(set(keys)) == len(keys)
    assert not set(keys) & preferences.RESERVED


def test_the_actions_and_keys_are_those_of_the_page():
    sources = ("viewer/actions.ts", "reading/keys.ts")
    text = "".join((STATIC / name).read_text() for name in sources)
    rows = re.findall(r'action: "(\w+)",\s+key: "([^"]*)"', text)
    assert dict(rows) == preferences.ACTIONS


def test_who_is_no_reader_has_no_keys(client):
    client.force_login(CoordinatorFactory())
    assert put(client, {"keys": {}, "mouse": {}}).status_code == 403
    assert not ReaderProfile.objects.exists()

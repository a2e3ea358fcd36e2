"""The bytes of images: checked against their name each time, and silent about what they show."""

from __future__ import annotations

import pytest
from django.test import Client

from readerstudy.cases import storage
from readerstudy.core.models import AuditRecord
from readerstudy.reading.models import EncodedSeries
from tests import scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def made():
    return scenario.running(2, 2, small=True)


def damage(name: str) -> None:
    path = storage.path_of(name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_damaged_image_is_not_sent_and_tells_nothing(made):
    for encoded in EncodedSeries.objects.all():
        for name in {name for names in encoded.objects_by_encoding.values() for name in names}:
            damage(name)
    browser = Client()
    assert browser.login(username="reader1", password=scenario.PASSWORD)
    path = f"/api/read/{made.enrolment().token}"
    answers = []
    for _ in range(2):
        token = browser.get(f"{path}/state").json()["reading"]["images"]["t1c"]
        answers.append(browser.get(f"/i/{token}/0", headers={"accept-encoding": "zstd"}))
    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[0].json() == {
        "error": {
            "code": "damaged",
            "message": "This image cannot be shown. Please tell the coordinator of the study.",
        }
    }
    assert answers[0].content == answers[1].content
    assert AuditRecord.objects.filter(action="storage.damage").count() == 1

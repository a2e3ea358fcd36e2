"""Where other systems open a door by default; see README.md here."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.test import Client

from readerstudy.readers.models import User
from readerstudy.reading.models import Reading, ReadingImage
from tests import scenario

ROOT = Path(__file__).resolve().parents[2]
KEY = "9f-KQm2tVx7LrWc4Zs0pYd8HbNe6AuJgTi1oFhXkRqMvBw5y"
SAFE = {"READERSTUDY_SECRET_KEY": KEY, "READERSTUDY_HOSTS": "read.example.org"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"READERSTUDY_SECRET_KEY": None}, "Set the environment variable READERSTUDY_SECRET_KEY"),
        ({"READERSTUDY_SECRET_KEY": "changeme"}, "at least 40 random characters"),
        ({"READERSTUDY_SECRET_KEY": "a" * 60}, "at least 40 random characters"),
        ({"READERSTUDY_HOSTS": None}, "must name the host names"),
        ({"READERSTUDY_HOSTS": "*"}, "must name the host names"),
    ],
)
def test_a_department_server_does_not_start_with_a_key_or_host_that_is_not_its_own(changed, words):
    """Elsewhere a default key and default accounts are shipped, and work."""
    given = {name: value for name, value in {**SAFE, **changed}.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import readerstudy.settings.prod"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.django_db
def test_a_new_installation_has_no_account():
    assert not User.objects.exists()


@pytest.mark.django_db
def test_an_address_alone_opens_nothing():
    """Elsewhere an identifier of six digits is the only credential of a reader."""
    made = scenario.running()
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    image = ReadingImage.objects.filter(reading=reading).first()
    nobody, sent = Client(), {"key": str(uuid.uuid4()), **scenario.body()}
    paths = (f"/api/read/{enrolment.token}/state", f"/i/{image.token}/0")
    assert [nobody.get(path).status_code for path in paths] == [401, 401]
    address = f"/api/read/{enrolment.token}/readings/{reading.token}/answers"
    assert nobody.post(address, sent, content_type="application/json").status_code == 401
    assert nobody.get(f"/read/{enrolment.token}/").status_code == 302
    tokens = [enrolment.token, image.token, *Reading.objects.values_list("token", flat=True)]
    assert min(map(len, tokens)) >= 22  # 128 bits


@pytest.mark.django_db
def test_nobody_answers_for_a_reader_whatever_their_role():
    """Elsewhere editors hold the right to read, and with it the right to answer."""
    made = scenario.running()
    reading = scenario.offer(made.enrolment())
    administrator = scenario.person("root", coordinator=True)
    type(administrator).objects.filter(pk=administrator.pk).update(is_superuser=True)
    for user in (made.coordinator, made.readers[1], administrator):
        browser = Client()
        browser.force_login(user)
        address = f"/api/read/{made.enrolment().token}/readings/{reading.token}/answers"
        sent = {"key": str(uuid.uuid4()), **scenario.body()}
        assert browser.post(address, sent, content_type="application/json").status_code == 404
    assert not reading.submissions.exists()


@pytest.mark.django_db
def test_a_form_from_another_site_stores_no_answer():
    """Elsewhere no protection against forged requests was found."""
    made = scenario.running()
    reading = scenario.offer(made.enrolment())
    browser = Client(enforce_csrf_checks=True)
    assert browser.login(username="reader1", password=scenario.PASSWORD)
    address = f"/api/read/{made.enrolment().token}/readings/{reading.token}/answers"
    sent = {"key": str(uuid.uuid4()), **scenario.body()}
    assert browser.post(address, sent, content_type="application/json").status_code == 403
    assert not reading.submissions.exists()

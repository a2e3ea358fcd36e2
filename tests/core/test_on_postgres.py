"""The same tests of triggers, audit and backup, run again on a real PostgreSQL server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.postgres import server

ROOT = Path(__file__).resolve().parents[2]
AGAIN = ("tests/core/test_append_only.py", "tests/truth/test_barring.py")


@pytest.mark.slow
def test_triggers_hold_on_postgresql():
    with server() as where:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--ds=tests.core.postgres_settings", *AGAIN],
            cwd=ROOT,
            env={**os.environ, **where},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


BACK_AND_FORTH = """
import django; django.setup()
import sys, uuid
from pathlib import Path
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from readerstudy.core import append_only, verifying
from readerstudy.core.backup import making, restoring
from readerstudy.core.errors import Conflict
from readerstudy.reading import recording
from readerstudy.reading.models import Submission
from tests import scenario

call_command("migrate", verbosity=0)
made = scenario.running(1, 1, 1)
reading = scenario.offer(made.enrolment())
recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
assert verifying.verify().faults == [], verifying.verify().faults
file = Path(sys.argv[1]) / "one.tar.zst"
manifest = making.make(file)
try:
    restoring.restore(file)
except Conflict as refused:
    assert "There are data in this place" in refused.message
else:
    raise AssertionError("a place with data was overwritten")
Submission.objects.get()
connection.close()
connection.settings_dict["NAME"] = "another"
settings.MEDIA_ROOT = Path(sys.argv[1]) / "another"
for force in (False, True):
    done = restoring.restore(file, force=force)
    assert done.verdict.faults == [], done.verdict.faults
assert Submission.objects.count() == 1
assert append_only.missing() == []
print("restored", manifest["database"])
"""


@pytest.mark.slow
def test_a_backup_of_postgresql_is_restored(tmp_path):
    with server() as where:
        environment = {**os.environ, **where, "PYTHONPATH": str(ROOT)}
        environment["DJANGO_SETTINGS_MODULE"] = "tests.core.postgres_settings"
        reach = ["-h", where["READERSTUDY_DB_HOST"], "-U", where["READERSTUDY_DB_USER"]]
        for name in ("one", "another"):
            subprocess.run(["createdb", *reach, name], env=environment, check=True, timeout=60)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", BACK_AND_FORTH, str(tmp_path)],
            cwd=ROOT,
            env={**environment, "READERSTUDY_DB_NAME": "one"},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1] == "restored postgresql"

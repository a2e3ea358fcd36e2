"""Real Celery workers over the broker without a server, one of them killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.imaging.factories import brain_like, write_nifti

ROOT = Path(__file__).resolve().parents[2]
CASES = 120
QUEUE_JOBS = """
import django, sys; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from pathlib import Path
from readerstudy.intake.options import Options
from readerstudy.intake.starting import start_folder
for folder in sys.argv[1:]:
    start_folder(path=Path(folder), options=Options(), key=folder)
"""


class Place:
    """A folder with database, queue and media of its own, and the workers started on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        for name in ("queue", "queue-control"):
            (folder / name).mkdir(parents=True)
        self.environment = {
            **os.environ,
            "READERSTUDY_VAR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.core.worker_settings",
            "PYTHONPATH": str(ROOT),
        }

    def python(self, code: str, *arguments: str) -> None:
        command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, timeout=120)

    def start_worker(self) -> None:
        celery = [sys.executable, "-m", "celery", "-A", "readerstudy.celery", "worker"]
        schedule = str(self.folder / f"schedule-{len(self.workers)}")
        options = ["-Q", "default", "--concurrency", "1", "--beat", "--schedule", schedule]
        with (self.folder / "worker.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [*celery, *options, "--without-gossip", "--without-mingle"],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def kill_worker(self) -> None:
        try:
            os.killpg(self.workers[-1].pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.workers[-1].wait()

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "readerstudy.sqlite3", timeout=20)) as database:
            return database.execute(query).fetchall()

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def wait_until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.folder / "worker.log").read_text()[-3000:]
            time.sleep(0.05)


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    place = Place(tmp_path / "var")
    yield place
    for _ in place.workers:
        place.kill_worker()
        place.workers.pop()


def folder_of_cases(folder: Path, count: int) -> str:
    array = brain_like((4, 12, 10))
    for number in range(count):
        case = folder / f"{folder.name}-{number:03d}"
        case.mkdir(parents=True)
        array[2, 6, 5] = number + 1
        write_nifti(case / "t1.nii", array.T)
    return str(folder)


@pytest.mark.slow
def test_a_worker_does_a_job_and_another_one_finishes_what_it_left(place, tmp_path):
    few = folder_of_cases(tmp_path / "few", 2)
    many = folder_of_cases(tmp_path / "many", CASES)
    place.python(QUEUE_JOBS, few, many)
    place.start_worker()
    place.wait_until(lambda: place.count("cases_series") > 8)
    place.kill_worker()
    assert 8 < place.count("cases_series") < 2 + CASES
    states = "SELECT state, attempts FROM core_job ORDER BY created_at"
    assert place.rows(states) == [("done", 1), ("running", 1)]
    (result,) = place.rows("SELECT result FROM core_job WHERE state = 'done'")[0]
    assert json.loads(result)["counts"] == {"ok": 2}

    place.start_worker()
    place.wait_until(lambda: place.rows(states)[1][0] != "running")
    place.wait_until(lambda: place.rows(states)[1][0] in {"done", "failed"})
    assert place.rows(states) == [("done", 1), ("done", 2)]
    for table in ("cases_subject", "cases_case", "cases_series", "truth_origin"):
        assert place.count(table) == 2 + CASES, table
    stored = sorted(path.name for path in (place.folder / "media" / "objects").glob("*/*"))
    named = {name for (name,) in place.rows("SELECT object_name FROM cases_series")}
    assert set(stored) >= named
    assert not [name for name in stored if name.startswith(".new-")]

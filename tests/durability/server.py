"""A real server for the tests of durability, and what it stored."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
COUNT = """
import django, json; django.setup()
from readerstudy.reading.models import Reading, Submission
from readerstudy.core import audit
rows = Submission.objects.select_related("reading")
accepted = [r for r in rows if r.outcome == "accepted"]
print(json.dumps({
    "ids": [str(r.pk) for r in rows],
    "accepted": {str(r.key): r.body["answers"] for r in accepted},
    "readings": sorted(r.reading_id for r in accepted),
    "standing": [r.reading_id for r in accepted if not hasattr(r, "superseded_by")],
    "ratings": {str(r.key): r.ratings.count() for r in accepted},
    "planned": Reading.objects.count(),
    "outcomes": sorted({r.outcome for r in rows}),
    "broken": list(audit.broken_links()),
}))
"""


def environment(var: Path) -> dict[str, str]:
    (var / "queue").mkdir()
    return {
        **os.environ,
        "READERSTUDY_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "readerstudy.settings.dev",
        "PYTHONPATH": str(ROOT),
    }


def python(code: str, environment: dict[str, str]) -> str:
    """Run a script against the server's database; return the last line that it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def stored(environment: dict[str, str]) -> dict[str, Any]:
    """Return what the database holds of submissions."""
    return json.loads(python(COUNT, environment))


class Server:
    """gunicorn on a port of its own, killed with all its workers."""

    def __init__(self, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = environment
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "readerstudy.wsgi", "--log-level", "error"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread"]
        self.process = subprocess.Popen(
            [*command, "--workers", "2", "--threads", "4"],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Wait until the server answers, and with a whole page."""
        for _ in range(600):
            try:
                answer = requests.get(f"http://127.0.0.1:{self.port}/sign-in/", timeout=5)
            except requests.RequestException:
                time.sleep(0.1)
                continue
            assert answer.status_code == 200, f"{answer.status_code}: is the front end built?"
            return
        raise AssertionError("the web server did not start")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

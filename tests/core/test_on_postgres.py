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

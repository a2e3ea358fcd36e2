"""A PostgreSQL server that is thrown away: started by the tests, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OWNER = "postgres"  # the server refuses to run as root


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _as_owner(command: list[str], folder: Path) -> None:
    before = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*before, *command], capture_output=True, text=True, check=False, cwd=folder, timeout=120
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """Start a server that listens on a socket only; yield the environment that leads to it."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: no initdb was found")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and runuser is not there")
    folder = Path(tempfile.mkdtemp(prefix="readerstudy-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)
    data, control = folder / "data", str(programs / "pg_ctl")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    try:
        initialise = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", OWNER]
        _as_owner([*initialise, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], folder)
        begin = [control, "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w"]
        _as_owner([*begin, "start"], folder)
        try:
            yield {
                "READERSTUDY_DB_HOST": str(folder),
                "READERSTUDY_DB_NAME": "postgres",
                "READERSTUDY_DB_USER": OWNER,
                "READERSTUDY_DB_PASSWORD": "",
                "PATH": f"{programs}:{os.environ['PATH']}",
            }
        finally:
            _as_owner([control, "-D", str(data), "-m", "immediate", "-w", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

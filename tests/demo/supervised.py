"""A demo in a folder of its own, watched from outside as a person would."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
LOGIN = re.compile(r"^  (coordinator|reader) +(\S+) +password (\S+)$", re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Demo:
    """``python -m demo`` with its folder, port and output."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.var, self.options = folder / "var", options
        self.var.mkdir()
        self.port = free_port()
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def printed(self) -> str:
        """What the demo printed since its last start."""
        return (self.var / f"printed-{self.starts}").read_text()

    def command(self, port: int) -> list[str]:
        return [sys.executable, "-m", "demo", "--quick", "--port", str(port), *self.options]

    @property
    def environment(self) -> dict[str, str]:
        # A demo is started by its own settings, not by those of the test suite.
        inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        return {**inherited, "READERSTUDY_VAR": str(self.var)}

    def start(self) -> None:
        self.starts += 1
        with (self.var / f"printed-{self.starts}").open("wb") as output:
            self.process = subprocess.Popen(
                self.command(self.port),
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def refused(self, port: int) -> str:
        """Start another one beside it; return what it says before it gives up."""
        done = subprocess.run(
            self.command(port),
            check=False,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1, done.stdout
        assert done.stdout == ""
        return done.stderr

    def wait_for(self, words: str, seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while words not in self.printed:
            assert self.process is not None
            assert self.process.poll() is None, self.printed
            assert " failed: " not in self.printed, self.printed
            assert time.monotonic() < end, self.printed
            time.sleep(0.1)

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def living(self) -> set[int]:
        """Process ids of everything that works on this folder, whoever started it."""
        mark = f"READERSTUDY_VAR={self.var}".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if mark in environment.split(b"\0"):
                    found.add(int(entry.name))
        return found

    def end(self) -> None:
        """Leave nothing behind, however the test went."""
        for number in self.living():
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait()

    def service(self, name: str) -> int:
        """Process id of a service, as its file says; 0 while it is being written."""
        return int((self.var / "run" / f"{name}.pid").read_text() or 0)

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.var / "readerstudy.sqlite3", timeout=20)) as database:
            return database.execute(query).fetchall()

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/sign-in/", timeout=30).status_code == 200
        except requests.ConnectionError:
            return False

    def sign_in(self, username: str, password: str) -> requests.Response:
        """Sign in as a browser does and return the page one lands on."""
        session = requests.Session()
        page = session.get(f"{self.url}/sign-in/", timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        form = {
            "username": username,
            "password": password,
            "csrfmiddlewaretoken": token.group(1),
        }
        headers = {"Referer": page.url}
        answer = session.post(page.url, data=form, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer

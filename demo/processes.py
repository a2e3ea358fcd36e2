"""Start, watch and stop the processes of the embedded mode: web server and two workers."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

STOP_SECONDS = 10
PLACE = "READERSTUDY_VAR"


@dataclass
class Service:
    """One process with its log and process-id file; started again when it dies."""

    name: str
    command: list[str]
    var: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start the process in a session of its own, so that its children end with it."""
        log = (self.var / "log" / f"{self.name}.log").open("ab")
        with log:
            self.process = subprocess.Popen(  # noqa: S603 our own command line
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, PLACE: str(self.var)},
                start_new_session=True,
            )
        (self.var / "run" / f"{self.name}.pid").write_text(f"{self.process.pid}\n")

    def ended(self) -> bool:
        """Did the process end by itself?"""
        return self.process is not None and self.process.poll() is not None

    def restart(self) -> None:
        """Clear what the dead process left behind and start again."""
        self._signal(signal.SIGKILL)
        self.start()

    def ask_to_stop(self) -> None:
        """Send the signal at which a process finishes what it does and ends."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait for the end, then insist."""
        if self.process is None:
            return
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()
        self._signal(signal.SIGKILL)
        (self.var / "run" / f"{self.name}.pid").unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


def services(var: Path, port: int) -> list[Service]:
    """Return the processes of the embedded mode."""
    for folder in ("log", "run", "queue", "queue-control"):
        (var / folder).mkdir(parents=True, exist_ok=True)
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "readerstudy.celery", "worker", "--loglevel", "INFO"]
    web = [*python, "gunicorn", "readerstudy.wsgi", "--bind", f"127.0.0.1:{port}"]
    threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "8"]
    alone = ["--concurrency", "1", "--without-gossip", "--without-mingle"]
    beat = ["--beat", "--schedule", str(var / "run" / "schedule")]
    return [
        Service("web", [*web, *threads, "--keep-alive", "75", "--no-control-socket"], var),
        Service("worker", [*celery, "-Q", "default", "-n", "default@%h", *alone, *beat], var),
        Service("worker-gpu", [*celery, "-Q", "gpu", "-n", "gpu@%h", *alone], var),
    ]


def port_gets_free(port: int, seconds: float = 2) -> bool:
    """Can the web server bind to this port, now or when what was just killed is gone?"""
    end = time.monotonic() + seconds
    while not _is_free(port):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for_port(port: int, stop: threading.Event, seconds: float = 60) -> bool:
    """Wait until the web server answers; give up after a while or when asked to stop."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop.is_set():
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.2)
    return False


class AlreadyRunning(RuntimeError):
    """Another demo uses this folder."""


def claim(var: Path) -> IO[str]:
    """Lock the folder for this supervisor, as long as the returned file is open.

    A lock ends with its process, however that ended; what a killed supervisor left running is
    stopped here.
    """
    (var / "run").mkdir(parents=True, exist_ok=True)
    note = (var / "run" / "demo.pid").open("a+")
    try:
        fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note.seek(0)
        other = note.read().strip()
        note.close()
        message = f"A demo is running already (process {other}). Stop it first."
        raise AlreadyRunning(message) from None
    note.truncate(0)
    print(os.getpid(), file=note, flush=True)
    _end_leftovers(var)
    return note


def _end_leftovers(var: Path) -> None:
    for path in (var / "run").glob("*.pid"):
        number = path.read_text().strip()
        if path.name != "demo.pid":
            if number.isdigit() and _works_here(number, var):
                os.killpg(int(number), signal.SIGKILL)
            path.unlink()


def _works_here(number: str, var: Path) -> bool:
    """Is this process one of ours? Numbers are given again to strangers."""
    try:
        environment = Path(f"/proc/{number}/environ").read_bytes()
    except OSError:
        return False
    return f"{PLACE}={var}".encode() in environment.split(b"\0")

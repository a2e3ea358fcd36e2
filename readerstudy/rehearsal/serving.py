"""A web server for the time of a dry run: the project's own command on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from readerstudy.core.errors import ReaderStudyError

START_SECONDS = 60.0
STOP_SECONDS = 10.0


@contextmanager
def served(url: str | None = None) -> Iterator[str]:
    """Yield the address of a server: the one given, or one started here and stopped afterwards."""
    if url:
        yield url.rstrip("/")
        return
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "readerstudy.wsgi", "--log-level", "error"]
    threads = ["--worker-class", "gthread", "--workers", "1", "--threads", "8"]
    process = subprocess.Popen(  # noqa: S603 our own command line
        [*command, "--bind", f"127.0.0.1:{port}", *threads, "--no-control-socket"],
        cwd=settings.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "READERSTUDY_VAR": str(settings.VAR)},
        start_new_session=True,
    )
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def public_headers() -> dict[str, str]:
    """Return what the proxy in front of a department's server would add."""
    if not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        return {}
    names = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return {"X-Forwarded-Proto": "https", **({"Host": names[0]} if names else {})}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ReaderStudyError("The web server of the dry run did not start. Its log says why.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

"""What every test gets: media in its own folder, no broker, no way out of this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

# Elsewhere each run tries new examples; what lands must not depend on luck.
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis_settings.register_profile("dev", deadline=None)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "dev")

LOCAL = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to other machines."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise AssertionError(f"A test tried to reach {address[0]}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _own_media(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store objects of a test with a database in the test's own folder."""
    if request.node.get_closest_marker("django_db") is None:
        return
    from django.conf import settings

    folder: Path = request.getfixturevalue("tmp_path")
    monkeypatch.setattr(settings, "MEDIA_ROOT", folder / "media")
    monkeypatch.setattr(settings, "WORK_ROOT", folder / "work")


@pytest.fixture(autouse=True)
def woken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record which queues were woken, in place of a message to a broker."""
    queues: list[str] = []
    if request.node.get_closest_marker("django_db") is not None:
        from readerstudy.core import jobs

        monkeypatch.setattr(jobs, "wake", queues.append)
    return queues


@pytest.fixture(autouse=True)
def _rows_may_be_flushed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test that commits be tidied up: append-only tables refuse to be emptied."""
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction")
    if not commits and "transactional_db" not in request.fixturenames:
        yield
        return
    from readerstudy.core import append_only

    request.getfixturevalue("transactional_db")
    yield
    append_only.remove()  # they are set up again once the tables are empty

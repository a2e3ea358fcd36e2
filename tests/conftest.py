"""What every test gets: media in its own folder, no broker, no way out of this machine."""

from __future__ import annotations

import os
import socket
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

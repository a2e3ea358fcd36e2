"""The one way to write: a transaction, and on SQLite a lock shared by all processes.

SQLite lets one writer in at a time. Its own waiting is unfair and starves some writers under
load, so writers queue on a file lock first.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction

_held = threading.local()


@contextmanager
def write_transaction() -> Iterator[None]:
    """Run a block in one transaction, holding the write lock on SQLite. May be nested."""
    if connection.vendor != "sqlite" or connection.in_atomic_block or getattr(_held, "on", False):
        with transaction.atomic():
            yield
        return
    with _lock_file().open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _held.on = True
        try:
            with transaction.atomic():
                yield
        finally:
            _held.on = False


def _lock_file() -> Path:
    name = str(connection.settings_dict["NAME"])
    path = Path("/dev/shm") if name.startswith("file:") else Path(name).parent  # noqa: S108
    return path / ".readerstudy-write-lock"

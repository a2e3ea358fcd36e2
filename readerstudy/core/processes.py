"""Which processes of this machine live, to tell what a dead one left behind."""

from __future__ import annotations

import hashlib
import os
import socket


def lives(process: int) -> bool:
    """Tell whether a process of this machine is alive."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def mark() -> str:
    """Return a short name of this process on this machine, for temporary files."""
    return f"{_machine()}-{os.getpid()}"


def is_of_dead_process(name: str) -> bool:
    """Tell whether a :func:`mark` is of a process of this machine that no longer lives."""
    machine, _, process = name.partition("-")
    return machine == _machine() and process.isdigit() and not lives(int(process))


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]

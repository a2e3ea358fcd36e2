"""Which processes of this machine live, to tell what a dead one left behind."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path


def lives(process: int) -> bool:
    """Tell whether a process of this machine is alive; one that only waits to be buried is not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # gone meanwhile, or a system without /proc
        return False
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def mark() -> str:
    """Return a short name of this process on this machine, for temporary files."""
    return f"{_machine()}-{os.getpid()}"


def is_of_dead_process(name: str) -> bool:
    """Tell whether a :func:`mark` is of a process of this machine that no longer lives."""
    machine, _, process = name.partition("-")
    return machine == _machine() and process.isdigit() and not lives(int(process))


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]

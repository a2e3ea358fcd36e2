"""Files that a writer makes at a path, as bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def made_by(name: str, write: Callable[[Path], Any]) -> dict[str, bytes]:
    """Return what ``write(path)`` wrote under a name."""
    with TemporaryDirectory(prefix="readerstudy-export-") as folder:
        path = Path(folder) / name
        write(path)
        return {name: path.read_bytes()}

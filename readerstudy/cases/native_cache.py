"""Compressed chunks on disk, as many as fit: what was not read for longest goes first."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from readerstudy.core.files import write_whole

DIGEST = 64
HEAD = 8


@dataclass(frozen=True)
class Cache:
    """Lists of chunks by name. Whatever is missing or damaged counts as not there."""

    folder: Path
    limit_bytes: int

    def read(self, name: str, index: int) -> bytes | None:
        """Return one chunk if it is there and has the content it was stored with."""
        path = self._path(name)
        try:
            with path.open("rb") as file:
                head = file.read(HEAD)
                lengths, digests = json.loads(file.read(int(head, 16)))
                if not 0 <= index < len(lengths):
                    return None
                file.seek(sum(lengths[:index]), os.SEEK_CUR)
                content = file.read(lengths[index])
            os.utime(path)
        except (FileNotFoundError, ValueError):
            return None
        if hashlib.sha256(content).hexdigest() == digests[index]:
            return content
        path.unlink(missing_ok=True)
        return None

    def store(self, name: str, chunks: Sequence[bytes]) -> None:
        """Keep a list of chunks, and make room for it."""
        lengths = [len(one) for one in chunks]
        digests = [hashlib.sha256(one).hexdigest() for one in chunks]
        note = json.dumps([lengths, digests]).encode()
        self.folder.mkdir(parents=True, exist_ok=True)
        head = f"{len(note):0{HEAD}x}".encode()
        write_whole(self._path(name), b"".join([head, note, *chunks]))
        self._make_room()

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _make_room(self) -> None:
        """Remove the longest unread; the newest stays even where it alone is too large."""
        held = sorted(_held(self.folder), reverse=True)
        sums = accumulate(size for _, size, _ in held)
        for number, ((_, _, path), total) in enumerate(zip(held, sums, strict=True)):
            if number and total > self.limit_bytes:
                path.unlink(missing_ok=True)
        _remove_leftovers(self.folder)


def _held(folder: Path) -> list[tuple[float, int, Path]]:
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process made room meanwhile
            if not path.name.startswith("."):
                found.append((path.stat().st_mtime, path.stat().st_size, path))
    return found


def _remove_leftovers(folder: Path, older_s: float = 3600) -> None:
    for path in folder.glob(".*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - older_s:
                path.unlink()

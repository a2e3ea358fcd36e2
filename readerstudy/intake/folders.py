"""The folder of one import. All names of the source lie here, and go with it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.intake.models import Import


@dataclass(frozen=True)
class Place:
    """Where the parts of one import lie."""

    root: Path

    @property
    def parts(self) -> Path:
        """Uploaded files, whole or not, by token."""
        return self.root / "parts"

    @property
    def files(self) -> Path:
        """Uploaded files under their names, once the import runs."""
        return self.root / f"upload-{self.root.name[:8]}"

    @property
    def unpacked(self) -> Path:
        """What archives held."""
        return self.root / "unpacked"

    @property
    def names(self) -> Path:
        return self.root / "names.jsonl"

    @property
    def source(self) -> Path:
        """Which folder of the server is imported."""
        return self.root / "source.json"

    @property
    def rows(self) -> Path:
        return self.root / "rows.json"

    @property
    def journal(self) -> Path:
        return self.root / "journal.jsonl"

    @property
    def manifest(self) -> Path | None:
        """The manifest that was handed in with the import."""
        return next(iter(sorted(self.root.glob("manifest.*"))), None)

    def make(self) -> None:
        """Make the folder, for its owner's eyes alone."""
        self.parts.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def remove(self) -> None:
        """Remove the folder with every name of the source."""
        if self.root.exists():
            shutil.rmtree(self.root)

    def remove_images(self) -> None:
        """Remove the copies of the images; the list of what became of them stays."""
        for folder in (self.parts, self.files, self.unpacked):
            if folder.exists():
                shutil.rmtree(folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time change the list of names."""
        with (self.root / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def imports_root() -> Path:
    """Return the folder that holds all imports' folders."""
    return Path(settings.WORK_ROOT) / "imports"


def place_of(batch: Import) -> Place:
    """Return the folder of an import."""
    return Place(imports_root() / str(batch.pk))


def write_json(path: Path, content: Any) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".new")
    with temporary.open("w") as handle:
        json.dump(content, handle)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def append_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """Add lines of JSON and have them on disk before going on."""
    with path.open("a") as handle:
        handle.writelines(f"{json.dumps(line)}\n" for line in lines)
        handle.flush()
        os.fsync(handle.fileno())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file; one that a crash left half-written is passed over."""
    if not path.exists():
        return
    with path.open() as handle:
        for line in handle:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue

"""Make a backup: the database by its own interface, then every stored file, in one archive."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from readerstudy.core import audit, verifying
from readerstudy.core.backup import archive, databases
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict

TEMPORARY = ".new-"


def roots() -> dict[str, Path]:
    """Return the folders that a backup holds, by the name of their part of the archive."""
    return {"media": Path(settings.MEDIA_ROOT)}


def make(path: Path) -> dict[str, Any]:
    """Write a backup while the server goes on; return its manifest, read back from the file.

    The database is copied first: every file that it names is stored by then, and none is ever
    changed or removed.

    Raises
    ------
    Conflict
        If there is a file of this name.
    """
    if path.exists():
        raise Conflict(f"{path.name} is there already. Choose another name.")
    with write_transaction():
        audit.record(actor=None, action="server.backup", target="server", new={"file": path.name})
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
            _write(half, Path(folder))
        manifest = archive.read(half)
        half.rename(path)
    finally:
        half.unlink(missing_ok=True)
    return manifest


def _write(half: Path, folder: Path) -> None:
    facts = {
        "made_at": timezone.now().isoformat(),
        "software": settings.SPECTACULAR_SETTINGS["VERSION"],
        "database": connection.vendor,
        "migrations": databases.applied(),
        "head": verifying.head(),
    }
    with archive.writing(half) as writer:
        copy = folder / databases.member()
        databases.dump(copy)
        writer.add(databases.member(), copy)
        copy.unlink()
        for name, file in _files():
            writer.add(name, file)
        writer.finish(facts)


def _files() -> Iterator[tuple[str, Path]]:
    for part, root in roots().items():
        for file in sorted(root.rglob("*")):
            if file.is_file() and not file.name.startswith(TEMPORARY):
                yield f"{part}/{file.relative_to(root).as_posix()}", file

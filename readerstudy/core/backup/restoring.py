"""Restore a backup: unpack it beside, check all of it, then put it in place by rename."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from readerstudy.core import audit, verifying
from readerstudy.core.backup import archive, databases
from readerstudy.core.backup.making import roots
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict

OBJECTS = "media/objects/"


@dataclass(frozen=True)
class Restored:
    """What was put in place, and whether it agrees with its audit log."""

    manifest: dict[str, Any]
    verdict: verifying.Verdict
    kept: Path | None  # the database that stood here before


def restore(path: Path, *, force: bool = False) -> Restored:
    """Put a backup in place of an empty installation, or with ``force`` of the one that is here.

    Raises
    ------
    DamagedArchive
        If one hash differs; nothing was changed then.
    Conflict
        If this place is in use or not empty, or the backup is of a newer version or of the other
        kind of database.
    """
    if not force and not _is_empty():
        raise Conflict(
            "There are data in this place already. Restore into an empty one, or add --force."
        )
    media = Path(settings.MEDIA_ROOT)
    media.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=media.parent, prefix=".restore-") as name:
        folder = Path(name)
        manifest = archive.read(path, _unpack_into(folder))
        _require_fit(manifest)
        aside = _aside()
        _place_files(folder)
        databases.place(folder / databases.member(), aside=aside)
    _note(path, manifest)
    verdict = verifying.verify(files=True, since=manifest["head"])
    return Restored(manifest, verdict, aside if aside.exists() else None)


def _is_empty() -> bool:
    filled = any(one.is_file() for root in roots().values() for one in root.rglob("*"))
    return databases.is_empty() and not filled


def _unpack_into(folder: Path) -> archive.Sink:
    def sink(name: str) -> IO[bytes]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")

    return sink


def _require_fit(manifest: dict[str, Any]) -> None:
    if manifest["database"] != connection.vendor:
        raise Conflict(
            f"The backup is of {manifest['database']}, this installation uses {connection.vendor}. "
            "Restore it where the settings name the same kind of database."
        )
    databases.require_known(manifest["migrations"])
    for name, member in manifest["members"].items():
        if name.startswith(OBJECTS) and Path(name).name != member["sha256"]:
            raise archive.DamagedArchive(f"The stored object {name} was damaged before the backup.")


def _aside() -> Path:
    stamp = timezone.now().strftime("%Y%m%dT%H%M%S%f")
    return Path(str(connection.settings_dict["NAME"])).with_name(f"before-restore-{stamp}.sqlite3")


def _place_files(folder: Path) -> None:
    """Add the stored files. They are named by their content, so adding one harms no other."""
    for part, root in roots().items():
        for file in sorted((folder / part).rglob("*")):
            if not file.is_file():
                continue
            target = root / file.relative_to(folder / part)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.utime(file, (0, 0))
            file.replace(target)


def _note(path: Path, manifest: dict[str, Any]) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with write_transaction():
        audit.record(
            actor=None,
            action="server.restore",
            target="server",
            new={"archive_sha256": digest, "made_at": manifest["made_at"]},
        )

"""Take files in, part after part. What lies on the disk says how much of a file has come."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.intake import folders, limits
from readerstudy.intake.models import Import, UploadedFile
from readerstudy.intake.naming import Tree, safe_path

AT_ONCE = 1000


@dataclass(frozen=True)
class Known:
    """One file of an upload with its name at the source."""

    path: str
    size: int
    modified: int
    token: str
    received: int = 0

    @property
    def is_whole(self) -> bool:
        return self.received == self.size


def known_files(batch: Import) -> list[Known]:
    """Return the announced files of an upload, with what has come of each."""
    place = folders.place_of(batch)
    sizes = {str(token): size for token, size in batch.files.values_list("token", "size")}
    return [
        Known(
            path=line["path"],
            size=sizes[line["token"]],
            modified=line["modified"],
            token=line["token"],
            received=_on_disk(place.parts / line["token"]),
        )
        for line in folders.read_lines(place.names)
        if line["token"] in sizes
    ]


def announce(*, batch: Import, files: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Register files that are to come; return for each its token, or what is wrong with it.

    A file that was announced before, by path, size and date, goes on where it stopped; one that
    has changed since begins anew.
    """
    files = list(files)
    if len(files) > AT_ONCE:
        raise ReaderStudyError(f"At most {AT_ONCE} files can be announced at once.")
    place = folders.place_of(batch)
    with place.locked():
        require_collecting(batch)
        known = {one.path: one for one in known_files(batch)}
        tree = Tree(list(known))
        answers = [_answer(given, known, tree) for given in files]
        new = [answer["new"] for answer in answers if answer.get("new")]
        changed = [known[one.path].token for one in new if one.path in known]
        limits.check_whole(batch, count=len(new), size=sum(one.size for one in new))
        _store(batch, new, changed)
    return [{name: value for name, value in one.items() if name != "new"} for one in answers]


def _answer(given: dict[str, Any], known: dict[str, Known], tree: Tree) -> dict[str, Any]:
    try:
        path, size, modified = _checked(given)
        before = known.get(path)
        if before and (before.size, before.modified) == (size, modified):
            return {"path": given["path"], "token": before.token, "received": before.received}
        if before is None:
            tree.add(path)
    except ReaderStudyError as error:
        return {"path": _printable(given.get("path")), "error": error.message}
    new = Known(path=path, size=size, modified=modified, token=str(uuid.uuid4()))
    return {"path": given["path"], "token": new.token, "received": 0, "new": new}


def _printable(name: object) -> str:
    return str(name)[:300].encode(errors="replace").decode()


def _checked(given: dict[str, Any]) -> tuple[str, int, int]:
    path = safe_path(given.get("path"))
    size, modified = given.get("size"), given.get("modified", 0)
    if not isinstance(size, int) or not isinstance(modified, int) or size < 0:
        raise ReaderStudyError("The size of the file is not stated.")
    limits.check_file(size)
    return path, size, modified


def _store(batch: Import, new: list[Known], changed: list[str]) -> None:
    if not new:
        return
    place = folders.place_of(batch)
    lines = [{"token": one.token, "path": one.path, "modified": one.modified} for one in new]
    folders.append_lines(place.names, lines)
    with write_transaction():
        batch.files.filter(token__in=changed).delete()
        UploadedFile.objects.bulk_create(
            [UploadedFile(token=one.token, batch=batch, size=one.size) for one in new],
            batch_size=500,
        )
    for token in changed:
        (place.parts / token).unlink(missing_ok=True)


def receive(*, file: UploadedFile, offset: int, content: bytes, digest: str = "") -> int:
    """Add one part at the end of a file; return how many bytes have come.

    Parameters
    ----------
    file : UploadedFile
        With its import.
    offset : int
        Where the part belongs; it must be the end of what is there.
    content : bytes
        The part.
    digest : str
        SHA-256 of the part in hexadecimal, or empty where the sender cannot make one.
    """
    require_collecting(file.batch)
    if len(content) > settings.INTAKE_PART_BYTES:
        raise limits.TooMuch(f"A part has at most {settings.INTAKE_PART_BYTES} bytes.")
    if digest and not hmac.compare_digest(hashlib.sha256(content).hexdigest(), digest.lower()):
        raise ReaderStudyError("This part was damaged on its way. Send it again.", code="damaged")
    limits.check_disk(len(content))
    path = folders.place_of(file.batch).parts / str(file.token)
    received = _append(path, file.size, offset, content)
    if received == file.size:
        with write_transaction():
            UploadedFile.objects.filter(pk=file.pk).update(received=received)
    return received


def _append(path: Path, size: int, offset: int, content: bytes) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        there = os.fstat(handle.fileno()).st_size
        if offset != there:
            raise Conflict(f"{there} bytes have come; go on there.", code="offset", received=there)
        if there + len(content) > size:
            raise Conflict("The file is longer than announced.", code="too_long", received=there)
        handle.seek(there)
        try:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        except OSError as error:
            os.ftruncate(handle.fileno(), there)
            raise limits.TooMuch(
                "The server could not store this part: its disk is full.", code="disk_full"
            ) from error
    return offset + len(content)


def received_of(file: UploadedFile) -> int:
    """Return how many bytes of a file have come."""
    return _on_disk(folders.place_of(file.batch).parts / str(file.token))


def leave_out(*, files: Iterable[UploadedFile], batch: Import) -> None:
    """Take files out of an upload again."""
    require_collecting(batch)
    tokens = [str(file.token) for file in files]
    with write_transaction():
        batch.files.filter(token__in=tokens).delete()
    for token in tokens:
        (folders.place_of(batch).parts / token).unlink(missing_ok=True)


def incomplete(batch: Import) -> list[Known]:
    """Return the files of an upload that have not come whole."""
    return [one for one in known_files(batch) if not one.is_whole]


def require_collecting(batch: Import) -> None:
    """Refuse an upload that was started or ended."""
    state = Import.objects.values_list("state", flat=True).get(pk=batch.pk)
    if state != Import.State.COLLECTING:
        raise Conflict("This upload takes no more files. Begin a new one.", code="not_collecting")


def _on_disk(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

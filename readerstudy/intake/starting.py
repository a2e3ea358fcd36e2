"""Hand an import to a worker."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.core.files import File

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.intake import folders, opening, receiving
from readerstudy.intake.manifest_tables import SUFFIXES
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options

KIND, TITLE = "import_cases", "Import the images"
FOLDER_KEYS = uuid.UUID("5b0ff2c4-6d0f-4c2f-8d4e-0d9a8a2f9a51")


def start_upload(*, batch: Import, options: Options, actor: Any, reason: str = "") -> Job:
    """Start an upload that has come whole."""
    receiving.require_collecting(batch)
    if count := len(receiving.incomplete(batch)):
        raise Conflict(
            f"{count} file{' has' if count == 1 else 's have'} not come whole. "
            "Go on with the upload, or leave them out."
        )
    if not batch.files.exists():
        raise ReaderStudyError("Choose the files first: this upload holds none.")
    return _start(batch, options, actor, reason)


def start_folder(*, path: Path, options: Options, actor: Any = None, key: str) -> Job:
    """Start the import of a folder of this machine; the same key never starts it twice."""
    batch = opening.open_folder(
        path=path, options=options, actor=actor, pk=uuid.uuid5(FOLDER_KEYS, key)
    )
    if batch.job is not None:
        return batch.job
    return _start(batch, options, actor, "", key=key)


def _start(
    batch: Import, options: Options, actor: Any, reason: str, *, key: str | None = None
) -> Job:
    stored = {**options.to_dict(), **({"reason": reason} if reason else {})}
    with write_transaction():
        arguments = {"batch": str(batch.pk)}
        job = jobs.enqueue(KIND, title=TITLE, arguments=arguments, actor=actor, key=key)
        count = Import.objects.filter(pk=batch.pk, state=Import.State.COLLECTING).update(
            state=Import.State.QUEUED, options=stored, job=job
        )
        if not count:
            raise Conflict("This import was started already.")
        audit.record(actor=actor, action="intake.start", target=f"import {batch.pk}", new=stored)
    batch.refresh_from_db()
    return job


def leave_out_rest(*, batch: Import) -> None:
    """Take the files that have not come whole out of an upload."""
    tokens = {one.token for one in receiving.incomplete(batch)}
    rest = [file for file in batch.files.all() if str(file.token) in tokens]
    receiving.leave_out(files=rest, batch=batch)


def keep_manifest(*, batch: Import, file: File[bytes]) -> None:
    """Copy a manifest into the import's folder: it names cases as the source does."""
    suffix = Path(str(file.name)).suffix.lower()
    if suffix not in SUFFIXES:
        raise ReaderStudyError(f"A manifest is a file of the kind {', '.join(SUFFIXES)}.")
    place = folders.place_of(batch)
    for old in place.root.glob("manifest.*"):
        old.unlink()
    with (place.root / f"manifest{suffix}").open("wb") as handle:
        handle.writelines(file.chunks())

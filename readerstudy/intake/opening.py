"""Begin an import: an upload that collects files, or a folder of the server."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.intake import closing, folders, limits
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options


def open_upload(*, actor: Any) -> Import:
    """Begin an upload; its options are stated when it starts."""
    closing.sweep()
    limits.check_open(actor)
    limits.check_disk(0)
    return _store(_draft(Import.Kind.UPLOAD, Options()), actor)


def draft_folder(
    *, path: Path, options: Options, reason: str = "", pk: uuid.UUID | None = None
) -> Import:
    """Return an import of a folder that is not stored; its path is in the import's own folder."""
    batch = _draft(Import.Kind.FOLDER, options, pk=pk)
    if reason:
        batch.options["reason"] = reason
    folders.write_json(folders.place_of(batch).source, {"path": str(path.absolute())})
    return batch


def open_folder(
    *,
    path: Path,
    options: Options,
    actor: Any = None,
    reason: str = "",
    pk: uuid.UUID | None = None,
) -> Import:
    """Begin the import of a folder or file of the server. Its path is kept out of the database.

    With a ``pk`` the same import is never made twice.
    """
    if pk and (stored := Import.objects.filter(pk=pk).first()):
        return stored
    return _store(draft_folder(path=path, options=options, reason=reason, pk=pk), actor)


def _draft(kind: Import.Kind, options: Options, pk: uuid.UUID | None = None) -> Import:
    batch = Import(pk=pk or uuid.uuid4(), kind=kind, options=options.to_dict())
    folders.place_of(batch).make()
    return batch


def _store(batch: Import, actor: Any) -> Import:
    batch.created_by = actor if getattr(actor, "pk", None) else None
    with write_transaction():
        batch.save(force_insert=True)
        audit.record(
            actor=actor,
            action="intake.open",
            target=f"import {batch.pk}",
            new={"kind": batch.kind, **batch.options},
        )
    return batch

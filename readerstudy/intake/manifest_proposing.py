"""Compare an uploaded manifest with what is stored, before anything of the upload is imported."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from readerstudy.cases.ingest import Progress
from readerstudy.cases.untrusted import image_guard
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.intake import folders, importing, manifest, receiving, starting
from readerstudy.intake.importing import Work
from readerstudy.intake.manifest import ManifestError
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options

KIND, TITLE = "plan_manifest", "Compare the manifest with what is stored"
PLAN, TREE = "plan.json", "preview"


def has_manifest(batch: Import) -> bool:
    """Was a manifest handed in with this upload, or does one lie at its top?"""
    if folders.place_of(batch).manifest is not None:
        return True
    return any(one.path.lower() in manifest.NAMES for one in receiving.known_files(batch))


def propose(*, batch: Import, options: Options, actor: Any) -> Job:
    """Have the manifest of an upload compared; the upload itself still waits for its start."""
    if receiving.incomplete(batch):
        raise Conflict("Some files have not come whole. Go on with the upload, or leave them out.")
    (folders.place_of(batch).root / PLAN).unlink(missing_ok=True)
    with write_transaction():
        job = jobs.enqueue(KIND, title=TITLE, arguments={"batch": str(batch.pk)}, actor=actor)
        count = Import.objects.filter(pk=batch.pk, state=Import.State.COLLECTING).update(
            options=options.to_dict(), job=job
        )
        if not count:
            raise Conflict("This import was started already.")
        audit.record(actor=actor, action="intake.compare", target=f"import {batch.pk}")
    batch.refresh_from_db()
    return job


def compare(batch: Import, *, progress: Progress | None = None) -> dict[str, Any]:
    """Write what the manifest of an upload would change into the upload's folder."""
    place = folders.place_of(batch)
    if progress:
        progress(0, 1, "Reading the files")
    with _tree(batch) as root, image_guard(place.root) as guard:
        work = Work(batch, place, root, Options.of(batch.options), guard)
        found = _compared(work)
    shutil.rmtree(place.unpacked, ignore_errors=True)
    folders.write_json(place.root / PLAN, {"files": fingerprint(batch), **found})
    return {"counts": found.get("counts", {}), "problems": len(found.get("problems", []))}


def _compared(work: Work) -> dict[str, Any]:
    try:
        path = importing.manifest_path(work)
        if path is None:
            raise Conflict("There is no manifest in this upload.")
        planned = manifest.plan(
            manifest.read(path),
            work.root,
            actor=work.batch.created_by,
            source=work.source,
            find=work.find,
            load=work.guard.load,
        )
    except ManifestError as error:
        return {"problems": error.to_list()}
    return planned.to_dict()


@contextmanager
def _tree(batch: Import) -> Iterator[Path]:
    """Have the uploaded files under their names without moving them."""
    place = folders.place_of(batch)
    root = place.root / TREE / place.files.name
    shutil.rmtree(root.parent, ignore_errors=True)
    root.mkdir(parents=True)
    try:
        for one in receiving.known_files(batch):
            target = root / one.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if one.size:
                os.link(place.parts / one.token, target)
            else:
                target.touch()
        yield root
    finally:
        shutil.rmtree(root.parent, ignore_errors=True)


def proposal(batch: Import) -> dict[str, Any] | None:
    """Return what a comparison found, unless files have come or gone since."""
    path = folders.place_of(batch).root / PLAN
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found if found["files"] == fingerprint(batch) else None


def fingerprint(batch: Import) -> str:
    """Return what changes with the files of an upload and with its manifest."""
    tokens = sorted(one.token for one in receiving.known_files(batch))
    given = folders.place_of(batch).manifest
    if given is not None:
        tokens.append(hashlib.sha256(given.read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(tokens).encode()).hexdigest()


def accept(*, batch: Import, reason: str, actor: Any) -> Job:
    """Start an upload whose comparison was looked at and is still true."""
    found = proposal(batch)
    if found is None or found.get("problems"):
        raise Conflict("Compare the manifest first; files have come or gone since, or it is wrong.")
    if found["needs_reason"] and not reason.strip():
        raise ReaderStudyError(
            "State the reason: the manifest corrects reference standards, or sets them for cases "
            "of a blinded study."
        )
    options = Options.of(batch.options)
    return starting.start_upload(batch=batch, options=options, actor=actor, reason=reason.strip())

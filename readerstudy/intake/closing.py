"""End an import: cancel an upload, or remove the names of the source once they are not needed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.core.jobs import cleans_up
from readerstudy.intake import folders
from readerstudy.intake.models import Import
from readerstudy.intake.states import is_running

ENDED = (Import.State.CLOSED, Import.State.CANCELLED)


def cancel(*, batch: Import, actor: Any) -> None:
    """Give an upload up before it started; everything of it is removed."""
    _end(batch, Import.State.CANCELLED, (Import.State.COLLECTING,), actor, "intake.cancel")


def close(*, batch: Import, actor: Any) -> None:
    """Remove the names of the source; the counts and the cases stay."""
    if is_running(batch):
        raise Conflict("This import is still at work. Close it when it has finished.")
    states = (Import.State.QUEUED, Import.State.RUNNING)
    _end(
        batch,
        Import.State.CLOSED,
        (*states, Import.State.FINISHED, Import.State.FAILED),
        actor,
        "intake.close",
    )


def _end(
    batch: Import, state: Import.State, allowed: tuple[str, ...], actor: Any, action: str
) -> None:
    with write_transaction():
        count = Import.objects.filter(pk=batch.pk, state__in=allowed).update(state=state)
        if not count:
            raise Conflict("This import cannot be ended in its present state.")
        batch.files.all().delete()
        audit.record(actor=actor, action=action, target=f"import {batch.pk}")
    folders.place_of(batch).remove()


@cleans_up
def sweep() -> int:
    """End what was left lying: old imports are closed, old uploads cancelled; return how many."""
    now = timezone.now()
    old = now - timedelta(days=settings.INTAKE_KEEP_DAYS)
    left = now - timedelta(days=settings.INTAKE_UPLOAD_DAYS)
    count = 0
    for batch in Import.objects.filter(state=Import.State.COLLECTING, created_at__lt=left):
        cancel(batch=batch, actor=None)
        count += 1
    ended = Q(finished_at__lt=old) | Q(finished_at=None, created_at__lt=old)
    for batch in Import.objects.filter(ended).exclude(state__in=(*ENDED, Import.State.COLLECTING)):
        if not is_running(batch):
            close(batch=batch, actor=None)
            count += 1
    return count + _remove_orphans()


def _remove_orphans() -> int:
    """Remove folders whose import was ended or never stored, after a day."""
    root, count = folders.imports_root(), 0
    day_ago = (timezone.now() - timedelta(days=1)).timestamp()
    kept = {str(pk) for pk in Import.objects.exclude(state__in=ENDED).values_list("pk", flat=True)}
    for folder in root.iterdir() if root.exists() else ():
        if folder.name not in kept and _is_import(folder.name) and _age(folder) < day_ago:
            folders.Place(folder).remove()
            count += 1
    return count


def _age(folder: Any) -> float:
    modified: float = folder.stat().st_mtime
    return modified


def _is_import(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True

"""Discard what a dry run left: the one study whose rows may go, since nobody's answers are in it.

What was assumed and what came out stay, and so does the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.rehearsal.cloning import require_rehearsal
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies.models import Study

Model = type[models.Model]


def discard(*, rehearsal: Rehearsal, actor: Any, reason: str) -> None:
    """Delete the simulated study of a dry run with all that hangs on it."""
    with write_transaction():
        delete_clone(rehearsal=rehearsal)
        rehearsal.discarded_at = timezone.now()
        rehearsal.save(update_fields=("discarded_at",))
        audit.record(
            actor=actor,
            action="rehearsal.discard",
            target=f"study {rehearsal.study_id}",
            old={"dry_run": rehearsal.number},
            reason=reason,
        )


def delete_clone(*, rehearsal: Rehearsal) -> None:
    """Delete the study that a dry run read, if there is one.

    Raises
    ------
    Conflict
        If another study was made from it.
    """
    clone = rehearsal.clone
    if clone is None:
        return
    require_rehearsal(clone)
    with write_transaction():
        if Study.objects.filter(Q(rehearsal_of=clone) | Q(cloned_from=clone)).exists():
            raise Conflict("Another study was made from this dry run. It cannot be discarded.")
        rehearsal.clone = None
        rehearsal.save(update_fields=("clone",))
        for model, path in parts_of(Study):
            _delete(model, model._base_manager.filter(**{path: clone.pk}))
        clone.delete()


def parts_of(model: Model, path: str = "") -> Iterator[tuple[Model, str]]:
    """Yield every kind of row that hangs on a model and the way back to it, the outermost first.

    Found from the models themselves, so that no app can be forgotten.
    """
    for relation in model._meta.get_fields(include_hidden=True):
        part: Any = relation.related_model
        if not _hangs_on(relation) or part is model:
            continue
        name = relation.remote_field.name
        way = f"{name}__{path}" if path else name
        yield from parts_of(part, way)
        yield part, way


def _hangs_on(relation: Any) -> bool:
    """Is this the other end of a reference that cannot do without its target?"""
    if not relation.auto_created or relation.concrete or relation.many_to_many:
        return False
    return relation.on_delete is not models.SET_NULL


def _delete(model: Model, rows: models.QuerySet[Any]) -> None:
    """Delete rows; of those that protect each other, as a correction does, the last one first."""
    chains = [
        field.name
        for field in model._meta.concrete_fields
        if field.remote_field is not None and field.related_model is model
    ]
    while chains and (pks := _at_the_end(rows, chains)):
        model._base_manager.filter(pk__in=pks).delete()
    rows.delete()


def _at_the_end(rows: models.QuerySet[Any], chains: list[str]) -> list[Any]:
    """Return the rows that no other row refers to."""
    for name in chains:
        rows = rows.exclude(pk__in=rows.filter(**{f"{name}__isnull": False}).values(name))
    return list(rows.values_list("pk", flat=True))

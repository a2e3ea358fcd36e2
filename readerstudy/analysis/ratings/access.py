"""The door to imports of ratings: whoever made one, and nobody else."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.importing import facts_json
from readerstudy.analysis.models import RatingsImport
from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import Conflict, NotFound


def imports_of(user: Any) -> QuerySet[RatingsImport]:
    """Return the imports that a coordinator made, newest first, without their tables."""
    require_coordinator(user)
    heavy = ("table", "cases_table", "facts", "document", "faults")
    return RatingsImport.objects.filter(created_by=user).defer(*heavy)


def access_import(*, pk: uuid.UUID, user: Any) -> RatingsImport:
    """Return one's own import.

    Raises
    ------
    NotAllowed
        To whoever is no coordinator.
    NotFound
        For everybody else's imports.
    """
    require_coordinator(user)
    found = RatingsImport.objects.filter(pk=pk, created_by=user).select_related("job").first()
    if found is None:
        raise NotFound("There is no such import among yours.")
    return found


def require_draft(row: RatingsImport) -> None:
    """Refuse to change what was stored."""
    if row.state != RatingsImport.State.DRAFT:
        raise Conflict("These ratings are stored and cannot change. Import the table anew.")


def imported_dataset(row: RatingsImport) -> Dataset:
    """Return the stored ratings as the data set that every analysis takes.

    Raises
    ------
    Conflict
        While they are not stored.
    """
    if row.facts is None:
        raise Conflict("These ratings are not stored yet. Check them and store them first.")
    return facts_json.from_json(row.facts)

"""Doors to imports: every coordinator may look; who began one may add to it and end it."""

from __future__ import annotations

from typing import Any

from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotFound
from readerstudy.intake.models import Import, UploadedFile


def access_import(*, pk: Any, user: Any) -> Import:
    """Return an import to a coordinator."""
    require_coordinator(user)
    found = Import.objects.select_related("job", "created_by").filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such import.")
    return found


def access_own_import(*, pk: Any, user: Any) -> Import:
    """Return an import to the person who began it."""
    found = access_import(pk=pk, user=user)
    if found.created_by != user:
        raise NotFound("There is no such import of yours.")
    return found


def access_to_end(*, pk: Any, user: Any) -> Import:
    """Return an import to who may end it: the person who began it, or an administrator."""
    found = access_import(pk=pk, user=user)
    return found if user.is_superuser else access_own_import(pk=pk, user=user)


def access_file(*, pk: Any, token: Any, user: Any) -> UploadedFile:
    """Return one file of an upload to the person who sends it."""
    batch = access_own_import(pk=pk, user=user)
    found = batch.files.filter(token=token).first()
    if found is None:
        raise NotFound("There is no such file in this upload.")
    found.batch = batch
    return found

"""Accounts, as an administrator changes them: who may coordinate, and who may sign in at all."""

from __future__ import annotations

from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotAllowed, ReaderStudyError
from readerstudy.readers.models import User


def set_account(
    *, user: User, may_coordinate: bool, is_active: bool, reason: str, actor: Any
) -> None:
    """Allow or forbid to coordinate, close or open an account; nothing of a person is deleted.

    Raises
    ------
    NotAllowed
        Unless the actor is an administrator.
    Conflict
        For the own account, which somebody else must change.
    """
    if not (actor.is_active and actor.is_superuser):
        raise NotAllowed("Accounts are changed by administrators.")
    if user.pk == actor.pk:
        raise Conflict("Another administrator must change your own account.")
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it is kept in the audit log.")
    with write_transaction():
        user = User.objects.select_for_update().get(pk=user.pk)
        old = _rights(user)
        user.may_coordinate, user.is_active = may_coordinate, is_active
        if old == _rights(user):
            raise Conflict("Nothing is changed.")
        user.save(update_fields=("may_coordinate", "is_active"))
        audit.record(
            actor=actor,
            action="account.change",
            target=f"user {user.pk}",
            old=old,
            new=_rights(user),
            reason=reason.strip(),
        )


def _rights(user: User) -> dict[str, bool]:
    return {"may_coordinate": user.may_coordinate, "is_active": user.is_active}

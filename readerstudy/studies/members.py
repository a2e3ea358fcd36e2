"""Give, change and end roles in a study. The former role stays in the audit log."""

from __future__ import annotations

from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.readers.models import User
from readerstudy.studies.models import Membership, Study

Role = Membership.Role


def add_member(*, study: Study, email: str, role: str, reason: str, actor: Any) -> Membership:
    """Give a person with an account a role in a study.

    Raises
    ------
    NotFound
        If nobody has an account with this address.
    Conflict
        If the person has a role already, or reads in the study.
    """
    role, reason = _known(role), _given(reason)
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        raise NotFound(
            f"Nobody has an account under {email.strip()}. Ask the administrator to make one."
        )
    if user.pk == actor.pk:
        raise Conflict("You cannot give a role to yourself. Ask another coordinator.")
    with write_transaction():
        if study.memberships.filter(user=user).exists():
            raise Conflict(f"{user} has a role in this study already. Change it in the list.")
        if study.readers.filter(reader=user).exists():
            raise Conflict(f"{user} reads in this study and cannot belong to its staff.")
        member = Membership.objects.create(study=study, user=user, role=role)
        _record("study.add_member", member, actor, reason, new=role)
    return member


def change_role(*, study: Study, user: Any, role: str, reason: str, actor: Any) -> Membership:
    """Change the role of a member; the last coordinator stays one."""
    role, reason = _known(role), _given(reason)
    with write_transaction():
        member = _member(study, user)
        if member.role == role:
            raise Conflict(f"{member.user} has this role already.")
        _require_another_coordinator(member)
        old, member.role = member.role, role
        member.save(update_fields=("role",))
        _record("study.change_role", member, actor, reason, old=old, new=role)
    return member


def remove_member(*, study: Study, user: Any, reason: str, actor: Any) -> None:
    """End the role of a member; the last coordinator cannot be removed."""
    reason = _given(reason)
    with write_transaction():
        member = _member(study, user)
        _require_another_coordinator(member)
        _record("study.remove_member", member, actor, reason, old=member.role)
        member.delete()


def _known(role: str) -> str:
    if role not in Role.values:
        raise ReaderStudyError(f"There is no role called {role!r}.")
    return role


def _given(reason: str) -> str:
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it is kept in the audit log.")
    return reason.strip()


def _member(study: Study, user: Any) -> Membership:
    found = study.memberships.select_for_update().filter(user=user).first()
    if found is None:
        raise NotFound("This person has no role in the study any more.")
    return found


def _require_another_coordinator(member: Membership) -> None:
    others = member.study.memberships.filter(role=Role.COORDINATOR).exclude(pk=member.pk)
    if member.role == Role.COORDINATOR and not others.exists():
        raise Conflict("A study needs a coordinator. Name another one first.")


def _record(
    action: str, member: Membership, actor: Any, reason: str, *, old: str = "", new: str = ""
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=f"study {member.study_id}",
        old={"user": member.user_id, "role": old} if old else None,
        new={"user": member.user_id, "role": new} if new else None,
        reason=reason,
    )

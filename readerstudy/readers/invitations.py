"""Invite people by a personal link. The token is shown once; only its hash is stored."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.tokens import new_token
from readerstudy.readers.models import Invitation, ReaderProfile, User


def find_or_invite(
    *, email: str, name: str, profile: dict[str, Any], actor: Any
) -> tuple[User, str | None]:
    """Return the account of a person, and the token of an invitation if one is needed.

    Who has a password gets no link and signs in as always. Whose first link was never used gets
    a new one from the person who sent the first, and from nobody else: a link opens the account.
    """
    email, name = email.strip().lower(), name.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise ReaderStudyError(f"“{email}” is not an e-mail address.") from error
    if not name:
        raise ReaderStudyError("Give the name of the person to invite.")
    with write_transaction():
        user = User.objects.filter(email=email).first()
        if user is not None:
            mine = Invitation.objects.filter(user=user, invited_by=actor).exists()
            needs_link = mine and not user.has_usable_password()
            return user, renew(user=user, actor=actor) if needs_link else None
        user = User(username=email, email=email, display_name=name)
        user.set_unusable_password()
        user.save()
        ReaderProfile.objects.create(user=user, **profile)
        return user, _new_invitation(user, actor)


def _new_invitation(user: User, actor: Any) -> str:
    token = new_token()
    Invitation.objects.create(
        email=user.email,
        name=user.display_name,
        user=user,
        invited_by=actor,
        token_hash=hash_token(token),
    )
    audit.record(actor=actor, action="reader.invite", target=f"user {user.pk}")
    return token


def renew(*, user: User, actor: Any) -> str:
    """Return the token of a new link; the former link no longer works.

    Raises
    ------
    Conflict
        If the person has chosen a password already.
    """
    if user.has_usable_password():
        raise Conflict(f"{user} has used the link already and can sign in.")
    token = new_token()
    with write_transaction():
        Invitation.objects.filter(user=user).update(token_hash=hash_token(token))
        audit.record(actor=actor, action="reader.renew_link", target=f"user {user.pk}")
    return token


def hash_token(token: str) -> str:
    """Return what is stored of an invitation's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_invitation(token: str) -> Invitation:
    """Return an invitation that was not used yet."""
    invitation = Invitation.objects.filter(
        token_hash=hash_token(token), accepted_at__isnull=True
    ).first()
    if invitation is None:
        raise NotFound("This invitation was used already, or the link is not complete.")
    return invitation


def accept(*, token: str, password: str) -> User:
    """Set the password of the invited account and mark the link as used."""
    with write_transaction():
        invitation = open_invitation(token)
        user = invitation.user
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise ReaderStudyError(" ".join(error.messages)) from error
        user.set_password(password)
        user.save()
        invitation.accepted_at = timezone.now()
        invitation.save()
        audit.record(actor=user, action="reader.accept", target=f"user {user.pk}")
    return user

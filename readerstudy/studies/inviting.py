"""Invite a reader into a draft: find or make the account, enrol it, send the personal link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed
from readerstudy.readers import invitations
from readerstudy.readers.models import Invitation, User
from readerstudy.studies import design, letters
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Enrolment, Letter, Study
from readerstudy.studies.permissions import Action


@dataclass(frozen=True)
class Invited:
    """What came of an invitation. The link is known here and now only."""

    enrolment: Enrolment
    link: str | None  # None: the person has an account already
    mailed: bool = False

    @property
    def waits_for_another(self) -> bool:
        """Was the person invited by somebody else, and has not used that link yet?"""
        return self.link is None and not self.enrolment.reader.has_usable_password()


def invite_reader(
    *,
    study: Study,
    name: str,
    email: str,
    profile: dict[str, Any],
    link_of: Callable[[str], str],
    actor: Any,
    enrol: Callable[[User], Enrolment] | None = None,
) -> Invited:
    """Enrol a person in a draft and write to them; who has no account yet gets a personal link.

    Parameters
    ----------
    link_of : callable
        Makes the full address of an invitation from its token.
    enrol : callable, optional
        How the person is enrolled, if not into a draft.
    """
    with write_transaction():
        user, token = invitations.find_or_invite(
            email=email, name=name, profile=profile, actor=actor
        )
        if enrol is not None:
            enrolment = enrol(user)
        else:
            enrolment = design.enrol(study=study, reader=user, actor=actor)
    link = link_of(token) if token else None
    return Invited(enrolment, link, mailed=_mailed(enrolment, link, actor))


def renew_link(*, enrolment: Enrolment, link_of: Callable[[str], str], actor: Any) -> Invited:
    """Make a new personal link for a reader who lost the first one before using it."""
    user = enrolment.reader
    _require_own(user, actor)
    link = link_of(invitations.renew(user=user, actor=actor))
    return Invited(enrolment, link, mailed=_mailed(enrolment, link, actor))


def _require_own(user: User, actor: Any) -> None:
    """A link opens the account: only who sent it, or has all of its studies, may make it anew."""
    sent = Invitation.objects.filter(user=user, invited_by=actor).exists()
    mine = studies_of(actor, Action.READERS)
    if not sent and Enrolment.objects.filter(reader=user).exclude(study__in=mine).exists():
        raise NotAllowed(
            f"{user} was invited by somebody else, into another study as well. The link of that "
            "invitation opens this study too; ask that coordinator for a new one."
        )


def _mailed(enrolment: Enrolment, link: str | None, actor: Any) -> bool:
    """Send the letter; a mail server that is away does not undo the invitation."""
    letter = letters.send(
        enrolment=enrolment,
        kind=Letter.Kind.INVITATION,
        actor=actor,
        shown={"link": link},
    )
    return letter.handed_over

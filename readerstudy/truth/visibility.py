"""Who may see the reference standard and the origin of a case, and the recorded look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed
from readerstudy.studies.models import Enrolment, Membership, Study
from readerstudy.truth.models import Origin, ReferenceStandard

BLINDED = (Study.State.LOCKED, Study.State.RUNNING, Study.State.CLOSED)
BLIND_ROLES = (Membership.Role.BLINDED_COORDINATOR, Membership.Role.ADJUDICATOR)


@dataclass(frozen=True)
class Truth:
    """What is on record of a case."""

    origin: Origin | None
    references: list[ReferenceStandard]


def why_hidden(user: Any, case: Case) -> str:
    """Return why a user may not see the truth of a case; empty if they may."""
    if not getattr(user, "is_authenticated", False) or not user.may_coordinate:
        return "Only coordinators may see it."
    if reads_somewhere(user):
        return "You read in a study that is not unblinded."
    if is_kept_blind(user):
        return "Your role in a study that is not unblinded hides it."
    if is_blinded(case):
        return "A study with this case is locked, running or closed, and not unblinded."
    return ""


def may_see_truth(user: Any, case: Case) -> bool:
    """May this user see the origin and the reference standard of this case?

    Readers never; a coordinator unless a study with the case is blinded, or the coordinator is a
    reader of any study that is not unblinded, since its cases may still be drawn.
    """
    return not why_hidden(user, case)


def reads_somewhere(user: Any) -> bool:
    """Is this user a reader of a study that is not unblinded? A preview reads nothing."""
    open_studies = Enrolment.objects.exclude(study__state=Study.State.UNBLINDED)
    reads = open_studies.exclude(kind=Enrolment.Kind.PREVIEW)
    return reads.filter(reader=user).exists()


def is_kept_blind(user: Any) -> bool:
    """Has this user a role that must stay blind, in a study that is not unblinded?"""
    open_studies = Membership.objects.exclude(study__state=Study.State.UNBLINDED)
    return open_studies.filter(user=user, role__in=BLIND_ROLES).exists()


def is_blinded(case: Case) -> bool:
    """Is the case part of a study that is locked, running or closed?"""
    real = Study.objects.filter(rehearsal_of__isnull=True)
    return real.filter(study_cases__case=case, state__in=BLINDED).exists()


def require_sight(*, user: Any, case: Case) -> None:
    """Refuse who may not see the truth of a case, and say why."""
    if reason := why_hidden(user, case):
        raise NotAllowed(f"Truth is not shown. {reason}")


def look_at(*, case: Case, actor: Any) -> Truth:
    """Return the truth of a case to whoever may see it, and record the look."""
    with write_transaction():
        require_sight(user=actor, case=case)
        audit.record(actor=actor, action="truth.look", target=f"case {case.pk}")
        return Truth(
            origin=Origin.objects.filter(case=case).first(),
            references=list(ReferenceStandard.objects.current().filter(case=case)),
        )

"""Who may see truth, and the recorded act that joins it to a closed study."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotAllowed, NotFound, ReaderStudyError
from readerstudy.studies import lifecycle
from readerstudy.studies.deviations import Entry, adds_deviations
from readerstudy.studies.models import Study
from readerstudy.truth import shared_cases
from readerstudy.truth.models import CaseUnblinding, Origin, Unblinding

Follower = Callable[..., object]
_followers: list[Follower] = []


def after_unblinding(follower: Follower) -> Follower:
    """Register ``follower(study, actor=actor)``, called in the transaction of an unblinding."""
    _followers.append(follower)
    return follower


def unblind(*, study: Study, actor: Any, reason: str, typed_name: str) -> Unblinding:
    """Unblind a closed study: confirmed by typing its name, with a reason, once and for all."""
    if typed_name.strip() != study.name:
        raise ReaderStudyError("To confirm, type the name of the study exactly as it is shown.")
    if not reason.strip():
        raise ReaderStudyError("Give the reason for unblinding; it is kept in the audit log.")
    with write_transaction():
        lifecycle.advance(study=study, to=Study.State.UNBLINDED, actor=actor, reason=reason.strip())
        row = Unblinding.objects.create(
            study=study, at=timezone.now(), actor=actor, reason=reason.strip()
        )
        study.refresh_from_db()
        for follower in _followers:
            follower(study, actor=actor)
        return row


def origins_of(study: Study, *, actor: Any) -> dict[Any, Origin]:
    """Return the origin of every case of an unblinded study, and record that truth was seen."""
    if study.state != Study.State.UNBLINDED:
        raise NotAllowed("Truth is not shown before the study is closed and unblinded.")
    record_look(study, actor=actor)
    return Origin.objects.in_bulk(list(study.cases.values_list("pk", flat=True)))


def record_look(study: Study, *, actor: Any) -> None:
    """Put on record that somebody saw the truth of a study.

    Raises
    ------
    NotAllowed
        If they have a blind part in another study that shows some of the same cases.
    """
    shared_cases.require_no_part(actor, study)
    with write_transaction():
        audit.record(actor=actor, action="truth.look", target=f"study {study.pk}")


BREAKABLE = (Study.State.LOCKED, Study.State.RUNNING, Study.State.CLOSED)


def break_blind(*, study: Study, code: str, actor: Any, reason: str) -> CaseUnblinding:
    """Unblind one case of a study that stays blinded, and put on record who asked and why.

    Raises
    ------
    NotFound
        If the study has no such case.
    Conflict
        If the study is a draft or is unblinded as a whole.
    """
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it stands in the deviations and in the export.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if study.state not in BREAKABLE:
            raise Conflict(f"A study that is {study.state} is not blinded.")
        if study.readers.filter(reader=actor).exists():
            raise NotAllowed("You read in this study.")
        case = study.cases.filter(code=code.strip()).first()
        if case is None:
            raise NotFound(f"The study has no case {code.strip()}.")
        row = CaseUnblinding.objects.create(
            study=study, case=case, at=timezone.now(), actor=actor, reason=reason.strip()
        )
        audit.record(
            actor=actor,
            action="truth.break_blind",
            target=f"study {study.pk}",
            new={"case": case.code},
            reason=row.reason,
        )
    return row


@adds_deviations
def unblinded_cases(study: Study) -> Iterable[Entry]:
    """Yield the cases that were unblinded one by one. Their truth is not among the facts."""
    for row in CaseUnblinding.objects.filter(study=study).select_related("case", "actor"):
        yield Entry(
            at=row.at,
            kind="case unblinded",
            reader="",
            text=f"The blind was broken for case {row.case.code}",
            reason=row.reason,
            by=str(row.actor),
        )

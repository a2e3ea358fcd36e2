"""Amend a protocol after its lock: only what leaves the allocation as it is, with a reason.

The locked protocol is never changed. Every amendment stores the whole protocol as it is from
then on, its hash, and what changed in words; readers acknowledge what concerns them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.studies import reading_design
from readerstudy.studies.lifecycle import hash_of, protocol_of
from readerstudy.studies.models import Acknowledgement, Amendment, Enrolment, Question, Study

AMENDABLE = (Study.State.LOCKED, Study.State.RUNNING)


@dataclass(frozen=True)
class Change:
    """One thing that an amendment changes, in words."""

    what: str
    old: str
    new: str
    concerns_readers: bool = False


@dataclass(frozen=True)
class Wanted:
    """The texts and numbers that may be amended; None leaves one as it is."""

    reader_title: str | None = None
    instructions: str | None = None
    helps: dict[str, str] | None = None  # by code of the question
    margin: float | None = None
    washout_days: int | None = None


def require_amendable(study: Study) -> None:
    """Refuse amendments of drafts, which are simply changed, and of closed studies."""
    if study.state not in AMENDABLE:
        raise Conflict(
            f"A protocol can be amended while it is locked or running; this study is {study.state}."
        )


def amend(*, study: Study, wanted: Wanted, reason: str, actor: Any) -> Amendment:
    """Change texts, margin or washout of a locked or running study.

    Raises
    ------
    ReaderStudyError
        If nothing changes, a value does not fit, or the reason is missing.
    """
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_amendable(study)
        changes = [
            *_change_texts(study, wanted),
            *_change_helps(study, wanted.helps or {}),
            *_change_margin(study, wanted.margin),
            *_change_washout(study, wanted.washout_days),
        ]
        study.save()
        return store(study=study, changes=changes, reason=reason, actor=actor)


def store(*, study: Study, changes: list[Change], reason: str, actor: Any) -> Amendment:
    """Store the next version of a protocol. Call it within the write that changed the study."""
    if not changes:
        raise ReaderStudyError("Nothing is changed, so there is nothing to amend.")
    if not reason.strip():
        raise ReaderStudyError("Give the reason for the amendment; it is part of the protocol.")
    protocol = {**protocol_of(study), "version": study.version + 1}
    amendment = Amendment.objects.create(
        study=study,
        version=study.version + 1,
        protocol=protocol,
        protocol_hash=hash_of(protocol),
        changes=[asdict(change) for change in changes],
        tells_readers=any(change.concerns_readers for change in changes),
        reason=reason.strip(),
        actor=actor,
    )
    audit.record(
        actor=actor,
        action="study.amend",
        target=f"study {study.pk}",
        old={"protocol_hash": study.protocol_hash},
        new={
            "version": amendment.version,
            "protocol_hash": amendment.protocol_hash,
            "changed": [change.what for change in changes],
        },
        reason=amendment.reason,
    )
    return amendment


def _change_texts(study: Study, wanted: Wanted) -> list[Change]:
    changes = []
    for field, what in (("reader_title", "Title for readers"), ("instructions", "Instructions")):
        given, old = getattr(wanted, field), getattr(study, field)
        if given is None or (new := _clean(given)) == _clean(old):
            continue
        if not new:
            raise ReaderStudyError(f"{what} may not be empty.")
        setattr(study, field, new)
        changes.append(Change(what, old, new, concerns_readers=True))
    return changes


def _clean(text: str) -> str:
    """Return a text without the line ends that browsers send, which are no change."""
    return text.replace("\r\n", "\n").strip()


def _change_helps(study: Study, helps: dict[str, str]) -> list[Change]:
    changes = []
    for question in Question.objects.filter(study=study, code__in=helps):
        new = _clean(helps[question.code])
        if new != _clean(question.help):
            what = f"Help of “{question.text}”"
            changes.append(Change(what, question.help, new, concerns_readers=True))
            question.help = new
            question.save(update_fields=("help",))
    return changes


def _change_margin(study: Study, margin: float | None) -> list[Change]:
    if margin is None or margin == study.margin:
        return []
    if not 0 < margin < 0.5:
        raise ReaderStudyError("The margin must lie between 0 and 50 points.")
    old, study.margin = study.margin, margin
    return [Change("Equivalence margin", f"{100 * old:g} points", f"{100 * margin:g} points")]


def _change_washout(study: Study, days: int | None) -> list[Change]:
    old = study.plan.washout_days
    if days is None or days == old:
        return []
    design = reading_design.parse({**study.design, "washout_days": days})
    study.design = reading_design.document_of(design)
    return [Change("Washout", f"{old} days", f"{days} days", concerns_readers=True)]


def unread_by(enrolment: Enrolment) -> list[Amendment]:
    """Return the amendments that a reader has to acknowledge before going on."""
    if enrolment.kind != Enrolment.Kind.READER:
        return []
    since = enrolment.study.amendments.filter(tells_readers=True, at__gt=enrolment.enrolled_at)
    return list(since.exclude(acknowledgements__enrolment=enrolment))


def acknowledge(*, enrolment: Enrolment) -> int:
    """Record that a reader has read all amendments; return how many were new."""
    with write_transaction():
        unread = unread_by(enrolment)
        for amendment in unread:
            Acknowledgement.objects.create(enrolment=enrolment, amendment=amendment)
            audit.record(
                actor=enrolment.reader,
                action="study.acknowledge",
                target=f"study {enrolment.study_id}",
                new={"reader": enrolment.code, "version": amendment.version},
            )
    return len(unread)

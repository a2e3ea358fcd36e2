"""Accept what a reader's browser sends: once per key, append-only, never lost.

A receipt is written only after the transaction that stored the answer is through. Whatever
cannot count (the study is closed, the reading was answered elsewhere) is kept with its reason.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.readers.models import DisplayCheck
from readerstudy.reading import gates, training
from readerstudy.reading.access import is_open
from readerstudy.reading.answering import ratings_of
from readerstudy.reading.models import Rating, Reading, ReadingSession, Submission
from readerstudy.reading.planned import withdrawn_at
from readerstudy.studies.lifecycle import hash_of
from readerstudy.studies.models import Enrolment

UNDO_SECONDS = 60
SITTING_GAP = timedelta(minutes=30)
Outcome = Submission.Outcome


def submit(
    *, reading: Reading, key: str, body: dict[str, Any], display: DisplayCheck | None = None
) -> tuple[Submission, bool]:
    """Store the answers of one reading.

    Parameters
    ----------
    reading : Reading
        Found through access.access_reading.
    key : str
        UUID made by the client once per submission.
    body : dict
        ``answers``, ``clock``, ``viewer`` as sent.
    display : DisplayCheck, optional
        The check that holds on the display it was sent from.

    Returns
    -------
    (Submission, bool)
        The stored row, and whether it is new (False: the same key and body came again).

    Raises
    ------
    Conflict
        ``key_reused`` if the key came before with another body.
    ReaderStudyError
        ``invalid_answer`` if an answer does not fit its question.
    """
    identifier, digest = _as_uuid(key), hash_of([reading.token, body])
    with write_transaction():
        known = Submission.objects.filter(key=identifier).first()
        if known is None:
            return _store(reading.pk, identifier, digest, body, display), True
        if known.body_hash == digest:
            return known, False
        audit.record(
            actor=reading.enrolment.reader,
            action="reading.key_reused",
            target=f"reading {reading.pk}",
            new={"key": str(identifier), "body": body},
        )
    raise Conflict(
        "Another answer was saved under this key before. The first one stands.", code="key_reused"
    )


def _as_uuid(key: str) -> uuid.UUID:
    try:
        return uuid.UUID(str(key))
    except ValueError as error:
        raise ReaderStudyError("The key of the answer must be a UUID.") from error


def _store(
    reading_pk: int,
    key: uuid.UUID,
    digest: str,
    body: dict[str, Any],
    display: DisplayCheck | None,
) -> Submission:
    related = ("enrolment__study", "enrolment__reader", "case")
    reading = Reading.objects.select_related(*related).get(pk=reading_pk)
    outcome, reason = _verdict(reading)
    counts = outcome == Outcome.ACCEPTED
    ratings = ratings_of(reading, body.get("answers")) if counts else []
    now = timezone.now()
    former = current_submission(reading) if counts else None
    submission = Submission.objects.create(
        reading=reading,
        session=current_session(reading.enrolment, display),
        key=key,
        body_hash=digest,
        body=body,
        received_at=now,
        outcome=outcome,
        reason="Corrected by the reader within the grace time" if former else reason,
        supersedes=former,
    )
    if counts:
        for rating in ratings:
            rating.submission = submission
        Rating.objects.bulk_create(ratings)
        reading.completed_at, reading.reopened_at, reading.draft = now, None, None
        reading.save(update_fields=("completed_at", "reopened_at", "draft"))
        gates.open_next_period(reading)
    audit.record(
        actor=reading.enrolment.reader,
        action=f"{_noun(reading.enrolment)}.{outcome}",
        target=f"reading {reading.pk}",
        old={"submission": str(former.pk)} if former else None,
        new={
            "submission": str(submission.pk),
            "body_hash": digest,
            "study": str(reading.enrolment.study_id),
        },
        reason=submission.reason,
    )
    return submission


def _noun(enrolment: Enrolment) -> str:
    """Name what is recorded, so that nobody takes a preview or the sentinel for a reader."""
    return "reading" if enrolment.kind == Enrolment.Kind.READER else enrolment.kind


def _verdict(reading: Reading) -> tuple[str, str]:
    if reading.enrolment.withdrawn_at is not None:
        return Outcome.LATE, "The reader was withdrawn before this answer arrived."
    if not gates.is_running(reading.enrolment):
        return Outcome.LATE, "The study was closed before this answer arrived."
    if withdrawn_at(reading) is not None:
        return Outcome.LATE, "The case was withdrawn before this answer arrived."
    if not is_open(reading):
        return Outcome.DUPLICATE, "This case was answered already, in another window."
    return Outcome.ACCEPTED, ""


def current_submission(reading: Reading) -> Submission | None:
    """Return the accepted submission that stands: the end of the chain of corrections."""
    return reading.submissions.filter(outcome=Outcome.ACCEPTED, superseded_by__isnull=True).first()


def undo(*, reading: Reading) -> None:
    """Re-open the last answered reading within its grace time."""
    with write_transaction():
        last = last_submission(reading.enrolment)
        if last is None or last.reading_id != reading.pk or seconds_left(last) <= 0:
            raise Conflict("This answer is sealed: its grace time is over.", code="sealed")
        if not gates.is_running(reading.enrolment):
            raise Conflict("The study is closed.", code="closed")
        if withdrawn_at(reading) is not None:
            raise Conflict("The case was withdrawn. The saved answer stands.", code="withdrawn")
        if is_sealed(reading):
            raise Conflict("This answer is sealed: what follows was shown.", code="sealed")
        Reading.objects.filter(pk=reading.pk).update(
            reopened_at=timezone.now(), draft=draft_of(last)
        )
        audit.record(
            actor=reading.enrolment.reader,
            action="reading.undo",
            target=f"reading {reading.pk}",
            old={"submission": str(last.pk)},
        )


def is_sealed(reading: Reading) -> bool:
    """Can an answer no longer be undone, because it was followed by what it must not know?"""
    return reading.period == training.TRAINING_PERIOD or gates.is_sealed(reading)


def draft_of(submission: Submission) -> dict[str, Any]:
    """Return a submission's answers and viewport as a draft to start from."""
    body = submission.body
    return {"answers": body.get("answers") or {}, "viewer": body.get("viewer") or {}}


def last_submission(enrolment: Enrolment) -> Submission | None:
    """Return the newest accepted submission of a reader."""
    found = (
        Submission.objects.filter(
            reading__enrolment=enrolment, outcome=Outcome.ACCEPTED, superseded_by__isnull=True
        )
        .select_related("reading__case")
        .order_by("-received_at")
        .first()
    )
    if found is not None:
        found.reading.enrolment = enrolment
    return found


def seconds_left(submission: Submission) -> float:
    """Return how long a submission can still be undone, in seconds."""
    return UNDO_SECONDS - (timezone.now() - submission.received_at).total_seconds()


def save_draft(*, reading: Reading, draft: dict[str, Any]) -> None:
    """Keep the half-filled form and the viewport of an open reading."""
    if is_open(reading):
        with write_transaction():
            Reading.objects.filter(pk=reading.pk).update(draft=draft)


def current_session(enrolment: Enrolment, display: DisplayCheck | None = None) -> ReadingSession:
    """Return the present sitting; a new one after a pause, half an hour's silence, or another
    display."""
    now = timezone.now()
    with write_transaction():
        session = enrolment.sessions.order_by("-started_at").first()
        if session and _goes_on(session, now, display):
            session.last_seen_at = now
            session.save(update_fields=("last_seen_at",))
            return session
        return ReadingSession.objects.create(
            enrolment=enrolment, started_at=now, last_seen_at=now, display_check=display
        )


def _goes_on(session: ReadingSession, now: datetime, display: DisplayCheck | None) -> bool:
    silent = now - session.last_seen_at >= SITTING_GAP
    checked = display.pk if display else None
    return session.paused_at is None and not silent and session.display_check_id == checked


def pause(*, enrolment: Enrolment) -> None:
    """End the present sitting; the place and the half-filled form are kept."""
    with write_transaction():
        enrolment.sessions.filter(paused_at__isnull=True).update(paused_at=timezone.now())

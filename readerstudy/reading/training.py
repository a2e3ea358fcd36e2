"""The training block: feedback after each case, and the share of right answers to qualify.

What is right was written into the study's rows at lock, for training cases alone; the reading
never asks truth.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from readerstudy.reading.models import Rating, Reading, Submission
from readerstudy.reading.planned import is_in_use
from readerstudy.studies.models import Enrolment, StudyCase

TRAINING_PERIOD = 0


def feedback_of(reading: Reading) -> list[dict[str, Any]] | None:
    """Return given and right answer by question; None outside the training block."""
    if reading.period != TRAINING_PERIOD or reading.completed_at is None:
        return None
    right = _right_answers(reading)
    given = _given_answers(reading)
    return [
        {"question": code, "given": given.get(code), "right": answer}
        for code, answer in right.items()
    ]


def _right_answers(reading: Reading) -> dict[str, Any]:
    """Return what is right as the reader saw it; a member of an item stood on a drawn side."""
    row = StudyCase.objects.filter(
        study=reading.enrolment.study_id, item=reading.item, place=0
    ).first()
    stored = (row.feedback or {}) if row else {}
    return {
        code: reading.sides.index(answer["member"]) if isinstance(answer, dict) else answer
        for code, answer in stored.items()
    }


def _given_answers(reading: Reading) -> dict[str, Any]:
    ratings = Rating.objects.filter(
        submission__reading=reading,
        submission__outcome=Submission.Outcome.ACCEPTED,
        submission__superseded_by__isnull=True,
    ).select_related("question", "choice")
    return {rating.question.code: _given(rating) for rating in ratings}


def _given(rating: Rating) -> Any:
    if rating.places is not None and len(rating.places["shown"]) == 1:
        return rating.places["shown"][0]
    return rating.choice.code if rating.choice else None


def right_share(enrolment: Enrolment) -> float | None:
    """Return the share of right answers in the last attempt, None while it is not complete."""
    attempt = _last_attempt(enrolment)
    readings = list(enrolment.readings.filter(is_in_use(), period=TRAINING_PERIOD, repeat=attempt))
    if not readings or any(reading.completed_at is None for reading in readings):
        return None
    told = [one for reading in readings for one in feedback_of(reading) or []]
    return sum(one["given"] == one["right"] for one in told) / len(told) if told else None


def _last_attempt(enrolment: Enrolment) -> int:
    readings = enrolment.readings.filter(period=TRAINING_PERIOD)
    return int(readings.aggregate(last=Max("repeat"))["last"] or 0)


def is_unqualified(enrolment: Enrolment) -> bool:
    """Did the reader complete the training without reaching the share that the protocol asks?"""
    needed = enrolment.study.plan.qualification
    if needed is None:
        return False
    share = right_share(enrolment)
    return share is not None and share < needed

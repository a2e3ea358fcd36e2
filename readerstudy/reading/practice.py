"""How a reader's practice went, in the words of the reading page."""

from __future__ import annotations

from typing import Any

from django.db.models import Max

from readerstudy.reading import training
from readerstudy.reading.planned import is_in_use
from readerstudy.studies.models import Enrolment


def practice_of(enrolment: Enrolment) -> dict[str, Any] | None:
    """Return how many practice cases are read and how many answers were right; None without any.

    ``told`` counts the answers that could be right, in the last attempt; ``qualified`` is None
    while the practice goes on or where the study asks for no share.
    """
    attempts = enrolment.readings.filter(is_in_use(), period=training.TRAINING_PERIOD)
    attempt = attempts.aggregate(last=Max("repeat"))["last"]
    if attempt is None:
        return None
    cases = list(attempts.filter(repeat=attempt))
    told = [row for one in cases for row in training.feedback_of(one) or []]
    done = sum(one.completed_at is not None for one in cases)
    needed = enrolment.study.plan.qualification
    judged = needed is not None and done == len(cases)
    return {
        "done": done,
        "total": len(cases),
        "told": len(told),
        "right": sum(row["given"] == row["right"] for row in told),
        "needed": needed,
        "qualified": not training.is_unqualified(enrolment) if judged else None,
    }

"""Where readers do not agree: the discordant answers of a closed study, by rule."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.reading.answering import value_of
from readerstudy.reading.models import Rating, Submission
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies.answers import NOT_EVALUABLE
from readerstudy.studies.models import Question, Study

VOTABLE = (Question.Kind.SINGLE, Question.Kind.ORDINAL)


@dataclass(frozen=True)
class Found:
    """One question about one item with the values that were given, unnamed."""

    question: Question
    item: str
    arm: str
    opinions: tuple[Any, ...]


def votable(study: Study) -> list[Question]:
    """Return the questions whose answers a panel can vote on: choices and levels."""
    return list(study.questions.filter(kind__in=VOTABLE).prefetch_related("options"))


def distance(question: Question, values: Iterable[Any]) -> int | None:
    """Return how many levels lie between the lowest and the highest; None beside any other kind
    of difference: choices without an order, or "not evaluable" beside an answer."""
    known = list(values)
    given = [value for value in known if value != NOT_EVALUABLE]
    if question.kind != Question.Kind.ORDINAL or len(given) < len(known):
        return None
    codes = [option.code for option in question.options.all()]
    places = [codes.index(code) for code in given]
    return max(places) - min(places)


def discordances(study: Study, questions: Iterable[Question], least_levels: int) -> list[Found]:
    """Return what readers answered differently, first presentations only.

    Nominal answers are discordant when they differ; levels when the lowest and the highest lie
    at least ``least_levels`` apart. A "not evaluable" beside an answer is discordant too.
    """
    found = []
    for question in questions:
        for (item, arm), values in sorted(values_of(study, question).items()):
            if differ(question, values, least_levels):
                found.append(Found(question, item, arm, tuple(sorted(values, key=json.dumps))))
    return found


def values_of(study: Study, question: Question) -> dict[tuple[str, str], list[Any]]:
    """Return the readers' first answers by item and arm; repeats and training left out."""
    ratings = Rating.objects.filter(
        question=question,
        submission__outcome=Submission.Outcome.ACCEPTED,
        submission__superseded_by__isnull=True,
        submission__reading__enrolment__in=study.readers,
        submission__reading__period__gt=TRAINING_PERIOD,
        submission__reading__repeat=0,
    ).select_related("choice", "submission__reading")
    values: dict[tuple[str, str], list[Any]] = {}
    for rating in ratings:
        reading = rating.submission.reading
        value = dict(NOT_EVALUABLE) if rating.not_evaluable else value_of(rating)
        values.setdefault((reading.item, reading.arm), []).append(value)
    return values


def differ(question: Question, values: list[Any], least_levels: int) -> bool:
    """Do these answers count as discordant by a rule?"""
    if all(value == values[0] for value in values):
        return False
    apart = distance(question, values)
    return apart is None or apart >= least_levels

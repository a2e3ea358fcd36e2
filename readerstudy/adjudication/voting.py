"""Votes of the panel: the own one first, sealed; then one that knows the opinions."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.adjudication.models import Discordance, Round, Vote
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.reading.allocation_stream import Stream
from readerstudy.reading.models import Reading
from readerstudy.studies.answers import Misfit, check_value
from readerstudy.studies.asking import spec_of
from readerstudy.studies.models import Enrolment


def before(reading: Reading) -> list[Discordance]:
    """Return the discordances that a case lays before its panel, in the order of the questions."""
    return list(
        Discordance.objects.filter(
            round__study=reading.enrolment.study,
            round__number=reading.period,
            item=reading.item,
            arm=reading.arm,
        )
        .select_related("question", "round")
        .prefetch_related("question__options")
    )


def stage_of(reading: Reading) -> str | None:
    """Return the vote that is due for a case; None when both were cast."""
    cast = Vote.objects.filter(discordance__in=before(reading), enrolment=reading.enrolment_id)
    stages = set(cast.values_list("stage", flat=True))
    if Vote.Stage.OWN not in stages:
        return Vote.Stage.OWN
    return Vote.Stage.FINAL if Vote.Stage.FINAL not in stages else None


def opinions_for(discordance: Discordance, enrolment: Enrolment) -> list[Any]:
    """Return the readers' values and the panel's own votes so far, unnamed, in random order."""
    others = discordance.votes.filter(stage=Vote.Stage.OWN).exclude(enrolment=enrolment)
    values = [*discordance.opinions, *(vote.value for vote in others)]
    label = f"opinions|{enrolment.code}|{discordance.item}|{discordance.question.code}"
    return Stream(discordance.round.seed, label).shuffled(values)


def vote(*, reading: Reading, stage: str, answers: dict[str, Any], comment: str = "") -> None:
    """Cast the votes on all discordant questions of a case.

    Raises
    ------
    Conflict
        If another vote is due, or the round is over.
    ReaderStudyError
        If a vote is missing or does not fit its question.
    """
    enrolment = reading.enrolment
    with write_transaction():
        laid = before(reading)
        if not laid or laid[0].round.concluded_at is not None:
            raise Conflict("This round is concluded. The votes stand as they are.")
        if stage_of(reading) != stage:
            raise Conflict("This vote was cast before and stands.", code="already_answered")
        votes = [
            Vote(
                discordance=one,
                enrolment=enrolment,
                stage=stage,
                value=_checked(one, answers.get(one.question.code), reading),
                comment=comment.strip(),
            )
            for one in laid
        ]
        Vote.objects.bulk_create(votes)
        if stage == Vote.Stage.FINAL:
            Reading.objects.filter(pk=reading.pk).update(completed_at=timezone.now())
        audit.record(
            actor=enrolment.reader,
            action=f"adjudication.{stage}_vote",
            target=f"reading {reading.pk}",
            new={one.question.code: cast.value for one, cast in zip(laid, votes, strict=True)},
        )


def _checked(discordance: Discordance, value: Any, reading: Reading) -> Any:
    question = discordance.question
    if value in (None, ""):
        raise ReaderStudyError(f"“{question.text}” needs a vote.", field=question.code)
    try:
        return check_value(spec_of(question, places=len(reading.sides)), value)
    except Misfit as misfit:
        raise ReaderStudyError(f"“{question.text}” {misfit}.", field=question.code) from misfit


def left_to_vote(opened: Round, enrolment: Enrolment) -> int:
    """Return how many cases of a round a member still has before them."""
    return Reading.objects.filter(
        enrolment=enrolment, period=opened.number, completed_at__isnull=True
    ).count()

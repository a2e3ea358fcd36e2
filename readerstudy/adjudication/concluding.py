"""Conclude a round: the strict majority of the final votes becomes the consensus."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.utils import timezone

from readerstudy.adjudication.models import Consensus, Discordance, Round, Vote
from readerstudy.adjudication.voting import left_to_vote
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.studies.models import Study


def conclude(*, opened: Round, actor: Any) -> list[Consensus]:
    """Count the final votes of a round; a value without a strict majority is none.

    Raises
    ------
    Conflict
        If votes are missing or the round was concluded before.
    """
    with write_transaction():
        opened = Round.objects.select_for_update().get(pk=opened.pk)
        if opened.concluded_at is not None:
            raise Conflict("This round was concluded before.")
        waiting = [e.code for e in opened.panel.all() if left_to_vote(opened, e)]
        if waiting:
            raise Conflict(f"Votes of {', '.join(sorted(waiting))} are still to come.")
        found = [_counted(one) for one in opened.discordances.all()]
        opened.concluded_at = timezone.now()
        opened.save(update_fields=("concluded_at",))
        audit.record(
            actor=actor,
            action="adjudication.conclude",
            target=f"study {opened.study_id}",
            new={
                "round": opened.number,
                "agreed": sum(one.value is not None for one in found),
                "open": sum(one.value is None for one in found),
            },
        )
    return found


def _counted(discordance: Discordance) -> Consensus:
    votes = [vote.value for vote in discordance.votes.filter(stage=Vote.Stage.FINAL)]
    (spelled, count), *_ = Counter(json.dumps(v, sort_keys=True) for v in votes).most_common(1)
    former = latest(discordance)
    return Consensus.objects.create(
        discordance=discordance,
        value=json.loads(spelled) if 2 * count > len(votes) else None,
        votes_for=count,
        votes=len(votes),
        version=former.version + 1 if former else 1,
        supersedes=former,
    )


def latest(discordance: Discordance) -> Consensus | None:
    """Return the consensus of an earlier round on the same question, item and arm."""
    return Consensus.objects.filter(
        discordance__round__study=discordance.round.study_id,
        discordance__question=discordance.question_id,
        discordance__item=discordance.item,
        discordance__arm=discordance.arm,
        superseded_by__isnull=True,
    ).first()


def consensus_of(study: Study) -> list[Consensus]:
    """Return the values that hold now, by question and item."""
    return list(
        Consensus.objects.filter(discordance__round__study=study, superseded_by__isnull=True)
        .select_related("discordance__question", "discordance__round")
        .order_by("discordance__question__position", "discordance__item", "discordance__arm")
    )

"""Open a round: note what is discordant and lay it before a panel, to each in another order."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from readerstudy.adjudication.finding import discordances
from readerstudy.adjudication.models import Discordance, Round
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.reading import allocation
from readerstudy.reading.allocation_stream import Stream
from readerstudy.reading.scheduling import store_rows
from readerstudy.studies.models import Enrolment, Membership, Question, Study


def candidates(study: Study) -> list[Any]:
    """Return who may sit on a panel: adjudicators, or the readers among themselves."""
    adjudicators = [
        membership.user for membership in study.memberships.filter(role=Membership.Role.ADJUDICATOR)
    ]
    readers = [enrolment.reader for enrolment in study.readers.select_related("reader")]
    return adjudicators + readers


def open_round(
    *,
    study: Study,
    questions: Sequence[Question],
    panel: Sequence[Any],
    actor: Any,
    least_levels: int = 1,
) -> Round:
    """Lay the discordant answers to some questions before a panel.

    Raises
    ------
    Conflict
        If the reading is not over, or a round is open already.
    ReaderStudyError
        If nobody votes or nothing is discordant.
    """
    known = {user.pk for user in candidates(study)}
    if not panel or any(user.pk not in known for user in panel):
        raise ReaderStudyError("Choose adjudicators or readers of this study for the panel.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if study.state != Study.State.CLOSED:
            raise Conflict("Adjudication begins when the reading is closed, before unblinding.")
        if study.rounds.filter(concluded_at__isnull=True).exists():
            raise Conflict("A round is open. Conclude it before another one begins.")
        found = discordances(study, questions, least_levels)
        if not found:
            raise ReaderStudyError("The readers agree: no answer is discordant by this rule.")
        opened = Round.objects.create(
            study=study,
            number=study.rounds.count() + 1,
            least_levels=least_levels,
            seed=secrets.token_hex(16),
            opened_by=actor,
        )
        Discordance.objects.bulk_create(
            Discordance(
                round=opened,
                question=one.question,
                item=one.item,
                arm=one.arm,
                opinions=list(one.opinions),
            )
            for one in found
        )
        for user in panel:
            _seat(opened, user, sorted({(one.item, one.arm) for one in found}))
        audit.record(
            actor=actor,
            action="adjudication.open",
            target=f"study {study.pk}",
            new={
                "round": opened.number,
                "questions": [question.code for question in questions],
                "least_levels": least_levels,
                "discordant": len(found),
                "panel": [user.pk for user in panel],
            },
        )
    return opened


def _seat(opened: Round, user: Any, shown: list[tuple[str, str]]) -> None:
    """Give a member of the panel a code, an order and image addresses of their own."""
    study = opened.study
    seats = study.enrolments.filter(kind=Enrolment.Kind.ADJUDICATOR)
    enrolment = seats.filter(reader=user).first() or Enrolment.objects.create(
        study=study,
        reader=user,
        code=f"A{seats.count() + 1}",
        kind=Enrolment.Kind.ADJUDICATOR,
    )
    opened.panel.add(enrolment)
    order = Stream(opened.seed, enrolment.code).shuffled(shown)
    rows = [
        allocation.Row(enrolment.code, opened.number, position, item, arm)
        for position, (item, arm) in enumerate(order, start=1)
    ]
    store_rows(study, {enrolment.code: enrolment}, rows)

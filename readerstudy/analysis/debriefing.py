"""Open the private debriefs of an unblinded study to its readers, and close them again."""

from __future__ import annotations

from typing import Any

from readerstudy.analysis.models import DebriefDecision
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotAllowed
from readerstudy.studies.models import Study

MAX_NOTE = 2000


def decide_debriefs(*, study: Study, is_open: bool, actor: Any, note: str = "") -> DebriefDecision:
    """Open or close the debriefs of a study. Every decision is kept; the last one holds.

    Raises
    ------
    NotAllowed
        Before the study is unblinded, or by somebody who read in it.
    Conflict
        If it is so already.
    """
    if study.state != Study.State.UNBLINDED:
        raise NotAllowed("Debriefs show the truth. They can be opened once the study is unblinded.")
    if study.readers.filter(reader=actor).exists():
        raise NotAllowed("You read in this study. Another coordinator must decide.")
    with write_transaction():
        Study.objects.select_for_update().get(pk=study.pk)
        if are_open(study) == is_open:
            raise Conflict(f"The debriefs are {'open' if is_open else 'closed'} already.")
        row = DebriefDecision.objects.create(
            study=study, is_open=is_open, note=note.strip()[:MAX_NOTE], decided_by=actor
        )
        audit.record(
            actor=actor,
            action="debrief.open" if is_open else "debrief.close",
            target=f"study {study.pk}",
            new={"note": row.note},
        )
    return row


def decision_of(study: Study) -> DebriefDecision | None:
    """Return the decision that holds; None while there is none."""
    return DebriefDecision.objects.filter(study=study).order_by("-pk").first()


def are_open(study: Study) -> bool:
    """Are the debriefs of a study open to its readers?"""
    decision = decision_of(study)
    return decision is not None and decision.is_open

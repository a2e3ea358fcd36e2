"""What holds after adjudication: for each item the answer that readers share, or the consensus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from readerstudy.adjudication.concluding import consensus_of
from readerstudy.adjudication.finding import values_of
from readerstudy.adjudication.models import Consensus
from readerstudy.studies.answers import NOT_EVALUABLE
from readerstudy.studies.models import Question, Study

AGREED, CONSENSUS, NO_MAJORITY, UNSETTLED = "agreed", "consensus", "no_majority", "not_laid"
HOW = {
    AGREED: "readers agreed",
    CONSENSUS: "consensus of the panel",
    NO_MAJORITY: "no majority in the panel",
    UNSETTLED: "not laid before a panel",
}


@dataclass(frozen=True)
class Settled:
    """One question about one item: the initial answers, unnamed, and what holds.

    ``value`` is None where nothing holds; "not evaluable" is a value that can hold.
    """

    item: str
    arm: str
    given: tuple[Any, ...]
    value: Any
    how: str
    consensus: Consensus | None = None

    @property
    def code(self) -> str | None:
        """The code of the answer that holds; None where there is none, or it is not evaluable."""
        return self.value if isinstance(self.value, str) else None

    @property
    def is_not_evaluable(self) -> bool:
        return bool(self.value == NOT_EVALUABLE)


def settled(study: Study, question: Question) -> list[Settled]:
    """Return what holds for each item and arm, first presentations only, by item and arm."""
    known = {
        (one.discordance.item, one.discordance.arm): one
        for one in consensus_of(study)
        if one.discordance.question_id == question.pk
    }
    return [
        _settled(item, arm, given, known.get((item, arm)))
        for (item, arm), given in sorted(values_of(study, question).items())
    ]


def _settled(item: str, arm: str, values: list[Any], consensus: Consensus | None) -> Settled:
    given = tuple(sorted(values, key=json.dumps))
    if consensus is not None:
        how = NO_MAJORITY if consensus.value is None else CONSENSUS
        return Settled(item, arm, given, consensus.value, how, consensus)
    if all(value == given[0] for value in given):
        return Settled(item, arm, given, given[0], AGREED)
    return Settled(item, arm, given, None, UNSETTLED)

"""The history of a programme: sessions that judge one generator while it is trained.

After Park et al., Sci Rep 2021: training may end once every reader calls fewer than a planned
share of the cases rightly. A session tells its shares once it is unblinded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.analysis import datasets
from readerstudy.analysis.endpoints.turing_calls import calls_of
from readerstudy.stats import proportion
from readerstudy.stats.proportions import Proportion
from readerstudy.studies.access import studies_of
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import Action


@dataclass(frozen=True)
class Session:
    """One session; ``shares`` of right calls by reader code, empty until it is unblinded."""

    study: Study
    number: int
    shares: dict[str, Proportion]
    stop_below: float | None

    @property
    def stops(self) -> bool | None:
        """Do all readers lie below the planned share? None while it is not known."""
        if self.stop_below is None or not self.shares:
            return None
        return all(share.value < self.stop_below for share in self.shares.values())


@dataclass(frozen=True)
class History:
    name: str
    sessions: list[Session]
    readers: list[str]


def history_of(study: Study, *, actor: Any) -> History:
    """Return the sessions of a study's programme that the actor coordinates, oldest first."""
    mine = studies_of(actor, Action.MANAGE).filter(rehearsal_of__isnull=True)
    members = (
        mine.filter(programme=study.programme) if study.programme else mine.filter(pk=study.pk)
    )
    found = [
        _session(one, number, actor)
        for number, one in enumerate(members.order_by("created_at").distinct(), start=1)
    ]
    readers = sorted({reader for session in found for reader in session.shares})
    return History(study.programme, found, readers)


def _session(study: Study, number: int, actor: Any) -> Session:
    entry = next((one for one in study.analyses if one.endpoint == "turing"), None)
    known = entry is not None and study.state == Study.State.UNBLINDED
    shares = _shares(study, entry, actor) if known and entry else {}
    return Session(study, number, shares, entry.stop_below if entry else None)


def _shares(study: Study, entry: PlannedAnalysis, actor: Any) -> dict[str, Proportion]:
    calls = calls_of(datasets.load(study, actor=actor), entry)
    by_reader = calls.parts(lambda call: call.reader)
    return {
        reader: proportion(part.n_right, len(part)) for reader, part in sorted(by_reader.items())
    }

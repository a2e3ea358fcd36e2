"""The list of imports for the staff."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.ingest import ERROR, OK, SKIPPED
from readerstudy.intake.models import Import
from readerstudy.intake.options import REAL, SYNTHETIC
from readerstudy.intake.states import state_of

STATES = {
    Import.State.COLLECTING: ("Waiting for files", "outline", "clock"),
    Import.State.QUEUED: ("Waiting for a worker", "accent", "waiting"),
    Import.State.RUNNING: ("At work", "accent", "play"),
    Import.State.FINISHED: ("Finished", "ok", "passed"),
    Import.State.FAILED: ("Stopped", "stop", "blocks"),
    Import.State.CANCELLED: ("Cancelled", "outline", "close"),
    Import.State.CLOSED: ("Closed", "outline", "lock"),
}
ORIGINS = {REAL: "real", SYNTHETIC: "synthetic"}


@dataclass(frozen=True)
class Row:
    """One import as it is listed."""

    batch: Import
    words: str
    tone: str
    icon: str
    is_own: bool

    @property
    def ok(self) -> int:
        count: int = self.batch.counts.get(OK, 0)
        return count

    @property
    def errors(self) -> int:
        count: int = self.batch.counts.get(ERROR, 0)
        return count

    @property
    def skipped(self) -> int:
        count: int = self.batch.counts.get(SKIPPED, 0)
        return count

    @property
    def source(self) -> str:
        """The label of the source, or what was imported."""
        return self.batch.options.get("label") or "not named"

    @property
    def origin(self) -> str:
        return ORIGINS.get(self.batch.options.get("origin", ""), "not stated")


def rows(imports: Iterable[Import], user: Any) -> list[Row]:
    """Return imports with what is to be said of them."""
    return [_row(batch, user) for batch in imports]


def _row(batch: Import, user: Any) -> Row:
    state = state_of(batch)
    words, tone, icon = STATES[Import.State(state)]
    if state == Import.State.FINISHED and batch.counts.get(ERROR):
        tone, icon = "wait", "look"
    return Row(batch, words, tone, icon, batch.created_by == user)

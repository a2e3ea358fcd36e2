"""What the board shows beside the figures: drift, washouts, alerts and what each reader needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.reading import alerts, board, drift, gates, pace, reminding, replacing, training
from readerstudy.reading.board import Board, ReaderRow
from readerstudy.reading.calendar import Washout, washout_of
from readerstudy.reading.drift import Drift
from readerstudy.studies import amending, deviations
from readerstudy.studies.models import Enrolment, Study


@dataclass(frozen=True)
class Line:
    """One reader with all that the board says of them."""

    row: ReaderRow
    drift: Drift
    washout: Washout | None
    unqualified: bool
    unread: int  # amendments not yet acknowledged
    no_reminder: str  # why none is due
    took_over: str = ""  # code of the withdrawn reader whose cases these were
    replaced_by: str = ""
    replaceable: bool = False  # withdrawn, and somebody can take over

    @property
    def waits_for_washout(self) -> bool:
        return self.washout is not None and not self.washout.is_open and bool(self.row.open)


def context_of(study: Study) -> dict[str, Any]:
    """Return what the template of the board needs."""
    figures = board.board_of(study)
    drifts = drift.drift_of(study)
    lines = [_line(row, drifts[row.enrolment.pk]) for row in figures.rows]
    return {
        "board": figures,
        "lines": lines,
        "calendar": [line for line in lines if line.washout],
        "attention": attention_of(figures, lines),
        "pace": pace.pace_of(study),
        "n_deviations": len(deviations.deviations_of(study)),
    }


def _line(row: ReaderRow, found: Drift) -> Line:
    enrolment = row.enrolment
    return Line(
        row=row,
        drift=found,
        washout=washout_of(enrolment),
        unqualified=gates.is_running(enrolment) and training.is_unqualified(enrolment),
        unread=len(amending.unread_by(enrolment)),
        no_reminder=reminding.why_not(enrolment),
        took_over=enrolment.replaces.code if enrolment.replaces else "",
        replaced_by=_replaced_by(enrolment),
        replaceable=not replacing.why_no_takeover(enrolment),
    )


def _replaced_by(enrolment: Enrolment) -> str:
    found = Enrolment.objects.filter(replaces=enrolment).values_list("code", flat=True).first()
    return found or ""


def attention_of(figures: Board, lines: list[Line]) -> list[Any]:
    """Return all alerts: what blocks a reader first, then silence, then drift."""
    codes = [(line.row.enrolment.code, line) for line in lines]
    stuck = [
        alerts.Alert(
            f"{code} did not qualify in the training",
            "Reads nothing until another attempt is allowed",
            alerts.BLOCKS,
        )
        for code, line in codes
        if line.unqualified
    ]
    unread = [
        alerts.Alert(f"{code} has not read an amendment", "Asked before the next case")
        for code, line in codes
        if line.unread and line.row.open
    ]
    silent = [one for one in board.attention_of(figures) if not _waits(one.statement, lines)]
    drifting = [alert for code, line in codes for alert in alerts.alerts_of(code, line.drift)]
    return [*stuck, *silent, *unread, *drifting]


def _waits(statement: str, lines: list[Line]) -> bool:
    """Is a reader silent because the washout forbids to read?"""
    code = statement.split(" ", 1)[0]
    return any(line.waits_for_washout and line.row.enrolment.code == code for line in lines)

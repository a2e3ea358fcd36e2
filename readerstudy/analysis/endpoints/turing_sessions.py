"""Turing rates per reader and session, and whether training may end (Park et al., Sci Rep 2021)."""

from __future__ import annotations

from readerstudy.analysis.document import Block, Cell, Column, Passage, Row, Table
from readerstudy.analysis.endpoints.turing_calls import Calls
from readerstudy.analysis.endpoints.turing_rows import (
    confusion_cells,
    confusion_columns,
    p_cell,
    share_of,
)
from readerstudy.analysis.endpoints.words import interval, listed, many, percent


def session_blocks(calls: Calls) -> tuple[list[Block], tuple[str, ...]]:
    """Return the rates of each session with what the rule of stopping says, and its sentence."""
    periods = sorted({call.period for call in calls.calls})
    blocks: list[Block] = [_table(calls, periods)] if len(periods) > 1 else []
    if calls.entry.stop_below is None:
        return blocks, ()
    last = calls.where(lambda call: call.period == periods[-1])
    sentence = rule(last, calls.entry.stop_below)
    return [*blocks, Passage(_how_sure(last, calls.entry.stop_below))], (sentence,)


def rule(calls: Calls, limit: float) -> str:
    """Return how many readers lie below the limit, and what the rule says."""
    shares = {reader: share_of(part) for reader, part in _by_reader(calls).items()}
    below = [reader for reader, one in shares.items() if one.number.value < limit]
    told = f"{len(below)} of {many(len(calls.readers), 'reader')}"
    silent = [reader for reader in calls.readers if reader not in shares]
    if silent:
        return (
            f"{told} called fewer than {percent(limit)} % of the cases rightly; "
            f"**the rule says nothing** while {listed(silent)} has no call."
        )
    ends = len(below) == len(calls.readers)
    verdict = "**training may end**" if ends else "**training goes on**"
    return f"{told} called fewer than {percent(limit)} % of the cases rightly: {verdict}."


def _how_sure(calls: Calls, limit: float) -> str:
    """Return for each reader the share with its interval beside the limit."""
    told = []
    for reader, part in _by_reader(calls).items():
        number = share_of(part).number
        surely = number.has_interval and number.high < limit
        rest = ", the whole interval below the limit" if surely else ""
        limits = interval(number, scale=100, places=1)
        told.append(f"{reader} {percent(number.value)} % ({limits}{rest})")
    return (
        f"The rule compares the shares themselves with {percent(limit)} %: {'; '.join(told)}. "
        "Where the interval reaches over the limit, a new set of cases could decide otherwise."
    )


def _by_reader(calls: Calls) -> dict[str, Calls]:
    found = calls.parts(lambda call: call.reader)
    return {reader: found[reader] for reader in calls.readers if reader in found}


def _table(calls: Calls, periods: list[int]) -> Table:
    parts = calls.parts(lambda call: (call.period, call.reader))
    rows = [
        _row(parts[period, reader], reader, period)
        for period in periods
        for reader in calls.readers
        if (period, reader) in parts
    ]
    return Table(
        code="sessions",
        title="Per reader and session",
        columns=(
            Column("session", "Session", "text"),
            Column("reader", "Reader", "text"),
            *confusion_columns(calls),
            Column("correct", "Correct, %"),
            Column("interval", f"{100 * calls.level:g} % interval", "interval", "correct"),
            Column("p", "p against 50 %"),
        ),
        rows=tuple(rows),
        method=(
            "Wilson interval, exact binomial test; clustered (Rao & Scott 1992) where a reader "
            "read a case more than once in a session. Sessions are the periods of the study."
        ),
        n=calls.n_words(),
    )


def _row(part: Calls, reader: str, period: int) -> Row:
    behind = {"reader": reader, "period": str(period)}
    share = share_of(part, **behind)
    cells: dict[str, Cell] = {
        "session": str(period),
        "reader": reader,
        **confusion_cells(part, **behind),
        "correct": share.number,
        "p": p_cell(share.p, share.reason),
    }
    return Row(cells)

"""How long readers looked at a case, and how that and the right answers changed with the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    Block,
    Cell,
    Column,
    Figure,
    Passage,
    Row,
    Section,
    Table,
    count,
)
from readerstudy.analysis.endpoints.described_reads import spread_cells
from readerstudy.analysis.endpoints.reads import by_reader, is_right
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset, QuestionFacts, Read
from readerstudy.stats.figures import learning_curve
from readerstudy.stats.figures_reading import pace_curve

RULE = (
    "Look: seconds with the case on screen and input within a minute, corrections added "
    "(rule reading-times/3)"
)


Own = Mapping[str, Sequence[Read]]  # first reads by reader, in the order of reading


def look_seconds(read: Read) -> float | None:
    """Return how long a reader looked at a case; None where no clock says it."""
    told = [clock.get("look_ms") for clock in read.clocks]
    numbers = [one for one in told if isinstance(one, int | float) and not isinstance(one, bool)]
    return sum(numbers) / 1000 if numbers else None


def described_times(data: Dataset) -> list[Section]:
    """Return the section of times and order."""
    own = by_reader(data)
    blocks: list[Block] = []
    if any(look_seconds(read) is not None for reads in own.values() for read in reads):
        blocks.append(_table(data, own))
        blocks.append(_pace(own))
    else:
        blocks.append(Passage("No clock was recorded with the answers: no times can be given."))
    blocks += _learning(data, own)
    return [Section("described_times", "Time and order", DESCRIPTIVE, blocks=tuple(blocks))]


def _table(data: Dataset, own: Own) -> Table:
    arms = data.protocol.arm_codes
    several = len(arms) > 1
    rows = [
        _row(data, reader, arm, reads)
        for reader, reads in own.items()
        for arm in (arms if several else ("",))
    ]
    columns = [Column("reader", "Reader", "text")]
    columns += [Column("arm", "Arm", "text")] if several else []
    columns += [
        Column("reads", "Reads with a clock"),
        Column("median", "Median, s"),
        Column("low", "Lower quartile, s"),
        Column("high", "Upper quartile, s"),
    ]
    return Table(
        code="seconds",
        title="Time per case",
        columns=tuple(columns),
        rows=tuple(rows),
        method=f"{RULE}. Quartiles of type 7 (Hyndman & Fan 1996).",
        n=many(sum(map(len, own.values())), "read"),
        width="half",
    )


def _row(data: Dataset, reader: str, arm: str, reads: Sequence[Read]) -> Row:
    told = (look_seconds(read) for read in reads if arm in ("", read.arm))
    seconds = [one for one in told if one is not None]
    cells: dict[str, Cell] = {
        "reader": reader,
        "arm": data.protocol.arm_name(arm) if arm else "",
        "reads": count(len(seconds)),
        **spread_cells(seconds, "seconds"),
    }
    return Row(cells)


def _pace(own: Own) -> Figure:
    """Return the seconds of every reader over the order of reading."""
    rows = [
        (reader, number, seconds)
        for reader, reads in own.items()
        for number, read in enumerate(reads, start=1)
        if (seconds := look_seconds(read)) is not None
    ]
    return Figure(
        code="pace",
        title="Time per case over the order of reading",
        spec=pace_curve(rows).to_dict(),
        alt="Median seconds per case of each reader in blocks of their order of reading.",
        method=f"{RULE}. Median of each tenth of a reader’s reads; exploratory, no test.",
        n=many(len(rows), "read"),
    )


def _learning(data: Dataset, own: Own) -> list[Figure]:
    """Return the share of right answers over the order, for each question that has one."""
    found = []
    for question in data.protocol.questions:
        ordered = [one for reads in own.values() for one in _right(data, question, reads)]
        if len(ordered) < max(2 * len(own), 10):
            continue
        right = [one for _, one in sorted(ordered, key=lambda pair: pair[0])]
        block = max(10, len(right) // 10)
        guessing = 0.5 if question.truth.get("source") == "origin" else None
        found.append(
            Figure(
                code=f"learning_{question.code}",
                title=f"Right answers over the order of reading: {question.text}",
                spec=learning_curve(right, block=block, guessing=guessing).to_dict(),
                alt="Share of right answers of all readers in blocks of the order of reading.",
                method=(
                    "Reads of all readers by their place in the order; Wilson limits, reads of one "
                    "case taken as independent: a description, no test."
                ),
                n=many(len(right), "read"),
            )
        )
    return found


def _right(
    data: Dataset, question: QuestionFacts, reads: Sequence[Read]
) -> list[tuple[float, int]]:
    """Return place in the order, as a share, and right or wrong."""
    found: list[tuple[float, int]] = []
    for number, read in enumerate(reads):
        item: Any = data.items.get(read.item)
        if item is None or question.code not in read.answers:
            continue
        right = is_right(question, item, read.answers[question.code])
        if right is not None:
            found.append((number / len(reads), int(right)))
    return found

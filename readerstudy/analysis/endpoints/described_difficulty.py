"""Where answers were right less often, and when: by stratum, generator, half and reading time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    DESCRIPTIVE,
    NAN,
    Axis,
    Cell,
    Column,
    Number,
    Row,
    Section,
    Table,
    count,
)
from readerstudy.analysis.endpoints.described_times import look_seconds
from readerstudy.analysis.endpoints.reads import by_reader, is_right
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset, QuestionFacts, Read

TERCILES = ("Shortest third of a reader’s times", "Middle third", "Longest third")
HALVES = ("First half of a reader", "Last half of a reader")


@dataclass(frozen=True)
class Judged:
    """One read with whether it was right."""

    read: Read
    right: int


def described_difficulty(data: Dataset) -> list[Section]:
    """Return the section of where it was harder, and when; none where nothing can be right."""
    tables = [table for question in data.protocol.questions if (table := _table(data, question))]
    if not tables:
        return []
    lead = ("Described, not tested: parts were not planned to be compared here.",)
    return [
        Section(
            "described_difficulty",
            "Where it was harder, and when",
            DESCRIPTIVE,
            lead=lead,
            blocks=tuple(tables),
        )
    ]


def _table(data: Dataset, question: QuestionFacts) -> Table | None:
    judged = list(_judged(data, question))
    if not judged:
        return None
    rows = [
        row
        for what, part_of in _parts(data, judged)
        for row in _rows(question, judged, what, part_of)
    ]
    if not rows:
        return None
    guessed = question.truth.get("source") == "origin"
    return Table(
        code=f"harder_{question.code}",
        title=question.text,
        columns=(
            Column("by", "By", "text"),
            Column("part", "Part", "text"),
            Column("plot", "", "plot", "correct"),
            Column("correct", "Right, %", "estimate"),
            Column("right", "Right"),
            Column("reads", "Reads"),
        ),
        rows=tuple(rows),
        method=(
            "Share of right answers, 95 % interval clustered by case (Rao & Scott 1992, Wilson "
            "limits); exploratory, no test, no adjustment."
            + (" Vertical line: guessing." if guessed else "")
        ),
        n=many(len(judged), "read"),
        axis=Axis(0.0, 1.0, 0.5 if guessed else NAN),
        width="half",
    )


def _judged(data: Dataset, question: QuestionFacts) -> Iterable[Judged]:
    for read in data.first_reads:
        item = data.items.get(read.item)
        if item is None or question.code not in read.answers:
            continue
        right = is_right(question, item, read.answers[question.code])
        if right is not None:
            yield Judged(read, int(right))


PartOf = Callable[[Judged], str]


def _parts(data: Dataset, judged: list[Judged]) -> Iterable[tuple[str, PartOf]]:
    """Yield what the reads are parted by, and the part of each."""
    items = data.items
    halves, thirds = _halves(data), _thirds(judged)
    yield "Stratum", lambda one: items[one.read.item].stratum
    yield "Generator", lambda one: items[one.read.item].generator
    yield "Order", lambda one: halves.get(id(one.read), "")
    yield "Time", lambda one: thirds.get(id(one.read), "")


def _halves(data: Dataset) -> dict[int, str]:
    found: dict[int, str] = {}
    for reads in by_reader(data).values():
        for number, read in enumerate(reads):
            found[id(read)] = HALVES[int(number >= len(reads) / 2)]
    return found


def _thirds(judged: list[Judged]) -> dict[int, str]:
    """Return the third of the reader's own times in which each read lies."""
    found: dict[int, str] = {}
    timed: dict[str, list[tuple[Read, float]]] = {}
    for one in judged:
        if (seconds := look_seconds(one.read)) is not None:
            timed.setdefault(one.read.reader, []).append((one.read, seconds))
    for own in timed.values():
        borders = np.quantile([seconds for _, seconds in own], [1 / 3, 2 / 3])
        for read, seconds in own:
            found[id(read)] = TERCILES[int(np.searchsorted(borders, seconds, side="left"))]
    return found


def _rows(
    question: QuestionFacts, judged: list[Judged], what: str, part_of: PartOf
) -> Iterable[Row]:
    parts: dict[str, list[Judged]] = {}
    for one in judged:
        if part := part_of(one):
            parts.setdefault(part, []).append(one)
    if len(parts) < 2:
        return
    known = {name: place for place, name in enumerate((*HALVES, *TERCILES))}
    for part in sorted(parts, key=lambda name: (known.get(name, -1), name)):
        yield _row(question, what, part, parts[part])


def _row(question: QuestionFacts, what: str, part: str, judged: list[Judged]) -> Row:
    items = [one.read.item for one in judged]
    right = sum(one.right for one in judged)
    if len(set(items)) == len(items):
        found = stats.proportion(right, len(items), ci="wilson")
        low, high = found.low, found.high
        reason = found.reason or ""
    else:
        several = stats.clustered_proportion([one.right for one in judged], items)
        low, high, reason = several.low_wilson, several.high_wilson, several.reason or ""
    behind = {"Stratum": "stratum", "Generator": "generator"}.get(what)
    filters = {"question": question.code, **({behind: part} if behind else {})}
    told = filters if behind else {}
    cells: dict[str, Cell] = {
        "by": what,
        "part": part,
        "correct": Number(right / len(items), "percent", low, high, reason=reason),
        "right": count(right, **told, **({"right": "yes"} if behind else {})),
        "reads": count(len(items), **told),
    }
    return Row(cells)

"""The calls of a Turing test: each read as what was right and what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from readerstudy.analysis.endpoints.reads import level_of
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import SYNTHETIC, Dataset, Item, QuestionFacts, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.answers import NOT_EVALUABLE

PLACES = ("place", "ranking")
CONSENSUS = "Consensus"
NOTHING = ""


@dataclass(frozen=True)
class Call:
    """One call: the level that was right, the one that was given ("" for not evaluable)."""

    reader: str
    arm: str
    period: int
    item: Item
    cluster: str
    right: str
    given: str
    read: Read | None = None

    @property
    def correct(self) -> bool:
        return self.given == self.right


@dataclass(frozen=True)
class Left:
    """What did not become a call, counted."""

    unknown: int = 0
    not_evaluable: int = 0
    incomplete: int = 0
    unsettled: int = 0

    def words(self) -> str:
        """Return the counts as the end of a line of n."""
        told = [
            (self.unknown, "of unknown truth left out"),
            (self.unsettled, "without a consensus left out"),
            (self.incomplete, "of cases that not every reader read left out"),
        ]
        return "".join(f", {many(count, 'read')} {what}" for count, what in told if count)


@dataclass(frozen=True)
class Calls:
    """All calls of one question with what they mean.

    Attributes
    ----------
    signal, noise : str
        Levels that call an image synthetic and real; of a choice between places its two places.
    is_choice : bool
        One of two images beside each other was chosen; there is no real and no synthetic item.
    """

    entry: PlannedAnalysis
    question: QuestionFacts
    signal: str
    noise: str
    is_choice: bool
    calls: tuple[Call, ...]
    readers: tuple[str, ...]
    arms: tuple[str, ...]
    left: Left = field(default_factory=Left)

    def __len__(self) -> int:
        return len(self.calls)

    @property
    def level(self) -> float:
        return 1.0 - self.entry.alpha

    @property
    def success(self) -> list[int]:
        """1 for each right call."""
        return [int(call.correct) for call in self.calls]

    @property
    def clusters(self) -> list[str]:
        return [call.cluster for call in self.calls]

    @property
    def n_right(self) -> int:
        return sum(count for (right, said), count in self.table.items() if right == said)

    @property
    def n_clusters(self) -> int:
        return len(set(self.clusters))

    @property
    def repeats_clusters(self) -> bool:
        """Do some calls share their case or patient?"""
        return self.n_clusters < len(self)

    @cached_property
    def table(self) -> Counter[tuple[str, str]]:
        """Return how often each level was given where each was right."""
        return Counter((call.right, call.given) for call in self.calls)

    def cell(self, right: str, given: str) -> int:
        """Return how often ``given`` was said where ``right`` was right."""
        return self.table[right, given]

    def n_given(self, given: str) -> int:
        """Return how often a level was given."""
        return sum(count for (_, said), count in self.table.items() if said == given)

    def where(self, wanted: Callable[[Call], bool]) -> Calls:
        """Return the calls that are wanted."""
        return replace(self, calls=tuple(call for call in self.calls if wanted(call)))

    def parts(self, of: Callable[[Call], Any]) -> dict[Any, Calls]:
        """Return the calls by something that each has, in the order of first appearance."""
        found: dict[Any, list[Call]] = {}
        for call in self.calls:
            found.setdefault(of(call), []).append(call)
        return {key: replace(self, calls=tuple(calls)) for key, calls in found.items()}

    def n_words(self) -> str:
        """Return how many reads of how many cases these are, and what was left out."""
        items = {call.item.code: call.item for call in self.calls}
        classes = ""
        if not self.is_choice:
            real = sum(one.right[self.question.code] == self.noise for one in items.values())
            classes = f" ({real} real, {len(items) - real} synthetic)"
        evaluable = self.left.not_evaluable
        counted = "counted as wrong" if self.entry.not_evaluable == "wrong" else "left out"
        return (
            f"n = {many(len(self), 'read')} of {many(len(items), 'case')}{classes}, "
            f"{evaluable:,} not evaluable{f' ({counted})' if evaluable else ''}{self.left.words()}"
        )

    @property
    def unit(self) -> str:
        """Return the unit of analysis in words."""
        return {
            "case": "case, all reads of one case as a cluster",
            "subject": "patient, all reads of one patient's cases as a cluster",
            "reading": "reading, taken as independent as planned",
            "reader": "reader, all reads of one reader as a cluster",
        }[self.entry.unit]


def calls_of(data: Dataset, entry: PlannedAnalysis) -> Calls:
    """Return the calls that an entry of the plan analyses.

    Raises
    ------
    ValueError
        If the question has no two levels of which one is right, or there is no consensus.
    """
    question = data.protocol.question(entry.question)
    is_choice = question.kind in PLACES
    noise, signal = ("0", "1") if is_choice else _levels(question, entry)
    arms = tuple(
        arm
        for arm in entry.arms or data.protocol.arm_codes
        if not question.arms or arm in question.arms
    )
    readers = (CONSENSUS,) if entry.consensus else tuple(data.reader_codes)
    empty = Calls(entry, question, signal, noise, is_choice, (), readers, arms)
    return _settled(data, empty) if entry.consensus else _given(data, empty)


def _levels(question: QuestionFacts, entry: PlannedAnalysis) -> tuple[str, str]:
    """Return the level for real and the one for synthetic."""
    if len(question.levels) != 2:
        raise ValueError(
            f"“{question.text}” has {len(question.levels)} levels; real or synthetic needs two"
        )
    told = question.truth.get(SYNTHETIC) if question.truth.get("source") == "origin" else None
    signal = told or entry.positive or question.levels[-1]
    if signal not in question.levels:
        raise ValueError(f"“{question.text}” has no level {signal!r}")
    noise = next(level for level in question.levels if level != signal)
    return noise, signal


def _given(data: Dataset, empty: Calls) -> Calls:
    entry, code = empty.entry, empty.question.code
    reads = [read for read in data.first_reads if read.arm in empty.arms]
    complete = _complete(reads, code, empty) if entry.missing == "complete" else None
    calls: list[Call] = []
    unknown = not_evaluable = incomplete = 0
    for read in reads:
        item, silent = data.items.get(read.item), code in read.not_evaluable
        if not silent and code not in read.answers:
            continue
        right = _right(item, code) if item else NOTHING
        if item is None or right == NOTHING:
            unknown += 1
            continue
        if complete is not None and read.item not in complete:
            incomplete += 1
            continue
        not_evaluable += silent
        if silent and entry.not_evaluable == "exclude":
            continue
        given = NOTHING if silent else level_of(read.answers[code])
        cluster = _cluster(read, entry.unit)
        calls.append(Call(read.reader, read.arm, read.period, item, cluster, right, given, read))
    left = Left(unknown, not_evaluable, incomplete)
    return replace(empty, calls=tuple(calls), left=left)


def _right(item: Item, code: str) -> str:
    right = item.right.get(code)
    if isinstance(right, dict):
        return str(right["member"])
    return NOTHING if right is None else str(right)


def _complete(reads: Sequence[Read], code: str, empty: Calls) -> set[str]:
    """Return the items that every reader who answered at all read in every arm."""
    found: dict[str, set[tuple[str, str]]] = {}
    who: set[str] = set()
    for read in reads:
        if code in read.answers or code in read.not_evaluable:
            found.setdefault(read.item, set()).add((read.reader, read.arm))
            who.add(read.reader)
    wanted = {(reader, arm) for reader in who for arm in empty.arms}
    return {item for item, pairs in found.items() if wanted <= pairs}


def _cluster(read: Read, unit: str) -> str:
    if unit == "reading":
        return f"{read.reader} {read.arm} {read.period} {read.position} {read.item}"
    return {"case": read.item, "subject": read.subject, "reader": read.reader}[unit]


def _settled(data: Dataset, empty: Calls) -> Calls:
    rows = data.settled.get(empty.question.code, ())
    if not rows:
        raise ValueError("the plan analyses the consensus, and no answers were adjudicated")
    calls: list[Call] = []
    unknown = unsettled = silent = 0
    for row in rows:
        item = data.items.get(row.item)
        right = _right(item, empty.question.code) if item else NOTHING
        if item is None or right == NOTHING:
            unknown += 1
        elif row.value is None:
            unsettled += 1
        elif row.arm in empty.arms:
            given, is_silent = _held(row.value)
            silent += is_silent
            if not is_silent or empty.entry.not_evaluable == "wrong":
                cluster = item.subject if empty.entry.unit == "subject" else item.code
                calls.append(Call(CONSENSUS, row.arm, 1, item, cluster, right, given))
    return replace(empty, calls=tuple(calls), left=Left(unknown, silent, 0, unsettled))


def _held(value: Any) -> tuple[str, bool]:
    """Return the level that holds, and whether it is that the case cannot be judged."""
    return (NOTHING, True) if value == NOT_EVALUABLE else (level_of(value), False)

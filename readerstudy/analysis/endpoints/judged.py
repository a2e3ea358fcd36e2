"""Answers against the reference standard: who said what of which case, in which arm or version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.analysis.endpoints.reads import level_of
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import ORIGINS, Dataset, Item, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.answers import NOT_EVALUABLE

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
CONSENSUS = "Consensus"
NOTHING = -1
BY_ARM, BY_ORIGIN, BY_NOTHING = "arm", "origin", ""
ORIGIN_WORDS = {"real": "Real", "synthetic": "Synthetic"}


@dataclass(frozen=True)
class Judged:
    """One entry per read.

    Attributes
    ----------
    levels : tuple of str
        Codes of the levels of the question.
    positive : int
        Number of the level that counts as positive; of two levels alone.
    readers, groups, items : tuple of str
        Codes; groups are arms or origins, the reference first.
    by : str
        What the groups are: "arm", "origin" or "".
    silent : tuple of str
        Readers of the study without a read that counts.
    reader, group, item, subject, cluster : ndarray of int (n,)
        Numbers; ``group`` is -1 where a read belongs to none, ``cluster`` the unit of analysis.
    right, given : ndarray of int (n,)
        Numbers of levels; ``given`` is -1 for "not evaluable" counted as wrong.
    notes : tuple of str
        What was left out, counted.
    """

    entry: PlannedAnalysis
    question: QuestionFacts
    levels: tuple[str, ...]
    labels: tuple[str, ...]
    positive: int
    readers: tuple[str, ...]
    silent: tuple[str, ...]
    groups: tuple[str, ...]
    names: tuple[str, ...]
    by: str
    items: tuple[str, ...]
    reader: IntArray
    group: IntArray
    item: IntArray
    subject: IntArray
    cluster: IntArray
    right: IntArray
    given: IntArray
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.right.size)

    @property
    def level(self) -> float:
        return 1 - self.entry.alpha

    @property
    def success(self) -> BoolArray:
        return np.equal(self.right, self.given)

    @property
    def is_binary(self) -> bool:
        return len(self.levels) == 2

    @property
    def is_compared(self) -> bool:
        return len(self.groups) > 1

    @property
    def unit(self) -> str:
        """Return the unit of analysis in words."""
        return {
            "case": "case, all reads of one case as a cluster",
            "subject": "patient, all reads of one patient as a cluster",
            "reading": "case, as several readers read the same cases"
            if len(self.readers) > 1
            else "reading",
            "reader": "reader, all reads of one reader as a cluster",
        }[self.entry.unit]

    def of(self, keep: BoolArray) -> Judged:
        """Return some reads, with all readers and groups."""
        names = ("reader", "group", "item", "subject", "cluster", "right", "given")
        return replace(self, **{name: getattr(self, name)[keep] for name in names})

    def n_words(self) -> str:
        """Return "4 readers, 160 cases of 80 patients, 320 reads (160 Real, 160 Synthetic)"."""
        cases, persons = np.unique(self.item).size, np.unique(self.subject).size
        of = f" of {many(persons, 'patient')}" if persons != cases else ""
        split = ", ".join(
            f"{int((self.group == place).sum()):,} {name}" for place, name in enumerate(self.names)
        )
        return (
            f"{many(np.unique(self.reader).size, 'reader')}, {many(cases, 'case')}{of}, "
            f"{many(len(self), 'read')}{f' ({split})' if self.is_compared else ''}"
        )


@dataclass(frozen=True)
class _Row:
    reader: str
    arm: str
    item: Item
    given: str | None


def judged(data: Dataset, entry: PlannedAnalysis) -> Judged:
    """Return the answers to the question of an entry whose right answer is known.

    Raises
    ------
    ValueError
        If no answer can be judged, or the plan asks for a consensus that there is not.
    """
    question = data.protocol.question(entry.question)
    arms = [
        arm
        for arm in entry.arms or data.protocol.arm_codes
        if not question.arms or arm in question.arms
    ]
    levels = _levels(data, question)
    rows, left = _settled(data, entry) if entry.consensus else _read(data, entry, arms)
    if entry.missing == "complete":
        rows, lost = _complete(rows, arms)
        left["of cases that not every reader read in every arm, left out"] = lost
    kept = [row for row in rows if _right(row.item, question.code) in levels]
    left["of cases whose reference standard is not known, left out"] = len(rows) - len(kept)
    if not kept:
        raise ValueError(
            f"no answer to “{question.text}” belongs to a case whose right answer is known"
        )
    by, groups = _groups(kept, arms)
    notes = tuple(f"{many(count, 'read')} {what}." for what, count in left.items() if count)
    return _numbered(data, entry, question, levels, rows=kept, by=by, groups=groups, notes=notes)


def _levels(data: Dataset, question: QuestionFacts) -> tuple[str, ...]:
    if question.kind in ("place", "ranking"):
        places = tuple(str(number) for number in range(data.protocol.places))
        return (*places, "equal") if question.equal else places
    if len(question.levels) < 2:
        raise ValueError(f"“{question.text}” has no levels that could be right or wrong")
    return question.levels


def _read(
    data: Dataset, entry: PlannedAnalysis, arms: Sequence[str]
) -> tuple[list[_Row], dict[str, int]]:
    rows: list[_Row] = []
    unusable = strange = 0
    wrong = entry.not_evaluable == "wrong"
    for read in data.first_reads:
        silent = entry.question in read.not_evaluable
        if read.arm not in arms or not (silent or entry.question in read.answers):
            continue
        item = data.items.get(read.item)
        unusable += silent
        strange += item is None
        if item is not None and (wrong or not silent):
            given = None if silent else level_of(read.answers[entry.question])
            rows.append(_Row(read.reader, read.arm, item, given))
    how = "“not evaluable”, counted as wrong" if wrong else "“not evaluable”, left out"
    return rows, {how: unusable, "of an unknown case, left out": strange}


def _settled(data: Dataset, entry: PlannedAnalysis) -> tuple[list[_Row], dict[str, int]]:
    settled = data.settled.get(entry.question, ())
    if not settled:
        raise ValueError("the plan analyses the consensus, and no answers were adjudicated")
    rows: list[_Row] = []
    open_, unusable = 0, 0
    for one in settled:
        item = data.items.get(one.item)
        silent = one.value == NOT_EVALUABLE
        open_ += one.value is None
        unusable += silent
        if item is None or one.value is None or (silent and entry.not_evaluable != "wrong"):
            continue
        rows.append(_Row(CONSENSUS, one.arm, item, None if silent else level_of(one.value)))
    return rows, {"without a consensus, left out": open_, "“not evaluable” by consensus": unusable}


def _complete(rows: Sequence[_Row], arms: Sequence[str]) -> tuple[list[_Row], int]:
    """Keep the cases that every reader with any read has in every arm."""
    seen: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        seen.setdefault(row.item.code, set()).add((row.reader, row.arm))
    wanted = {(reader, arm) for reader in {row.reader for row in rows} for arm in arms}
    kept = [row for row in rows if wanted <= seen[row.item.code]]
    return kept, len(rows) - len(kept)


def _groups(rows: Sequence[_Row], arms: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what is compared: the arms if there are several, else real and synthetic."""
    present = tuple(arm for arm in arms if any(row.arm == arm for row in rows))
    if len(arms) > 1:
        return (BY_ARM, present) if len(present) > 1 else (BY_NOTHING, ())
    found = {row.item.origin for row in rows}
    return (BY_ORIGIN, ORIGINS) if found >= set(ORIGINS) else (BY_NOTHING, ())


def _numbered(
    data: Dataset,
    entry: PlannedAnalysis,
    question: QuestionFacts,
    levels: tuple[str, ...],
    *,
    rows: Sequence[_Row],
    by: str,
    groups: tuple[str, ...],
    notes: tuple[str, ...],
) -> Judged:
    present = {row.reader for row in rows}
    readers = [code for code in data.reader_codes if code in present]
    readers += sorted(present - set(readers))
    group_of: Callable[[_Row], str] = (
        (lambda row: row.item.origin) if by == BY_ORIGIN else (lambda row: row.arm)
    )
    item, items = _codes([row.item.code for row in rows])
    subject, _ = _codes([row.item.subject for row in rows])
    reader = _numbers([row.reader for row in rows], readers)
    alone = item if len(readers) > 1 else np.arange(len(rows))
    clusters = {"case": item, "subject": subject, "reader": reader, "reading": alone}
    positive = levels.index(entry.positive) if entry.positive in levels else len(levels) - 1
    named = {arm: data.protocol.arm_name(arm) for arm in groups} | (
        ORIGIN_WORDS if by == BY_ORIGIN else {}
    )
    return Judged(
        entry=entry,
        question=question,
        levels=levels,
        labels=tuple(_label(question, level) for level in levels),
        positive=positive,
        readers=tuple(readers),
        silent=() if entry.consensus else tuple(c for c in data.reader_codes if c not in present),
        groups=groups,
        names=tuple(named[code] for code in groups),
        by=by,
        items=items,
        reader=reader,
        group=_numbers([group_of(row) for row in rows], groups),
        item=item,
        subject=subject,
        cluster=clusters[entry.unit],
        right=_numbers([_right(row.item, question.code) for row in rows], levels),
        given=_numbers([row.given for row in rows], levels),
        notes=notes,
    )


def _label(question: QuestionFacts, level: str) -> str:
    if question.kind in ("place", "ranking"):
        return "equal" if level == "equal" else f"image {int(level) + 1}"
    return question.label_of(level)


def _right(item: Item, code: str) -> str:
    right = item.right.get(code)
    return str(right["member"]) if isinstance(right, dict) else str(right)


def _codes(values: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    known = tuple(dict.fromkeys(values))
    return _numbers(values, known), known


def _numbers(values: Sequence[Any], known: Sequence[str]) -> IntArray:
    place = {value: number for number, value in enumerate(known)}
    return np.array([place.get(value, NOTHING) for value in values], dtype=np.int64)

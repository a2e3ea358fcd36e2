"""From reads to arrays: the long form that the statistics take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.analysis.facts import EQUAL, Dataset, Item, QuestionFacts, Read


def answered(data: Dataset, question: str, *, arms: Sequence[str] = ()) -> list[Read]:
    """Return the first reads that answer a question, of some arms or of all."""
    return [
        read
        for read in data.first_reads
        if question in read.answers and (not arms or read.arm in arms)
    ]


def by_reader(data: Dataset) -> dict[str, list[Read]]:
    """Return the first reads of each reader of the study, in the order of reading."""
    found: dict[str, list[Read]] = {code: [] for code in data.reader_codes}
    for read in data.first_reads:
        found.setdefault(read.reader, []).append(read)
    for reads in found.values():
        reads.sort(key=lambda read: (read.period, read.position))
    return found


def level_of(answer: Any) -> str:
    """Return the level that an answer names; of a ranking or place the member put first.

    Raises
    ------
    ValueError
        If the answer names no single level: several codes, a number, text or a region.
    """
    if isinstance(answer, dict) and "members" in answer:
        return str(answer["members"][0]) if answer["members"] else EQUAL
    if isinstance(answer, str):
        return answer
    raise ValueError("the question has no single level as its answer")


def is_right(question: QuestionFacts, item: Item, answer: Any) -> bool | None:
    """Is an answer right? None where it is not known what is."""
    right = item.right.get(question.code)
    if right is None:
        return None
    if isinstance(right, dict):
        return level_of(answer) == str(right["member"])
    return bool(answer == right)


@dataclass(frozen=True)
class Scored:
    """Long form of graded answers: one entry per read.

    Attributes
    ----------
    readers, arms, items, subjects : list of str
    truth : list of int
        1 where ``positive`` is right.
    scores : list of float
        Higher: surer that ``positive`` is right.
    calls : list of int
        1 where ``positive`` was called.
    positive : str
        Code of the positive level.
    n_unknown : int
        Reads left out because the reference standard of their case is not known.
    n_ungraded : int
        Reads left out because the confidence was not given.
    lowest, highest : float
        The ends of the scale of the scores.
    """

    readers: list[str]
    arms: list[str]
    items: list[str]
    subjects: list[str]
    truth: list[int]
    scores: list[float]
    calls: list[int]
    positive: str
    n_unknown: int
    n_ungraded: int
    lowest: float = 0.0
    highest: float = 1.0

    def of(self, *, reader: str = "", arm: str = "") -> Scored:
        """Return the reads of a reader, an arm, or both."""
        keep = [
            reader in ("", r) and arm in ("", a)
            for r, a in zip(self.readers, self.arms, strict=True)
        ]
        kept: dict[str, Any] = {}
        for name, values in vars(self).items():
            is_column = isinstance(values, list)
            kept[name] = (
                [v for v, k in zip(values, keep, strict=True) if k] if is_column else values
            )
        return Scored(**kept)

    def __len__(self) -> int:
        return len(self.readers)


def scored(
    data: Dataset, question: str, confidence: str, *, arms: Sequence[str] = (), positive: str = ""
) -> Scored:
    """Return graded answers to a question with two levels as scores.

    ``positive`` is the level that the score speaks for; empty: the last one. A call of it with
    the confidence k of K levels counts K + k, a call of the other one K + 1 - k: 1
    (surely not) to 2 K (surely). A confidence on a line from a to b makes scores from 0 (surely
    not) to 2 (b - a). Without a question of confidence the call itself is the score, 0 or 1.

    Raises
    ------
    ValueError
        If the question has no two levels whose right answer follows from the truth.
    """
    asked = data.protocol.question(question)
    graded = data.protocol.question(confidence) if confidence else None
    lowest, highest = ends_of(graded)
    made = Scored([], [], [], [], [], [], [], _positive(asked, positive), 0, 0, lowest, highest)
    steps = {level: place + 1 for place, level in enumerate(graded.levels)} if graded else {}
    unknown = ungraded = 0
    for read in answered(data, question, arms=arms):
        item = data.items.get(read.item)
        right = item.right.get(question) if item else None
        if right is None:
            unknown += 1
            continue
        call = int(read.answers[question] == made.positive)
        score = _score(call, graded, steps, read.answers)
        if score is None:
            ungraded += 1
            continue
        made.readers.append(read.reader)
        made.arms.append(read.arm)
        made.items.append(read.item)
        made.subjects.append(read.subject)
        made.truth.append(int(right == made.positive))
        made.scores.append(score)
        made.calls.append(call)
    return Scored(**{**vars(made), "n_unknown": unknown, "n_ungraded": ungraded})


def _positive(asked: QuestionFacts, wanted: str) -> str:
    if len(asked.levels) != 2:
        raise ValueError(f"“{asked.text}” has {len(asked.levels)} levels; a score needs two")
    if wanted and wanted not in asked.levels:
        raise ValueError(f"“{asked.text}” has no level {wanted!r}")
    return wanted or asked.levels[-1]


def ends_of(graded: QuestionFacts | None) -> tuple[float, float]:
    """Return the lowest and the highest score that a question of confidence makes."""
    if graded is None:
        return 0.0, 1.0
    if graded.levels:
        return 1.0, 2.0 * len(graded.levels)
    low, high = _line(graded)
    return 0.0, 2.0 * (high - low)


def _line(graded: QuestionFacts) -> tuple[float, float]:
    low, high = graded.minimum, graded.maximum
    return 0.0 if low is None else low, 100.0 if high is None else high


def _score(
    call: int, graded: QuestionFacts | None, steps: Mapping[str, int], answers: Mapping[str, Any]
) -> float | None:
    if graded is None:
        return float(call)
    given = answers.get(graded.code)
    if not steps:
        return _score_on_line(call, graded, given)
    sure = steps.get(given) if isinstance(given, str) else None
    if sure is None:
        return None
    return float(len(steps) + sure if call else len(steps) + 1 - sure)


def _score_on_line(call: int, graded: QuestionFacts, given: Any) -> float | None:
    low, high = _line(graded)
    if not isinstance(given, int | float) or not low <= given <= high:
        return None
    return high - low + (given - low if call else low - given)


def by_item(reads: Iterable[Read], question: str) -> dict[str, str]:
    """Return item → level, of one reader in one arm."""
    return {read.item: level_of(read.answers[question]) for read in reads}

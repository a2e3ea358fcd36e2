"""What readers answered to one question in one arm: items by readers, gaps counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy.analysis.endpoints.resampling import FloatArray
from readerstudy.analysis.facts import EQUAL, Dataset, Protocol, QuestionFacts, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis

NOT_EVALUABLE = "not_evaluable"
"""Stands for the answer of a reader who could not judge a case."""
ORDERED = ("ordinal", "confidence")


@dataclass(frozen=True)
class Given:
    """The answers of all readers to one question in one arm.

    Attributes
    ----------
    readers : tuple of str
        Who answered, in the order of the study.
    silent : tuple of str
        Readers who answered nothing here.
    items, clusters : tuple of str
        Items with an answer; the case or patient of each, which is resampled as one.
    answers : mapping
        By item and reader; `NOT_EVALUABLE` stands for that answer.
    incomplete : int
        Items left out because not every reader read them, where the plan asks for that.
    """

    arm: str
    readers: tuple[str, ...]
    silent: tuple[str, ...]
    items: tuple[str, ...]
    clusters: tuple[str, ...]
    answers: Mapping[tuple[str, str], Any]
    incomplete: int = 0

    @property
    def not_evaluable(self) -> int:
        """How many answers say that the case could not be judged."""
        return sum(one == NOT_EVALUABLE for one in self.answers.values())

    @property
    def absent(self) -> int:
        """How many reads of these items by these readers are not there."""
        return len(self.items) * len(self.readers) - len(self.answers)

    @property
    def n_clusters(self) -> int:
        return len(set(self.clusters))

    def matrix(self, value_of: Callable[[Any], float]) -> FloatArray:
        """Return a number for each answer, shape (items, readers); NaN where there is none."""
        found = np.full((len(self.items), len(self.readers)), math.nan)
        row = {item: place for place, item in enumerate(self.items)}
        column = {reader: place for place, reader in enumerate(self.readers)}
        for (item, reader), answer in self.answers.items():
            found[row[item], column[reader]] = value_of(answer)
        return found


def arms_of(data: Dataset, entry: PlannedAnalysis) -> tuple[str, ...]:
    """Return the arms of an endpoint in which its question is asked, the reference first."""
    question = data.protocol.question(entry.question)
    wanted = entry.arms or data.protocol.arm_codes
    return tuple(arm for arm in wanted if not question.arms or arm in question.arms)


def given(data: Dataset, entry: PlannedAnalysis, arm: str) -> Given:
    """Return the first answers to the question of an endpoint in one arm."""
    found: dict[tuple[str, str], Any] = {}
    cluster: dict[str, str] = {}
    for read in data.first_reads:
        answer = _answer(read, entry.question)
        if read.arm != arm or answer is None:
            continue
        found.setdefault((read.item, read.reader), answer)
        cluster[read.item] = read.subject if entry.unit == "subject" else read.item
    answering = {reader for _, reader in found}
    codes = data.reader_codes
    readers = tuple(code for code in codes if code in answering)
    complete = frozenset(cluster) if entry.missing == "available" else complete_items(data, entry)
    kept = tuple(sorted(complete & set(cluster)))
    return Given(
        arm=arm,
        readers=readers,
        silent=tuple(code for code in codes if code not in answering),
        items=kept,
        clusters=tuple(cluster[item] for item in kept),
        answers={key: answer for key, answer in found.items() if key[0] in complete},
        incomplete=len(cluster) - len(kept),
    )


def _answer(read: Read, question: str) -> Any:
    if question in read.answers:
        return read.answers[question]
    return NOT_EVALUABLE if question in read.not_evaluable else None


def complete_items(data: Dataset, entry: PlannedAnalysis) -> frozenset[str]:
    """Return the items that every reader with any answer read in every arm of an endpoint."""
    arms = arms_of(data, entry)
    seen = {
        (read.item, read.reader, read.arm)
        for read in data.first_reads
        if read.arm in arms and _answer(read, entry.question) is not None
    }
    readers = {reader for _, reader, _ in seen}
    return frozenset(
        item
        for item in {one for one, _, _ in seen}
        if all((item, reader, arm) in seen for reader in readers for arm in arms)
    )


def level_name(answer: Any) -> str:
    """Return the level of an answer; of a ranking or place the member put first."""
    if isinstance(answer, dict) and "members" in answer:
        return str(answer["members"][0]) if answer["members"] else EQUAL
    return str(answer)


def levels_of(protocol: Protocol, question: QuestionFacts) -> tuple[str, ...]:
    """Return the declared categories of a question, in order; none for numbers and text."""
    if question.kind in ("place", "ranking"):
        members = tuple(str(number) for number in range(protocol.places))
        return (*members, EQUAL) if question.equal else members
    return question.levels


def label_of(question: QuestionFacts, level: str) -> str:
    """Return a level in words."""
    if question.kind in ("place", "ranking"):
        return "equal" if level == EQUAL else f"image {int(level) + 1}"
    return "not evaluable" if level == NOT_EVALUABLE else question.label_of(level)

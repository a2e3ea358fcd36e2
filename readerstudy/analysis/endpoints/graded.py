"""Graded answers as one block: arm x reader x case, with what was left out and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.analysis.endpoints.reads import Scored, scored
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset, QuestionFacts, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Left:
    """Reads that are not in the block, by the reason; ``wrong`` are in it, as the surest error."""

    unknown: int = 0
    ungraded: int = 0
    not_evaluable: int = 0
    wrong: int = 0
    again: int = 0
    incomplete: int = 0
    incomplete_cases: int = 0

    def notes(self) -> tuple[str, ...]:
        """Say what was left out, one sentence for each reason."""
        texts = (
            (self.unknown, "{} left out, as the reference standard of the case is not known"),
            (self.ungraded, "{} left out, as no confidence was given"),
            (self.not_evaluable, "{} “not evaluable” and left out"),
            (self.wrong, "{} “not evaluable” and counted as wrong, with the surest wrong score"),
            (self.again, "{} left out, as the same reader had read the case in this arm before"),
            (
                self.incomplete,
                f"{{}} of {many(self.incomplete_cases, 'case')} left out, as not every reader "
                "read the case in every arm",
            ),
        )
        return tuple(text.format(many(n, "read")) + "." for n, text in texts if n)


@dataclass(frozen=True)
class Graded:
    """Scores and calls.

    Attributes
    ----------
    question : QuestionFacts
    readers, arms, items : tuple of str
        Readers with at least one read in the block, in their order.
    silent : tuple of str
        Readers of the study without any.
    subject : ndarray of int (k,)
        Number of the person of each item.
    truth : ndarray of int (k,)
        1 where ``positive`` is right.
    score, call : ndarray (a, r, k)
        NaN where there is no read. Calls are 1 for ``positive``.
    positive, negative : str
        Codes of the levels.
    lowest, highest : float
        Ends of the scale of the scores.
    planned_gaps : bool
        The design lets readers read different cases, so that an empty cell is no missing read.
    """

    question: QuestionFacts
    confidence: QuestionFacts | None
    readers: tuple[str, ...]
    silent: tuple[str, ...]
    arms: tuple[str, ...]
    items: tuple[str, ...]
    subject: IntArray
    truth: IntArray
    score: FloatArray
    call: FloatArray
    positive: str
    negative: str
    lowest: float
    highest: float
    left: Left
    planned_gaps: bool

    @property
    def read(self) -> BoolArray:
        """Return which cases were read, shape (a, r, k)."""
        return ~np.isnan(self.score)

    @property
    def is_complete(self) -> bool:
        """Did every reader read every case in every arm?"""
        return bool(self.read.all())

    @property
    def has_repeated_subjects(self) -> bool:
        """Has a person more than one item?"""
        return bool(np.unique(self.subject).size < self.subject.size)

    @property
    def share(self) -> FloatArray:
        """Return the scores as shares of their scale, 0 to 1."""
        return (self.score - self.lowest) / (self.highest - self.lowest)

    @property
    def reason(self) -> str:
        """Say why no area exists; empty if one does."""
        if not self.items:
            return "no read has an answer and a known reference standard"
        if self.truth.min() == self.truth.max():
            return f"all {many(len(self.items), 'case')} belong to one class"
        return ""

    def label(self, level: str) -> str:
        return self.question.label_of(level)

    def n_words(self) -> str:
        """Return "4 readers, 112 cases (62 High, 50 Low), 896 reads, none missing"."""
        positives = int(self.truth.sum())
        classes = f"{positives} {self.label(self.positive)}, "
        classes += f"{self.truth.size - positives} {self.label(self.negative)}"
        subjects = np.unique(self.subject).size
        persons = f" of {many(subjects, 'patient')}" if self.has_repeated_subjects else ""
        reads, cells = int(self.read.sum()), self.score.size
        gaps = "none missing" if reads == cells else f"{cells - reads:,} missing"
        if self.planned_gaps and reads < cells:
            gaps = "as allocated"
        return (
            f"{many(len(self.readers), 'reader')}, {many(len(self.items), 'case')}{persons} "
            f"({classes}), {many(reads, 'read')}, {gaps}"
        )

    def long(self, *, only: int | None = None, call: bool = False) -> dict[str, Any]:
        """Return reader, test, case, truth, score and cluster, one entry per read.

        ``only`` keeps the cases of one class; with ``call`` the score is 1 for a right call.
        Tests are numbers in the order of the arms.
        """
        keep = self.read if only is None else self.read & (self.truth == only)
        arm, reader, item = np.nonzero(keep)
        values = (self.call == self.truth).astype(float) if call else self.score
        return {
            "reader": reader,
            "test": arm,
            "case": item,
            "truth": self.truth[item],
            "score": values[arm, reader, item],
            "cluster": self.subject[item],
        }

    def of_readers(self, keep: Sequence[int]) -> Graded:
        """Return the block of some readers, with the cases that they have."""
        return self._taken(np.asarray(keep, dtype=int), np.arange(len(self.items)))

    def of_items(self, keep: Sequence[int] | IntArray) -> Graded:
        """Return the block of some cases."""
        return self._taken(np.arange(len(self.readers)), np.asarray(keep, dtype=int))

    def of_arms(self, keep: Sequence[int]) -> Graded:
        """Return the block of some arms, in that order."""
        return replace(
            self,
            arms=tuple(self.arms[a] for a in keep),
            score=self.score[list(keep)],
            call=self.call[list(keep)],
        )

    def _taken(self, readers: IntArray, items: IntArray) -> Graded:
        score = self.score[:, readers][:, :, items]
        has = ~np.isnan(score)
        r, k = has.any(axis=(0, 2)), has.any(axis=(0, 1))
        readers, items = readers[r], items[k]
        return replace(
            self,
            readers=tuple(self.readers[i] for i in readers),
            items=tuple(self.items[i] for i in items),
            subject=self.subject[items],
            truth=self.truth[items],
            score=score[:, r][:, :, k],
            call=self.call[:, readers][:, :, items],
        )


def graded(data: Dataset, entry: PlannedAnalysis, *, arms: Sequence[str]) -> Graded:
    """Return the graded answers to the question of an entry, in some arms.

    A case that is "not evaluable" is left out or counted as the surest wrong answer, and cases
    that not every reader read in every arm are kept or left out, as the entry says.

    Raises
    ------
    ValueError
        If the question has no two levels, or the entry asks for answers after consensus.
    """
    if entry.consensus:
        raise ValueError(
            "the plan asks for the answers after consensus, which belong to no reader; areas "
            "under the curve rest on the answers of each reader"
        )
    found = scored(data, entry.question, entry.confidence, arms=arms, positive=entry.positive)
    question = data.protocol.question(entry.question)
    unusable = _not_evaluable(data, entry, arms)
    wrong = entry.not_evaluable == "wrong"
    added = _as_wrong(found, question, unusable, data) if wrong else found
    block = _block(data, question, added, arms)
    left = replace(
        block.left,
        not_evaluable=0 if wrong else len(unusable),
        wrong=len(added) - len(found),
        unknown=added.n_unknown,
        ungraded=found.n_ungraded,
    )
    graded_by = data.protocol.question(entry.confidence) if entry.confidence else None
    block = replace(block, confidence=graded_by, left=left)
    return _complete(block) if entry.missing == "complete" else block


def _not_evaluable(data: Dataset, entry: PlannedAnalysis, arms: Sequence[str]) -> list[Read]:
    return [
        read
        for read in data.first_reads
        if entry.question in read.not_evaluable and read.arm in arms
    ]


def _as_wrong(
    found: Scored, question: QuestionFacts, unusable: Sequence[Read], data: Dataset
) -> Scored:
    """Return the scores with the surest wrong one for each case that was not evaluable."""
    made: dict[str, Any] = {
        name: list(value) if isinstance(value, list) else value
        for name, value in vars(found).items()
    }
    for read in unusable:
        item = data.items.get(read.item)
        right = item.right.get(question.code) if item else None
        if right is None:
            made["n_unknown"] += 1
            continue
        truth = int(right == found.positive)
        values = (read.reader, read.arm, read.item, read.subject, truth)
        for name, value in zip(
            ("readers", "arms", "items", "subjects", "truth"), values, strict=True
        ):
            made[name].append(value)
        made["scores"].append(found.lowest if truth else found.highest)
        made["calls"].append(1 - truth)
    return Scored(**made)


def _block(data: Dataset, question: QuestionFacts, found: Scored, arms: Sequence[str]) -> Graded:
    present = set(found.readers)
    readers = [code for code in data.reader_codes if code in present]
    readers += sorted(present - set(readers))
    items = list(dict.fromkeys(found.items))
    persons = dict(zip(found.items, found.subjects, strict=True))
    numbers: dict[str, int] = {}
    subject = [numbers.setdefault(persons[item], len(numbers)) for item in items]
    truths = dict(zip(found.items, found.truth, strict=True))
    shape = (len(arms), len(readers), len(items))
    place = np.ravel_multi_index(
        (_codes(found.arms, arms), _codes(found.readers, readers), _codes(found.items, items)),
        shape if all(shape) else (1, 1, 1),
    )
    kept, first = np.unique(place, return_index=True)
    score, call = np.full((2, int(np.prod(shape))), np.nan)
    score[kept] = np.asarray(found.scores, dtype=float)[first]
    call[kept] = np.asarray(found.calls, dtype=float)[first]
    return Graded(
        question=question,
        confidence=None,
        readers=tuple(readers),
        silent=tuple(code for code in data.reader_codes if code not in present),
        arms=tuple(arms),
        items=tuple(items),
        subject=np.asarray(subject, dtype=np.int64),
        truth=np.asarray([truths[item] for item in items], dtype=np.int64),
        score=score.reshape(shape),
        call=call.reshape(shape),
        positive=found.positive,
        negative=next(level for level in question.levels if level != found.positive),
        lowest=found.lowest,
        highest=found.highest,
        left=Left(again=len(found) - kept.size),
        planned_gaps=data.protocol.design.plan != "crossed",
    )


def _codes(values: Sequence[str], known: Sequence[str]) -> IntArray:
    number = {value: place for place, value in enumerate(known)}
    return np.asarray([number[value] for value in values], dtype=np.int64)


def _complete(block: Graded) -> Graded:
    """Keep the cases that every reader read in every arm, and count the others."""
    read = block.read
    whole = read.all(axis=(0, 1))
    left = replace(
        block.left,
        incomplete=int(read[:, :, ~whole].sum()),
        incomplete_cases=int((~whole).sum()),
    )
    if not whole.any() and whole.size:
        raise ValueError(
            "the plan keeps only cases that every reader read in every arm, and there is none; "
            "plan “all reads that there are”"
        )
    return replace(block.of_items(np.flatnonzero(whole)), left=left)

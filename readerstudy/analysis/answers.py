"""What was answered: each question by arm and reader, and how far two readers agree.

Descriptive, for every question of every study; nothing here is tested and no truth is used.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from readerstudy.analysis.endpoints.described_answers import levels_in, levels_of
from readerstudy.analysis.facts import Dataset, QuestionFacts, Read
from readerstudy.stats.agreement_cohen import CohenKappa, cohen_kappa_from_table


@dataclass(frozen=True)
class AnswerRow:
    """The answers of one reader in one arm: counts of each level, or the middle of numbers."""

    arm: str
    reader: str
    n: int
    not_evaluable: int
    counts: tuple[int, ...]
    mean: float
    sd: float
    median: float


@dataclass(frozen=True)
class AgreementRow:
    """Two readers on the items that both answered in one arm."""

    arm: str
    first: str
    second: str
    kappa: CohenKappa


@dataclass(frozen=True)
class QuestionAnswers:
    """All answers to one question."""

    code: str
    text: str
    kind: str
    unit: str
    levels: tuple[tuple[str, str], ...]
    rows: tuple[AnswerRow, ...]
    agreement: tuple[AgreementRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the answers as JSON at full precision; undefined numbers are null."""
        return {
            "question": self.code,
            "kind": self.kind,
            "levels": [code for code, _ in self.levels],
            "rows": [
                {name: _defined(value) for name, value in vars(row).items()} for row in self.rows
            ],
            "agreement": [
                {
                    "arm": row.arm,
                    "readers": [row.first, row.second],
                    "kappa": row.kappa.to_dict(),
                }
                for row in self.agreement
            ],
        }


def _defined(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def answers_of(data: Dataset) -> list[QuestionAnswers]:
    """Return the answers to each question, first presentations only."""
    return [_of_question(question, data) for question in data.protocol.questions]


def _of_question(question: QuestionFacts, data: Dataset) -> QuestionAnswers:
    levels = levels_of(data, question)
    codes = data.protocol.arm_codes
    arms = [arm for arm in codes if not question.arms or arm in question.arms]
    readers = [facts.code for facts in data.readers]
    by_place = {
        (arm, reader): [r for r in data.first_reads if (r.arm, r.reader) == (arm, reader)]
        for arm in arms
        for reader in readers
    }
    agreement = (
        tuple(
            AgreementRow(
                arm,
                first,
                second,
                _kappa(question, levels, by_place[arm, first], by_place[arm, second]),
            )
            for arm in arms
            for first, second in combinations(readers, 2)
        )
        if len(levels) > 1 and question.kind != "multi"
        else ()
    )
    return QuestionAnswers(
        code=question.code,
        text=question.text,
        kind=question.kind,
        unit=question.unit,
        levels=levels,
        rows=tuple(_row(question, levels, *place, reads) for place, reads in by_place.items()),
        agreement=agreement,
    )


def _given(question: QuestionFacts, read: Read) -> list[str]:
    """Return the levels that an answer names; of a ranking the one ranked first."""
    return levels_in(read.answers.get(question.code))


def _row(
    question: QuestionFacts,
    levels: tuple[tuple[str, str], ...],
    arm: str,
    reader: str,
    reads: list[Read],
) -> AnswerRow:
    answered = [read for read in reads if question.code in read.answers]
    counts = Counter(level for read in answered for level in _given(question, read))
    numbers = [v for r in answered if isinstance(v := r.answers[question.code], int | float)]
    return AnswerRow(
        arm=arm,
        reader=reader,
        n=len(answered),
        not_evaluable=sum(question.code in read.not_evaluable for read in reads),
        counts=tuple(counts[code] for code, _ in levels),
        mean=statistics.fmean(numbers) if numbers else math.nan,
        sd=statistics.stdev(numbers) if len(numbers) > 1 else math.nan,
        median=statistics.median(numbers) if numbers else math.nan,
    )


def _kappa(
    question: QuestionFacts,
    levels: tuple[tuple[str, str], ...],
    first: list[Read],
    second: list[Read],
) -> CohenKappa:
    codes = [code for code, _ in levels]
    of_first, of_second = _by_item(question, first), _by_item(question, second)
    cells = Counter((of_first[item], of_second[item]) for item in of_first if item in of_second)
    return cohen_kappa_from_table(
        [[cells[a, b] for b in codes] for a in codes],
        categories=codes,
        weights="linear" if question.kind == "ordinal" else None,
    )


def _by_item(question: QuestionFacts, reads: Iterable[Read]) -> dict[str, str]:
    return {read.item: given[0] for read in reads if (given := _given(question, read))}

"""The statistical section of a visual Turing test (the table of Han et al., ISBI 2018).

Per reader: confusion counts, accuracy with a Wilson interval, exact binomial test against
guessing, d′ and criterion. All readers: accuracy with the case as cluster, tested against
guessing and for equivalence within the planned margin; agreement of each pair and of all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from readerstudy.analysis.datasets import Dataset, Read, ReaderFacts
from readerstudy.stats.agreement import FleissKappa, fleiss_kappa
from readerstudy.stats.agreement_cohen import CohenKappa, cohen_kappa_from_table
from readerstudy.stats.proportions import Proportion, proportion
from readerstudy.stats.results import json_safe
from readerstudy.stats.turing import BinomialTest, Detection, binomial_against, dprime
from readerstudy.stats.turing_clustered import ClusteredAgainst, clustered_against

QUESTION = "origin"
REAL, SYNTHETIC = LEVELS = ("real", "synthetic")


@dataclass(frozen=True)
class Counts:
    """The four cells; the first word is the truth, the second the answer."""

    real_as_real: int
    real_as_synthetic: int
    synthetic_as_real: int
    synthetic_as_synthetic: int

    @property
    def correct(self) -> int:
        return self.real_as_real + self.synthetic_as_synthetic

    @property
    def n(self) -> int:
        return self.correct + self.real_as_synthetic + self.synthetic_as_real


@dataclass(frozen=True)
class ReaderRow:
    reader: ReaderFacts
    counts: Counts
    accuracy: Proportion
    chance: BinomialTest
    detection: Detection
    missing: int


@dataclass(frozen=True)
class PairRow:
    first: str
    second: str
    kappa: CohenKappa


@dataclass(frozen=True)
class TuringReport:
    """Everything that the results page, the export and the figure show."""

    readers: list[ReaderRow]
    counts: Counts
    overall: ClusteredAgainst
    detection: Detection
    pooled: Proportion
    pairs: list[PairRow]
    fleiss: FleissKappa | None
    n_cases: int
    n_reads: int
    missing: int
    late: int
    not_evaluable: int
    margin: float

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON at full precision."""
        return {
            "readers": [_reader_dict(row) for row in self.readers],
            "overall": {
                "counts": vars(self.counts),
                "accuracy": self.overall.to_dict(),
                "accuracy_ignoring_clusters": {
                    **self.pooled.to_dict(),
                    "note": "For comparison only: reads of the same case are not independent.",
                },
                "detection": self.detection.to_dict(),
            },
            "agreement": {
                "pairs": [
                    {"readers": [row.first, row.second], "kappa": row.kappa.to_dict()}
                    for row in self.pairs
                ],
                "all_readers": self.fleiss.to_dict() if self.fleiss else None,
            },
            "n": json_safe(
                {
                    "cases": self.n_cases,
                    "reads": self.n_reads,
                    "missing": self.missing,
                    "late": self.late,
                    "not_evaluable": self.not_evaluable,
                }
            ),
            "margin": self.margin,
        }


def _reader_dict(row: ReaderRow) -> dict[str, Any]:
    return {
        "reader": row.reader.code,
        "years_of_experience": row.reader.years,
        "counts": vars(row.counts),
        "accuracy": row.accuracy.to_dict(),
        "against_chance": row.chance.to_dict(),
        "detection": row.detection.to_dict(),
        "missing": row.missing,
    }


def analyse(data: Dataset) -> TuringReport:
    """Compute the planned analysis of a visual Turing test from its data set."""
    reads = [read for read in data.first_reads if QUESTION in read.answers]
    counts = count(reads)
    return TuringReport(
        readers=[_reader_row(facts, data) for facts in data.readers],
        counts=counts,
        overall=clustered_against(
            [float(read.answers[QUESTION] == read.origin) for read in reads],
            [read.case for read in reads],
            margin=data.study.margin,
        ),
        detection=detection_of(counts),
        pooled=proportion(counts.correct, counts.n, ci="wilson"),
        pairs=_pairs(data),
        fleiss=_all_readers(data),
        n_cases=data.n_real + data.n_synthetic,
        n_reads=len(reads),
        missing=data.missing,
        late=data.late,
        not_evaluable=sum(QUESTION in read.not_evaluable for read in data.first_reads),
        margin=data.study.margin,
    )


def count(reads: list[Read]) -> Counts:
    """Return the four cells of a list of reads."""
    cells = {(truth, answer): 0 for truth in (REAL, SYNTHETIC) for answer in (REAL, SYNTHETIC)}
    for read in reads:
        cells[read.origin, read.answers[QUESTION]] += 1
    return Counts(
        real_as_real=cells[REAL, REAL],
        real_as_synthetic=cells[REAL, SYNTHETIC],
        synthetic_as_real=cells[SYNTHETIC, REAL],
        synthetic_as_synthetic=cells[SYNTHETIC, SYNTHETIC],
    )


def detection_of(counts: Counts) -> Detection:
    """Return d′ and criterion with "synthetic" as the signal."""
    return dprime(
        counts.synthetic_as_synthetic,
        counts.synthetic_as_real,
        counts.real_as_synthetic,
        counts.real_as_real,
    )


def _reader_row(facts: ReaderFacts, data: Dataset) -> ReaderRow:
    reads = data.of(facts.code)
    asked = [read for read in reads if QUESTION in read.answers and read.repeat == 0]
    counts = count(asked)
    return ReaderRow(
        reader=facts,
        counts=counts,
        accuracy=proportion(counts.correct, counts.n, ci="wilson"),
        chance=binomial_against(counts.correct, counts.n),
        detection=detection_of(counts),
        missing=facts.planned - len(reads),
    )


def answer_table(data: Dataset) -> dict[str, dict[str, str]]:
    """Return case → reader → answer for the question real or synthetic."""
    table: dict[str, dict[str, str]] = {}
    for read in data.first_reads:
        if QUESTION in read.answers:
            table.setdefault(read.case, {})[read.reader] = read.answers[QUESTION]
    return table


def _pairs(data: Dataset) -> list[PairRow]:
    table = answer_table(data)
    rows = []
    for first, second in combinations([facts.code for facts in data.readers], 2):
        cells = Counter(
            (row[first], row[second]) for row in table.values() if first in row and second in row
        )
        square = [[cells[a, b] for b in LEVELS] for a in LEVELS]
        kappa = cohen_kappa_from_table(square, categories=LEVELS)
        rows.append(PairRow(first, second, kappa))
    return rows


def _all_readers(data: Dataset) -> FleissKappa | None:
    """Return Fleiss' kappa over the cases that every reader answered; None below three."""
    codes = [facts.code for facts in data.readers]
    if len(codes) < 3:
        return None
    complete = [row for row in answer_table(data).values() if len(row) == len(codes)]
    ratings = np.array(
        [[float(row[code] == SYNTHETIC) for code in codes] for row in complete], dtype=float
    ).reshape(len(complete), len(codes))
    return fleiss_kappa(ratings, categories=[0.0, 1.0])

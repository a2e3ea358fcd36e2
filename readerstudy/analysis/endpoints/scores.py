"""Scores in long form: one entry for each first read, levels counted as numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number
from readerstudy.analysis.endpoints.after_consensus import Held, held_answers
from readerstudy.analysis.endpoints.given import arms_of, complete_items, level_name
from readerstudy.analysis.facts import ORIGINS, REAL, SYNTHETIC, UNKNOWN, Dataset, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

ALL = "all"
UNSCORED = ("text", "region", "multi", "place", "ranking")


@dataclass(frozen=True)
class Score:
    """One score of one item; ``level`` is empty for numbers, ``value`` NaN if not evaluable."""

    reader: str
    arm: str
    item: str
    cluster: str
    origin: str
    generator: str
    level: str
    value: float


@dataclass(frozen=True)
class Scores:
    """All scores of an endpoint and the scale they are on."""

    question: QuestionFacts
    entry: PlannedAnalysis
    rows: tuple[Score, ...]
    incomplete: int = 0

    @property
    def levels(self) -> tuple[str, ...]:
        return self.question.levels

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return 1.0 - self.entry.alpha

    @property
    def known(self) -> list[Score]:
        """Scores that are numbers."""
        return [row for row in self.rows if not math.isnan(row.value)]

    @property
    def not_evaluable(self) -> int:
        return len(self.rows) - len(self.known)

    @property
    def origins(self) -> list[str]:
        """The classes that were scored: real and synthetic where both are, else all together."""
        found = {row.origin for row in self.rows}
        return list(ORIGINS) if found >= set(ORIGINS) else []

    @property
    def unit(self) -> str:
        return "case" if self.entry.unit == "case" else "patient"

    def where(self, keep: Callable[[Score], bool]) -> Scores:
        """Return some of the scores."""
        return replace(self, rows=tuple(row for row in self.rows if keep(row)))

    def of(self, *, arm: str = "", reader: str = "", origin: str = "") -> Scores:
        """Return the scores of an arm, a reader, a class, or of those together."""
        return self.where(
            lambda row: (
                arm in ("", row.arm) and reader in ("", row.reader) and origin in ("", row.origin)
            )
        )

    def mean(self, **behind: str) -> Number:
        """Return the mean with its interval, patients (or cases) as clusters."""
        known = self.known
        found = stats.clustered_mean(
            [row.value for row in known], [row.cluster for row in known], level=self.confidence
        )
        low, high, reason = found.low, found.high, found.reason or ""
        if found.se == 0.0:
            low = high = NAN
            reason = "no interval: all clusters have the same mean"
        return Number(found.value, "number", low, high, self.confidence, reason, behind)

    def median(self) -> float:
        """Return the median of all scores."""
        known = self.known
        return float(np.median([row.value for row in known])) if known else NAN

    def by_cluster(self) -> dict[str, float]:
        """Return the mean score of each patient (or case)."""
        found: dict[str, list[float]] = {}
        for row in self.known:
            found.setdefault(row.cluster, []).append(row.value)
        return {cluster: float(np.mean(values)) for cluster, values in found.items()}


def scores_of(data: Dataset, entry: PlannedAnalysis) -> Scores:
    """Return the first scores of an endpoint.

    Raises
    ------
    ValueError
        If the question has no levels and no numbers.
    """
    question = data.protocol.question(entry.question)
    if question.kind in UNSCORED:
        raise ValueError(f"“{question.text}” has no levels or numbers that could be averaged")
    arms = arms_of(data, entry)
    complete = None if entry.missing == "available" else complete_items(data, entry)
    rows, dropped = [], set()
    for read in data.first_reads:
        given = question.code in read.answers
        if read.arm not in arms or not (given or question.code in read.not_evaluable):
            continue
        if complete is not None and read.item not in complete:
            dropped.add(read.item)
            continue
        item = data.items.get(read.item)
        level, value = _scored(question, entry, read.answers.get(question.code))
        rows.append(
            Score(
                reader=read.reader,
                arm=read.arm,
                item=read.item,
                cluster=read.item if entry.unit == "case" else read.subject,
                origin=read.origin if item is None or len(item.origins) < 2 else ALL,
                generator=read.generator,
                level=level,
                value=value,
            )
        )
    return Scores(question, entry, tuple(rows), len(dropped))


def _scored(question: QuestionFacts, entry: PlannedAnalysis, answer: Any) -> tuple[str, float]:
    """Return level and value; "not evaluable" counts as the lowest level where it is wrong."""
    if answer is None:
        lowest = entry.not_evaluable == "wrong" and bool(question.levels)
        return (question.levels[0], _lowest(question)) if lowest else ("", NAN)
    if not question.levels:
        return "", float(answer)
    level = level_name(answer)
    return level, question.scores[level]


def _lowest(question: QuestionFacts) -> float:
    return question.scores[question.levels[0]]


def settled_scores(data: Dataset, first: Scores) -> tuple[Scores, list[Held]]:
    """Return one score for each item after consensus, with how each was settled."""
    scale = first.question.scores
    held = held_answers(data, first.entry)
    generators = {row.item: row.generator for row in first.rows}
    origins = {row.item: row.origin for row in first.rows}
    rows = []
    for one in held:
        value = one.score(scale)
        rows.append(
            Score(
                reader="",
                arm=one.arm,
                item=one.item,
                cluster=one.item if first.entry.unit == "case" else one.subject,
                origin=origins.get(one.item, one.origin),
                generator=generators.get(one.item, ""),
                level=one.code or "",
                value=NAN if value is None else value,
            )
        )
    return replace(first, rows=tuple(rows), incomplete=0), held


def origin_words(origin: str) -> str:
    """Return a class in words."""
    return {REAL: "real", SYNTHETIC: "synthetic", UNKNOWN: "origin not known", "": ALL}.get(
        origin, origin
    )


def readers_of(data: Dataset, rows: Iterable[Score]) -> list[str]:
    """Return who scored, in the order of the study."""
    found = {row.reader for row in rows}
    return [code for code in data.reader_codes if code in found]

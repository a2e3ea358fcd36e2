"""One question as a matrix of cases by readers, with what measures of agreement rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from readerstudy.analysis.endpoints.given import (
    NOT_EVALUABLE,
    ORDERED,
    Given,
    level_name,
    levels_of,
)
from readerstudy.analysis.endpoints.resampling import FloatArray
from readerstudy.analysis.facts import Protocol, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

LINEAR = "linear"
Weights = str | FloatArray | None


@dataclass(frozen=True)
class Panel:
    """Ratings of one question in one arm.

    Attributes
    ----------
    ratings : ndarray, shape (n_cases, n_readers)
        Places on the scale of ``levels``, or numbers where there are no levels; NaN is missing.
        A place after the last level stands for "not evaluable" where that counts as a level.
    scores : ndarray
        What each level counts as a number; empty for numbers.
    weights : None, "linear" or matrix
        Agreement weights of the levels.
    """

    arm: str
    readers: tuple[str, ...]
    items: tuple[str, ...]
    clusters: tuple[str, ...]
    ratings: FloatArray
    levels: tuple[str, ...]
    scores: FloatArray
    weights: Weights
    level: float
    draws: int
    seed: int
    random_readers: bool = True

    @property
    def is_categorical(self) -> bool:
        return bool(self.levels)

    @property
    def is_ordered(self) -> bool:
        return self.weights is not None

    @property
    def counts_not_evaluable(self) -> bool:
        """Is "not evaluable" one of the levels?"""
        return NOT_EVALUABLE in self.levels

    @property
    def is_clustered(self) -> bool:
        """Do several cases belong to one patient?"""
        return len(set(self.clusters)) < len(self.clusters)

    @cached_property
    def complete(self) -> Panel:
        """The cases that every reader rated."""
        return self.keep(~np.isnan(self.ratings).any(axis=1))

    @cached_property
    def measured(self) -> FloatArray:
        """Ratings as numbers: scores of the levels; "not evaluable" is missing."""
        if not self.is_categorical:
            return self.ratings
        values = np.append(self.scores, math.nan)
        places = np.where(np.isnan(self.ratings), len(self.scores), self.ratings).astype(int)
        return np.asarray(values[np.minimum(places, len(self.scores))])

    @cached_property
    def one_hot(self) -> FloatArray:
        """Whether a reader gave a level, shape (cases, readers, levels)."""
        return np.asarray(self.ratings[:, :, None] == np.arange(len(self.levels)), dtype=float)

    @cached_property
    def counts(self) -> FloatArray:
        """How many readers gave each level, shape (cases, levels)."""
        return np.asarray(self.one_hot.sum(axis=1))

    @cached_property
    def weight_matrix(self) -> FloatArray:
        """Agreement weights as a matrix."""
        q = len(self.levels)
        if self.weights is None:
            return np.eye(q)
        return linear_weights(q) if isinstance(self.weights, str) else self.weights

    def keep(self, rows: Any) -> Panel:
        """Return some of the cases."""
        places = np.flatnonzero(rows)
        return replace(
            self,
            ratings=self.ratings[places],
            items=tuple(self.items[place] for place in places),
            clusters=tuple(self.clusters[place] for place in places),
        )

    def of(self, columns: Sequence[int]) -> Panel:
        """Return the cases that some of the readers all rated."""
        chosen = replace(
            self,
            ratings=self.ratings[:, list(columns)],
            readers=tuple(self.readers[column] for column in columns),
        )
        return chosen.complete

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of readers."""
        return list(combinations(range(len(self.readers)), 2))


def linear_weights(q: int) -> FloatArray:
    """Return linear agreement weights of q ordered levels."""
    apart = np.abs(np.arange(q)[:, None] - np.arange(q)[None, :])
    return np.asarray(1.0 - apart / max(q - 1, 1))


def panel_of(
    held: Given, question: QuestionFacts, protocol: Protocol, entry: PlannedAnalysis
) -> Panel:
    """Return the answers to a question with one value per case as a panel.

    Raises
    ------
    ValueError
        For free text, regions and questions with several answers at once.
    """
    if question.kind in ("text", "region"):
        kind = {"text": "free text", "region": "marks on the image"}[question.kind]
        raise ValueError(
            f"“{question.text}” is answered with {kind}, which has no coefficient of agreement"
        )
    levels = levels_of(protocol, question)
    if not levels:
        return _panel(held, entry, held.matrix(_number))
    scores = np.array([question.scores.get(code, place) for place, code in enumerate(levels)])
    ordered = question.kind in ORDERED
    weights: Weights = LINEAR if ordered else None
    names = levels
    if entry.not_evaluable == "wrong" and held.not_evaluable:
        names = (*levels, NOT_EVALUABLE)
        weights = _with_one_more(linear_weights(len(levels))) if ordered else None
    ratings = held.matrix(_place_in(names))
    return _panel(held, entry, ratings, levels=names, scores=scores, weights=weights)


def option_panel(held: Given, option: str, entry: PlannedAnalysis) -> Panel:
    """Return whether each reader named one option of a question with any number of answers."""

    def named(answer: Any) -> float:
        return math.nan if answer == NOT_EVALUABLE else float(option in answer)

    return _panel(
        held, entry, held.matrix(named), levels=("no", "yes"), scores=np.array([0.0, 1.0])
    )


def _panel(
    held: Given,
    entry: PlannedAnalysis,
    ratings: FloatArray,
    *,
    levels: tuple[str, ...] = (),
    scores: FloatArray | None = None,
    weights: Weights = None,
) -> Panel:
    return Panel(
        arm=held.arm,
        readers=held.readers,
        items=held.items,
        clusters=held.clusters,
        ratings=ratings,
        levels=levels,
        scores=np.empty(0) if scores is None else scores,
        weights=weights,
        level=1.0 - entry.alpha,
        draws=entry.draws,
        seed=entry.seed,
        random_readers=entry.readers == "random",
    )


def _number(answer: Any) -> float:
    return math.nan if answer == NOT_EVALUABLE else float(answer)


def _place_in(levels: Sequence[str]) -> Callable[[Any], float]:
    places = {level: float(place) for place, level in enumerate(levels)}
    return lambda answer: places.get(level_name(answer), math.nan)


def _with_one_more(weights: FloatArray) -> FloatArray:
    """Add a level that agrees with itself alone."""
    larger = np.eye(len(weights) + 1)
    larger[:-1, :-1] = weights
    return larger

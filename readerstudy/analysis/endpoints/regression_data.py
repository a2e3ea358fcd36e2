"""Patients for logistic models: outcome, answers as features, covariates, who is held out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from readerstudy.analysis.endpoints.after_consensus import held_answers
from readerstudy.analysis.endpoints.given import level_name
from readerstudy.analysis.endpoints.resampling import FloatArray
from readerstudy.analysis.facts import REAL, SYNTHETIC, Dataset, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

COHORT, VALIDATION = "cohort", ("validation", "test", "held out", "external")
"""Endpoint of the reference standard, and its values, that hold a patient out of training."""
FEATURES = ("single", "ordinal", "number")
TOGETHER = "all readers"
REFERENCE_LEVEL = "reference"


@dataclass(frozen=True)
class Patient:
    """One patient, by the first of the cases: outcome 1 or 0, and the covariates."""

    item: str
    subject: str
    outcome: int
    is_synthetic: bool
    held_out: bool
    covariates: tuple[float, ...]


@dataclass(frozen=True)
class Sample:
    """Everything that models are fitted and tried on.

    Attributes
    ----------
    patients : tuple of Patient
    questions : tuple of QuestionFacts
        What was asked and serves as a feature.
    answers : mapping
        Reader (or `TOGETHER`) and item to the answers by question.
    positive, outcome : str
        Value that counts 1, and the endpoint of the reference standard.
    lost : mapping of str to int
    """

    patients: tuple[Patient, ...]
    questions: tuple[QuestionFacts, ...]
    answers: Mapping[tuple[str, str], Mapping[str, str | float]]
    readers: tuple[str, ...]
    positive: str
    outcome: str
    lost: Mapping[str, int]

    @property
    def training(self) -> list[Patient]:
        return [one for one in self.patients if not one.held_out]

    @property
    def validation(self) -> list[Patient]:
        return [one for one in self.patients if one.held_out and not one.is_synthetic]


def sample_of(data: Dataset, entry: PlannedAnalysis) -> Sample:
    """Return the patients whose outcome is known.

    Raises
    ------
    ValueError
        If the plan names no outcome, or it has other than two values.
    """
    if not entry.event:
        raise ValueError("the plan must name the outcome, an endpoint of the reference standard")
    asked = tuple(
        one
        for one in data.protocol.questions
        if one.kind in FEATURES and one.truth.get("source") != "origin"
    )
    positive = _positive(data, entry)
    patients, lost = _patients(data, entry, positive)
    answers = _answers(data, [one.code for one in asked])
    answers |= _together(data, entry, asked, answers)
    return Sample(patients, asked, answers, tuple(data.reader_codes), positive, entry.event, lost)


def _positive(data: Dataset, entry: PlannedAnalysis) -> str:
    values = sorted({one.references.get(entry.event, "") for one in data.items.values()} - {""})
    if len(values) != 2:
        found = ", ".join(values) or "none"
        raise ValueError(f"the outcome “{entry.event}” must have two values, found: {found}")
    return entry.positive if entry.positive in values else values[-1]


def _patients(
    data: Dataset, entry: PlannedAnalysis, positive: str
) -> tuple[tuple[Patient, ...], Counter[str]]:
    found: list[Patient] = []
    lost: Counter[str] = Counter()
    seen: set[tuple[str, bool]] = set()
    for code in sorted(data.items):
        item = data.items[code]
        value, synthetic = item.references.get(entry.event, ""), item.origin == SYNTHETIC
        if not value:
            lost["outcome not known"] += 1
        elif item.origin not in (REAL, SYNTHETIC):
            lost["origin not known"] += 1
        elif (item.subject, synthetic) in seen:
            lost["a further case of the same patient"] += 1
        else:
            seen.add((item.subject, synthetic))
            cohort = item.references.get(COHORT, "").strip().lower()
            covariates = tuple(_number(item.references.get(c, "")) for c in entry.covariates)
            outcome = int(value == positive)
            found.append(
                Patient(code, item.subject, outcome, synthetic, cohort in VALIDATION, covariates)
            )
    return tuple(found), lost


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _answers(
    data: Dataset, codes: Sequence[str]
) -> dict[tuple[str, str], Mapping[str, str | float]]:
    found: dict[tuple[str, str], Mapping[str, str | float]] = {}
    for read in data.first_reads:
        given = {code: _plain(read.answers[code]) for code in codes if code in read.answers}
        found.setdefault((read.reader, read.item), given)
    return found


def _plain(answer: object) -> str | float:
    return float(answer) if isinstance(answer, int | float) else level_name(answer)


def _together(
    data: Dataset,
    entry: PlannedAnalysis,
    asked: Sequence[QuestionFacts],
    answers: Mapping[tuple[str, str], Mapping[str, str | float]],
) -> dict[tuple[str, str], Mapping[str, str | float]]:
    """Return one answer of all readers: after consensus as planned, else what most gave."""
    made: dict[tuple[str, str], dict[str, str | float]] = {}
    for question in asked:
        if entry.consensus and question.levels:
            for one in held_answers(data, replace(entry, question=question.code)):
                if one.code is not None:
                    made.setdefault((TOGETHER, one.item), {}).setdefault(question.code, one.code)
            continue
        given: dict[str, list[str | float]] = {}
        for (_, item), answered in answers.items():
            if question.code in answered:
                given.setdefault(item, []).append(answered[question.code])
        for item, values in given.items():
            most = _most(values)
            if most is not None:
                made.setdefault((TOGETHER, item), {})[question.code] = most
    return dict(made)


def _most(values: Sequence[str | float]) -> str | float | None:
    """Return the mean of numbers, or the level that most gave; of a tie the first reader's."""
    if isinstance(values[0], float):
        return float(np.mean([float(one) for one in values]))
    counts = Counter(values)
    often = max(counts.values())
    return next(one for one in values if counts[one] == often)


@dataclass(frozen=True)
class Design:
    """Columns of the features: one for each level but the first of a question, one for a number.

    ``factors`` holds the names of the columns of each question.
    """

    terms: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    factors: Mapping[str, list[str]]

    def matrix(
        self, sample: Sample, reader: str, patients: Sequence[Patient]
    ) -> tuple[FloatArray, list[int]]:
        """Return the features of the patients whose questions a reader all answered."""
        rows, kept = [], []
        for place, patient in enumerate(patients):
            given = sample.answers.get((reader, patient.item), {})
            if all(code in given for code, _ in self.terms):
                rows.append([_value(given[code], level) for code, level in self.terms])
                kept.append(place)
        return np.array(rows, dtype=float).reshape(len(rows), len(self.terms)), kept


def _value(answer: str | float, level: str) -> float:
    return float(answer) if isinstance(answer, float) else float(answer == level)


def design_of(sample: Sample, patients: Sequence[Patient]) -> Design:
    """Return the features that vary among these patients; the first level is the reference."""
    terms: list[tuple[str, str]] = []
    names: list[str] = []
    factors: dict[str, list[str]] = {}
    for question in sample.questions:
        given = [
            sample.answers.get((TOGETHER, one.item), {}).get(question.code) for one in patients
        ]
        used = {one for one in given if one is not None}
        if len(used) < 2:
            continue
        if question.levels:
            levels = [level for level in question.levels if level in used][1:]
            columns = [(question.code, level) for level in levels]
            labels = [f"{question.text}: {question.label_of(level)}" for level in levels]
        else:
            columns, labels = [(question.code, "")], [question.text]
        terms += columns
        names += labels
        factors[question.text] = labels
    return Design(tuple(terms), tuple(names), factors)

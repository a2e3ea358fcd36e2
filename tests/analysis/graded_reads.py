"""Graded reads without a database: the Van Dyke study, and studies with a planted difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from readerstudy.analysis.document import Number, Section, Table
from readerstudy.analysis.facts import Dataset, OptionFacts, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis import making

GRADE = QuestionFacts(
    code="grade",
    text="Grade of the glioma",
    kind="single",
    options=(OptionFacts("low", "Low"), OptionFacts("high", "High")),
)
ARMS = (("standard", "Standard MRI"), ("map", "Standard MRI and map"))
# a rating of 1 to 5 as a call with one of three levels of confidence: scores 1, 2, 3, 4, 6
RATINGS = {1: ("low", 3), 2: ("low", 2), 3: ("low", 1), 4: ("high", 1), 5: ("high", 3)}


def sureness(levels: int) -> QuestionFacts:
    options = tuple(OptionFacts(str(n), f"Level {n}") for n in range(1, levels + 1))
    return QuestionFacts("sure", "How sure are you?", "confidence", options, bound_to="grade")


LINE = QuestionFacts(
    "sure", "How sure are you?", "confidence", bound_to="grade", minimum=0, maximum=100
)


def entry(**more: Any) -> PlannedAnalysis:
    """A planned difference between both arms; ``more`` changes it."""
    usual: dict[str, Any] = {
        "code": "difference",
        "title": "Area under the ROC curve: grade",
        "question": "grade",
        "endpoint": "mrmc-difference",
        "unit": "subject",
        "confidence": "sure",
        "arms": ("standard", "map"),
        "methods": ("obuchowski_rockette", "delong_test"),
    }
    return PlannedAnalysis(**(usual | more))


def rated(
    rows: Iterable[tuple[Any, Any, Any, int, int]], *, arms: Sequence[tuple[str, str]] = ARMS
) -> Dataset:
    """A data set of (reader, test from 1, case, truth, rating 1 to 5)."""
    listed = list(rows)
    truths = {case: truth for _, _, case, truth, _ in listed}
    items = {
        case: making.item(f"c{case}", right={"grade": "high" if truth else "low"})
        for case, truth in truths.items()
    }
    reads = [
        making.read(
            f"R{reader}",
            items[case],
            {"grade": RATINGS[rating][0], "sure": str(RATINGS[rating][1])},
            arm=arms[test - 1][0],
        )
        for reader, test, case, _, rating in listed
    ]
    return making.dataset(reads, items.values(), questions=(GRADE, sureness(3)), arms=tuple(arms))


def simulated(
    *,
    readers: int = 5,
    cases: int = 200,
    effects: Sequence[float] = (1.0, 1.7),
    per_subject: int = 1,
    shared: float = 0.0,
    seed: int = 1,
    line: bool = False,
) -> Dataset:
    """A study with normal scores; the area of arm a is Φ(effect / √(2 · variance)).

    The variance is 1 for each score: cases 0.3, patients ``shared``, the rest noise.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, cases)
    person = np.arange(cases) // per_subject
    patient = rng.normal(size=person.max() + 1)[person] * np.sqrt(shared)
    case = rng.normal(size=cases) * np.sqrt(0.3)
    items = [
        making.item(f"c{i}", subject=f"S{person[i]}", right={"grade": ("low", "high")[t]})
        for i, t in enumerate(truth.tolist())
    ]
    reads = []
    for reader in range(1, readers + 1):
        for (arm, _), effect in zip(ARMS, effects, strict=True):
            noise = rng.normal(size=cases) * np.sqrt(0.7 - shared)
            z = (truth - 0.5) * effect + patient + case + noise
            for item, value in zip(items, z.tolist(), strict=True):
                sure = min(abs(value) / 2.5, 0.999)
                reads.append(
                    making.read(
                        f"R{reader}",
                        item,
                        {
                            "grade": "high" if value > 0 else "low",
                            "sure": 100 * sure if line else str(int(20 * sure) + 1),
                        },
                        arm=arm,
                    )
                )
    graded = LINE if line else sureness(20)
    return making.dataset(reads, items, questions=(GRADE, graded), arms=ARMS)


def table(section: Section, code: str) -> Table:
    """The table of a section with this code."""
    return next(one for one in section.tables if one.code == code)


def row(of: Table, key: str, column: str = "reader") -> dict[str, Any]:
    """The cells of the row whose first column says ``key``."""
    return next(dict(one.cells) for one in of.rows if one.cells[column] == key)


def values(numbers: Iterable[Number]) -> list[float]:
    return [one.value for one in numbers]

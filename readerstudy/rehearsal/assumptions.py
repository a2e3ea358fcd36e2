"""What a dry run assumes of its readers. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


class BadAssumption(ValueError):
    """A stated value is out of its range; the message names both."""


@dataclass(frozen=True)
class Assumptions:
    """Stated skill, bias, spread and pace of virtual readers.

    Attributes
    ----------
    dprime, criterion : float
        For real or synthetic: mean sensitivity, and the place of the criterion (above 0: readers
        say "synthetic" too rarely).
    auc, auc_gain : float
        For questions with a reference standard: mean area under the ROC curve in the first arm,
        and what each later arm adds.
    agreement : float
        For questions without truth: kappa of nominal answers, and the share of variance that
        two readers have in common in ordered and measured ones.
    reader_spread : float
        Standard deviation between readers of sensitivity, criterion and use of scales, in
        standard deviations of the evidence.
    arm_spread : float
        The same for what an arm does to one reader's sensitivity.
    case_share, arm_case_share, reader_case_share : float
        Shares of the variance of the evidence that belong to the case (alike for all readers and
        arms), to the case in one arm, to one reader's view of the case; the rest is new at every
        reading.
    not_evaluable, optional : float
        Chance that a reader says "not evaluable" where that is offered, and that an optional
        question is answered.
    seconds, seconds_spread : float
        Median time of a case in a practised reader, and standard deviation of its logarithm.
    learning, learning_cases : float
        How much longer the first case takes (0.5: by half), and after how many cases that has
        fallen to 37 %.
    break_every, break_minutes : int, float
    region_mm : float
        Standard deviation of a mark from the place that readers have in mind, along each axis.
    """

    dprime: float = 1.0
    criterion: float = 0.0
    auc: float = 0.8
    auc_gain: float = 0.05
    agreement: float = 0.6
    reader_spread: float = 0.2
    arm_spread: float = 0.05
    case_share: float = 0.3
    arm_case_share: float = 0.3
    reader_case_share: float = 0.2
    not_evaluable: float = 0.02
    optional: float = 0.7
    seconds: float = 45.0
    seconds_spread: float = 0.4
    learning: float = 0.5
    learning_cases: float = 15.0
    break_every: int = 50
    break_minutes: float = 10.0
    region_mm: float = 4.0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadAssumption(f"{WORDS[name]} must lie between {low:g} and {high:g}.")
        if self.case_share + self.arm_case_share + self.reader_case_share > 1:
            raise BadAssumption("The shares of case, arm and reader may not exceed 100 % together.")

    @property
    def fresh_share(self) -> float:
        """Share of the variance that is new at every reading."""
        return max(1 - self.case_share - self.arm_case_share - self.reader_case_share, 0.0)

    @property
    def steadiness(self) -> float:
        """Share of one reader's own view that comes again when a case is shown twice."""
        own = self.reader_case_share + self.fresh_share
        return self.reader_case_share / own if own else 1.0


RANGES: dict[str, tuple[float, float]] = {
    "dprime": (-5, 5),
    "criterion": (-3, 3),
    "auc": (0.02, 0.98),
    "auc_gain": (-0.5, 0.5),
    "agreement": (0, 1),
    "reader_spread": (0, 2),
    "arm_spread": (0, 2),
    "case_share": (0, 1),
    "arm_case_share": (0, 1),
    "reader_case_share": (0, 1),
    "not_evaluable": (0, 0.5),
    "optional": (0, 1),
    "seconds": (1, 3600),
    "seconds_spread": (0, 2),
    "learning": (0, 5),
    "learning_cases": (1, 1000),
    "break_every": (1, 100_000),
    "break_minutes": (0, 600),
    "region_mm": (0, 100),
}
WORDS = {
    "dprime": "Sensitivity d′",
    "criterion": "The criterion",
    "auc": "The area under the curve",
    "auc_gain": "The gain of a later arm",
    "agreement": "Agreement",
    "reader_spread": "The spread between readers",
    "arm_spread": "The spread of the gain",
    "case_share": "The share of the case",
    "arm_case_share": "The share of the case in an arm",
    "reader_case_share": "The share of the reader and case",
    "not_evaluable": "The share of “not evaluable”",
    "optional": "The share of optional questions answered",
    "seconds": "Seconds a case",
    "seconds_spread": "The spread of the time",
    "learning": "The extra time of the first case",
    "learning_cases": "The cases of learning",
    "break_every": "Cases between breaks",
    "break_minutes": "Minutes of a break",
    "region_mm": "The spread of a mark",
}


def parse(document: Mapping[str, Any]) -> Assumptions:
    """Return the assumptions that a document states; what it leaves out keeps its default.

    Raises
    ------
    BadAssumption
        For an unknown name, or a value that is no number or out of range.
    """
    if unknown := set(document) - {field.name for field in fields(Assumptions)}:
        raise BadAssumption(f"There is no assumption called {min(unknown)}.")
    for name, value in document.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and math.isfinite(value)):
            raise BadAssumption(f"{WORDS[name]} must be a number.")
    return Assumptions(**document)


def document_of(assumptions: Assumptions) -> dict[str, Any]:
    """Return the assumptions as JSON; `parse` gives them back."""
    return asdict(assumptions)

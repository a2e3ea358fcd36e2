"""How large a reader study must be: one table and one curve for each aim.

Joins the planning functions of this package under one input, for the page of a study and for the
command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from scipy.stats import chi2, ncx2

from readerstudy.stats.mrmc_planning import mrmc_cases_needed, mrmc_power
from readerstudy.stats.planning import n_kappa, positive_calls
from readerstudy.stats.planning_designs import (
    auc_precision,
    cases_for_width,
    kappa_precision,
    turing_cases_needed,
    turing_power,
)

AIMS = {
    "equivalence": "Show that readers cannot tell real from synthetic",
    "difference": "Show that readers can tell real from synthetic",
    "kappa": "Estimate the agreement of readers",
    "kappa-test": "Show that agreement exceeds a value",
    "auc": "Estimate the area under the curve of a reader",
    "mrmc": "Compare the area under the curve of two arms",
}
WIDTHS = frozenset({"kappa", "auc"})
READERS = (2, 3, 4, 6, 8)
POINTS = 25


@dataclass(frozen=True)
class Inputs:
    """What a plan rests on; each aim uses some of it.

    Attributes
    ----------
    readers : int
        Planned.
    power, alpha : float
    width : float
        Wanted width of a 95 % interval.
    accuracy, margin, icc : float
        Of a visual Turing test; see :func:`readerstudy.stats.planning_designs.turing_power`.
    kappa, kappa0, prevalence : float
        Expected kappa, the value to exceed, and the share of positive calls.
    auc, positive_share : float
    effect : float
        Difference of two areas worth finding.
    test_reader, error, cov1, cov2, cov3, pilot_cases : float
        Variance components of the Obuchowski-Rockette model and the cases of their pilot. The
        defaults are those of the data of Van Dyke et al. (5 readers, 114 cases), which the
        literature on planning uses.
    """

    readers: int = 4
    power: float = 0.8
    alpha: float = 0.05
    width: float = 0.2
    accuracy: float = 0.5
    margin: float = 0.1
    icc: float = 0.1
    kappa: float = 0.6
    kappa0: float = 0.4
    prevalence: float = 0.5
    auc: float = 0.8
    positive_share: float = 0.5
    effect: float = 0.05
    test_reader: float = 0.0002
    error: float = 0.0008
    cov1: float = 0.00035
    cov2: float = 0.00034
    cov3: float = 0.00024
    pilot_cases: int = 114

    @property
    def pilot(self) -> dict[str, float]:
        """The components under the names of the MRMC functions."""
        return {
            "test:reader": self.test_reader,
            "error": self.error,
            "cov1": self.cov1,
            "cov2": self.cov2,
            "cov3": self.cov3,
            "n_cases": self.pilot_cases,
        }


USED: dict[str, tuple[str, ...]] = {
    "equivalence": ("readers", "power", "alpha", "accuracy", "margin", "icc"),
    "difference": ("readers", "power", "alpha", "accuracy", "icc"),
    "kappa": ("readers", "width", "kappa", "prevalence"),
    "kappa-test": ("readers", "power", "alpha", "kappa", "kappa0", "prevalence"),
    "auc": ("width", "auc", "positive_share"),
    "mrmc": (
        *("readers", "power", "alpha", "effect"),
        *("test_reader", "error", "cov1", "cov2", "cov3", "pilot_cases"),
    ),
}


@dataclass(frozen=True)
class Size:
    """What is needed with a number of readers; ``reached`` is a power or a width."""

    readers: int
    cases: int
    reached: float
    method: str
    reason: str = ""
    arms: int = 1

    @property
    def reads(self) -> int:
        """Readings in all arms."""
        return self.readers * self.cases * self.arms


@dataclass(frozen=True)
class SizePlan:
    """A sample size with what it rests on.

    Attributes
    ----------
    aim : str
        Key of AIMS.
    inputs : Inputs
    chosen : Size
        For the planned number of readers.
    sizes : tuple of Size
        For several numbers of readers.
    curve : tuple of dict
        {"readers", "cases", "value"}: power or width over cases.
    assumptions : tuple of str
        In sentences.
    """

    aim: str
    inputs: Inputs
    chosen: Size
    sizes: tuple[Size, ...]
    curve: tuple[dict[str, float], ...]
    assumptions: tuple[str, ...]

    @property
    def target(self) -> float:
        """The power or the width that is wanted."""
        return self.inputs.width if self.aim in WIDTHS else self.inputs.power

    @property
    def measure(self) -> str:
        """What is read off the curve."""
        return "Width of the interval" if self.aim in WIDTHS else "Power"

    @property
    def sentence(self) -> str:
        """The plan in one sentence, for the protocol."""
        if self.chosen.reason:
            return f"{AIMS[self.aim]}: not possible, {self.chosen.reason}"
        wanted = (
            f"a 95 % interval of width {self.target:g}"
            if self.aim in WIDTHS
            else f"{100 * self.target:g} % power"
        )
        readers = f" read by {self.chosen.readers} readers" if self.aim != "auc" else ""
        return f"{self.chosen.cases} cases{readers} give {wanted}"

    def used(self) -> dict[str, float]:
        """Return the inputs that this aim rests on."""
        given = asdict(self.inputs)
        return {name: given[name] for name in USED[self.aim]}

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {
            "aim": self.aim,
            "sentence": self.sentence,
            "cases": self.chosen.cases,
            "readers": self.chosen.readers,
            "reached": None if math.isnan(self.chosen.reached) else self.chosen.reached,
            "method": self.chosen.method,
            "reason": self.chosen.reason,
            "assumptions": list(self.assumptions),
        }


def plan(aim: str, inputs: Inputs | Mapping[str, float] | None = None) -> SizePlan:
    """Plan a study.

    Parameters
    ----------
    aim : str
        Key of AIMS.
    inputs : Inputs or mapping
        What is not given keeps its default.

    Returns
    -------
    SizePlan

    Raises
    ------
    ValueError
        For an unknown aim or input, and for numbers out of range.

    Examples
    --------
    >>> plan("equivalence", {"readers": 4}).sentence
    '70 cases read by 4 readers give 80 % power'
    """
    if aim not in AIMS:
        raise ValueError(f"aim must be one of {', '.join(AIMS)}, got {aim!r}")
    given = inputs if isinstance(inputs, Inputs) else _inputs(inputs or {})
    chosen = _size(aim, given, given.readers)
    many = sorted({*READERS, given.readers}) if aim != "auc" else [given.readers]
    return SizePlan(
        aim=aim,
        inputs=given,
        chosen=chosen,
        sizes=tuple(_size(aim, given, readers) for readers in many),
        curve=_curve(aim, given, chosen, many),
        assumptions=ASSUMPTIONS[aim],
    )


def _inputs(values: Mapping[str, float]) -> Inputs:
    if unknown := set(values) - {field.name for field in fields(Inputs)}:
        raise ValueError(f"there is no input called {min(unknown)}")
    return Inputs(**values)  # type: ignore[arg-type]


def _size(aim: str, given: Inputs, readers: int) -> Size:
    return SIZES[aim](given, readers)


def _turing_size(aim: str) -> Callable[[Inputs, int], Size]:
    def size(given: Inputs, readers: int) -> Size:
        found = turing_cases_needed(
            readers,
            power=given.power,
            accuracy=given.accuracy,
            margin=given.margin,
            icc=given.icc,
            alpha=given.alpha,
            aim=aim,
        )
        return Size(readers, found.n_cases, found.power, found.method, found.reason or "")

    return size


def _kappa_size(given: Inputs, readers: int) -> Size:
    found = cases_for_width(given.width, lambda cases: _kappa(given, readers, cases))
    return Size(readers, found.n, found.width, found.method, found.reason or "")


def _kappa(given: Inputs, readers: int, cases: int) -> Any:
    return kappa_precision(cases, kappa=given.kappa, prevalence=given.prevalence, raters=readers)


def _kappa_test_size(given: Inputs, readers: int) -> Size:
    found = n_kappa(
        given.kappa0,
        given.kappa,
        prevalence=given.prevalence,
        raters=readers,
        alpha=given.alpha,
        power=given.power,
    )
    reached = _kappa_power(given, readers, found.required)
    return Size(readers, found.required, reached, found.method)


def _kappa_power(given: Inputs, readers: int, cases: int) -> float:
    null, alternative = (
        positive_calls(kappa, given.prevalence, readers) for kappa in (given.kappa0, given.kappa)
    )
    distance = float(((alternative - null) ** 2 / null).sum())
    return float(ncx2.sf(chi2.isf(given.alpha, 1), 1, cases * distance))


def _auc_size(given: Inputs, readers: int) -> Size:
    found = cases_for_width(given.width, lambda cases: _auc(given, cases))
    return Size(readers, found.n, found.width, found.method, found.reason or "")


def _auc(given: Inputs, cases: int) -> Any:
    positive = min(max(round(cases * given.positive_share), 1), cases - 1)
    return auc_precision(positive, cases - positive, auc=given.auc)


def _mrmc_size(given: Inputs, readers: int) -> Size:
    found = mrmc_cases_needed(
        given.pilot, effect=given.effect, n_readers=readers, power=given.power, alpha=given.alpha
    )
    cases = 0 if found.reason else found.n_cases
    return Size(readers, cases, found.power, found.method, found.reason or "", arms=2)


SIZES: dict[str, Callable[[Inputs, int], Size]] = {
    "equivalence": _turing_size("equivalence"),
    "difference": _turing_size("difference"),
    "kappa": _kappa_size,
    "kappa-test": _kappa_test_size,
    "auc": _auc_size,
    "mrmc": _mrmc_size,
}


def _curve(aim: str, given: Inputs, chosen: Size, many: list[int]) -> tuple[dict[str, float], ...]:
    """Return power or width over cases, up to twice what is needed."""
    most = max(2 * chosen.cases, 40) if chosen.cases else 400
    cases = sorted({max(4, round(x)) for x in np.linspace(most / POINTS, most, POINTS)})
    rows = [
        {"readers": readers, "cases": n, "value": _value(aim, given, readers, n)}
        for readers in many
        for n in cases
    ]
    return tuple(row for row in rows if math.isfinite(row["value"]))


def _value(aim: str, given: Inputs, readers: int, cases: int) -> float:
    if aim == "kappa":
        return float(_kappa(given, readers, cases).width)
    if aim == "auc":
        return float(_auc(given, cases).width)
    if aim == "kappa-test":
        return _kappa_power(given, readers, cases)
    if aim == "mrmc":
        return mrmc_power(
            given.pilot, effect=given.effect, n_readers=readers, n_cases=cases, alpha=given.alpha
        ).power
    return turing_power(
        cases,
        readers,
        accuracy=given.accuracy,
        margin=given.margin,
        icc=given.icc,
        alpha=given.alpha,
        aim=aim,
    ).power


_TURING = (
    "Every reader reads every case; the statement is about these readers and such cases.",
    "The correlation of right and wrong between readers of one case is as stated; a dry run or a "
    "pilot shows it. With none, reads count as independent.",
    "Normal approximation: below 30 cases, or near 0 or 100 % right calls, ask for more.",
)
_KAPPA = (
    "Binary calls with the same share of positive calls in all readers (common correlation "
    "model); more categories need fewer cases.",
    "Every reader reads every case.",
)
ASSUMPTIONS: dict[str, tuple[str, ...]] = {
    "equivalence": ("Both one-sided tests are made at the level alpha.", *_TURING),
    "difference": ("Two-sided test at the level alpha.", *_TURING),
    "kappa": (*_KAPPA, "Wald interval of 95 %, from the delta method."),
    "kappa-test": (*_KAPPA, "Two-sided goodness-of-fit test at the level alpha."),
    "auc": (
        "One reader, one reading of each case; ratings close to negative exponential.",
        "Wald interval of 95 %.",
    ),
    "mrmc": (
        "Every reader reads every case in both arms; readers and cases are samples.",
        "The variance components are those stated. The defaults are of the data of Van Dyke et "
        "al.; a pilot or a dry run of this study is better.",
        "The share of positive cases is that of the pilot.",
    ),
}

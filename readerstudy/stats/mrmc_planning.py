"""How many readers and cases an AUC study needs.

References
----------
Hillis, Obuchowski & Berbaum, Acad Radiol 2011;18:129 (power of multi-reader studies). Obuchowski
& McClish, Stat Med 1997;16:1529 (one and two AUCs). Obuchowski, Am J Roentgenol 2000;175:603.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from scipy import special

from readerstudy.stats.mrmc_anova import RANDOM, satterthwaite
from readerstudy.stats.mrmc_results import MrmcResult
from readerstudy.stats.results import Result
from readerstudy.stats.roc import delong_test
from readerstudy.stats.validation import as_count, check_choice

_NULL_VARIANCE = 0.0792
_COMPONENTS = ("test:reader", "error", "cov1", "cov2", "cov3", "n_cases")
_MAX_CASES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class MrmcPower(Result):
    """The power of a planned study; ``n`` is the number of planned reads.

    Attributes
    ----------
    power : float
        Chance that the planned study finds the effect at level ``alpha``, two-sided.
    effect : float
        Difference of two tests.
    n_readers, n_cases : int
        Planned.
    alpha : float
    noncentrality, df1, df2, critical : float
        Of the F (or chi-square: ``df2`` infinite) distribution.
    """

    power: float
    effect: float
    n_readers: int
    n_cases: int
    alpha: float
    noncentrality: float
    df1: float
    df2: float
    critical: float

    def summary(self) -> str:
        """Return the power and for what."""
        return (
            f"power {self.power:.4g} for a difference of {self.effect:g} with {self.n_readers} "
            f"readers and {self.n_cases} cases, alpha {self.alpha:g}; {self.method}"
        )


@dataclass(frozen=True, kw_only=True)
class SampleSize(Result):
    """How many cases a study needs; ``n`` is the total, each class rounded up once.

    Attributes
    ----------
    n_positive, n_negative : float
        As the formula gives them, not rounded.
    positives, negatives : int
        Rounded up; 0 where undefined.
    power, alpha : float
    """

    n_positive: float
    n_negative: float
    positives: int = 0
    negatives: int = 0
    power: float
    alpha: float

    def summary(self) -> str:
        """Return the cases needed, or why that is undefined."""
        if self.reason:
            return f"undefined: {self.reason} ({self.method})"
        return f"{self.positives} positive and {self.negatives} negative cases; {self.method}"


@dataclass(frozen=True)
class _Pilot:
    """Variance components of a pilot study, negative test-by-reader variance set to 0."""

    test_reader: float
    error_less_cov1: float
    excess: float
    n_cases: int


def mrmc_power(
    pilot: MrmcResult | Mapping[str, float],
    *,
    effect: float,
    n_readers: int,
    n_cases: int,
    alpha: float = 0.05,
    random: str = "readers and cases",
) -> MrmcPower:
    """Compute the power of a fully crossed study of two tests from a pilot's components.

    Hillis, Obuchowski & Berbaum 2011: error covariances shrink with the number of cases, the
    test-by-reader variance with the number of readers, and the statistic is non-central F (chi-
    square for fixed readers). Negative components count as 0. The planned study is taken to have
    the pilot's share of positive cases.

    Parameters
    ----------
    pilot : MrmcResult or mapping
        Result of :func:`readerstudy.stats.mrmc.obuchowski_rockette` (or of the pseudovalue or
        U-statistic method, crossed readers), or a mapping with "test:reader", "error", "cov1",
        "cov2", "cov3" and "n_cases".
    effect : float
        Difference of the two tests worth finding.
    n_readers, n_cases : int
        Planned; at least 2 readers unless they are fixed.
    alpha : float
        Two-sided level.
    random : {"readers and cases", "readers", "cases"}

    Returns
    -------
    MrmcPower

    Raises
    ------
    ValueError
        For a pilot without the components, or numbers out of range.

    Examples
    --------
    >>> pilot = {"test:reader": 0.0002, "error": 0.0008, "cov1": 0.00035, "cov2": 0.00034,
    ...          "cov3": 0.00024, "n_cases": 114}
    >>> few = mrmc_power(pilot, effect=0.05, n_readers=5, n_cases=100)
    >>> more = mrmc_power(pilot, effect=0.05, n_readers=10, n_cases=200)
    >>> round(few.power, 2), round(more.power, 2)
    (0.58, 0.94)
    """
    check_choice(random, "random", RANDOM)
    _check_probability(alpha, "alpha")
    readers, cases = as_count(n_readers, "n_readers"), as_count(n_cases, "n_cases")
    fewest = 1 if random == "cases" else 2
    if readers < fewest or cases < 2:
        raise ValueError(
            f"n_readers must be at least {fewest} and n_cases at least 2, got {readers} and {cases}"
        )
    source = _pilot(pilot)
    denominator, df2 = _planned(source, readers, cases, random)
    return _power(
        denominator,
        df2,
        effect=float(effect),
        alpha=alpha,
        base={
            "method": f"power, Hillis, Obuchowski & Berbaum 2011, random {random}, two-sided, "
            f"pilot with {source.n_cases} cases",
            "n": 2 * readers * cases,
            "n_readers": readers,
            "n_cases": cases,
        },
    )


def _pilot(pilot: MrmcResult | Mapping[str, float]) -> _Pilot:
    values = _pilot_values(pilot)
    excess = max(values["cov2"] - values["cov3"], 0.0)
    return _Pilot(
        max(values["test:reader"], 0.0),
        values["error"] - values["cov1"],
        excess,
        as_count(values["n_cases"], "n_cases of the pilot"),
    )


def pilot_components(pilot: MrmcResult) -> dict[str, float]:
    """Return the components of a pilot as a mapping that the planning functions take.

    Parameters
    ----------
    pilot : MrmcResult
        Of crossed readers, two or more tests.

    Returns
    -------
    dict of str to float
        "test:reader", "error", "cov1", "cov2", "cov3" and "n_cases"; a plan made from it equals
        one made from the result itself.

    Raises
    ------
    ValueError
        For a pilot without the components.
    """
    return _pilot_values(pilot)


def _pilot_values(pilot: MrmcResult | Mapping[str, float]) -> dict[str, float]:
    if not isinstance(pilot, MrmcResult):
        lacking = [name for name in _COMPONENTS if name not in pilot]
        if lacking:
            raise ValueError(f"pilot lacks {', '.join(lacking)}")
        return {name: float(pilot[name]) for name in _COMPONENTS}
    values = dict(pilot.variance_components) | {"n_cases": float(pilot.n_cases)}
    if math.isnan(values["test:reader"]):
        raise ValueError(
            "pilot must have readers who read all of two or more tests; pass the components as a "
            "mapping otherwise"
        )
    # the component of a result takes cov2 - cov3 as it is; the planning formula takes it from 0
    values["test:reader"] += max(values["cov3"] - values["cov2"], 0.0)
    return values


def _planned(pilot: _Pilot, readers: int, cases: int, random: str) -> tuple[float, float]:
    scale = pilot.n_cases / cases
    if random == "cases":
        return scale * (pilot.error_less_cov1 + (readers - 1) * pilot.excess), math.inf
    interaction = pilot.test_reader + scale * (pilot.error_less_cov1 - pilot.excess)
    if random == "readers":
        return interaction, readers - 1.0
    denominator = interaction + scale * readers * pilot.excess
    return denominator, satterthwaite([(interaction, readers - 1.0)], denominator)


def _power(
    denominator: float, df2: float, *, effect: float, alpha: float, base: dict[str, Any]
) -> MrmcPower:
    shared = {"effect": effect, "alpha": alpha, "df1": 1.0, "df2": df2, **base}
    if not denominator > 0.0:
        return MrmcPower(
            power=math.nan,
            noncentrality=math.nan,
            critical=math.nan,
            reason="the planned variance is zero or negative with these components",
            **shared,
        )
    noncentrality = effect**2 * base["n_readers"] / (2.0 * denominator)
    if math.isinf(df2):
        critical = float(special.chdtri(1.0, alpha))
        power = 1.0 - float(special.chndtr(critical, 1.0, noncentrality))
    else:
        critical = float(special.fdtri(1.0, df2, 1.0 - alpha))
        power = 1.0 - float(special.ncfdtr(1.0, df2, noncentrality, critical))
    return MrmcPower(power=power, noncentrality=noncentrality, critical=critical, **shared)


def mrmc_cases_needed(
    pilot: MrmcResult | Mapping[str, float],
    *,
    effect: float,
    n_readers: int,
    power: float = 0.8,
    alpha: float = 0.05,
    random: str = "readers and cases",
) -> MrmcPower:
    """Find the smallest number of cases that gives a power.

    Parameters
    ----------
    pilot, effect, n_readers, alpha, random
        As for :func:`mrmc_power`.
    power : float
        Wanted.

    Returns
    -------
    MrmcPower
        Of the study found; ``power`` is NaN beside ``reason`` where even a million cases do not
        suffice with these readers.

    Raises
    ------
    ValueError
        As for :func:`mrmc_power`, and for a power outside 0..1.

    Examples
    --------
    >>> pilot = {"test:reader": 0.0002, "error": 0.0008, "cov1": 0.00035, "cov2": 0.00034,
    ...          "cov3": 0.00024, "n_cases": 114}
    >>> plan = mrmc_cases_needed(pilot, effect=0.05, n_readers=8, power=0.9)
    >>> before = mrmc_power(pilot, effect=0.05, n_readers=8, n_cases=plan.n_cases - 1)
    >>> plan.power >= 0.9 > before.power
    True
    """
    _check_probability(power, "power")

    def plan(cases: int) -> MrmcPower:
        return mrmc_power(
            pilot, effect=effect, n_readers=n_readers, n_cases=cases, alpha=alpha, random=random
        )

    largest = plan(_MAX_CASES)
    if not largest.power >= power:
        reason = f"with {n_readers} readers no number of cases reaches a power of {power:g}"
        return _unreachable(largest, reason)
    low, high = 1, _MAX_CASES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if plan(middle).power >= power else (middle, high)
    return plan(high)


def _unreachable(largest: MrmcPower, reason: str) -> MrmcPower:
    values = {name: getattr(largest, name) for name in MrmcPower.__dataclass_fields__}
    return MrmcPower(**(values | {"power": math.nan, "reason": reason}))


def n_auc(auc: float, *, power: float = 0.8, alpha: float = 0.05, ratio: float = 1.0) -> SampleSize:
    """Find the cases needed to show that an AUC differs from 0.5.

    Obuchowski & McClish 1997: binormal variance function, two-sided z test.

    Parameters
    ----------
    auc : float
        Expected AUC, between 0 and 1 and not 0.5.
    power, alpha : float
        Wanted power and two-sided level.
    ratio : float
        Negative cases per positive case.

    Returns
    -------
    SampleSize

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> plan = n_auc(0.8, power=0.9)
    >>> round(plan.n_positive, 4), plan.positives
    (16.6192, 17)
    """
    _check_probability(auc, "auc")
    _check_design(power, alpha)
    if not ratio > 0.0:
        raise ValueError(f"ratio must be above 0, got {ratio}")
    method = "cases to tell an AUC from 0.5, Obuchowski & McClish 1997, two-sided z test"
    if auc == 0.5:
        return _no_size(method, power, alpha, "an AUC of 0.5 is the null hypothesis")
    a = float(special.ndtri(auc)) * 1.414
    variance = 0.0099 * math.exp(-(a**2) / 2.0) * (5.0 * a**2 + 8.0 + (a**2 + 8.0) / ratio)
    null = _NULL_VARIANCE * (1.0 + 1.0 / ratio)
    positive = _cases(null, variance, auc - 0.5, power, alpha)
    return _size(positive, ratio * positive, method, power, alpha)


def n_auc_difference(
    truth: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    case_ids: Sequence[Hashable] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> SampleSize:
    """Find the cases needed to show a pilot's difference of two AUCs on the same cases.

    Obuchowski & McClish 1997 with DeLong variances of the pilot: under no difference both AUCs
    have the variance of the first. The study keeps the pilot's ratio of classes.

    Parameters
    ----------
    truth, score_a, score_b : array_like (n,)
        The pilot, as for :func:`readerstudy.stats.roc.delong_test`.
    power, alpha : float
        Wanted power and two-sided level.
    case_ids, assume_independent, missing
        As for ``delong_test``.

    Returns
    -------
    SampleSize
        NaN beside ``reason`` where the pilot has no difference or one class.

    Raises
    ------
    ValueError
        For numbers out of range, and as for ``delong_test``.

    Examples
    --------
    >>> truth = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> plan = n_auc_difference(truth, [1, 2, 3, 4, 3, 4, 5, 6], [1, 4, 3, 2, 2, 3, 5, 4])
    >>> plan.positives == plan.negatives
    True
    """
    _check_design(power, alpha)
    pilot = delong_test(
        truth,
        score_a,
        score_b,
        case_ids=case_ids,
        assume_independent=assume_independent,
        missing=missing,
    )
    method = (
        "cases to tell two AUCs apart, Obuchowski & McClish 1997, DeLong variances of the pilot, "
        "two-sided z test"
    )
    if math.isnan(pilot.difference) or math.isnan(pilot.se) or pilot.difference == 0.0:
        reason = pilot.reason or "the pilot shows no difference"
        return _no_size(method, power, alpha, reason)
    null = 2.0 * (pilot.variance_a - pilot.covariance) * pilot.n_positive
    variance = pilot.se**2 * pilot.n_positive
    positive = _cases(max(null, 0.0), variance, pilot.difference, power, alpha)
    ratio = pilot.n_negative / pilot.n_positive
    return _size(positive, ratio * positive, method, power, alpha)


def _cases(null: float, variance: float, effect: float, power: float, alpha: float) -> float:
    z_alpha = float(special.ndtri(1.0 - alpha / 2.0))
    z_beta = float(special.ndtri(power))
    return float((z_alpha * math.sqrt(null) + z_beta * math.sqrt(variance)) ** 2 / effect**2)


def _size(positive: float, negative: float, method: str, power: float, alpha: float) -> SampleSize:
    positives, negatives = math.ceil(positive), math.ceil(negative)
    return SampleSize(
        method=method,
        n=positives + negatives,
        n_positive=positive,
        n_negative=negative,
        positives=positives,
        negatives=negatives,
        power=power,
        alpha=alpha,
    )


def _no_size(method: str, power: float, alpha: float, reason: str) -> SampleSize:
    return SampleSize(
        method=method,
        n=0,
        reason=reason,
        n_positive=math.nan,
        n_negative=math.nan,
        power=power,
        alpha=alpha,
    )


def _check_design(power: float, alpha: float) -> None:
    _check_probability(power, "power")
    _check_probability(alpha, "alpha")


def _check_probability(value: float, name: str) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")

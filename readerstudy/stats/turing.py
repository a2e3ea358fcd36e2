"""Can readers tell synthetic from real: accuracy against chance, equivalence, d'.

References
----------
Macmillan & Creelman, Detection Theory, 2nd ed. 2005. Hautus, Behav Res Methods 1995;27:46
(log-linear correction). Gourevitch & Galanter, Psychometrika 1967;32:25 (variance of d').
Schuirmann, J Pharmacokinet Biopharm 1987;15:657 (two one-sided tests).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy import special

from readerstudy.stats.proportions import exact_limits, newcombe_limits
from readerstudy.stats.quantiles import normal_quantile
from readerstudy.stats.results import Estimate, Result, undefined
from readerstudy.stats.validation import (
    as_count,
    check_choice,
    check_level,
    refuse_overlap,
    refuse_repeats,
    split_case_ids,
)

_CLUSTERED = "clustered_proportion with the case as cluster"


@dataclass(frozen=True, kw_only=True)
class BinomialTest(Estimate):
    """Share of correct answers against a fixed probability.

    Attributes
    ----------
    k : int
        Correct answers out of ``n``.
    p0 : float
        Probability under the null hypothesis.
    p_two_sided, p_greater : float
        Exact binomial p-values.
    """

    k: int
    p0: float
    p_two_sided: float
    p_greater: float


def binomial_against(
    k: int,
    n: int,
    *,
    p0: float = 0.5,
    level: float = 0.95,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> BinomialTest:
    """Test ``k`` correct answers of ``n`` against the probability ``p0``.

    Parameters
    ----------
    k, n : int
        Correct answers and all answers.
    p0 : float
        Chance, strictly between 0 and 1.
    level : float
        Confidence level of the Clopper-Pearson interval.
    case_ids : sequence, optional
        The case behind each answer; repeated cases are refused.
    assume_independent : bool
        Accept repeated cases all the same.

    Returns
    -------
    BinomialTest
        NaN with a reason for ``n = 0``. The two-sided p sums all outcomes that are not more
        probable than the one seen.

    Raises
    ------
    ValueError
        For broken counts, ``p0`` outside (0, 1), or repeated cases.

    Notes
    -----
    A p-value above 0.05 does not show that readers guess: see :func:`equivalence_to_chance`.

    Examples
    --------
    >>> r = binomial_against(62, 100)  # Park 2021, reader 2
    >>> round(r.p_two_sided, 3), round(r.low, 3)
    (0.021, 0.517)
    """
    k, n = _answers(k, n)
    _check_probability(p0)
    check_level(level)
    refuse_repeats(case_ids, n, assume_independent=assume_independent, instead=_CLUSTERED)
    method = f"exact binomial test against {p0:g}, Clopper-Pearson interval (1934)"
    if n == 0:
        blank = undefined("value p_two_sided p_greater")
        return BinomialTest(
            method=method, n=0, k=0, p0=p0, level=level, reason="no answers", **blank
        )
    low, high = exact_limits(k, n, level)
    return BinomialTest(
        method=method,
        n=n,
        k=k,
        p0=p0,
        value=k / n,
        low=low,
        high=high,
        level=level,
        p_two_sided=_two_sided(k, n, p0),
        p_greater=_at_least(k, n, p0),
    )


def _answers(k: float, n: float) -> tuple[int, int]:
    correct, total = as_count(k, "k"), as_count(n, "n")
    if correct > total:
        raise ValueError(f"k must be at most n, got k={k} and n={n}")
    return correct, total


def _check_probability(p0: float) -> None:
    if not 0.0 < p0 < 1.0:
        raise ValueError(f"p0 must lie between 0 and 1, got {p0}")


def _two_sided(k: int, n: int, p0: float) -> float:
    from scipy.stats import binomtest

    return float(binomtest(k, n, p0).pvalue)


def _at_least(k: int, n: int, p: float) -> float:
    return 1.0 if k == 0 else float(special.bdtrc(k - 1, n, p))


def _at_most(k: int, n: int, p: float) -> float:
    return float(special.bdtr(k, n, p))


@dataclass(frozen=True, kw_only=True)
class EquivalenceToChance(Estimate):
    """Two one-sided tests that accuracy lies within a margin of chance.

    Attributes
    ----------
    margin, p0, alpha : float
        Equivalence is ``p0 ± margin``, decided at ``alpha``.
    p_wald, p_exact : float
        The larger one-sided p-value, by the normal approximation and by the binomial.
    equivalent : bool
        Whether ``p_exact < alpha``.
    low, high, level : float
        Clopper-Pearson interval at level ``1 - 2 alpha``.
    """

    margin: float
    p0: float
    alpha: float
    p_wald: float
    p_exact: float
    equivalent: bool

    def summary(self) -> str:
        """Return the verdict in words with the exact p."""
        if math.isnan(self.value):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        verdict = "equivalent" if self.equivalent else "not shown to be equivalent"
        return (
            f"{self.value:.6g}: {verdict} to {self.p0:g} within ±{self.margin:g}, "
            f"p = {self.p_exact:.3g}, n = {self.n}, {self.method}"
        )


def equivalence_to_chance(
    k: int,
    n: int,
    *,
    margin: float,
    p0: float = 0.5,
    alpha: float = 0.05,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> EquivalenceToChance:
    """Show that accuracy lies within ``p0 ± margin`` by two one-sided tests.

    Parameters
    ----------
    k, n : int
        Correct answers and all answers.
    margin : float
        Half-width of what counts as chance, fixed before the study; ``p0 ± margin`` must lie
        inside (0, 1).
    p0 : float
        Chance.
    alpha : float
        Size of each one-sided test.
    case_ids, assume_independent
        As for :func:`binomial_against`.

    Returns
    -------
    EquivalenceToChance
        ``p_wald`` uses the standard error ``√(p̂(1-p̂)/n)`` and is NaN with a reason where that
        is 0; the decision uses the exact p.

    Raises
    ------
    ValueError
        For broken counts, a margin that leaves (0, 1), or repeated cases.

    Examples
    --------
    >>> round(equivalence_to_chance(45, 100, margin=0.1).p_exact, 4)
    0.1789
    """
    k, n = _answers(k, n)
    _check_probability(p0)
    if margin <= 0.0 or p0 - margin <= 0.0 or p0 + margin >= 1.0:
        raise ValueError(f"margin must be above 0 and p0 ± margin inside (0, 1), got {margin}")
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, got {alpha}")
    refuse_repeats(case_ids, n, assume_independent=assume_independent, instead=_CLUSTERED)
    value, low, high, p_wald, p_exact = _tost(k, n, margin, p0, alpha)
    return EquivalenceToChance(
        method=(
            f"two one-sided tests (Schuirmann 1987) of {p0:g} ± {margin:g}, decided by the exact "
            f"binomial p; Clopper-Pearson interval at level {1 - 2 * alpha:g}"
        ),
        n=n,
        value=value,
        low=low,
        high=high,
        level=1.0 - 2.0 * alpha,
        margin=margin,
        p0=p0,
        alpha=alpha,
        p_wald=p_wald,
        p_exact=p_exact,
        equivalent=bool(p_exact < alpha),
        reason=_tost_reason(n, p_wald),
    )


def _tost(
    k: int, n: int, margin: float, p0: float, alpha: float
) -> tuple[float, float, float, float, float]:
    if n == 0:
        return math.nan, math.nan, math.nan, math.nan, math.nan
    p = k / n
    low, high = exact_limits(k, n, 1.0 - 2.0 * alpha)
    p_exact = max(_at_least(k, n, p0 - margin), _at_most(k, n, p0 + margin))
    se = math.sqrt(p * (1.0 - p) / n)
    if se == 0.0:
        return p, low, high, math.nan, p_exact
    closest = min(p - (p0 - margin), (p0 + margin) - p) / se
    return p, low, high, float(special.ndtr(-closest)), p_exact


def _tost_reason(n: int, p_wald: float) -> str | None:
    if n == 0:
        return "no answers"
    return "the Wald p is undefined: the standard error is 0" if math.isnan(p_wald) else None


@dataclass(frozen=True, kw_only=True)
class Detection(Result):
    """Sensitivity and bias of a detector.

    Attributes
    ----------
    dprime : float
        ``z(hit rate) - z(false-alarm rate)``; 0 means signal and noise are told apart by chance.
    low, high, level : float
        Normal interval of d' and its level.
    se : float
        Standard error of d' (Gourevitch & Galanter 1967), from the rates used and the numbers of
        trials.
    criterion : float
        c, ``-(z(H) + z(F)) / 2``: above 0 the reader says "signal" too rarely.
    beta : float
        Likelihood ratio at the criterion, ``exp(d' c)``.
    a_z : float
        Area under the equal-variance normal ROC curve, ``Φ(d'/√2)``.
    hit_rate, false_alarm_rate : float
        The rates used, after the correction.
    """

    dprime: float
    criterion: float
    beta: float
    a_z: float
    se: float
    low: float
    high: float
    level: float
    hit_rate: float
    false_alarm_rate: float

    def summary(self) -> str:
        """Return d', its interval and c, or the reason they are undefined."""
        if math.isnan(self.dprime):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"d' = {self.dprime:.6g} ({100 * self.level:g} % interval {self.low:.6g} to "
            f"{self.high:.6g}), c = {self.criterion:.6g}, n = {self.n}, {self.method}"
        )


_CORRECTIONS = {
    "loglinear": "log-linear correction (Hautus 1995: 0.5 to each count, 1 to each total)",
    "none": "no correction",
}


def dprime(
    hits: int,
    misses: int,
    false_alarms: int,
    correct_rejections: int,
    *,
    correction: str = "loglinear",
    level: float = 0.95,
) -> Detection:
    """Compute d', criterion, beta and A_z of a yes/no detection task.

    With "synthetic" as the signal, a hit is a synthetic image called synthetic and a false alarm
    is a real image called synthetic.

    Parameters
    ----------
    hits, misses, false_alarms, correct_rejections : int
        Counts.
    correction : {"loglinear", "none"}
        What to do about rates of 0 and 1. ``"loglinear"`` is applied to all data alike.
    level : float
        Confidence level.

    Returns
    -------
    Detection
        NaN with a reason if a class has no trials, or a rate is 0 or 1 without correction.

    Raises
    ------
    ValueError
        For broken counts or an unknown correction.

    Examples
    --------
    >>> r = dprime(44, 6, 24, 26)  # Han 2018, T1 DCGAN: 44/50 synthetic, 26/50 real recognised
    >>> round(r.dprime, 3), round(r.criterion, 3)
    (1.188, -0.545)
    """
    named = {
        "hits": hits,
        "misses": misses,
        "false_alarms": false_alarms,
        "correct_rejections": correct_rejections,
    }
    counts = [as_count(value, name) for name, value in named.items()]
    check_choice(correction, "correction", tuple(_CORRECTIONS))
    check_level(level)
    signal, noise = counts[0] + counts[1], counts[2] + counts[3]
    extra = 0.5 if correction == "loglinear" else 0.0
    method = f"equal-variance signal detection, {_CORRECTIONS[correction]}, normal interval"
    if signal == 0 or noise == 0:
        missing = "signal" if signal == 0 else "noise"
        return _no_detection(method, signal + noise, level, f"there are no {missing} trials")
    hit = (counts[0] + extra) / (signal + 2.0 * extra)
    false_alarm = (counts[2] + extra) / (noise + 2.0 * extra)
    if not (0.0 < hit < 1.0 and 0.0 < false_alarm < 1.0):
        reason = 'a rate is 0 or 1, so d\' is not finite: use correction="loglinear"'
        return _no_detection(method, signal + noise, level, reason)
    common = {"method": method, "n": signal + noise, "level": level}
    return _detection((hit, false_alarm), (signal, noise), common)


def _no_detection(method: str, n: int, level: float, reason: str) -> Detection:
    blank = undefined("dprime criterion beta a_z se low high hit_rate false_alarm_rate")
    return Detection(method=method, n=n, level=level, reason=reason, **blank)


def _detection(
    rates: tuple[float, float], sizes: tuple[int, int], common: dict[str, Any]
) -> Detection:
    hit, false_alarm = rates
    z_hit, z_false = float(special.ndtri(hit)), float(special.ndtri(false_alarm))
    difference, criterion = z_hit - z_false, -(z_hit + z_false) / 2.0
    variance = sum(
        rate * (1.0 - rate) / (size * _density(z) ** 2)
        for rate, size, z in ((hit, sizes[0], z_hit), (false_alarm, sizes[1], z_false))
    )
    se = math.sqrt(variance)
    half = normal_quantile(common["level"]) * se
    return Detection(
        dprime=difference,
        criterion=criterion,
        beta=math.exp(difference * criterion),
        a_z=float(special.ndtr(difference / math.sqrt(2.0))),
        se=se,
        low=difference - half,
        high=difference + half,
        hit_rate=hit,
        false_alarm_rate=false_alarm,
        **common,
    )


def _density(z: float) -> float:
    return math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, kw_only=True)
class NonInferiority(Result):
    """One proportion shown not to be worse than another by more than a margin.

    Attributes
    ----------
    difference : float
        ``k1/n1 - k2/n2``.
    margin : float
        Largest loss that is accepted.
    p_wald : float
        One-sided p of ``difference <= -margin`` (unpooled standard error).
    low, high, level : float
        Two-sided Wald interval of the difference, clipped to -1..1, and its level.
    low_newcombe, high_newcombe : float
        Newcombe interval, which is safer for small samples and extreme proportions.
    non_inferior : bool
        Whether ``p_wald < (1 - level) / 2``, that is, the Wald lower limit is above ``-margin``.
    """

    difference: float
    margin: float
    p_wald: float
    low: float
    high: float
    level: float
    low_newcombe: float
    high_newcombe: float
    non_inferior: bool

    def summary(self) -> str:
        """Return the verdict in words with the interval."""
        if math.isnan(self.difference):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        verdict = "not inferior" if self.non_inferior else "non-inferiority not shown"
        return (
            f"difference {self.difference:.6g} ({100 * self.level:g} % interval {self.low:.6g} to "
            f"{self.high:.6g}): {verdict} at margin {self.margin:g}, n = {self.n}, {self.method}"
        )


def non_inferiority(
    k1: int,
    n1: int,
    k2: int,
    n2: int,
    *,
    margin: float,
    level: float = 0.95,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
) -> NonInferiority:
    """Test that proportion 1 is not worse than proportion 2 by ``margin`` or more.

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Successes and observations of the new (1) and the reference (2) arm.
    margin : float
        Above 0 and below 1, fixed before the study.
    level : float
        Level of the two-sided interval; the one-sided test has size ``(1 - level) / 2``.
    case_ids : pair of sequences, optional
        The cases behind each sample; shared cases are refused.
    assume_independent : bool
        Accept shared cases all the same.

    Returns
    -------
    NonInferiority
        ``p_wald`` is NaN with a reason where the standard error is 0.

    Raises
    ------
    ValueError
        For broken counts, a margin outside (0, 1), or paired data: there the standard error
        must come from ``mcnemar``, ``delong_test`` or an MRMC analysis.

    Examples
    --------
    >>> r = non_inferiority(90, 100, 88, 100, margin=0.1)
    >>> round(r.difference, 3), r.non_inferior
    (0.02, True)
    """
    k1, n1, k2, n2 = (as_count(v, n) for v, n in zip((k1, n1, k2, n2), _NAMES, strict=True))
    if k1 > n1 or k2 > n2:
        raise ValueError(f"k must be at most n, got {k1} of {n1} and {k2} of {n2}")
    if not 0.0 < margin < 1.0:
        raise ValueError(f"margin must lie between 0 and 1, got {margin}")
    check_level(level)
    first, second = split_case_ids(case_ids, n1, n2)
    instead = "the paired interval of mcnemar or delong_test, or an MRMC analysis"
    refuse_overlap(first, second, assume_independent=assume_independent, instead=instead)
    method = (
        f"non-inferiority of two independent proportions, margin {margin:g}, Wald test with "
        "unpooled standard error, Wald interval clipped to -1..1"
    )
    if n1 == 0 or n2 == 0:
        return _no_comparison(method, n1 + n2, margin, level)
    return _wald_non_inferiority((k1, n1, k2, n2), margin, level, method)


_NAMES = ("k1", "n1", "k2", "n2")


def _no_comparison(method: str, n: int, margin: float, level: float) -> NonInferiority:
    return NonInferiority(
        method=method,
        n=n,
        margin=margin,
        level=level,
        non_inferior=False,
        reason="a sample has no observations",
        **undefined("difference p_wald low high low_newcombe high_newcombe"),
    )


def _wald_non_inferiority(
    counts: tuple[int, int, int, int], margin: float, level: float, method: str
) -> NonInferiority:
    k1, n1, k2, n2 = counts
    p1, p2 = k1 / n1, k2 / n2
    difference = p1 - p2
    se = math.sqrt(p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2)
    p_wald = float(special.ndtr(-(difference + margin) / se)) if se > 0.0 else math.nan
    half = normal_quantile(level) * se
    newcombe = newcombe_limits(k1, n1, k2, n2, level)
    return NonInferiority(
        method=method,
        n=n1 + n2,
        difference=difference,
        margin=margin,
        p_wald=p_wald,
        low=max(difference - half, -1.0) if se > 0.0 else math.nan,
        high=min(difference + half, 1.0) if se > 0.0 else math.nan,
        level=level,
        low_newcombe=newcombe[0],
        high_newcombe=newcombe[1],
        non_inferior=bool(p_wald < (1.0 - level) / 2.0),
        reason=None if se > 0.0 else "each proportion is 0 or 1: the standard error is 0",
    )

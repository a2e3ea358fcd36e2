"""Printed AUCs: which method gives their limits, and what a comparison of two would need.

References
----------
Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. Wilson EB. JASA 1927;22:209-212.
Hanley JA, McNeil BJ. Radiology 1982;143:29-36.
Birnbaum ZW, Klose OM. Ann Math Stat 1957;28:933-945 (bound of the variance of an AUC).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm

from readerstudy.stats.published.intervals import check_interval, normal_quantile
from readerstudy.stats.published.printed import Check, Printed, RangeCheck, Verdict
from readerstudy.stats.published.pvalues import CorrelationCheck, correlation_check

Limits = tuple[float, float]
GRID = 401
"""Points over the rounding of the printed AUC at which a method is tried."""


@dataclass(frozen=True, kw_only=True)
class AucIntervalCheck(Check):
    """A printed AUC with limits.

    Attributes
    ----------
    candidates : dict of str to (float, float)
        Limits of each method at the printed AUC.
    matching : tuple of str
        Methods that give both limits for some AUC that is printed so.
    se : float
        Standard error that normal limits of this width have.
    middle : float
        Middle of the limits.
    """

    candidates: dict[str, Limits]
    matching: tuple[str, ...]
    se: float
    middle: float


def check_auc_interval(
    auc: str | float,
    low: str | float,
    high: str | float,
    *,
    n: int | None = None,
    n_positive: int | None = None,
    n_negative: int | None = None,
    level: float = 0.95,
) -> AucIntervalCheck:
    """Find the method behind the limits of an AUC, from the numbers of subjects alone.

    Parameters
    ----------
    auc, low, high : str or float
        As printed.
    n : int, optional
        All subjects; taken from the two classes where these are given.
    n_positive, n_negative : int, optional
        Sizes of the classes: needed for Hanley-McNeil and for the largest possible error.
    level : float
        Confidence level.

    Returns
    -------
    AucIntervalCheck
        "consistent" with a known method, "inconsistent" where the AUC lies outside its limits
        or they are wider than any data allow, otherwise "cannot be checked": DeLong and
        bootstrap limits need the scores.

    Examples
    --------
    >>> check = check_auc_interval("0.864", "0.789", "0.920", n_positive=38, n_negative=80)
    >>> check.matching
    ('exact binomial on all n',)
    >>> check_auc_interval("0.857", "0.806", "0.842", n=1792).verdict
    'inconsistent'
    """
    figures = Printed.parse(auc), Printed.parse(low), Printed.parse(high)
    shape = check_interval(auc, low, high, level=level, within=(0.0, 1.0))
    total = n_positive + n_negative if n_positive and n_negative else n
    methods = _methods(total, n_positive, n_negative, normal_quantile(level))
    candidates = {name: rule(figures[0].value) for name, rule in methods.items()}
    matching = tuple(name for name, rule in methods.items() if _fits(rule, *figures))
    too_wide = _too_wide(figures, shape.se, n_positive, n_negative)
    verdict: Verdict = "consistent" if matching else "cannot be checked"
    if not shape.contains or too_wide:
        verdict = "inconsistent"
    words = shape.words if not shape.contains else too_wide or _method_words(matching, candidates)
    if not shape.contains:
        words += _estimate_that_fits(methods, figures)
    return AucIntervalCheck(
        verdict=verdict,
        words=words,
        candidates=candidates,
        matching=matching,
        se=shape.se,
        middle=shape.middle,
        n=total or 0,
        method="limits of an AUC from the numbers of subjects",
    )


def check_auc_difference(
    auc_a: tuple[str | float, str | float, str | float],
    auc_b: tuple[str | float, str | float, str | float],
    z: str | float,
    *,
    level: float = 0.95,
) -> CorrelationCheck:
    """Find the correlation of two AUCs on the same cases that their z needs.

    Parameters
    ----------
    auc_a, auc_b : tuple of (AUC, low, high)
        As printed, with limits.
    z : str or float
        Printed z of the difference.
    level : float
        Level of the limits.

    Returns
    -------
    CorrelationCheck
        "inconsistent" where the needed correlation lies outside -1 to 1.

    Examples
    --------
    >>> check = check_auc_difference(
    ...     ("0.778", "0.727", "0.825"), ("0.853", "0.808", "0.892"), "4.86"
    ... )
    >>> check.verdict, round((check.low + check.high) / 2, 1)
    ('consistent', 0.8)
    """
    first, second = (tuple(Printed.parse(x) for x in triple) for triple in (auc_a, auc_b))
    quantile = 2 * normal_quantile(level)
    statistic = Printed.parse(z)
    gap = abs(first[0].value - second[0].value)
    slack = (first[0].step + second[0].step) / 2
    errors = [
        [
            (t[2].value - t[1].value + sign * (t[1].step + t[2].step) / 2) / quantile
            for sign in (-1, 1)
        ]
        for t in (first, second)
    ]
    size = abs(statistic.value)
    se_low = max(gap - slack, 0.0) / (size + statistic.step / 2)
    se_high = (gap + slack) / max(size - statistic.step / 2, 1e-12)
    corners = [(a, b) for a in errors[0] for b in errors[1]]
    low = min((a * a + b * b - se_high**2) / (2 * a * b) for a, b in corners)
    high = max((a * a + b * b - se_low**2) / (2 * a * b) for a, b in corners)
    return correlation_check(low, high, 1, "z of two correlated AUCs from their limits")


def check_auc_point(
    auc: str | float, sensitivity: str | float, specificity: str | float
) -> RangeCheck:
    """Check an AUC against one point of its curve.

    A curve through the point has an area between sensitivity x specificity and
    1 - (1 - sensitivity)(1 - specificity), whatever its other points.

    Parameters
    ----------
    auc, sensitivity, specificity : str or float
        As printed; percentages with their sign.

    Returns
    -------
    RangeCheck
        ``recomputed`` is the area of the curve with this point alone.

    Examples
    --------
    >>> check = check_auc_point("0.99", "70%", "80%")
    >>> check.verdict, round(check.recomputed, 2), round(check.high, 2)
    ('inconsistent', 0.75, 0.94)
    """
    area, sens, spec = (Printed.parse(x) for x in (auc, sensitivity, specificity))
    low = max(sens.low, 0.0) * max(spec.low, 0.0)
    high = 1 - (1 - min(sens.high, 1.0)) * (1 - min(spec.high, 1.0))
    fits = low <= area.high and area.low <= high
    return RangeCheck(
        verdict="consistent" if fits else "inconsistent",
        words=f"curves through {sens.text} and {spec.text} have areas from {low:.3f} to "
        f"{high:.3f}, printed {area.text}",
        recomputed=(sens.value * sens.unit + spec.value * spec.unit) / 2,
        low=low,
        high=high,
        n=1,
        method="bounds of a monotone ROC curve through one point",
    )


def _error(auc: float, sizes: tuple[int, int]) -> float:
    """Return the standard error of an AUC after Hanley and McNeil 1982."""
    n_positive, n_negative = sizes
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc)
    variance += (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
    return math.sqrt(max(variance, 0.0) / (n_positive * n_negative))


def _methods(
    n: int | None, n_positive: int | None, n_negative: int | None, z: float
) -> dict[str, Callable[[float], Limits]]:
    methods: dict[str, Callable[[float], Limits]] = {}
    if n:
        methods["exact binomial on all n"] = lambda a: _exact(a, n, z)
        methods["Wilson on all n"] = lambda a: _wilson(a, n, z)
        methods["normal binomial on all n"] = lambda a: _wald(a, math.sqrt(a * (1 - a) / n), z)
    if n_positive and n_negative:
        sizes = n_positive, n_negative
        methods["Hanley-McNeil, normal limits"] = lambda a: _wald(a, _error(a, sizes), z)
        methods["Hanley-McNeil, logit limits"] = lambda a: _logit(a, _error(a, sizes), z)
    return methods


def _exact(auc: float, n: int, z: float) -> Limits:
    """Clopper-Pearson limits at auc * n successes, whole or not, as MedCalc computes them."""
    tail, k = norm.sf(z), auc * n
    low = float(beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0
    return low, float(beta.isf(tail, k + 1, n - k)) if k < n else 1.0


def _wilson(auc: float, n: int, z: float) -> Limits:
    from readerstudy.stats.proportions import wilson_limits

    return wilson_limits(auc * n, n, math.erf(z / math.sqrt(2)))


def _wald(auc: float, se: float, z: float) -> Limits:
    return max(auc - z * se, 0.0), min(auc + z * se, 1.0)


def _logit(auc: float, se: float, z: float) -> Limits:
    if not 0 < auc < 1:
        return auc, auc
    middle, half = math.log(auc / (1 - auc)), z * se / (auc * (1 - auc))
    return 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle))


def _fits(rule: Callable[[float], Limits], auc: Printed, low: Printed, high: Printed) -> bool:
    values = np.linspace(max(auc.low, 0.0), min(auc.high, 1.0), GRID)
    return any(low.admits(a) and high.admits(b) for a, b in map(rule, values.tolist()))


def _too_wide(
    figures: tuple[Printed, Printed, Printed],
    se: float,
    n_positive: int | None,
    n_negative: int | None,
) -> str | None:
    clipped = figures[1].low <= 0 or figures[2].high >= 1
    if clipped or not n_positive or not n_negative or min(n_positive, n_negative) < 2:
        return None
    spread = figures[0].value * (1 - figures[0].value)
    largest = math.sqrt(spread / (n_positive - 1) + spread / (n_negative - 1))
    if se <= largest + figures[1].step:
        return None
    return f"the limits need a standard error of {se:.3g}; no data allow more than {largest:.3g}"


def _method_words(matching: tuple[str, ...], candidates: dict[str, Limits]) -> str:
    if "exact binomial on all n" in matching:
        return (
            "the limits are exact binomial limits of the AUC as if it were a proportion of all "
            "subjects, which ignores the sizes of the two classes"
        )
    if matching:
        return f"the limits are those of {' and '.join(matching)}"
    if not candidates:
        return "the numbers of subjects are needed"
    return "no rule from the numbers of subjects gives these limits; the scores are needed"


def _estimate_that_fits(
    methods: dict[str, Callable[[float], Limits]], figures: tuple[Printed, Printed, Printed]
) -> str:
    """Say which AUC would have these limits, where the printed one lies outside."""
    values = np.linspace(figures[1].low, figures[2].high, 4 * GRID).tolist()
    for name, rule in methods.items():
        fit = [
            v for v in values if all(p.admits(x) for p, x in zip(figures[1:], rule(v), strict=True))
        ]
        if fit:
            return f"; {name} gives these limits at an AUC of {min(fit):.4f} to {max(fit):.4f}"
    return ""

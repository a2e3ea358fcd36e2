"""Printed intervals against their estimate, their P and their standard deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy.stats import norm
from scipy.stats import t as student_t

from readerstudy.stats.published.printed import (
    Check,
    Printed,
    RangeCheck,
    Verdict,
    overlaps,
    show_p,
)
from readerstudy.stats.validation import as_count, check_level


@dataclass(frozen=True, kw_only=True)
class IntervalCheck(Check):
    """Where the estimate lies in its interval.

    ``se`` is the standard error that normal limits of this width have; ``skew`` is (upper arm
    minus lower arm) / width, 0 for symmetric limits.
    """

    contains: bool
    symmetric: bool
    middle: float
    se: float
    skew: float


def check_interval(
    estimate: str | float,
    low: str | float,
    high: str | float,
    *,
    level: float = 0.95,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> IntervalCheck:
    """Check that an interval holds its estimate, and describe its shape.

    Parameters
    ----------
    estimate, low, high : str or float
        As printed; give strings where a last zero matters.
    level : float
        Confidence level, for the implied standard error.
    within : tuple of float
        Range of the parameter, such as (0, 1) for an AUC.

    Returns
    -------
    IntervalCheck
        "inconsistent" where the limits are in the wrong order, leave out the estimate or leave
        the range of the parameter.

    Examples
    --------
    >>> check = check_interval("0.857", "0.806", "0.842")
    >>> check.contains, round(check.middle, 3)
    (False, 0.824)
    """
    value, lower, upper = (Printed.parse(x) for x in (estimate, low, high))
    contains = lower.low <= value.high and value.low <= upper.high
    ordered = lower.low <= upper.high
    inside = lower.high >= within[0] and upper.low <= within[1]
    middle, width = (lower.value + upper.value) / 2, upper.value - lower.value
    slack = max(value.step, lower.step, upper.step)
    skew = 2 * (middle - value.value) / width if width else math.nan
    faults = [
        text
        for bad, text in (
            (not ordered, f"the limits {lower.text} and {upper.text} are in the wrong order"),
            (ordered and not contains, f"{value.text} lies outside {lower.text} to {upper.text}"),
            (not inside, f"a limit lies outside {within[0]:g} to {within[1]:g}"),
        )
        if bad
    ]
    symmetric = abs(middle - value.value) <= slack
    shape = "symmetric" if symmetric else f"not symmetric (its middle is {middle:.6g})"
    return IntervalCheck(
        verdict="inconsistent" if faults else "consistent",
        words="; ".join(faults) or f"the interval holds its estimate and is {shape}",
        contains=contains and ordered,
        symmetric=symmetric,
        middle=middle,
        se=width / (2 * normal_quantile(level)),
        skew=skew,
        n=1,
        method="order and position of printed limits",
    )


def check_mean_interval(
    mean: str | float,
    sd: str | float,
    n: int,
    low: str | float,
    high: str | float,
    *,
    level: float = 0.95,
) -> Check:
    """Check normal or t limits of a mean against mean, standard deviation and n.

    Parameters
    ----------
    mean, sd, low, high : str or float
        As printed.
    n : int
        Sample size, at least 2.
    level : float
        Confidence level.

    Returns
    -------
    Check

    Examples
    --------
    >>> check_mean_interval("0.65", "0.25", 400, "0.63", "0.67").verdict
    'consistent'
    """
    if as_count(n, "n") < 2:
        raise ValueError(f"n must be at least 2, got {n}")
    centre, spread, lower, upper = (Printed.parse(x) for x in (mean, sd, low, high))
    normal = normal_quantile(level)
    quantiles = (normal, float(student_t.ppf(0.5 + level / 2, n - 1)))
    arms = [q * s / math.sqrt(n) for q in quantiles for s in (spread.low, spread.high)]
    smallest, largest = min(arms), max(arms)
    fits = (
        lower.low <= centre.high - smallest
        and lower.high >= centre.low - largest
        and upper.low <= centre.high + largest
        and upper.high >= centre.low + smallest
    )
    arm = quantiles[0] * spread.value / math.sqrt(n)
    return Check(
        verdict="consistent" if fits else "inconsistent",
        words=f"mean {centre.text} and SD {spread.text} with n = {n} give "
        f"{lower.show(centre.value - arm)} to {upper.show(centre.value + arm)}, "
        f"printed {lower.text} to {upper.text}",
        n=n,
        method="normal and t limits of a mean, over the rounding of all figures",
    )


def check_interval_p(
    estimate: str | float,
    low: str | float,
    high: str | float,
    pvalue: str | float,
    *,
    scale: Literal["linear", "log"] = "linear",
    level: float = 0.95,
) -> RangeCheck:
    """Check a P value against estimate and limits, all from one normal approximation.

    Parameters
    ----------
    estimate, low, high, pvalue : str or float
        As printed. For ratios pass ``scale="log"``.
    scale : {"linear", "log"}
        Scale on which the limits are symmetric; the null is 0 or a ratio of 1.
    level : float
        Confidence level.

    Returns
    -------
    RangeCheck
        "cannot be checked" where rounding hides the width of the interval.

    Examples
    --------
    A coefficient of 1.34 with limits 1.24 to 1.45 has z about 25, so P = .02 cannot be its own:

    >>> check_interval_p("1.34", "1.24", "1.45", ".02").verdict
    'inconsistent'
    """
    figures = [Printed.parse(x) for x in (estimate, low, high)]
    printed = Printed.parse(pvalue)
    ranges = [_on_scale(f, scale) for f in figures]
    widest, narrowest = ranges[2][1] - ranges[1][0], ranges[2][0] - ranges[1][1]
    quantile = 2 * normal_quantile(level)
    values = [_on_scale_value(f.value, scale) for f in figures]
    width = values[2] - values[1]
    if narrowest <= 0:
        verdict: Verdict = "inconsistent" if widest <= 0 else "cannot be checked"
        words = "the limits are in the wrong order" if widest <= 0 else "rounding hides the width"
        p = smallest_p = largest_p = math.nan
    else:
        p = float(2 * norm.sf(abs(values[0]) * quantile / width))
        far = max(abs(ranges[0][0]), abs(ranges[0][1]))
        near = 0.0 if ranges[0][0] <= 0 <= ranges[0][1] else min(map(abs, ranges[0]))
        smallest_p = float(2 * norm.sf(far * quantile / narrowest))
        largest_p = float(2 * norm.sf(near * quantile / widest))
        verdict = "consistent" if overlaps(printed, smallest_p, largest_p) else "inconsistent"
        words = (
            f"{figures[0].text} ({figures[1].text} to {figures[2].text}) gives "
            f"P = {show_p(p)}, printed {printed.text}"
        )
    return RangeCheck(
        verdict=verdict,
        words=words,
        recomputed=p,
        low=smallest_p,
        high=largest_p,
        n=1,
        method=f"normal P from the width of the interval, {scale} scale, over all rounding",
    )


def normal_quantile(level: float) -> float:
    """Return the two-sided normal quantile of a confidence level."""
    return float(norm.ppf(0.5 + check_level(level) / 2))


def _on_scale(figure: Printed, scale: str) -> tuple[float, float]:
    if scale == "linear":
        return figure.low, figure.high
    if figure.value <= 0:
        raise ValueError(f"a ratio must be above 0 on the log scale, got {figure.text}")
    return math.log(max(figure.low, 1e-12)), math.log(figure.high)


def _on_scale_value(value: float, scale: str) -> float:
    return math.log(value) if scale == "log" else value

"""Printed P values against z, two proportions and paired means.

References
----------
Carlisle JB. Anaesthesia 2017;72:944-952 (P values from printed summaries).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import norm
from scipy.stats import t as student_t

from readerstudy.stats.published.printed import (
    Check,
    Printed,
    RangeCheck,
    Verdict,
    overlaps,
    parse_percent,
    show_p,
)
from readerstudy.stats.validation import as_count


@dataclass(frozen=True, kw_only=True)
class TwoProportionCheck(Check):
    """A printed P for two proportions.

    ``candidates`` maps the name of a test to its P; ``matching`` names those that print so;
    ``implied_n`` is the range of equal group sizes at which the pooled z test gives the P.
    """

    candidates: dict[str, float]
    matching: tuple[str, ...]
    implied_n: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class CorrelationCheck(Check):
    """``low`` and ``high``: correlations of the paired estimates that the printed test needs."""

    low: float
    high: float


def check_z_p(z: str | float, pvalue: str | float) -> RangeCheck:
    """Check a P value against its z statistic, two-sided.

    Parameters
    ----------
    z, pvalue : str or float
        As printed: "15.17" and "<.001".

    Returns
    -------
    RangeCheck

    Examples
    --------
    >>> check_z_p("15.17", "<.001").verdict
    'consistent'
    >>> check_z_p("1.20", ".02").words
    'z = 1.20 gives P = 0.23, printed .02'
    """
    statistic, printed = Printed.parse(z), Printed.parse(pvalue)
    size = abs(statistic.value)
    near = max(size - statistic.step / 2, 0.0)
    low, high = 2 * norm.sf(size + statistic.step / 2), 2 * norm.sf(near)
    p = float(2 * norm.sf(size))
    fits = overlaps(printed, low, high)
    one_sided = not fits and overlaps(printed, low / 2, high / 2)
    return RangeCheck(
        verdict="consistent" if fits else "inconsistent",
        words=f"z = {statistic.text} gives P = {show_p(p)}, printed {printed.text}"
        + ("; the one-sided P fits" if one_sided else ""),
        recomputed=p,
        low=float(low),
        high=float(high),
        n=1,
        method="two-sided normal P over the rounding of z",
    )


def check_two_proportions(
    pvalue: str | float,
    *,
    k1: int | None = None,
    n1: int | None = None,
    k2: int | None = None,
    n2: int | None = None,
    p1: str | float | None = None,
    p2: str | float | None = None,
) -> TwoProportionCheck:
    """Check the P of two independent proportions, or find the group size it needs.

    Parameters
    ----------
    pvalue : str or float
        As printed.
    k1, n1, k2, n2 : int, optional
        Counts: the usual tests are recomputed.
    p1, p2 : str or float, optional
        Percentages where the counts are not published. With ``n1`` and ``n2`` the pooled z test
        is recomputed at these sizes; without them only the size it needs is told.

    Returns
    -------
    TwoProportionCheck

    Examples
    --------
    >>> check = check_two_proportions(".87", p1="90.6%", p2="87.7%", n1=160, n2=160)
    >>> check.verdict, [round(n) for n in check.implied_n]
    ('inconsistent', [5, 7])
    """
    printed = Printed.parse(pvalue)
    if k1 is not None and n1 and k2 is not None and n2:
        ranges = ((k1 / n1, k1 / n1), (k2 / n2, k2 / n2))
        candidates = _two_proportion_tests(k1, n1, k2, n2)
        matching = _matching(printed, candidates)
        spread = candidates["pooled z test (chi-square)"], candidates["pooled z test (chi-square)"]
    elif p1 is not None and p2 is not None:
        figures = parse_percent(p1, None), parse_percent(p2, None)
        ranges = (_fraction_range(figures[0]), _fraction_range(figures[1]))
        candidates, matching, spread = {}, (), (math.nan, math.nan)
        if n1 and n2:
            name = "pooled z test (chi-square)"
            spread = _pooled_range(ranges, n1, n2)
            middle = _pooled_p(figures[0].value / 100, figures[1].value / 100, n1, n2)
            candidates = {name: middle}
            matching = (name,) if overlaps(printed, *spread) else ()
    else:
        raise ValueError("give either k1, n1, k2 and n2, or p1 and p2")
    implied = _implied_size(ranges, printed)
    verdict: Verdict = "cannot be checked"
    if candidates:
        verdict = "consistent" if matching else "inconsistent"
    return TwoProportionCheck(
        verdict=verdict,
        words=_two_proportion_words(printed, candidates, matching, implied),
        candidates=candidates,
        matching=matching,
        implied_n=implied,
        n=(n1 or 0) + (n2 or 0),
        method="tests of two independent proportions; implied size from the pooled z test",
    )


def check_paired_means(
    mean1: str | float,
    sd1: str | float,
    mean2: str | float,
    sd2: str | float,
    *,
    n: int,
    pvalue: str | float,
) -> CorrelationCheck:
    """Check the P of a paired t test against means and standard deviations of both columns.

    The difference of the columns has variance s1² + s2² - 2 r s1 s2; the P needs a certain one.

    Parameters
    ----------
    mean1, sd1, mean2, sd2, pvalue : str or float
        As printed.
    n : int
        Pairs, at least 2.

    Returns
    -------
    CorrelationCheck
        "inconsistent" where no correlation from -1 to 1 gives the P.

    Examples
    --------
    >>> check = check_paired_means("86.29", "4.30", "85.80", "4.63", n=227, pvalue=".008")
    >>> check.verdict, round(check.low, 1), round(check.high, 1)
    ('consistent', 0.8, 0.8)
    """
    if as_count(n, "n") < 2:
        raise ValueError(f"n must be at least 2, got {n}")
    m1, s1, m2, s2, printed = (Printed.parse(x) for x in (mean1, sd1, mean2, sd2, pvalue))
    differences = _difference_range(m1, m2)
    # P outside (0, 1) would need an infinite or no difference
    p_low, p_high = max(printed.low, 1e-300), min(printed.high, 1.0)
    t_high, t_low = (float(student_t.isf(p / 2, n - 1)) for p in (p_low, p_high))
    sd_low = differences[0] * math.sqrt(n) / t_high
    sd_high = differences[1] * math.sqrt(n) / t_low if t_low > 0 else math.inf
    corners = [(a, b) for a in (s1.low, s1.high) for b in (s2.low, s2.high)]
    low = min((a * a + b * b - sd_high**2) / (2 * a * b) for a, b in corners)
    high = max((a * a + b * b - sd_low**2) / (2 * a * b) for a, b in corners)
    return correlation_check(low, high, n, "paired t test from both standard deviations")


def _fraction_range(figure: Printed) -> tuple[float, float]:
    return max(figure.low, 0.0), min(figure.high, 1.0)


def _two_proportion_tests(k1: int, n1: int, k2: int, n2: int) -> dict[str, float]:
    from readerstudy.stats.contingency import chi_square, fisher_exact
    from readerstudy.stats.proportions import two_proportions

    table = [[k1, n1 - k1], [k2, n2 - k2]]
    z = two_proportions(k1, n1, k2, n2, assume_independent=True)
    return {
        "pooled z test (chi-square)": z.p_pooled,
        "unpooled z test": z.p_unpooled,
        "chi-square with continuity correction": chi_square(table, correction=True).pvalue,
        "Fisher's exact test": fisher_exact(table).pvalue,
    }


def _matching(printed: Printed, candidates: dict[str, float]) -> tuple[str, ...]:
    """Return the tests whose P rounds to the printed one, else those where digits were cut."""
    for how in ("rounded", "cut"):
        names = tuple(name for name, p in candidates.items() if printed.match(p) == how)
        if names:
            return names
    return ()


def _pooled_p(a: float, b: float, n1: float, n2: float) -> float:
    pooled = (a * n1 + b * n2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    return float(2 * norm.sf(abs(a - b) / math.sqrt(variance))) if variance > 0 else math.nan


def _pooled_range(
    ranges: tuple[tuple[float, float], tuple[float, float]], n1: float, n2: float
) -> tuple[float, float]:
    corners = [_pooled_p(a, b, n1, n2) for a in ranges[0] for b in ranges[1]]
    touching = ranges[0][0] <= ranges[1][1] and ranges[1][0] <= ranges[0][1]
    return min(corners), 1.0 if touching else max(corners)


def _implied_size(
    ranges: tuple[tuple[float, float], tuple[float, float]], printed: Printed
) -> tuple[float, float]:
    """Return the range of equal group sizes at which the pooled z test prints this P."""
    p_high = min(printed.high, 1.0)
    z_low = float(norm.isf(p_high / 2)) if p_high > 0 else math.inf
    z_high = float(norm.isf(printed.low / 2)) if printed.low > 0 else math.inf
    sizes = []
    for a in ranges[0]:
        for b in ranges[1]:
            unit = (a + b) / 2 * (2 - a - b) / (a - b) ** 2 if a != b else math.inf
            sizes += [unit * z_low**2 if z_low else 0.0, unit * z_high**2]
    return min(sizes), max(sizes)


def _two_proportion_words(
    printed: Printed,
    candidates: dict[str, float],
    matching: Sequence[str],
    implied: tuple[float, float],
) -> str:
    size = f"{implied[0]:.3g}" + ("" if implied[1] <= implied[0] else f" to {implied[1]:.3g}")
    need = f"the pooled z test gives P {printed.text} with about {size} per group"
    if not candidates:
        return need
    recomputed = ", ".join(f"{name} P = {show_p(p)}" for name, p in candidates.items())
    if matching:
        return f"{' and '.join(matching)}: P {printed.text} as printed ({recomputed})"
    return f"printed P {printed.text}, recomputed: {recomputed}; {need}"


def _difference_range(a: Printed, b: Printed) -> tuple[float, float]:
    far = max(abs(a.high - b.low), abs(a.low - b.high))
    overlap = a.low <= b.high and b.low <= a.high
    near = 0.0 if overlap else min(abs(a.low - b.high), abs(a.high - b.low))
    return near, far


def correlation_check(low: float, high: float, n: int, method: str) -> CorrelationCheck:
    """Say whether a range of needed correlations holds a possible one."""
    possible = low <= 1 and high >= -1
    shown = f"{max(low, -1):.2f} to {min(high, 1):.2f}"
    return CorrelationCheck(
        verdict="consistent" if possible else "inconsistent",
        words=f"the printed test needs a correlation of {shown} between the pairs"
        if possible
        else f"no correlation gives the printed test: it would be {low:.2f} to {high:.2f}",
        low=low,
        high=high,
        n=n,
        method=method,
    )

"""Whole numbers behind percentages and means, and means of parts (GRIM).

References
----------
Brown NJL, Heathers JAJ. Soc Psychol Personal Sci 2017;8:363-369.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from readerstudy.stats.published.printed import Check, Printed, RangeCheck, parse_percent
from readerstudy.stats.validation import as_count


@dataclass(frozen=True, kw_only=True)
class PercentageCheck(Check):
    """``numerators``: all k with k/n printed so; ``nearest``: the k whose k/n comes closest."""

    numerators: tuple[int, ...]
    nearest: int


@dataclass(frozen=True, kw_only=True)
class MeanCheck(Check):
    """``sums``: all whole sums whose mean is printed so."""

    sums: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SizeCheck(Check):
    """``sizes``: all n at which every printed percentage is attainable."""

    sizes: tuple[int, ...]


def check_percentage(
    printed: str | float, n: int, *, decimals: int | None = None, k: int | None = None
) -> PercentageCheck:
    """Check whether a percentage can come from n subjects, or from k of n.

    Parameters
    ----------
    printed : str or float
        In percent, with or without the sign: "62.7%" or 62.7.
    n : int
        Denominator, at least 1.
    decimals : int, optional
        Printed decimals, where a float has lost them.
    k : int, optional
        The numerator, where the paper gives it.

    Returns
    -------
    PercentageCheck

    Examples
    --------
    >>> check = check_percentage("62.7%", 11)
    >>> check.verdict, check.nearest
    ('inconsistent', 7)
    >>> check_percentage("93.2%", 44, k=41).verdict
    'consistent'
    """
    figure = parse_percent(printed, decimals)
    if as_count(n, "n") < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if k is not None and as_count(k, "k") > n:
        raise ValueError(f"k must be at most n = {n}, got {k}")
    numerators = _numerators(figure, n)
    nearest = min(max(round(figure.value / 100 * n), 0), n)
    if k is None:
        fits, gives = bool(numerators), nearest
        words = _numerator_words(figure, n, numerators, nearest)
    else:
        fits, gives = figure.match(k / n) is not None, k
        cut = " (cut off, not rounded)" if figure.match(k / n) == "cut" else ""
        words = f"{k}/{n} = {figure.show(gives / n)}{cut}, printed {figure.text}"
    return PercentageCheck(
        verdict="consistent" if fits else "inconsistent",
        words=words,
        numerators=numerators,
        nearest=nearest,
        n=n,
        method="percentages of whole numbers (GRIM)",
    )


def possible_sizes(
    percentages: Sequence[str | float], *, largest: int, decimals: int | None = None
) -> SizeCheck:
    """Find the denominators at which all percentages are attainable.

    Parameters
    ----------
    percentages : sequence of str or float
        Percentages said to have one denominator.
    largest : int
        Largest n to look at.
    decimals : int, optional
        Printed decimals, where floats have lost them.

    Returns
    -------
    SizeCheck
        "inconsistent" where none is found up to ``largest``.

    Examples
    --------
    >>> possible_sizes(["87.7%", "74.2%"], largest=200).sizes
    (155, 163)
    """
    figures = [parse_percent(p, decimals) for p in percentages]
    sizes = tuple(
        n for n in range(1, largest + 1) if all(_numerators(figure, n) for figure in figures)
    )
    shown = ", ".join(map(str, sizes[:8])) + (" and more" if len(sizes) > 8 else "")
    names = " and ".join(figure.text for figure in figures)
    return SizeCheck(
        verdict="consistent" if sizes else "inconsistent",
        words=f"{names} fit n = {shown}" if sizes else f"{names} fit no n up to {largest}",
        sizes=sizes,
        n=largest,
        method="percentages of whole numbers (GRIM)",
    )


def check_mean(
    printed: str | float, n: int, *, items: int = 1, decimals: int | None = None
) -> MeanCheck:
    """Check whether a mean of whole-number scores can come from n subjects (GRIM).

    Parameters
    ----------
    printed : str or float
        The mean.
    n : int
        Number of subjects.
    items : int
        Scores averaged per subject.
    decimals : int, optional
        Printed decimals, where a float has lost them.

    Returns
    -------
    MeanCheck
        Says little once ``n * items`` exceeds 10 to the power of the decimals.

    Examples
    --------
    >>> check_mean("2.63", 756).verdict
    'consistent'
    >>> check_mean("3.45", 19).verdict
    'inconsistent'
    """
    figure = Printed.parse(printed, decimals=decimals)
    total = as_count(n, "n") * as_count(items, "items")
    if total < 1:
        raise ValueError(f"n and items must be at least 1, got {n} and {items}")
    sums = tuple(range(math.ceil(figure.low * total), math.floor(figure.high * total) + 1))
    near = round(figure.value * total)
    words = (
        f"{len(sums)} whole sums give a mean printed {figure.text}"
        if sums
        else f"no whole sum over {total} scores gives {figure.text}; "
        f"{near}/{total} = {figure.show(near / total)}"
    )
    return MeanCheck(
        verdict="consistent" if sums else "inconsistent",
        words=words,
        sums=sums,
        n=total,
        method="means of whole numbers (GRIM)",
    )


def check_pooled_mean(
    means: Sequence[str | float], sizes: Sequence[int], overall: str | float
) -> RangeCheck:
    """Check an overall mean or percentage against those of its parts.

    Parameters
    ----------
    means : sequence of str or float
        Printed means of the parts.
    sizes : sequence of int
        Their sizes.
    overall : str or float
        Printed mean of all.

    Returns
    -------
    RangeCheck
        ``recomputed`` is the weighted mean, ``low`` and ``high`` its range over rounding.

    Examples
    --------
    >>> check_pooled_mean(["0.65", "0.58"], [332, 68], "0.65").verdict
    'inconsistent'
    """
    parts, total = [Printed.parse(m) for m in means], Printed.parse(overall)
    if len(parts) != len(sizes) or not sizes or min(sizes) < 1:
        raise ValueError(f"sizes must be positive, one for each of {len(parts)} means, got {sizes}")
    weights = np.asarray(sizes) / sum(sizes)
    low, value, high = (
        float(weights @ np.array(v))
        for v in (
            [p.low for p in parts],
            [p.value * p.unit for p in parts],
            [p.high for p in parts],
        )
    )
    fits = low <= total.high and total.low <= high
    return RangeCheck(
        verdict="consistent" if fits else "inconsistent",
        words=f"the parts give {total.show(value)} (at most {total.show(high)}, at least "
        f"{total.show(low)}), printed {total.text}",
        recomputed=value,
        low=low,
        high=high,
        n=sum(sizes),
        method="weighted mean of the parts over their rounding",
    )


def _numerators(figure: Printed, n: int) -> tuple[int, ...]:
    first, last = max(math.ceil(figure.low * n), 0), min(math.floor(figure.high * n), n)
    return tuple(range(first, last + 1))


def _numerator_words(figure: Printed, n: int, numerators: Sequence[int], nearest: int) -> str:
    if numerators:
        found = " or ".join(f"{k}/{n}" for k in numerators)
        return f"{figure.text} is {found}"
    near = sorted({max(nearest - 1, 0), nearest, min(nearest + 1, n)})
    options = ", ".join(f"{k}/{n} = {figure.show(k / n)}" for k in near)
    return f"{figure.text} is not a whole number of {n} ({options})"

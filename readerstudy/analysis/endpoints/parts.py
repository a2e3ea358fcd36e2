"""The parts of a data set in which a planned endpoint is estimated once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from readerstudy.analysis.facts import Dataset, Item

EXPERIENCED = 10
"""Years from which a reader counts as experienced."""
NO_STRATUM, NOT_KNOWN = "no stratum", "not known"
NAMES = {"experience": "experience of the reader"}


def parts(data: Dataset, name: str) -> list[tuple[str, Dataset]]:
    """Return each part in words with the reads that belong to it.

    Raises
    ------
    ValueError
        If no subgroup has this name.
    """
    label = grouping(data, name)
    by_read = [label(data.items.get(one.item), one.period, one.reader) for one in data.reads]
    return [
        (
            part,
            replace(
                data, reads=[r for r, own in zip(data.reads, by_read, strict=True) if own == part]
            ),
        )
        for part in sorted(set(by_read))
    ]


def in_words(name: str) -> str:
    """Return the name of a subgroup in words."""
    if name.startswith("reference:"):
        return name.removeprefix("reference:").replace("_", " ")
    return NAMES.get(name, name)


def grouping(data: Dataset, name: str) -> Callable[[Item | None, int, str], str]:
    """Return what names the part of a read by its item, period and reader.

    Raises
    ------
    ValueError
        If no subgroup has this name.
    """
    if name.startswith("reference:"):
        endpoint = name.removeprefix("reference:")
        return lambda item, _, __: (item.references.get(endpoint) if item else "") or NOT_KNOWN
    years = {facts.code: facts.years for facts in data.readers}
    known: dict[str, Callable[[Item | None, int, str], str]] = {
        "stratum": lambda item, _, __: (item.stratum if item else "") or NO_STRATUM,
        "generator": lambda item, _, __: (item.generator if item else "") or "real",
        "period": lambda _, period, __: f"Period {period}",
        "experience": lambda _, __, reader: experience_words(years.get(reader)),
    }
    if name not in known:
        raise ValueError(f"there is no subgroup {name!r}")
    return known[name]


def experience_words(years: int | None) -> str:
    """Return the group of a reader by years of experience."""
    if years is None:
        return "years not stated"
    if years < EXPERIENCED:
        return f"under {EXPERIENCED} years"
    return f"{EXPERIENCED} years or more"

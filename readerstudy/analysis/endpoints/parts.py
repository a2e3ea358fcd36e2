"""The parts of a data set in which a planned endpoint is estimated once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from readerstudy.analysis.facts import Dataset, Read

EXPERIENCED = 10
"""Years from which a reader counts as experienced."""
NAMES = {"experience": "experience of the reader"}


def parts(data: Dataset, name: str) -> list[tuple[str, Dataset]]:
    """Return each part in words with the reads that belong to it.

    Raises
    ------
    ValueError
        If no subgroup has this name.
    """
    part_of = _grouping(data, name)
    labels = sorted({part_of(read) for read in data.reads})
    return [
        (label, replace(data, reads=[read for read in data.reads if part_of(read) == label]))
        for label in labels
    ]


def in_words(name: str) -> str:
    """Return the name of a subgroup in words."""
    if name.startswith("reference:"):
        return name.removeprefix("reference:").replace("_", " ")
    return NAMES.get(name, name)


def _grouping(data: Dataset, name: str) -> Callable[[Read], str]:
    years = {facts.code: facts.years for facts in data.readers}
    items = data.items
    if name.startswith("reference:"):
        endpoint = name.removeprefix("reference:")
        return lambda read: (
            items[read.item].references.get(endpoint) or "not known"
            if read.item in items
            else "not known"
        )
    known: dict[str, Callable[[Read], str]] = {
        "stratum": lambda read: items[read.item].stratum or "no stratum",
        "generator": lambda read: items[read.item].generator or "real",
        "period": lambda read: f"Period {read.period}",
        "experience": lambda read: experience_words(years.get(read.reader)),
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

"""The parts of the planned subgroups, each a data set of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from readerstudy.analysis.endpoints.turing_parts import experience_words, subgroup_words
from readerstudy.analysis.facts import Dataset, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis


@dataclass(frozen=True)
class Part:
    """One part of a subgroup: the subgroup in words, the part, and its reads."""

    title: str
    level: str
    data: Dataset


def parts_of(data: Dataset, entry: PlannedAnalysis) -> Iterator[Part]:
    """Yield the parts of every planned subgroup in the order of their names.

    Raises
    ------
    ValueError
        For a subgroup that does not exist.
    """
    for name in entry.subgroups:
        of = _grouping(data, name)
        parts: dict[str, list[Read]] = {}
        for read in data.reads:
            parts.setdefault(of(read), []).append(read)
        for level in sorted(parts):
            yield Part(subgroup_words(name), level, _part(data, parts[level]))


def _part(data: Dataset, reads: list[Read]) -> Dataset:
    present = {read.reader for read in reads}
    readers = [facts for facts in data.readers if facts.code in present]
    return replace(data, reads=reads, readers=readers)


def _grouping(data: Dataset, name: str) -> Callable[[Read], str]:
    items = data.items
    if name.startswith("reference:"):
        endpoint = name.removeprefix("reference:")
        return lambda read: (
            (items[read.item].references.get(endpoint) if read.item in items else None)
            or "not known"
        )
    years = {facts.code: facts.years for facts in data.readers}
    known: dict[str, Callable[[Read], str]] = {
        "stratum": lambda read: (
            (items[read.item].stratum if read.item in items else "") or "no stratum"
        ),
        "generator": lambda read: read.generator or "real",
        "period": lambda read: f"Period {read.period}",
        "experience": lambda read: experience_words(years.get(read.reader)),
    }
    if name not in known:
        raise ValueError(f"there is no subgroup {name!r}")
    return known[name]

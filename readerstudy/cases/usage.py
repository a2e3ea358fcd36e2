"""In which studies a case is used. Apps above this one say so; this one knows no study."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from readerstudy.cases.models import Case


@dataclass(frozen=True)
class Usage:
    """How many studies use a case, how many of them run, and how many are blinded at present."""

    studies: int = 0
    running: int = 0
    blinded: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.studies + other.studies,
            self.running + other.running,
            self.blinded + other.blinded,
        )


@dataclass(frozen=True)
class Collected:
    """The cases of one study, as the list of cases may be narrowed to them."""

    key: str
    name: str
    roles: tuple[str, ...]
    case_ids: QuerySet[Any, Any]


class Source(Protocol):
    """What an app that uses cases tells the list."""

    def counts(self, cases: Collection[Any]) -> Mapping[Any, Usage]:
        """Return the use of each of these cases that is used at all."""

    def blinded(self) -> QuerySet[Any, Any]:
        """Return a query for the identifiers of all cases in blinded studies."""

    def held(self, cases: Collection[Any], user: Any) -> QuerySet[Any, Any]:
        """Return a query for those of the cases that readers are shown by others than the user."""

    def collected(self, key: str, user: Any) -> Collected | None:
        """Return the cases that belong together under a key, if this user may see them."""


_sources: list[Source] = []


def counts_usage(source: type[Source]) -> type[Source]:
    """Register a class that tells how cases are used."""
    _sources.append(source())
    return source


def usages_of(cases: Collection[Any]) -> dict[Any, Usage]:
    """Return how often each case is used, by identifier, in one query a source."""
    found = dict.fromkeys(cases, Usage())
    for source in _sources:
        for case, usage in source.counts(cases).items():
            found[case] += usage
    return found


def usage_of(case: Case) -> Usage:
    """Return how often a case is used."""
    return usages_of([case.pk])[case.pk]


def is_blinded() -> Q:
    """Return the condition for cases that some blinded study shows."""
    condition = Q(pk__in=[])
    for source in _sources:
        condition |= Q(pk__in=source.blinded())
    return condition


def held_by_others(cases: Collection[Any], user: Any) -> set[Any]:
    """Return which cases are in a study that is read now and that this user may not change."""
    return {key for source in _sources for key in source.held(cases, user)}


def collected(key: str, user: Any) -> Collected | None:
    """Return the cases of one study; None where there is no such study among the user's."""
    found = (source.collected(key, user) for source in _sources)
    return next((one for one in found if one is not None), None)

"""In which studies a case is used. Apps above this one say so; this one knows no study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Usage:
    """How many studies use a case, and how many of them are blinded at present."""

    studies: int = 0
    blinded: int = 0


Source = Callable[[Any], Usage]
_sources: list[Source] = []


def counts_usage(source: Source) -> Source:
    """Register a function that counts the studies of a case."""
    _sources.append(source)
    return source


def usage_of(case: Any) -> Usage:
    """Return how often a case is used."""
    counts = [source(case) for source in _sources]
    return Usage(sum(c.studies for c in counts), sum(c.blinded for c in counts))

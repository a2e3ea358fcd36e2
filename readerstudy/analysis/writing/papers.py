"""What a report says of a study beside its numbers: amendments, deviations, draw, records.

`readerstudy.analysis.study_papers` makes it of a study that was read here. Ratings that were
collected elsewhere have none of it; the report then says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from readerstudy.studies.analysis_plan import Plan


@dataclass(frozen=True)
class Departure:
    """One deviation from the protocol; people by their code or part, never by name."""

    at: str
    kind: str
    reader: str
    what: str
    reason: str


@dataclass(frozen=True)
class Papers:
    """What stands in a study's papers.

    Attributes
    ----------
    protocol : mapping
        The protocol in force, as it was hashed; empty where there is none.
    amendments : tuple of mapping
        ``version, at_utc, reason, changes`` (a list of ``what, old, new``) and ``protocol_hash``.
    departures : tuple of Departure
    certificate : mapping
        Of the draw of the allocation; see reading/scheduling.py.
    dates : mapping
        Phase to ISO time, UTC: ``locked``, ``running``, ``closed``, ``unblinded``.
    references : tuple of str
        What the reference standard rests on, in words.
    exploratory : tuple of (str, str)
        Title of what was asked for after unblinding, and the reason given.
    later : tuple of PlannedAnalysis
        The same as entries of a plan.
    display : str
        How displays were checked, in words.
    """

    protocol: Mapping[str, Any] = field(default_factory=dict)
    amendments: tuple[Mapping[str, Any], ...] = ()
    departures: tuple[Departure, ...] = ()
    certificate: Mapping[str, Any] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    exploratory: tuple[tuple[str, str], ...] = ()
    later: Plan = ()
    display: str = ""


NO_PAPERS = Papers()


def day(iso: str) -> str:
    """Return the day of an ISO time, or that it is not recorded."""
    return iso[:10] or "not recorded"

"""What apps above this one add to the list of cases: rows that are no cases, and a line on top.

The intake registers its failed imports here, so that they are listed beside the cases without
this app knowing how images come in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class Entry:
    """One row that is not a case. Nothing in it may name a person."""

    name: str  # where it stands, such as "Row 14"
    reason: str
    what: str = ""  # grid or count of slices, as far as it is known
    at: datetime | None = None
    address: str = ""


class Section(Protocol):
    """A filter of the list that shows entries in place of cases."""

    key: str
    label: str

    def count(self, user: Any) -> int:
        """Return how many entries there are; one query."""

    def entries(self, user: Any, start: int, end: int) -> Sequence[Entry]:
        """Return a slice of the entries, newest first."""


@dataclass(frozen=True)
class HeadLine:
    """A part of the line on top: "last import", a time, "12 ok, 1 failed"."""

    before: str
    at: datetime | None = None
    after: str = ""
    address: str = ""


_sections: dict[str, Section] = {}
_lines: list[Callable[[Any], HeadLine | None]] = []


def adds_section(section: type[Section]) -> type[Section]:
    """Register a class as a section of the list."""
    made = section()
    _sections[made.key] = made
    return section


def adds_line(source: Callable[[Any], HeadLine | None]) -> Callable[[Any], HeadLine | None]:
    """Register a function of the user that adds to the line on top."""
    _lines.append(source)
    return source


def sections() -> list[Section]:
    """Return the registered sections in the order of registration."""
    return list(_sections.values())


def section(key: str) -> Section | None:
    """Return a section by its key."""
    return _sections.get(key)


def lines(user: Any) -> list[HeadLine]:
    """Return what the registered functions have to say."""
    return [line for source in _lines if (line := source(user)) is not None]

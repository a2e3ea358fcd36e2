"""One case in detail, as the panel beside the list shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from readerstudy.cases import usage
from readerstudy.cases.access import access_case
from readerstudy.cases.browser import Row
from readerstudy.cases.columns import Columns
from readerstudy.cases.flags import Flag, label
from readerstudy.cases.models import Case, Preparation, Series
from readerstudy.cases.words import facts_text, geometry, preparation_text, source_text

SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class Pane:
    """One picture of the panel."""

    label: str
    series: Series | None


@dataclass(frozen=True)
class Detail:
    """One case as the panel shows it."""

    row: Row
    usage: usage.Usage
    waiting: int  # preparations that wait for a person

    @property
    def case(self) -> Case:
        return self.row.case

    @cached_property
    def series(self) -> list[Series]:
        """All series: the expected ones in the order of the columns, then the others."""
        roles = self.row.columns.roles
        place = {role: number for number, role in enumerate(roles)}
        every = self.row.series.values()
        return sorted(every, key=lambda one: (place.get(one.role, len(place)), one.role))

    @property
    def panes(self) -> list[Pane]:
        """A picture for each expected sequence, there or not, and for each other series."""
        slots = [Pane(text, series) for text, series in self.row.slots]
        shown = {pane.series.pk for pane in slots if pane.series}
        return slots + [Pane(label(s.role), s) for s in self.series if s.pk not in shown]

    @property
    def flags(self) -> list[Flag]:
        return self.row.flags

    @property
    def geometries(self) -> list[str]:
        """Each grid with its spacing, once."""
        return list(dict.fromkeys(geometry(one) for one in self.series))

    @property
    def sequences(self) -> str:
        """How many of the expected sequences are there, and whether they lie in one frame."""
        roles = self.row.columns.roles
        there = sum(role in self.row.series for role in roles)
        counted = f"{there} of {len(roles)}"
        others = len(self.series) - there
        more = f", {others} other" if others else ""
        return f"{counted}{more}{self._frame}"

    @property
    def _frame(self) -> str:
        if len(self.series) < 2:
            return ""
        first, *rest = self.series
        same = all(one.shape == first.shape and _same_place(one, first) for one in rest)
        return ", one frame of reference" if same else ", not in one frame of reference"

    @property
    def prepared(self) -> str:
        return preparation_text(self.series)

    @property
    def source(self) -> str:
        return source_text(self.series)

    @property
    def types(self) -> str:
        """The number types of the stored arrays, each once."""
        return ", ".join(sorted({np.dtype(one.dtype).name for one in self.series}))

    @property
    def verified_at(self) -> datetime | None:
        """When the last of the series was verified; None if one never was."""
        times = [one.verified_at for one in self.series]
        known = [at for at in times if at is not None]
        return min(known) if known and len(known) == len(times) else None

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The acquisition facts on record, by sequence."""
        return [(label(one.role), fact) for one in self.series if (fact := facts_text(one))]


def _same_place(one: Series, other: Series) -> bool:
    return bool(np.allclose(one.affine_lps, other.affine_lps, atol=SAME_PLACE_MM))


def detail(case: Case, columns: Columns) -> Detail:
    """Return what the panel shows of a case."""
    use = usage.usage_of(case)
    waiting = Preparation.objects.filter(case=case, state=Preparation.State.PROPOSED).count()
    return Detail(Row(case, columns, bool(use.blinded)), use, waiting)


def chosen(pk: Any, rows: list[Row], columns: Columns) -> Detail | None:
    """Return the case asked for, or the first of the page."""
    case = access_case(pk) if pk else rows[0].case if rows else None
    return detail(case, columns) if case else None

"""The list of cases: search, filters, and what is missing or odd about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from readerstudy.cases.models import Case, Series

ROLES = {"t1": "T1", "t1c": "T1c", "t2": "T2", "flair": "FLAIR"}
ROLE_PLACES = [(26 + 58 * index, label) for index, label in enumerate(ROLES.values())]
PER_PAGE = 12
THICK_MM = 5.0


@dataclass(frozen=True)
class Listing:
    """One page of the list, and how many cases each filter has."""

    page: Page[Case]
    counts: dict[str, int]
    query: str
    show: str


@dataclass(frozen=True)
class Row:
    """One case as it is listed."""

    case: Case
    slots: list[tuple[str, Series | None]]
    first: Series | None
    flags: list[str]

    @property
    def grid(self) -> str:
        """Columns, rows and slices of the first series."""
        return " × ".join(str(size) for size in reversed(self.first.shape)) if self.first else ""

    @property
    def spacing(self) -> str:
        return spacing_text(self.first) if self.first else ""


def listing(*, query: str, show: str, number: Any) -> Listing:
    """Return one page of the cases that a search and a filter leave."""
    found = _searched(Case.objects.all(), query.strip())
    filters = {
        "all": found,
        "complete": _complete(found),
        "incomplete": found.exclude(pk__in=_complete(found).values("pk")),
        "withdrawn": found.filter(withdrawn_at__isnull=False),
    }
    show = show if show in filters else "all"
    cases = filters[show].select_related("subject").prefetch_related("series").order_by("code")
    return Listing(
        page=Paginator(cases, PER_PAGE).get_page(number),
        counts={name: cases.count() for name, cases in filters.items()},
        query=query,
        show=show,
    )


def _searched(cases: QuerySet[Case], query: str) -> QuerySet[Case]:
    if not query:
        return cases
    by_series = Series.objects.filter(
        Q(sha256__startswith=query.lower()) | Q(source_sha256__startswith=query.lower())
    )
    return cases.filter(
        Q(code__icontains=query)
        | Q(subject__code__icontains=query)
        | Q(pk__in=by_series.values("case"))
    )


def _complete(cases: QuerySet[Case]) -> QuerySet[Case]:
    having = Count("series", filter=Q(series__role__in=ROLES), distinct=True)
    return cases.annotate(n_roles=having).filter(n_roles=len(ROLES))


def rows(page: Page[Case]) -> list[Row]:
    """Return the cases of a page with their slots and flags."""
    return [_row(case) for case in page]


def _row(case: Case) -> Row:
    series = {one.role: one for one in case.series.all()}
    return Row(
        case=case,
        slots=[(label, series.get(role)) for role, label in ROLES.items()],
        first=next(iter(series.values()), None),
        flags=list(_flags(case, series)),
    )


def _flags(case: Case, series: dict[str, Series]) -> list[str]:
    missing = [label for role, label in ROLES.items() if role not in series]
    grids = {tuple(one.shape) for one in series.values()}
    thickest = max((one.spacing_mm[0] for one in series.values()), default=0.0)
    flags = {
        "Withdrawn": case.withdrawn_at is not None,
        f"{missing[0]} missing" if len(missing) == 1 else f"{len(missing)} missing": missing,
        f"{len(grids)} grids": len(grids) > 1,
        "Thick slices": thickest > THICK_MM,
    }
    return [text for text, applies in flags.items() if applies]


@dataclass(frozen=True)
class Pane:
    """One quarter of the picture in the panel, 185 units wide."""

    label: str
    series: Series | None
    x: int
    y: int


@dataclass(frozen=True)
class Detail:
    """One case as the panel beside the list shows it."""

    row: Row
    series: list[Series]

    @property
    def panes(self) -> list[Pane]:
        """The four sequences in two rows."""
        return [
            Pane(label, series, 185 * (index % 2), 185 * (index // 2))
            for index, (label, series) in enumerate(self.row.slots)
        ]

    @property
    def geometries(self) -> list[str]:
        """Each grid with its spacing, once."""
        return list(dict.fromkeys(geometry(one) for one in self.series))

    @property
    def types(self) -> list[str]:
        """The number types of the stored arrays, each once."""
        return sorted({np.dtype(one.dtype).name for one in self.series})

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The acquisition facts on record, by sequence."""
        return [(one.role, fact) for one in self.series if (fact := _facts(one))]


def geometry(series: Series) -> str:
    """Return grid and spacing in words, x first."""
    grid = " × ".join(str(size) for size in reversed(series.shape))
    return f"{grid}, {spacing_text(series)}"


def spacing_text(series: Series) -> str:
    """Return the spacing in words, x first; one number where all are the same."""
    steps = [f"{step:.1f}" for step in reversed(series.spacing_mm)]
    return f"{steps[0] if len(set(steps)) == 1 else ' × '.join(steps)} mm"


def _facts(series: Series) -> str:
    words = {name.replace("_", " "): value for name, value in sorted(series.facts.items())}
    return ", ".join(name if value is True else f"{name} {value}" for name, value in words.items())


def detail(case: Case) -> Detail:
    """Return what the panel shows of a case."""
    known = list(ROLES)
    series = sorted(
        case.series.all(),
        key=lambda one: (known.index(one.role) if one.role in ROLES else len(known), one.role),
    )
    return Detail(_row(case), series)


def totals() -> dict[str, int]:
    """Return how many cases and series there are."""
    return {"cases": Case.objects.count(), "series": Series.objects.count()}

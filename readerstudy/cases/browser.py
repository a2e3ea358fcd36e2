"""The list of cases for the staff: one page of rows, the filters with their counts, the totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BigIntegerField, Count, F, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Right

from readerstudy.cases import browser_filters as filters
from readerstudy.cases import browser_sections, usage
from readerstudy.cases.browser_filters import Query
from readerstudy.cases.columns import Column, Columns, columns_of
from readerstudy.cases.flags import COMPUTED, Flag, flags_of, meaning
from readerstudy.cases.models import Case, Series
from readerstudy.cases.words import grid_text, preparation_text, source_text, spacing_text
from readerstudy.core.errors import NotFound

CHIPS = (("all", "All"), ("complete", "Complete"), ("flags", "With flags"))
HIDDEN = "not shown"


@dataclass(frozen=True)
class Chip:
    """One filter with the number of cases that it leaves."""

    key: str
    label: str
    count: int
    current: bool


@dataclass(frozen=True)
class Row:
    """One case as it is listed."""

    case: Case
    columns: Columns
    hides: bool  # a blinded study shows the case: what could tell its class is not shown

    @cached_property
    def series(self) -> dict[str, Series]:
        return {one.role: one for one in self.case.series.all()}

    @property
    def slots(self) -> list[tuple[str, Series | None]]:
        """The expected sequences by label, None where one is missing."""
        return [(text, self.series.get(role)) for role, text in self.columns.labels]

    @cached_property
    def flags(self) -> list[Flag]:
        return flags_of(self.case, self.series.values(), self.columns.roles)

    @property
    def first(self) -> Series | None:
        """The series whose grid stands for the case: the first expected one, or any."""
        expected = (self.series[role] for role in self.columns.roles if role in self.series)
        return next(expected, next(iter(self.series.values()), None))

    @property
    def cells(self) -> list[tuple[Column, Any]]:
        """Each further column with what stands in it."""
        return [(column, self.value(column.key)) for column in self.columns.facts]

    def value(self, key: str) -> Any:
        """Return what a column shows; lines of text, a time or flags."""
        if key in {"source", "preparation", "imported"} and self.hides:
            return [HIDDEN]
        return getattr(self, f"_{key}")

    @property
    def _grid(self) -> list[str]:
        return [grid_text(self.first), spacing_text(self.first)] if self.first else ["no series"]

    @property
    def _stratum(self) -> list[str]:
        return [self.case.stratum]

    @property
    def _tags(self) -> list[str]:
        return [", ".join(tag.name for tag in self.case.tags.all())]

    @property
    def _subject(self) -> list[str]:
        return [self.case.subject.code]

    @property
    def _source(self) -> list[str]:
        return [source_text(self.series.values())]

    @property
    def _preparation(self) -> list[str]:
        return [preparation_text(self.series.values())]

    @property
    def _imported(self) -> list[Any]:
        return [self.case.created_at]

    @property
    def _flags(self) -> list[Flag]:
        return self.flags


@dataclass(frozen=True)
class Listing:
    """One page of the list with everything around it."""

    query: Query
    columns: Columns
    study: usage.Collected | None
    page: Page[Any]
    rows: list[Row]
    chips: list[Chip]
    menus: list[Menu]
    section: browser_sections.Section | None = None

    @property
    def roles(self) -> list[tuple[str, str]]:
        return self.columns.labels


@dataclass(frozen=True)
class Menu:
    """A group of further filters: strata, tags, single flags."""

    key: str
    label: str
    chosen: str
    items: list[Chip] = field(default_factory=list)


def listing(*, query: Query, user: Any, number: Any) -> Listing:
    """Return one page of the cases that a query leaves, in a constant number of queries."""
    study = study_of(query, user)
    columns = columns_of(user)
    if study is not None:
        columns = columns.with_roles(study.roles)
    found = filters.matching(query.everything(), columns.roles, study)
    counts = filters.counts(found, columns.roles)
    section = browser_sections.section(query.show)
    page = _section_page(section, user, columns, number) if section else None
    page = page or _page(query, columns, study, counts, number)
    return Listing(
        query=query,
        columns=columns,
        study=study,
        page=page,
        rows=[] if section else rows_of(page, columns),
        chips=_chips(query, counts, user),
        menus=_menus(query, found, counts),
        section=section,
    )


def study_of(query: Query, user: Any) -> usage.Collected | None:
    """Return the study to whose cases the list is narrowed, if it is."""
    if not query.study:
        return None
    study = usage.collected(query.study, user)
    if study is None:
        raise NotFound("There is no such study among yours.")
    return study


def _page(
    query: Query,
    columns: Columns,
    study: usage.Collected | None,
    counts: dict[str, int],
    number: Any,
) -> Page[Any]:
    cases = filters.matching(query, columns.roles, study)
    cases = filters.ordered(cases, query.sort).select_related("subject")
    paginator = Paginator(cases.prefetch_related("series", "tags"), columns.per_page)
    if not query.flag and query.show in counts:
        paginator.count = counts[query.show]  # counted already
    return paginator.get_page(number)


class _Entries:
    """Entries of a section as a paginator wants them."""

    def __init__(self, section: browser_sections.Section, user: Any) -> None:
        self.section, self.user = section, user

    def count(self) -> int:
        return self.section.count(self.user)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> Sequence[browser_sections.Entry]:
        return self.section.entries(self.user, part.start, part.stop)


def _section_page(
    section: browser_sections.Section, user: Any, columns: Columns, number: Any
) -> Page[Any]:
    return Paginator(_Entries(section, user), columns.per_page).get_page(number)  # type: ignore[arg-type]


def rows_of(cases: Any, columns: Columns) -> list[Row]:
    """Return cases as rows; their series, tags and subjects must be at hand."""
    cases = list(cases)
    use = usage.usages_of([case.pk for case in cases])
    return [Row(case, columns, bool(use[case.pk].blinded)) for case in cases]


def _chips(query: Query, counts: dict[str, int], user: Any) -> list[Chip]:
    plain = "" if query.flag else query.show
    chips = [Chip(key, text, counts[key], plain == key) for key, text in CHIPS]
    for section in browser_sections.sections():
        current = plain == section.key
        chips.append(Chip(section.key, section.label, section.count(user), current))
    withdrawn = Chip("withdrawn", "Withdrawn", counts["withdrawn"], plain == "withdrawn")
    return [*chips, withdrawn]


def _menus(query: Query, found: Any, counts: dict[str, int]) -> list[Menu]:
    strata = [
        Chip(name or filters.NO_STRATUM, name or "None", n, query.stratum == (name or "-"))
        for name, n in filters.stratum_counts(found)
    ]
    tags = [Chip(name, name, n, query.tag == name) for name, n in filters.tag_counts(found)]
    numbers = {code: counts[code] for code in COMPUTED} | filters.stored_flag_counts(found)
    flags = [
        Chip(code, meaning(code).words, n, query.flag == code) for code, n in numbers.items() if n
    ]
    menus = [
        Menu("stratum", "Stratum", query.stratum, strata),
        Menu("tag", "Tag", query.tag, tags),
        Menu("flag", "Flag", query.flag, flags),
    ]
    return [menu for menu in menus if menu.items or menu.chosen]


def totals() -> dict[str, int]:
    """Return how many cases and series there are, and how many bytes their voxels take."""
    sizes = [Cast(KeyTextTransform(str(axis), "shape"), BigIntegerField()) for axis in (0, 1, 2)]
    width = Cast(Right("dtype", 1), BigIntegerField())
    voxels = Sum(sizes[0] * sizes[1] * sizes[2] * width)
    sums = Series.objects.aggregate(series=Count("pk"), size=voxels)
    return {"cases": Case.objects.count(), "series": sums["series"], "bytes": sums["size"] or 0}


def choice(query: Query, user: Any) -> Any:
    """Return the identifiers of all cases that a query leaves, for an action on all of them."""
    study = study_of(query, user)
    columns = columns_of(user)
    roles = study.roles if study else columns.roles
    return filters.matching(query, roles, study).order_by(F("code")).values_list("pk", flat=True)

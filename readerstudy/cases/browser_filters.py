"""Search, filters and order of the list of cases as database conditions.

Nothing here may tell what is hidden: cases of blinded studies have no date to be sorted by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case as Choice
from django.db.models import Count, DateTimeField, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.db.models.lookups import Contains
from django.http import QueryDict

from readerstudy.cases import usage
from readerstudy.cases.flags import COMPUTED, MEANINGS, THICK_MM
from readerstudy.cases.models import Case, Series, Tag

SHOWS = ("all", "complete", "flags", "withdrawn")
SORTS = ("code", "subject", "stratum", "imported")
SHORTEST_FLAG_SEARCH = 3
NO_STRATUM = "-"  # in an address: the cases without a stratum

FLAT = Q(shape__0=1) | Q(shape__1=1) | Q(shape__2=1)  # a single slice, whatever its plane
FLAT_SERIES = Q(series__shape__0=1) | Q(series__shape__1=1) | Q(series__shape__2=1)
SERIES_CONDITIONS = {
    "thick": Q(spacing_mm__0__gt=THICK_MM) & ~FLAT | Q(flags_text__contains='"thick"'),
    "two_dimensional": FLAT,
    "damaged": ~Q(damage=""),
}


@dataclass(frozen=True)
class Query:
    """What the address of the list asks for."""

    text: str = ""
    show: str = "all"
    flag: str = ""
    tag: str = ""
    stratum: str = ""
    study: str = ""
    sort: str = "code"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Query:
        """Read a query; what cannot be understood is left at its default."""
        sort = str(given.get("sort", "code"))
        return cls(
            text=str(given.get("q", "")).strip()[:200],
            show=str(given.get("show", "all")),
            flag=str(given.get("flag", "")),
            tag=str(given.get("tag", "")),
            stratum=str(given.get("stratum", "")),
            study=str(given.get("study", "")),
            sort=sort if sort.removeprefix("-") in SORTS else "code",
        )

    @classmethod
    def of_string(cls, text: str) -> Query:
        """Read a query from the part of an address after the question mark."""
        return cls.of(QueryDict(text))

    def everything(self) -> Query:
        """Return the query without its last narrowing, which the chips replace."""
        return replace(self, show="all", flag="")

    @property
    def is_narrow(self) -> bool:
        """Tell whether anything is left out."""
        return replace(self, sort="code") != Query()


def with_text(series: QuerySet[Series]) -> QuerySet[Series]:
    """Add the stored flags as text, so that one code can be looked for."""
    return series.annotate(flags_text=Cast("flags", TextField()))


def matching(query: Query, roles: Sequence[str], study: usage.Collected | None) -> QuerySet[Case]:
    """Return the cases that a query leaves."""
    cases = Case.objects.all()
    if study is not None:
        cases = cases.filter(pk__in=study.case_ids)
    if query.stratum:
        cases = cases.filter(stratum="" if query.stratum == NO_STRATUM else query.stratum)
    if query.tag:
        cases = cases.filter(pk__in=_tagged(Q(name=query.tag)))
    if query.text:
        cases = cases.filter(_found(query.text, roles))
    if query.flag:
        cases = cases.filter(flag_condition(query.flag, roles))
    return _shown(cases, query.show, roles)


def _shown(cases: QuerySet[Case], show: str, roles: Sequence[str]) -> QuerySet[Case]:
    if show == "withdrawn":
        return cases.filter(withdrawn_at__isnull=False)
    if show == "complete":
        return cases.filter(~flag_condition("missing", roles))
    if show == "flags":
        return cases.filter(
            pk__in=counted(Case.objects.all(), roles).filter(flagged(roles)).values("pk")
        )
    return cases


def _tagged(condition: Q) -> QuerySet[Any, Any]:
    return Tag.objects.filter(condition).values("cases")


def _found(text: str, roles: Sequence[str]) -> Q:
    """Return the condition for a search over code, subject, stratum, tag, checksum and flag."""
    digits = text.lower().replace(" ", "")
    by_checksum = Series.objects.filter(
        Q(sha256__startswith=digits) | Q(source_sha256__startswith=digits)
    )
    found = (
        Q(code__icontains=text)
        | Q(subject__code__icontains=text)
        | Q(stratum__icontains=text)
        | Q(pk__in=_tagged(Q(name__icontains=text, cases__isnull=False)))
        | Q(pk__in=by_checksum.values("case"))
    )
    for code in _codes_named(text.lower()):
        found |= flag_condition(code, roles)
    return found


def _codes_named(text: str) -> list[str]:
    if len(text) < SHORTEST_FLAG_SEARCH:
        return []
    return [
        code
        for code, said in MEANINGS.items()
        if text in said.words.lower() or text in code.replace("_", " ")
    ]


def flag_condition(code: str, roles: Sequence[str]) -> Q:
    """Return the condition for the cases that have one flag."""
    if code == "withdrawn":
        return Q(withdrawn_at__isnull=False)
    if code == "missing":
        complete = counted(Case.objects.all(), roles).filter(n_expected__gte=len(roles))
        return ~Q(pk__in=complete.values("pk"))
    if code == "grids":
        return Q(pk__in=counted(Case.objects.all(), roles).filter(n_grids__gt=1).values("pk"))
    condition = SERIES_CONDITIONS.get(code, Q(flags_text__contains=f'"{code}"'))
    return Q(pk__in=with_text(Series.objects.all()).filter(condition).values("case"))


def counted(cases: QuerySet[Case], roles: Sequence[str]) -> QuerySet[Any]:
    """Count for each case its expected sequences, its grids, and its series with a flag."""
    stored = Cast("series__flags", TextField())
    thick = Q(series__spacing_mm__0__gt=THICK_MM) & ~FLAT_SERIES
    thick |= Q(Contains(stored, '"thick"'))
    return cases.annotate(
        n_expected=Count("series", filter=Q(series__role__in=roles)),
        n_grids=Count("series__shape", distinct=True),
        n_stored=Count("series", filter=~Q(series__flags=[])),
        n_thick=Count("series", filter=thick),
        n_two_dimensional=Count("series", filter=FLAT_SERIES),
        n_damaged=Count("series", filter=~Q(series__damage="")),
    )


def flagged(roles: Sequence[str]) -> Q:
    """Return the condition for counted cases that have any flag."""
    return (
        Q(n_expected__lt=len(roles))
        | Q(n_grids__gt=1)
        | Q(n_stored__gt=0)
        | Q(n_thick__gt=0)
        | Q(n_two_dimensional__gt=0)
        | Q(n_damaged__gt=0)
        | Q(withdrawn_at__isnull=False)
    )


def counts(cases: QuerySet[Case], roles: Sequence[str]) -> dict[str, int]:
    """Return how many cases each chip and each computed flag has, in one query."""
    few = Q(n_expected__lt=len(roles))
    return counted(cases, roles).aggregate(
        all=Count("pk"),
        complete=Count("pk", filter=~few),
        flags=Count("pk", filter=flagged(roles)),
        withdrawn=Count("pk", filter=Q(withdrawn_at__isnull=False)),
        missing=Count("pk", filter=few),
        grids=Count("pk", filter=Q(n_grids__gt=1)),
        thick=Count("pk", filter=Q(n_thick__gt=0)),
        two_dimensional=Count("pk", filter=Q(n_two_dimensional__gt=0)),
        damaged=Count("pk", filter=Q(n_damaged__gt=0)),
    )


def stored_flag_counts(cases: QuerySet[Case]) -> Counter[str]:
    """Return in how many cases each stored code occurs."""
    pairs = Series.objects.filter(case__in=cases).exclude(flags=[]).values_list("case", "flags")
    found = {(case, code) for case, codes in pairs.iterator() for code in codes}
    found = {(case, code) for case, code in found if code not in COMPUTED}
    return Counter(code for _, code in found)


def stratum_counts(cases: QuerySet[Case]) -> list[tuple[str, int]]:
    """Return the strata with their numbers of cases, by name; "" stands for none."""
    rows = cases.order_by("stratum").values("stratum").annotate(n=Count("pk"))
    return list(rows.values_list("stratum", "n"))


def tag_counts(cases: QuerySet[Case]) -> list[tuple[str, int]]:
    """Return the tags with their numbers of cases, by name."""
    rows = Tag.objects.filter(cases__in=cases).annotate(n=Count("cases", distinct=True))
    return list(rows.order_by("name").values_list("name", "n"))


def ordered(cases: QuerySet[Case], sort: str) -> QuerySet[Any]:
    """Put cases in order; those without a value, or with a hidden one, come last."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    keys: dict[str, Callable[[], Any]] = {
        "code": lambda: F("code"),
        "subject": lambda: F("subject__code"),
        "stratum": lambda: Choice(When(stratum="", then=None), default=F("stratum")),
        "imported": _shown_date,
    }
    key = keys[name]()
    place = key.desc(nulls_last=True) if down else key.asc(nulls_last=True)
    return cases.order_by(place, "code")


def _shown_date() -> Choice:
    hidden = When(usage.is_blinded(), then=Value(None))
    return Choice(hidden, default=F("created_at"), output_field=DateTimeField())

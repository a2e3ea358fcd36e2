"""Which columns the list of cases shows: any sequence that exists, and facts; kept per person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.flags import label
from readerstudy.cases.models import ListChoice, Series
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError

ROLE = "role:"
USUAL_ROLES = ("t1", "t1c", "t2", "flair")
FACTS = {
    "grid": "Grid and spacing",
    "stratum": "Stratum",
    "tags": "Tags",
    "subject": "Subject",
    "source": "Source",
    "preparation": "Prepared",
    "imported": "Imported",
    "flags": "Quality flags",
}
SORTABLE = frozenset({"stratum", "subject", "imported"})
USUAL_FACTS = ("grid", "stratum", "flags")
PER_PAGE = (12, 25, 50, 100)


@dataclass(frozen=True)
class Column:
    """One fact that a column shows."""

    key: str
    label: str

    @property
    def sortable(self) -> bool:
        return self.key in SORTABLE


@dataclass(frozen=True)
class Columns:
    """What one person sees: sequences first, then facts in a fixed order."""

    roles: tuple[str, ...]
    facts: tuple[Column, ...]
    per_page: int

    @property
    def labels(self) -> list[tuple[str, str]]:
        """Each sequence with its short name."""
        return [(role, label(role)) for role in self.roles]

    @property
    def span(self) -> int:
        """Return the number of columns of the whole table."""
        return 2 + len(self.roles) + len(self.facts)

    def with_roles(self, roles: Sequence[str]) -> Columns:
        """Return the same columns for other sequences, such as those of a study."""
        return Columns(tuple(roles), self.facts, self.per_page)


def columns_of(user: Any) -> Columns:
    """Return the columns that this person chose, or the usual ones."""
    choice = ListChoice.objects.filter(user=user).first()
    if choice is None:
        return _columns([*(ROLE + role for role in USUAL_ROLES), *USUAL_FACTS], PER_PAGE[0])
    return _columns(choice.columns, choice.per_page)


def _columns(names: Iterable[str], per_page: int) -> Columns:
    names = list(names)
    roles = tuple(name.removeprefix(ROLE) for name in names if name.startswith(ROLE))
    facts = tuple(Column(key, text) for key, text in FACTS.items() if key in names)
    return Columns(roles, facts, per_page)


def known_roles() -> list[str]:
    """Return the usual sequences and then every other one that some case has."""
    found = set(Series.objects.order_by().values_list("role", flat=True).distinct())
    return [*USUAL_ROLES, *sorted(found - set(USUAL_ROLES))]


def choose_columns(*, user: Any, names: Sequence[str], per_page: int) -> None:
    """Keep which columns a person wants to see. A view of one's own: not audited."""
    roles = known_roles()
    allowed = {*FACTS, *(ROLE + role for role in roles)}
    if unknown := [name for name in names if name not in allowed]:
        raise ReaderStudyError(f"There is no column {unknown[0]!r}. Choose from the list.")
    if per_page not in PER_PAGE:
        raise ReaderStudyError(f"Choose {', '.join(map(str, PER_PAGE))} cases a page.")
    ordered = [ROLE + role for role in roles if ROLE + role in names]
    ordered += [key for key in FACTS if key in names]
    with write_transaction():
        ListChoice.objects.update_or_create(
            user=user, defaults={"columns": ordered, "per_page": per_page}
        )


def usual_columns(*, user: Any) -> None:
    """Go back to the usual columns."""
    with write_transaction():
        ListChoice.objects.filter(user=user).delete()

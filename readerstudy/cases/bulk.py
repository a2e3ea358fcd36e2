"""Actions on several cases: chosen, previewed row by row, then carried out once.

The preview is stored. Confirming computes it again within the transaction of the write: if a case
moved meanwhile, nothing is written and the new preview is shown. Confirming twice does it once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from readerstudy.cases.models import Case, CaseChange
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError

KEPT = timedelta(days=7)  # previews that nobody confirmed
MAX_CASES = 20_000


@dataclass(frozen=True)
class Row:
    """What an action does to one case; with a reason it does nothing to it."""

    case: str
    code: str
    old: str
    new: str
    reason: str = ""
    note: str = ""

    @property
    def changes(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Done:
    """What was done, in a sentence, and the job that goes on with it."""

    text: str
    job: Any = None
    link: str = ""
    link_text: str = ""


@dataclass(frozen=True)
class Request:
    """What an action is asked: which cases, with which values, by whom."""

    cases: Sequence[Case]
    values: dict[str, Any]
    user: Any = field(compare=False)


def cases_text(count: int) -> str:
    """Return a number of cases in words."""
    return "1 case" if count == 1 else f"{count} cases"


class Action(ABC):
    """One thing that can be done to several cases."""

    key: str
    label: str  # on the button of the list
    what: str  # the column that changes
    confirms: str  # on the confirming button; {} stands for the number of cases
    form: type[forms.Form] | None = None
    main: bool = False  # stands in the bar, not in the menu

    def offered(self) -> bool:
        """Tell whether this installation can do it."""
        return True

    def make_form(self, user: Any, data: Any = None) -> forms.Form | None:
        """Return the form for what the action needs to know."""
        del user
        return self.form(data) if self.form else None

    def initial(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what the form shows of values given before."""
        return {
            name: ", ".join(value) if isinstance(value, list) else value
            for name, value in values.items()
        }

    def shown_values(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values given, for people."""
        return {name.capitalize(): text or "none" for name, text in self.initial(values).items()}

    @abstractmethod
    def rows(self, request: Request) -> list[Row]:
        """Return what would happen to each case, in the order given."""

    def button(self, count: int) -> str:
        """Return what the confirming button says."""
        return self.confirms.format(cases_text(count))

    @abstractmethod
    def carry_out(self, request: Request) -> Done:
        """Do it to these cases, which all can be changed."""


_actions: dict[str, Action] = {}


def offers_action(action: type[Action]) -> type[Action]:
    """Register an action of the list of cases."""
    made = action()
    _actions[made.key] = made
    return action


def offered_actions() -> list[Action]:
    """Return the actions that can be chosen, those in the bar first."""
    return sorted((a for a in _actions.values() if a.offered()), key=lambda a: not a.main)


def action_of(key: str) -> Action:
    """Return an action by its key."""
    action = _actions.get(key)
    if action is None or not action.offered():
        raise ReaderStudyError("There is no such action. Choose one from the bar above the list.")
    return action


def access_change(*, pk: Any, user: Any) -> CaseChange:
    """Return a change to the person who prepared it."""
    change = CaseChange.objects.filter(pk=pk, created_by=user).first()
    if change is None:
        raise NotFound("There is no such preview among yours. Previews are kept for a week.")
    return change


def choose(*, action: str, cases: Sequence[Any], user: Any) -> CaseChange:
    """Keep which cases an action is meant for; previews that were left are removed."""
    wanted = action_of(action)
    if not cases:
        raise ReaderStudyError("Choose at least one case.")
    if len(cases) > MAX_CASES:
        raise ReaderStudyError(f"Choose at most {MAX_CASES} cases at once.")
    with write_transaction():
        old = CaseChange.objects.filter(created_by=user, done_at=None)
        old.filter(created_at__lt=timezone.now() - KEPT).delete()
        found = Case.objects.filter(pk__in=cases).order_by("code").values_list("pk", flat=True)
        change = CaseChange.objects.create(
            action=action, cases=[str(pk) for pk in found], created_by=user
        )
        if wanted.make_form(user) is None:
            _preview(change, {})
    return change


def preview(*, change: CaseChange, values: dict[str, Any]) -> CaseChange:
    """Store what a change would do with these values. Writes no case."""
    with write_transaction():
        change = CaseChange.objects.select_for_update().get(pk=change.pk)
        if change.done_at is not None:
            raise Conflict("This was carried out already. Choose the cases again.")
        _preview(change, values)
    return change


def _preview(change: CaseChange, values: dict[str, Any]) -> None:
    change.parameters, change.moved = values, []
    _store(change, rows_now(change, values))


def _store(change: CaseChange, rows: list[Row]) -> None:
    change.rows = [asdict(row) for row in rows]
    change.revision += 1
    change.save()


def rows_now(change: CaseChange, values: dict[str, Any]) -> list[Row]:
    """Return what an action would do at this moment."""
    request = Request(list(cases_of(change.cases)), values, change.created_by)
    return action_of(change.action).rows(request)


def cases_of(keys: Sequence[Any]) -> Any:
    """Return cases by identifier with what previews show of them."""
    cases = Case.objects.filter(pk__in=keys).select_related("subject")
    return cases.prefetch_related("series", "tags").order_by("code")


def rows_of(change: CaseChange) -> list[Row]:
    """Return the stored preview."""
    return [Row(**row) for row in change.rows]


def confirm(*, change: CaseChange, revision: int, user: Any) -> CaseChange:
    """Carry out what the preview showed; if a case moved meanwhile, show it again instead."""
    with write_transaction():
        change = CaseChange.objects.select_for_update().get(pk=change.pk)
        if change.done_at is not None:
            return change  # the same page was sent again
        if change.parameters is None:
            raise ReaderStudyError("Look at the preview first; it shows what will change.")
        fresh = rows_now(change, change.parameters)
        moved = _moved(rows_of(change), fresh)
        if moved or revision != change.revision:
            change.moved = moved
            _store(change, fresh)
            return change
        _carry_out(change, [row for row in fresh if row.changes], user)
    return change


def _moved(before: list[Row], now: list[Row]) -> list[str]:
    old = {row.case: row for row in before}
    new = {row.case: row for row in now}
    moved = {
        (old.get(key) or new[key]).code
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }
    return sorted(moved)


def _carry_out(change: CaseChange, rows: list[Row], user: Any) -> None:
    if not rows:
        raise ReaderStudyError("Nothing would change. The reasons stand beside each case.")
    cases = list(cases_of([row.case for row in rows]))
    done = action_of(change.action).carry_out(Request(cases, change.parameters or {}, user))
    change.done_at = timezone.now()
    change.result = {
        "text": done.text,
        "job": str(done.job.pk) if done.job else "",
        "link": done.link,
        "link_text": done.link_text,
    }
    change.save()

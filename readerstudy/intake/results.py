"""What became of an import, line by line, for the staff."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page, Paginator

from readerstudy.cases.ingest import AGAIN, ERROR, OK, SKIPPED, Outcome
from readerstudy.cases.models import Case
from readerstudy.core.cells import safe_cell
from readerstudy.intake import folders
from readerstudy.intake.models import Import
from readerstudy.studies.models import StudyCase
from readerstudy.truth.visibility import BLINDED

PER_PAGE = 50
SHOWS = {"": "All", ERROR: "Errors", OK: "In", SKIPPED: "Passed over"}
HIDDEN = "hidden: in a blinded study"
HEADINGS = ("path", "status", "reason", "case", "series", "shape", "spacing_mm", "orientation")


@dataclass(frozen=True)
class Line:
    """One file or series, with the case it became."""

    outcome: Outcome
    case: Case | None = None

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        reason = self.outcome.reason
        return f"{reason[:1].upper()}{reason[1:]}" if reason else ""


def all_outcomes_of(batch: Import) -> list[Outcome]:
    """Return the stored outcomes as they are; none once the import is closed."""
    path = folders.place_of(batch).rows
    return [Outcome(**row) for row in json.loads(path.read_text())] if path.exists() else []


def outcomes_of(batch: Import) -> list[Outcome]:
    """Return the stored outcomes as the staff may see them.

    The code of a case in a blinded study is left out: beside its name at the source it would
    tell which case is which.
    """
    found = all_outcomes_of(batch)
    blinded = _blinded({one.case for one in found if one.case})
    return [_hidden(one) if one.case in blinded else one for one in found]


def _blinded(codes: set[str]) -> set[str]:
    held = StudyCase.objects.filter(study__state__in=BLINDED).values_list("case__code", flat=True)
    return codes & set(held)


def _hidden(outcome: Outcome) -> Outcome:
    reason = outcome.reason.replace(str(outcome.case), "hidden")
    return replace(outcome, case=None, sha256=None, reason=reason or HIDDEN)


class Lines(Sequence[Line]):
    """Outcomes whose cases are looked up for the part that is shown."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, part: Any) -> Any:
        if isinstance(part, int):
            return _lines([self.outcomes[part]])[0]
        return _lines(self.outcomes[part])


def page_of(batch: Import, *, show: str, number: Any) -> Page[Line]:
    """Return one page of the lines that a filter leaves, errors first."""
    order = [ERROR, OK, SKIPPED]
    wanted = [one for one in outcomes_of(batch) if not show or one.status == show]
    wanted.sort(key=lambda one: order.index(one.status))
    return Paginator(Lines(wanted), PER_PAGE).get_page(number)


def _lines(outcomes: Sequence[Outcome]) -> list[Line]:
    codes = {one.case for one in outcomes if one.case}
    cases = {case.code: case for case in Case.objects.filter(code__in=codes)}
    return [Line(one, cases.get(one.case or "")) for one in outcomes]


@dataclass(frozen=True)
class Summary:
    """How many series had which end."""

    new: int
    again: int
    errors: int
    skipped: int
    cases: int
    first_error: Outcome | None


def summary_of(batch: Import) -> Summary:
    """Return the figures of an import that has finished."""
    found = outcomes_of(batch)
    counts = batch.counts
    again = sum(one.reason == AGAIN for one in found)
    return Summary(
        new=counts.get(OK, 0) - again,
        again=again,
        errors=counts.get(ERROR, 0),
        skipped=counts.get(SKIPPED, 0),
        cases=len({one.case for one in found if one.case}),
        first_error=next((one for one in found if one.status == ERROR), None),
    )


def table_of(batch: Import, *, show: str = "") -> str:
    """Return the lines as CSV; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for one in outcomes_of(batch):
        if not show or one.status == show:
            writer.writerow([safe_cell(_cell(getattr(one, name))) for name in HEADINGS])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " × ".join(f"{number:g}" for number in value)
    return "" if value is None else str(value).encode(errors="replace").decode()


def faults_of(job: uuid.UUID) -> list[dict[str, Any]]:
    """Return path and reason of what an import job could not bring in."""
    batch = Import.objects.filter(job=job).first()
    faults = [one for one in outcomes_of(batch) if one.status == ERROR] if batch else []
    return [{"path": one.path, "reason": one.reason} for one in faults]

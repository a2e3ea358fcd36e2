"""What the pages show of an uploaded table, and the questions that its columns answer."""

from __future__ import annotations

from typing import Any

from readerstudy.analysis.importing.guessing import questions_in
from readerstudy.analysis.importing.mapping import LONG
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings import tables
from readerstudy.core.tables import Table

SAMPLES = 4
MOST_ARMS = 12


def headers_of(row: RatingsImport) -> list[str]:
    """Return the names of all columns, those of the table of cases last."""
    cases = row.cases_table["header"] if row.cases_table else []
    return [name for name in dict.fromkeys([*row.table["header"], *cases]) if name]


def samples_of(row: RatingsImport) -> dict[str, list[str]]:
    """Return the first different values of each column."""
    found: dict[str, list[str]] = {}
    for document in (row.table, row.cases_table or {"header": [], "lines": []}):
        for place, name in enumerate(document["header"]):
            values = (cells[place] for _, cells in document["lines"])
            seen = found.setdefault(name, [])
            for value in values:
                if value and value not in seen:
                    seen.append(value)
                if len(seen) >= SAMPLES:
                    break
    return found


def questions_for(
    row: RatingsImport, wanted: dict[str, Any], answers: list[str]
) -> list[dict[str, Any]]:
    """Return the questions of the chosen columns: as defined before, new ones guessed."""
    table = tables.from_json(row.table)
    rest = [name for name in answers if name in table.header]
    if wanted["readers"]:
        rest = list(wanted["readers"])
    known = {one["source"]: one for one in row.mapping.get("questions", [])}
    guessed = _guessed(table, wanted, rest)
    return [known.get(one["source"], one) for one in guessed]


def arms_for(row: RatingsImport, wanted: dict[str, Any]) -> list[Any]:
    """Return the arms as they are defined, else as the table has them, in their order there."""
    column, known = wanted["columns"].get("arm"), row.mapping.get("arms") or []
    if column not in row.table["header"]:
        return []
    place = row.table["header"].index(column)
    found = dict.fromkeys(cells[place] for _, cells in row.table["lines"] if cells[place])
    return list(known) or [{"code": one} for one in list(found)[:MOST_ARMS]]


def _guessed(table: Table, wanted: dict[str, Any], rest: list[str]) -> list[dict[str, Any]]:
    needed = {"question", "value"} if wanted["form"] == LONG else set()
    if not needed <= set(wanted["columns"]):
        return []
    stated = {"decimal": wanted["decimal"], "chosen": rest}
    return questions_in(table, wanted["form"], wanted["columns"], rest, **stated)

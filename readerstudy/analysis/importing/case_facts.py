"""What a table says of its cases: person, origin, reference standard; one truth for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from readerstudy.analysis.facts import UNKNOWN, Item
from readerstudy.analysis.importing import faults
from readerstudy.analysis.importing.cell_values import is_missing, level_of
from readerstudy.analysis.importing.faults import Fault
from readerstudy.analysis.importing.layout import Columns
from readerstudy.analysis.importing.mapping import QuestionMapping, RatingsMapping
from readerstudy.core.tables import Table

ABOUT = ("subject", "stratum", "origin", "generator")


@dataclass
class CaseFacts:
    """Cases as the table tells them; ``unsure`` names what two rows say differently."""

    table: str = "ratings"
    by_case: dict[str, dict[str, str]] = field(default_factory=dict)
    first_row: dict[tuple[str, str], int] = field(default_factory=dict)
    unsure: set[tuple[str, str]] = field(default_factory=set)


def cases_of(table: Table, mapping: RatingsMapping, *, own: bool, found: list[Fault]) -> CaseFacts:
    """Return what a table says of its cases; ``own``: the table of cases, not that of ratings."""
    roles = [role for role in ABOUT if mapping.columns.get(role) in table.header]
    wanted = {role: mapping.columns[role] for role in ("case", *roles)}
    references = mapping.references
    what = "table of cases" if own else "table of ratings"
    columns = Columns(table, wanted | {f"ref {n}": c for n, c in references.items()}, what)
    made = CaseFacts("cases" if own else "ratings")
    for line in table.lines:
        case = columns.text(line, wanted["case"])
        if is_missing(case, mapping):
            continue
        known = made.by_case.setdefault(case, {})
        told = {role: wanted[role] for role in roles} | {
            f"ref:{name}": column for name, column in references.items()
        }
        for key, column in told.items():
            text = columns.text(line, column)
            if is_missing(text, mapping):
                continue
            if known.setdefault(key, text) != text:
                _differs(made, case, key, Fault(
                    line.number, column, faults.TRUTH,
                    f"case {case} has “{known[key]}” in row {made.first_row[case, key]} and "
                    f"“{text}” here; until that is settled it counts as unknown",
                    text, made.table), found)  # fmt: skip
            made.first_row.setdefault((case, key), line.number)
    return made


def _differs(made: CaseFacts, case: str, key: str, fault: Fault, found: list[Fault]) -> None:
    if (case, key) not in made.unsure:
        found.append(fault)
    made.unsure.add((case, key))


def items_of(made: CaseFacts, mapping: RatingsMapping, found: list[Fault]) -> dict[str, Item]:
    """Return the cases as items, with their right answers."""
    return {case: _item(case, made, mapping, found) for case in made.by_case}


def _item(case: str, made: CaseFacts, mapping: RatingsMapping, found: list[Fault]) -> Item:
    told = {
        key: text
        for key, text in made.by_case[case].items()
        if (case, key) not in made.unsure or key in ("subject", "stratum")
    }
    references = {
        key[4:]: _with_point(text, mapping) for key, text in told.items() if key.startswith("ref:")
    }
    judge = _Judge(case, made, mapping, found)
    origin = judge.origin(told.get("origin", ""))
    return Item(
        code=case,
        cases=(case,),
        subject=told.get("subject", case),
        stratum=told.get("stratum", ""),
        origins=(origin,),
        generators=(told.get("generator", "") if origin != "real" else "",),
        references=references,
        right=judge.right_answers(origin, references),
    )


@dataclass(frozen=True)
class _Judge:
    """Finds what is true of one case; what cannot be read is a fault and stays unknown."""

    case: str
    made: CaseFacts
    mapping: RatingsMapping
    found: list[Fault]

    def origin(self, text: str) -> str:
        """Return real, synthetic or unknown."""
        if not text:
            return UNKNOWN
        for origin, words in self.mapping.origins.items():
            if text.casefold() in {origin, *map(str.casefold, words)}:
                return origin
        told = "is neither how real nor how synthetic images are written"
        self._fault("origin", self.mapping.columns["origin"], told, text)
        return UNKNOWN

    def right_answers(self, origin: str, references: Mapping[str, str]) -> dict[str, Any]:
        """Return by question what is right, where that is known."""
        right: dict[str, Any] = {}
        for question in self.mapping.questions:
            if question.truth.get("source") == "origin" and origin in question.truth:
                right[question.code] = question.truth[origin]
            text = references.get(question.truth.get("endpoint", ""))
            level = None if text is None else self._referred(question, text)
            if level is not None:
                right[question.code] = level
        return right

    def _referred(self, question: QuestionMapping, text: str) -> str | None:
        level = _level(question, text, self.mapping)
        if level is None:
            endpoint = question.truth["endpoint"]
            told = f"is not said to make any level of “{question.text or question.code}” right"
            self._fault(f"ref:{endpoint}", self.mapping.references[endpoint], told, text)
        return level

    def _fault(self, key: str, column: str, told: str, text: str) -> None:
        row = self.made.first_row[self.case, key]
        self.found.append(Fault(row, column, faults.SCALE, told, text, self.made.table))


def _with_point(text: str, mapping: RatingsMapping) -> str:
    """Return a number with a decimal point, as every analysis reads it."""
    is_number = mapping.decimal == "," and re.fullmatch(r"[-+]?\d+,\d+", text)
    return text.replace(",", ".") if is_number else text


def _level(question: QuestionMapping, text: str, mapping: RatingsMapping) -> str | None:
    values: Mapping[str, str] = question.truth.get("values") or {}
    stated = {key.casefold(): level for key, level in values.items()}
    if stated:
        return stated.get(text.casefold())
    return level_of(text, question.levels, mapping.decimal)

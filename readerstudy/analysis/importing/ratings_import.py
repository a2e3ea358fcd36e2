"""From a table of ratings that were collected elsewhere to the data set that analyses know.

Pure: a table, what its columns mean, and optionally a table of the cases. Everything that is
wrong is found in one pass, row by row; what cannot be taken is left out and named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from readerstudy.analysis.facts import (
    REAL,
    SYNTHETIC,
    UNKNOWN,
    Dataset,
    Item,
    Protocol,
    Read,
    ReaderFacts,
)
from readerstudy.analysis.importing import faults
from readerstudy.analysis.importing.case_facts import cases_of, items_of
from readerstudy.analysis.importing.cell_values import (
    Unfit,
    answers_of,
    is_missing,
    is_not_evaluable,
    number_of,
)
from readerstudy.analysis.importing.faults import Fault
from readerstudy.analysis.importing.layout import (
    Columns,
    Entry,
    Layout,
    Place,
    columns_of,
)
from readerstudy.analysis.importing.mapping import READERS, RatingsMapping
from readerstudy.core.tables import Table


@dataclass
class Reading:
    """The answers of one reading, as they come together."""

    order: int = 0
    answers: dict[str, Any] = field(default_factory=dict)
    not_evaluable: set[str] = field(default_factory=set)
    rows: dict[str, tuple[int, str]] = field(default_factory=dict)  # question → row, text


@dataclass(frozen=True)
class Examined:
    """A table as far as it can be taken.

    ``left_out`` counts the answers that were not taken because of a fault.
    """

    data: Dataset
    faults: tuple[Fault, ...]
    left_out: int

    @property
    def blocking(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.blocks]


class Faulty(ValueError):
    """The table has faults; ``faults`` names them all."""

    def __init__(self, found: Iterable[Fault]) -> None:
        self.faults = tuple(found)
        more = len(self.faults) - 1
        super().__init__(f"{self.faults[0]}{f' (and {more} more)' if more else ''}")


def facts_of(
    table: Table, mapping: RatingsMapping, *, cases: Table | None = None, leave_out: bool = False
) -> Dataset:
    """Return the ratings of a table as the data set that every analysis takes.

    Parameters
    ----------
    table : Table
    mapping : RatingsMapping
    cases : Table, optional
        One row for each case, where truth and reference standard stand in a table of their own.
    leave_out : bool
        Leave out what is faulty, in place of raising.

    Raises
    ------
    Faulty
        With every fault, row by row.
    ReaderStudyError
        If a column that the mapping names is not there.
    """
    found = examine(table, mapping, cases=cases)
    if found.blocking and not leave_out:
        raise Faulty(found.blocking)
    return found.data


def examine(table: Table, mapping: RatingsMapping, *, cases: Table | None = None) -> Examined:
    """Return the data set as far as the table can be taken, with every fault.

    Raises
    ------
    ReaderStudyError
        If a column that the mapping names is not there.
    """
    found = [_of_file(one, "ratings") for one in table.problems]
    found += [_of_file(one, "cases") for one in cases.problems] if cases else []
    columns = columns_of(table, mapping, alone=cases is None)
    told = cases_of(cases or table, mapping, own=cases is not None, found=found)
    items = items_of(told, mapping, found)
    entries = Layout(table, mapping, columns, found).entries()
    readings, left_out = _readings(entries, mapping, items, found)
    found += _silent(readings, mapping)
    found.sort(key=lambda one: (one.table, one.row, one.column))
    data = _dataset(readings, items, mapping, _years(table, mapping, columns))
    return Examined(data, tuple(found), left_out)


def _of_file(problem: Any, table: str) -> Fault:
    return Fault(problem.row, problem.column, faults.TABLE, problem.text, problem.cell, table)


def _readings(
    entries: Iterable[Entry], mapping: RatingsMapping, items: dict[str, Item], found: list[Fault]
) -> tuple[dict[Place, Reading], int]:
    readings: dict[Place, Reading] = {}
    strangers: Counter[str] = Counter()
    left_out = 0
    for entry in entries:
        if entry.place.case not in items:
            if not strangers[entry.place.case]:
                found.append(_stranger(entry, mapping))
            strangers[entry.place.case] += 1
            left_out += 1
            continue
        reading = readings.setdefault(entry.place, Reading(entry.order))
        left_out += not _take(reading, entry, mapping, found)
    return readings, left_out


def _stranger(entry: Entry, mapping: RatingsMapping) -> Fault:
    told = "is not in the table of cases; its ratings are left out"
    column = mapping.columns["case"]
    return Fault(entry.row, column, faults.CASE, told, entry.place.case)


def _take(reading: Reading, entry: Entry, mapping: RatingsMapping, found: list[Fault]) -> bool:
    """Take one answer into its reading; False if a fault keeps it out."""
    code, text = entry.question.code, entry.text
    earlier = reading.rows.get(code)
    if earlier is not None:
        return _again(reading, entry, earlier, found)
    reading.rows[code] = (entry.row, text)
    if is_missing(text, mapping):
        told = f"no answer to “{entry.question.text or code}”; it counts as missing"
        found.append(Fault(entry.row, entry.column, faults.EMPTY, told))
        return True
    if is_not_evaluable(text, mapping) and not _is_level(entry):
        reading.not_evaluable.add(code)
        return True
    try:
        if entry.dated and entry.question.kind != "text":
            raise Unfit(faults.DATE, "a spreadsheet made a date of it; format the column as text")
        reading.answers |= answers_of(entry.question, text, mapping)
    except Unfit as unfit:
        found.append(Fault(entry.row, entry.column, unfit.kind, str(unfit), text))
        return False
    return True


def _is_level(entry: Entry) -> bool:
    """Is the text a level of its question, and so no word for "not evaluable"?"""
    return any(entry.text.casefold() in level.spellings for level in entry.question.levels)


def _again(reading: Reading, entry: Entry, earlier: tuple[int, str], found: list[Fault]) -> bool:
    """Note a second answer to the same question; two that differ are both left out."""
    row, text = earlier
    question = entry.question
    if text == entry.text:
        told = f"says the same as row {row} and is counted once"
        found.append(Fault(entry.row, entry.column, faults.SAME, told, entry.text))
        return True
    for code in (question.code, question.sureness):
        reading.answers.pop(code, None)
    reading.not_evaluable.discard(question.code)
    told = f"reader {entry.place.reader} gave case {entry.place.case} “{text}” in row {row}; "
    told += "say which holds, or map a column of repeats; both are left out"
    found.append(Fault(entry.row, entry.column, faults.TWICE, told, entry.text))
    return False


def _silent(readings: dict[Place, Reading], mapping: RatingsMapping) -> list[Fault]:
    """Name readers who are there but answered nothing."""
    known = dict.fromkeys([*mapping.readers.values(), *(place.reader for place in readings)])
    heard = {p.reader for p, one in readings.items() if one.answers or one.not_evaluable}
    told = "is named but gave no rating that can be taken"
    return [
        Fault(0, "", faults.SILENT, f"Reader {reader} {told}", "")
        for reader in known
        if reader not in heard
    ]


def _years(table: Table, mapping: RatingsMapping, columns: Columns) -> dict[str, int]:
    name = mapping.columns.get("years")
    if not name or mapping.form == READERS:
        return {}
    years: dict[str, int] = {}
    for line in table.lines:
        try:
            number = number_of(columns.text(line, name), mapping.decimal)
        except Unfit:
            continue
        years.setdefault(columns.text(line, mapping.columns["reader"]), int(number))
    return years


def _dataset(
    readings: dict[Place, Reading],
    items: dict[str, Item],
    mapping: RatingsMapping,
    years: dict[str, int],
) -> Dataset:
    reads = [
        _read(place, one, items[place.case], position)
        for place, one, position in _in_order(readings)
        if one.answers or one.not_evaluable
    ]
    planned = Counter(place.reader for place in readings)
    readers = dict.fromkeys([*mapping.readers.values(), *sorted(planned)])
    arms = [(one.code, one.words) for one in mapping.arms]
    if mapping.columns.get("arm") and not arms:
        arms = [(one, one) for one in dict.fromkeys(place.arm for place in readings)]
    origins = [item.origin for item in items.values()]
    return Dataset(
        study=None,
        readers=[ReaderFacts(one, years.get(one), "", planned[one]) for one in readers],
        reads=reads,
        n_real=origins.count(REAL),
        n_synthetic=origins.count(SYNTHETIC),
        late=0,
        duplicates=0,
        missing=len(readings) - len(reads),
        protocol=Protocol(
            name=mapping.name,
            questions=mapping.facts_of_questions,
            arms=tuple(arms),
            plan=mapping.plan,
            margin=mapping.margin,
        ),
        items=items,
    )


def _in_order(readings: dict[Place, Reading]) -> list[tuple[Place, Reading, int]]:
    """Return the readings by reader and period, each with its place in the order."""
    made = []
    by_period: dict[tuple[str, int], list[tuple[Place, Reading]]] = defaultdict(list)
    for place, reading in readings.items():
        by_period[place.reader, place.period].append((place, reading))
    for key in sorted(by_period):
        listed = sorted(by_period[key], key=lambda pair: pair[1].order)
        made += [(place, one, one.order or number) for number, (place, one) in enumerate(listed, 1)]
    return made


def _read(place: Place, reading: Reading, item: Item, position: int) -> Read:
    return Read(
        reader=place.reader,
        period=place.period,
        position=position,
        arm=place.arm,
        stage=1,
        repeat=place.repeat,
        item=item.code,
        case=item.code,
        subject=item.subject,
        origin=item.origin or UNKNOWN,
        generator=item.generator,
        answers=reading.answers,
        not_evaluable=frozenset(reading.not_evaluable),
        received_at=None,
        clocks=(),
    )

"""Whatever the form of the table: one entry for each cell that holds an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from readerstudy.analysis.importing import faults
from readerstudy.analysis.importing.cell_values import Unfit, is_missing, number_of
from readerstudy.analysis.importing.faults import Fault
from readerstudy.analysis.importing.mapping import (
    LONG,
    READERS,
    QuestionMapping,
    RatingsMapping,
)
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.tables import Line, Table

SINGLE = "main"
LARGEST = 1_000_000
NUMBERED = {"period": 1, "order": 0, "repeat": 0}


@dataclass(frozen=True)
class Place:
    """Which reading a cell belongs to."""

    reader: str
    case: str
    arm: str
    period: int
    repeat: int


@dataclass(frozen=True)
class Entry:
    """One answer as it is written in the table; ``order`` 0 where none is stated."""

    row: int
    column: str
    place: Place
    question: QuestionMapping
    text: str
    order: int = 0
    dated: bool = False


class Columns:
    """The cells of a line by the name of their column.

    Raises
    ------
    ReaderStudyError
        If a column that the mapping names is missing or there twice.
    """

    def __init__(self, table: Table, wanted: Mapping[str, str], what: str) -> None:
        self.index = {}
        for name in wanted.values():
            places = [n for n, header in enumerate(table.header) if header == name]
            if len(places) != 1:
                problem = "has no column" if not places else "has more than one column"
                raise ReaderStudyError(f"The {what} {problem} “{name}”.", code="mapping")
            self.index[name] = places[0]

    def text(self, line: Line, name: str | None) -> str:
        """Return a cell; empty for a column that is not there."""
        return line.cells[self.index[name]].strip() if name else ""


def columns_of(table: Table, mapping: RatingsMapping, *, alone: bool) -> Columns:
    """Return the columns of the table of ratings; ``alone``: without a table of cases."""
    wanted = dict(mapping.columns)
    if not alone:
        wanted = {role: name for role, name in wanted.items() if name in table.header}
    wanted |= {f"reader {name}": name for name in mapping.readers}
    if mapping.form not in (LONG, READERS):
        wanted |= {f"question {one.code}": one.source for one in mapping.questions}
    if alone:
        wanted |= {f"reference {name}": column for name, column in mapping.references.items()}
    return Columns(table, wanted, "table of ratings")


@dataclass(frozen=True)
class Layout:
    """Reads the lines of one table; what cannot be placed goes to ``found``."""

    table: Table
    mapping: RatingsMapping
    columns: Columns
    found: list[Fault]

    def entries(self) -> Iterator[Entry]:
        """Yield every answer."""
        for line in self.table.lines:
            for reader, column, question, text in self._answers(line):
                place, order = self._place(line, reader) or (None, 0)
                if place is not None:
                    dated = (line.number, self.columns.index[column]) in self.table.dated
                    yield Entry(line.number, column, place, question, text, order, dated)

    def _answers(self, line: Line) -> Iterator[tuple[str, str, QuestionMapping, str]]:
        """Yield reader, column, question and text of each answer in a line."""
        if self.mapping.form == READERS:
            (question,) = self.mapping.questions
            for column, reader in self.mapping.readers.items():
                yield reader, column, question, self.columns.text(line, column)
            return
        reader = self.columns.text(line, self.mapping.columns["reader"])
        if self.mapping.form == LONG:
            yield from self._long(line, reader)
            return
        for question in self.mapping.questions:
            yield reader, question.source, question, self.columns.text(line, question.source)

    def _long(self, line: Line, reader: str) -> Iterator[tuple[str, str, QuestionMapping, str]]:
        name = self.mapping.columns["question"]
        asked = self.columns.text(line, name)
        question = next(
            (q for q in self.mapping.questions if asked.casefold() == q.source.strip().casefold()),
            None,
        )
        if question is None:
            told = "is no question that was defined; define it, or delete the row"
            self._fault(line, name, faults.QUESTION, told, asked)
            return
        value = self.mapping.columns["value"]
        yield reader, value, question, self.columns.text(line, value)

    def _place(self, line: Line, reader: str) -> tuple[Place, int] | None:
        case = self.columns.text(line, self.mapping.columns["case"])
        faulty = False
        for role, text in (("reader", reader), ("case", case)):
            if is_missing(text, self.mapping):
                told = f"the {role} is missing, so the row belongs to nobody's reading"
                self._fault(line, self.mapping.columns.get(role, ""), faults.READER, told)
                faulty = True
        arm = self._arm(line)
        period, order, repeat = (self._whole(line, role, NUMBERED[role]) for role in NUMBERED)
        if faulty or arm is None or period is None or order is None or repeat is None:
            return None
        return Place(reader, case, arm, period, repeat), order

    def _arm(self, line: Line) -> str | None:
        name = self.mapping.columns.get("arm")
        if not name:
            return SINGLE
        text = self.columns.text(line, name)
        arms = self.mapping.arms
        known = next((one.code for one in arms if text.casefold() in one.spellings), None)
        if known is not None:
            return known
        if text and not arms:
            return text
        told = "is no arm that was defined" if text else "the arm is missing"
        self._fault(line, name, faults.ARM, told, text)
        return None

    def _whole(self, line: Line, role: str, usual: int) -> int | None:
        """Return the whole number in a column; ``usual`` where column or cell is not there."""
        name = self.mapping.columns.get(role)
        text = self.columns.text(line, name)
        if not name or is_missing(text, self.mapping):
            return usual
        try:
            number = number_of(text, self.mapping.decimal)
        except Unfit as unfit:
            self._fault(line, name, unfit.kind, str(unfit), text)
            return None
        if number != int(number) or not 0 <= number <= LARGEST:
            self._fault(line, name, faults.PLACE, "must be a whole number", text)
            return None
        return int(number)

    def _fault(self, line: Line, column: str, kind: str, told: str, text: str = "") -> None:
        self.found.append(Fault(line.number, column, kind, told, text))

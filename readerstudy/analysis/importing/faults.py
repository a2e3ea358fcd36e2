"""What can be wrong with a table of ratings, in words that say what to do."""

from __future__ import annotations

from dataclasses import dataclass

TABLE, EMPTY, SAME, TWICE, SCALE = "table", "empty", "same row", "two answers", "scale"
CASE, TRUTH, READER, SILENT, ARM = (
    "unknown case",
    "two truths",
    "no reader",
    "silent",
    "unknown arm",
)
QUESTION, NUMBER, COMMA, DATE, PLACE = "unknown question", "number", "comma", "date", "place"
KINDS = {
    TABLE: "The file itself",
    EMPTY: "Empty cells",
    SAME: "Rows that are there twice",
    TWICE: "Two answers to one question",
    SCALE: "Answers outside the scale",
    CASE: "Unknown cases",
    TRUTH: "Cases with two truths",
    READER: "Rows without a reader or a case",
    SILENT: "Readers without ratings",
    ARM: "Unknown arms",
    QUESTION: "Unknown questions",
    NUMBER: "Not a number",
    COMMA: "Decimal signs",
    DATE: "Dates made by a spreadsheet",
    PLACE: "Periods, places and repeats",
}
TOLERATED = frozenset({EMPTY, SAME, SILENT})


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    row : int
        As the spreadsheet counts; 0 stands for the file as a whole.
    column, text, cell : str
        Name of the column; what is wrong and what to do; what stands in the cell.
    kind : str
        Key of KINDS.
    table : str
        "ratings" or "cases".
    """

    row: int
    column: str
    kind: str
    text: str
    cell: str = ""
    table: str = "ratings"

    @property
    def blocks(self) -> bool:
        """Must it be mended, or what it stands on be left out?"""
        return self.kind not in TOLERATED

    def __str__(self) -> str:
        place = f"Row {self.row}{f', column {self.column}' if self.column else ''}: "
        where = f"{place if self.row else ''}{self.text}"
        return f"{where} ({self.cell})" if self.cell else where

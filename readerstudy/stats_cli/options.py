"""Options that the commands share, and how they find the columns they need."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.tables import Label, Table, read_table

CASE = ("case", "case_id", "subject", "subject_id", "item", "image", "exam", "patient")
READER = ("reader", "reader_id", "rater", "observer")
SCORE = ("score", "rating", "value", "grade")
TRUTH = ("truth", "origin", "reference", "outcome")
TEST = ("test", "modality", "treatment", "arm")
TIME = ("time", "months", "days", "years")
EVENT = ("event", "status", "dead", "death")
_NOT_TOLD = ("file", "json", "csv", "run", "command", "area")


class Parser(argparse.ArgumentParser):
    """A parser whose errors end with 1, as 2 means that something is undefined."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the command is used."""
        self.exit(1, f"{self.prog}: {message}\n{self.format_usage()}")


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add the file and what is told about it."""
    parser.add_argument("file", help="CSV file with a line of column names; - for standard input")
    parser.add_argument("--delimiter", default=",", help="one character, or tab (default: comma)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="use these rows only; may be given more than once",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add where the results go besides the terminal."""
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON; - for the screen")
    parser.add_argument("--csv", metavar="FILE", help="write the tables as CSV; - for the screen")


def add_analysis(
    parser: argparse.ArgumentParser, *, missing: str = "raise", independent: bool = True
) -> None:
    """Add input, output, level, missing values and, where it applies, repeated cases."""
    add_input(parser)
    add_output(parser)
    parser.add_argument("--level", type=float, default=0.95, help="confidence level, 0 to 1")
    parser.add_argument(
        "--missing",
        choices=("raise", "omit"),
        default=missing,
        help=f"refuse missing values, or leave their rows out and count them (default: {missing})",
    )
    if independent:
        parser.add_argument(
            "--assume-independent",
            action="store_true",
            help="accept rows that repeat a case; say so in the report",
        )


def add_column(
    parser: argparse.ArgumentParser, name: str, what: str, candidates: Sequence[str] = ()
) -> None:
    """Add an option that names a column."""
    default = f" (default: the first of {', '.join(candidates)} that is there)"
    parser.add_argument(
        f"--{name}", metavar="COLUMN", help=f"column of {what}" + (default if candidates else "")
    )


def add_positive(parser: argparse.ArgumentParser) -> None:
    """Add the label that counts as 1."""
    parser.add_argument("--positive", metavar="LABEL", help="label of the truth that counts as 1")


def comma_list(text: str) -> list[str]:
    """Return the parts of a list written with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def number_list(text: str) -> list[float]:
    """Return numbers written with commas."""
    try:
        return [float(part) for part in comma_list(text)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers") from error


def open_table(options: argparse.Namespace) -> Table:
    """Read the file and keep the rows asked for."""
    return read_table(options.file, options.delimiter).where(options.where)


def find(table: Table, given: str | None, candidates: Sequence[str], what: str, option: str) -> str:
    """Return the column given by an option, else the first candidate that is there."""
    found = find_optional(table, given, candidates)
    if found is None:
        raise WrongUse(
            f"{table.name}: which column holds the {what}? There are {', '.join(table.header)}; "
            f"name it with --{option}"
        )
    return found


def find_optional(table: Table, given: str | None, candidates: Sequence[str]) -> str | None:
    """Return the column given by an option, else the first candidate, else None."""
    return table.require(given) if given else table.first_of(candidates)


def case_ids(table: Table, given: str | None) -> list[Label] | None:
    """Return the case of each row, or None if the file has no such column."""
    name = find_optional(table, given, CASE)
    return None if name is None else table.labels(name)


NO_CASES = (
    "No column names the cases, so every row is taken as another case. Name it with --case if "
    "cases repeat."
)


def about(options: argparse.Namespace, table: Table, **columns: Any) -> dict[str, Any]:
    """Return what a reader of the JSON needs to know about input and options."""
    return {
        "input": {"file": table.name, "sha256": table.sha256, "rows_used": len(table.rows)},
        "columns": columns,
        "options": given_options(options),
    }


def given_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that shape the analysis."""
    return {k: v for k, v in vars(options).items() if k not in _NOT_TOLD and v not in (None, [])}


def heading(level: float) -> str:
    """Return the heading of an interval."""
    return f"{100 * level:g} % interval"


def refuse_repeated_cases(
    table: Table, ids: Sequence[Label] | None, options: argparse.Namespace, instead: str
) -> None:
    """Refuse rows that repeat a case, naming both lines, unless told that they are independent."""
    if ids is None or options.assume_independent:
        return
    seen: dict[Label, int] = {}
    for row, case in enumerate(ids):
        if case in seen:
            raise WrongUse(
                f"{table.name}, line {table.lines[row]}: case {case} is there already, in line "
                f"{table.lines[seen[case]]}, so rows are not independent. {instead}, or pass "
                "--assume-independent and say so in the report"
            )
        seen[case] = row

"""Long-form CSV files: reading, finding columns, and errors that name file, line and column."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from readerstudy.stats_cli.errors import WrongUse

MISSING = frozenset(["", "na", "n/a", "nan"])
_YES_NO = ({"0", "1"}, {"0.0", "1.0"}, {"false", "true"}, {"no", "yes"}, {"real", "synthetic"})
_POSITIVE = ("1", "1.0", "true", "yes", "synthetic")

Label = str | int


@dataclass(frozen=True)
class Table:
    """Rows of text with the line of the file each stands in."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    sha256: str

    def require(self, column: str) -> str:
        """Return a column name; refuse one that is not there, with those that are."""
        if column not in self.header:
            raise WrongUse(f"{self.name} has no column {column!r}; it has {', '.join(self.header)}")
        return column

    def first_of(self, candidates: Iterable[str]) -> str | None:
        """Return the first candidate that is a column, whatever its capitals."""
        columns = {name.lower(): name for name in reversed(self.header)}
        return next((columns[c] for c in candidates if c in columns), None)

    def texts(self, column: str) -> list[str]:
        """Return a column as it stands in the file."""
        position = self.header.index(self.require(column))
        return [row[position] for row in self.rows]

    def labels(self, column: str) -> list[Label]:
        """Return labels, as whole numbers if all are; refuse empty ones."""
        texts = self.texts(column)
        for row, text in enumerate(texts):
            if not text:
                raise self.error(row, column, "is empty; every row needs a label here")
        return as_labels(texts)

    def numbers(self, column: str, *, missing: str) -> list[float]:
        """Return a column as numbers; NaN for missing values unless they are refused."""
        texts = self.texts(column)
        return [self._number(i, column, text, missing) for i, text in enumerate(texts)]

    def _number(self, row: int, column: str, text: str, missing: str) -> float:
        if self.is_missing(row, column, text, missing):
            return math.nan
        try:
            number = float(text)
        except ValueError as error:
            hint = "; write decimals with a point" if "," in text else ""
            raise self.error(row, column, f"{text!r} is not a number{hint}") from error
        if math.isinf(number):
            raise self.error(row, column, f"{text!r} is not a finite number")
        return number

    def is_missing(self, row: int, column: str, text: str, missing: str) -> bool:
        """Say whether a value is missing; refuse it if missing values are refused."""
        if text.lower() not in MISSING:
            return False
        if missing == "raise":
            raise self.error(
                row, column, "is empty or NA; fill it in, or leave such rows out: --missing omit"
            )
        return True

    def binary(self, column: str, positive: str | None, *, missing: str) -> list[float]:
        """Return a column of two labels as 0 and 1."""
        texts = self.texts(column)
        empty = [self.is_missing(i, column, text, missing) for i, text in enumerate(texts)]
        found = {text for text, gone in zip(texts, empty, strict=True) if not gone}
        one = positive if positive is not None else self._positive(column, found)
        if positive is not None and positive not in found:
            raise WrongUse(
                f"{self.name}, column {column}: no row is {positive!r}; there are {_some(found)}"
            )
        if len(found - {one}) > 1:
            raise WrongUse(
                f"{self.name}, column {column}: more than two labels ({_some(found)}); leave out "
                "rows with --where, or give a column of 0 and 1"
            )
        return [math.nan if e else float(t == one) for t, e in zip(texts, empty, strict=True)]

    def _positive(self, column: str, found: set[str]) -> str:
        small = {text.lower(): text for text in found}
        if len(small) == len(found) and any(set(small) <= pair for pair in _YES_NO):
            return next((small[p] for p in _POSITIVE if p in small), "1")
        raise WrongUse(
            f"{self.name}, column {column}: {_some(found)} are not 0 and 1; say which label "
            "counts as 1 with --positive"
        )

    def error(self, row: int, column: str, what: str) -> WrongUse:
        """Return an error about one value."""
        return WrongUse(f"{self.name}, line {self.lines[row]}, column {column}: {what}")

    def where(self, conditions: Sequence[str]) -> Table:
        """Return the rows that fulfil every ``column=value``."""
        table = self
        for condition in conditions:
            column, sign, value = condition.partition("=")
            if not sign:
                raise WrongUse(f"--where {condition}: write it as COLUMN=VALUE")
            texts = table.texts(column.strip())
            kept = [i for i, text in enumerate(texts) if text == value.strip()]
            if not kept:
                raise WrongUse(f"{self.name}: no row has {condition}; there are {_some(texts)}")
            table = table.keep(kept)
        return table

    def keep(self, rows: Sequence[int]) -> Table:
        """Return the chosen rows."""
        return replace(
            self,
            rows=tuple(self.rows[i] for i in rows),
            lines=tuple(self.lines[i] for i in rows),
        )


def as_labels(texts: Sequence[str]) -> list[Label]:
    """Return labels as whole numbers if all are, so that 10 comes after 9."""
    if all(text.isdecimal() and str(int(text)) == text for text in texts):
        return [int(text) for text in texts]
    return list(texts)


def in_order(labels: Iterable[Label]) -> list[Label]:
    """Return different labels in order, numbers by size."""
    return sorted(set(labels), key=lambda x: (x if isinstance(x, int) else 0, str(x)))


def _some(texts: Iterable[str]) -> str:
    names = sorted(set(texts))
    shown = ", ".join(repr(name) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def read_table(path: str, delimiter: str = ",") -> Table:
    """Read a CSV file with a header; ``-`` is the standard input."""
    name = "standard input" if path == "-" else Path(path).name
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongUse(f"{name} is not UTF-8 text: save it as CSV UTF-8") from error
    lines = _records(name, text, "\t" if delimiter in ("tab", "\\t") else delimiter)
    if not lines:
        raise WrongUse(f"{name} is empty; it needs a line of column names")
    header = tuple(lines[0][1])
    _check_header(name, header)
    for line, row in lines[1:]:
        if len(row) != len(header):
            raise WrongUse(
                f"{name}, line {line}: {len(row)} fields, but the first line names {len(header)} "
                "columns"
            )
    if len(lines) == 1:
        raise WrongUse(f"{name} has column names but no rows")
    return Table(
        name,
        header,
        tuple(tuple(row) for _, row in lines[1:]),
        tuple(line for line, _ in lines[1:]),
        hashlib.sha256(content).hexdigest(),
    )


def read_bytes(path: str) -> bytes:
    """Return the content of a file or of the standard input."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from error


def _records(name: str, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with the line it begins in."""
    found, start = [], 1
    if len(delimiter) != 1:
        raise WrongUse(f"--delimiter must be one character, or tab; got {delimiter!r}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((start, [cell.strip() for cell in row]))
            start = reader.line_num + 1
    except csv.Error as error:
        raise WrongUse(f"{name}, line {start}: {error}") from error
    return found


def _check_header(name: str, header: tuple[str, ...]) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise WrongUse(f"{name}, line 1: more than one column is called {', '.join(twice)!r}")
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        mark = next(m for m in ";\t|" if m in header[0])
        shown = "tab" if mark == "\t" else f"'{mark}'"
        raise WrongUse(f"{name}, line 1: one column only; try --delimiter {shown}")

"""What a command has to say: tables with their methods, as text, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from readerstudy.stats.results import Result, json_safe
from readerstudy.stats_cli.errors import in_options
from readerstudy.stats_cli.formatting import is_undefined, show

WIDTH = 100
NARROW = 44
UNDEFINED = "undefined"
FORMAT = "readerstudy-stats-1"


@dataclass(frozen=True)
class Column:
    """A column for reading.

    Attributes
    ----------
    heading : str
    style : str
        As for :func:`readerstudy.stats_cli.formatting.show`.
    keys : tuple of str
        One value of the row, or the two limits of an interval.
    of : str
        Which result of the row explains an undefined value; all of them if empty.
    """

    heading: str
    style: str
    keys: tuple[str, ...]
    of: str = ""


def column(heading: str, style: str, *keys: str, of: str = "") -> Column:
    """Return a column."""
    return Column(heading, style, keys, of)


@dataclass(frozen=True)
class Row:
    """Values at full precision by name, and the results they come from.

    ``styles`` replaces the style of a column where the rows of a table have different units.
    """

    values: Mapping[str, Any]
    results: Mapping[str, Result] = field(default_factory=dict)
    styles: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {**self.values, "results": {k: r.to_dict() for k, r in self.results.items()}}


@dataclass(frozen=True)
class Section:
    """One table: ``name`` for JSON and CSV; ``results`` are those of the table as a whole."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    results: Mapping[str, Result] = field(default_factory=dict)

    @property
    def has_undefined(self) -> bool:
        """Say whether a shown value, or anything else in a result, is undefined."""
        shown = [key for c in self.columns for key in c.keys]
        values = (row.values.get(key) for row in self.rows for key in shown)
        return any(map(is_undefined, values)) or any(r.reason for _, _, r in self._each())

    def _each(self) -> Iterator[tuple[str, str, Result]]:
        """Return every result with the row it belongs to (if one) and its name."""
        yield from (("", name, result) for name, result in self.results.items())
        for row in self.rows:
            about = self._name_of(row)
            yield from ((about, name, result) for name, result in row.results.items())

    def document(self) -> dict[str, Any]:
        """Return the table for JSON."""
        return {
            "title": self.title,
            "rows": [row.document() for row in self.rows],
            "results": {name: result.to_dict() for name, result in self.results.items()},
            "notes": list(self.notes),
        }

    def text(self, told: set[str]) -> str:
        """Return title, table and notes; what was told before is not repeated."""
        reasons = self._gather(lambda result: (result.reason,) if result.reason else ())
        numbers = {reason: i for i, reason in enumerate(reasons, start=1)}
        body = [[self._cell(row, c, numbers) for c in self.columns] for row in self.rows]
        notes = [_wrap(note) for note in (*self.notes, *_once(self._told(), told))]
        for reason, names in reasons.items():
            about = self._about(names, "{}: ")
            notes.append(_wrap(f"[{numbers[reason]}] {about}{in_options(reason)}"))
        grid = self._grid(body) if body else ()
        return "\n".join([self.title, "", *grid, *([""] if notes and body else []), *notes])

    def _name_of(self, row: Row) -> str:
        """Return the leading texts of a row, which say what it is about."""
        leading = takewhile(lambda c: c.style == "text", self.columns)
        names = (show(row.values.get(c.keys[0]), "text") for c in leading)
        return " – ".join(name for name in names if name)

    def _cell(self, row: Row, c: Column, numbers: Mapping[str, int]) -> str:
        values = [row.values.get(key) for key in c.keys]
        style = row.styles.get(c.keys[0], c.style)
        shown = [UNDEFINED if is_undefined(value) else show(value, style) for value in values]
        text = " to ".join(dict.fromkeys(shown) if UNDEFINED in shown else filter(None, shown))
        if text and style == "percent" != c.style:
            text += " %"
        return " ".join([text, *(self._marks(row, c, numbers) if UNDEFINED in shown else ())])

    def _marks(self, row: Row, c: Column, numbers: Mapping[str, int]) -> Iterator[str]:
        """Point to the reasons why a value of this row is undefined."""
        results = {**self.results, **row.results}
        chosen = [results[c.of]] if c.of in results else results.values()
        yield from (
            f"[{mark}]" for mark in dict.fromkeys(numbers[r.reason] for r in chosen if r.reason)
        )

    def _grid(self, body: list[list[str]]) -> Iterator[str]:
        headings = [c.heading for c in self.columns]
        widths = [max(map(len, cells)) for cells in zip(headings, *body, strict=True)]
        if self.columns[-1].style == "text":
            widths[-1] = min(widths[-1], max(WIDTH - sum(widths[:-1]) - 2 * len(widths), NARROW))
        yield from self._line(headings, widths)
        yield "  ".join("-" * width for width in widths)
        for cells in body:
            yield from self._line(cells, widths)

    def _line(self, cells: list[str], widths: list[int]) -> Iterator[str]:
        """Return one row; the last text goes on below where it is too long."""
        first, *rest = textwrap.wrap(cells[-1], widths[-1]) or [""]
        padded = (
            text.ljust(width) if c.style == "text" else text.rjust(width)
            for text, width, c in zip([*cells[:-1], first], widths, self.columns, strict=True)
        )
        yield "  ".join(padded).rstrip()
        margin = sum(widths[:-1]) + 2 * (len(widths) - 1)
        yield from (" " * margin + text for text in rest)

    def _told(self) -> Iterator[str]:
        """Return methods, missing values and warnings of all results, each once."""
        methods: dict[str, str] = {}
        for _, name, result in self._each():
            methods.setdefault(result.method, name)
        for method, name in methods.items():
            words = name.split("_")
            clear = len(methods) == 1 or all(word in method.lower() for word in words)
            yield f"Method{'' if clear else ', ' + ' '.join(words)}: {method}."
        dropped: dict[str, int] = {}
        for row, _, result in self._each():
            dropped[row] = max(dropped.get(row, 0), result.n_dropped)
        if any(dropped.values()):
            told = (f"{name}: {count}".strip(" :") for name, count in dropped.items() if count)
            yield f"Left out, as a value is missing: {'; '.join(told)}."
        for text, names in self._gather(lambda result: result.warnings).items():
            yield f"Warning{self._about(names, ' ({})')}: {in_options(text)}"

    def _gather(self, texts: Callable[[Result], Iterable[str]]) -> dict[str, list[str]]:
        """Return texts of all results with the rows they are about."""
        found: dict[str, list[str]] = {}
        for row, _, result in self._each():
            for text in texts(result):
                found.setdefault(text, []).append(row)
        return found

    def _about(self, names: list[str], pattern: str) -> str:
        """Name the rows that a text is about, unless it is about all."""
        different = [name for name in dict.fromkeys(names) if name]
        everyone = len(different) == len(self.rows) or not different
        return "" if everyone else pattern.format(", ".join(different))


def _once(texts: Iterable[str], told: set[str]) -> Iterator[str]:
    """Return texts; of those told under an earlier table only that they are the same."""
    again = []
    for text in texts:
        if text in told:
            again.append(f"{text.partition(':')[0].split(',')[0]}: as above.")
        else:
            yield text
        told.add(text)
    yield from dict.fromkeys(again)


def _wrap(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


@dataclass(frozen=True)
class Report:
    """Everything a command found.

    Attributes
    ----------
    command : str
    sections : tuple of Section
    about : mapping
        Input file, options, and what else a reader of the JSON needs.
    """

    command: str
    sections: tuple[Section, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_undefined(self) -> bool:
        """Say whether anything is undefined."""
        return any(section.has_undefined for section in self.sections)

    def text(self) -> str:
        """Return the report for reading."""
        told: set[str] = set()
        return "\n\n\n".join(section.text(told) for section in self.sections) + "\n"

    def json(self) -> str:
        """Return strict JSON at full precision; NaN is null beside its reason."""
        document = {
            "format": FORMAT,
            "command": self.command,
            **self.about,
            "undefined": self.has_undefined,
            "tables": {section.name: section.document() for section in self.sections},
        }
        return json.dumps(json_safe(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def csv(self) -> str:
        """Return one line per row of every table at full precision; undefined values are empty."""
        records = [_record(section, row) for section in self.sections for row in section.rows]
        names = dict.fromkeys(name for record in records for name in record)
        last = ("method", "reason", "warnings")
        order = [*(name for name in names if name not in last), *last]
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=order, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return out.getvalue()


def _record(section: Section, row: Row) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in row.values.items()}
    results = [*section.results.values(), *row.results.values()]
    return {
        "table": section.name,
        **values,
        "method": " | ".join(dict.fromkeys(r.method for r in results)),
        "reason": " | ".join(dict.fromkeys(r.reason for r in results if r.reason)),
        "warnings": " | ".join(dict.fromkeys(w for r in results for w in r.warnings)),
    }


def _plain(value: Any) -> Any:
    safe = json_safe(value)
    if safe is None:
        return ""
    return str(safe).lower() if isinstance(safe, bool) else safe

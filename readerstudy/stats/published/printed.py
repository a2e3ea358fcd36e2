"""Printed numbers and verdicts: what a figure in a paper can stand for.

A printed figure stands for all values that give it when rounded. Some authors cut digits off
instead; a value that gives the figure only that way is told apart ("cut"). Halves may go either
way, because papers round them up, down and to even.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from readerstudy.stats.results import Result

SLACK = 1e-9
"""Relative slack for values that lie exactly on a rounding bound."""

Verdict = Literal["consistent", "inconsistent", "cannot be checked"]
CellVerdict = Literal["reproduces", "does not follow from the counts", "cannot be checked"]
CELL_VERDICT: dict[Verdict, CellVerdict] = {
    "consistent": "reproduces",
    "inconsistent": "does not follow from the counts",
    "cannot be checked": "cannot be checked",
}

_NUMBER = re.compile(r"([<>=]?)\s*([-−]?)(\d*\.?\d+)\s*(%?)")


@dataclass(frozen=True)
class Printed:
    """A figure as it stands in a paper.

    Attributes
    ----------
    text : str
        As printed.
    value : float
        The number, in the printed unit (percent stays percent).
    step : float
        One unit of the last digit: 0.1 for "62.7", 1 for "55".
    bound : {"", "<", ">"}
        "<" for "<.001".
    percent : bool
        Whether a percent sign follows.
    """

    text: str
    value: float
    step: float
    bound: str
    percent: bool

    @classmethod
    def parse(cls, printed: str | float, *, decimals: int | None = None) -> Printed:
        """Read a figure such as "62.7%", "<.001", "−0.35" or 0.857.

        Parameters
        ----------
        printed : str or float
            A string keeps its last zeros ("0.90"); a float has lost them, so give ``decimals``.
        decimals : int, optional
            Printed digits after the point, where the string does not say.

        Raises
        ------
        ValueError
            If there is no single number in it.
        """
        text = str(printed).strip()
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ValueError(
                f"cannot read {text!r} as one printed number such as '62.7%' or '<.001'"
            )
        bound, sign, digits, percent = match.groups()
        shown = _decimals(digits) if decimals is None else decimals
        value = float(digits) * (-1 if sign else 1)
        return cls(text, value, 10.0**-shown, bound.replace("=", ""), bool(percent))

    @property
    def unit(self) -> float:
        """What one printed unit is worth: 0.01 for a percentage, otherwise 1."""
        return 0.01 if self.percent else 1.0

    @property
    def low(self) -> float:
        """Smallest value that may be printed so, as a fraction where a percent sign follows."""
        if self.bound:
            return -math.inf if self.bound == "<" else self.value * self.unit
        return (self.value - self.step / 2) * self.unit - SLACK * self._size

    @property
    def high(self) -> float:
        """Largest value that may be printed so."""
        if self.bound:
            return math.inf if self.bound == ">" else self.value * self.unit
        return (self.value + self.step / 2) * self.unit + SLACK * self._size

    @property
    def _size(self) -> float:
        return max(abs(self.value), self.step) * self.unit

    def admits(self, value: float) -> bool:
        """Say whether a value rounds to this figure (or lies on the right side of its bound)."""
        if self.bound == "<":
            return value < self.high
        return self.low <= value <= self.high

    def match(self, value: float) -> Literal["rounded", "cut"] | None:
        """Say how a value gives this figure: by rounding, by cutting digits off, or not."""
        if self.admits(value):
            return "rounded"
        excess = (abs(value) / self.unit - abs(self.value)) / self.step
        same_sign = value * self.value >= 0
        return "cut" if not self.bound and same_sign and 0 <= excess < 1 else None

    def show(self, value: float) -> str:
        """Write a value with one digit more than the figure has, or none more if that is exact."""
        decimals, shown = max(0, -round(math.log10(self.step))), value / self.unit
        exact = abs(shown - round(shown, decimals)) < SLACK
        text = f"{shown:.{decimals + (not exact)}f}"
        if value and float(text) == 0:
            text = f"{shown:.1e}"
        return text + ("%" if self.percent else "")


def _decimals(digits: str) -> int:
    exponent = Decimal(digits).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def show_p(value: float) -> str:
    """Write a P value for reading: two significant digits, never 0."""
    if math.isnan(value):
        return "undefined"
    if value < 1e-12:
        return "below 1e-12"
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.1e}"


@dataclass(frozen=True, kw_only=True)
class Check(Result):
    """The outcome of one check of published figures.

    Attributes
    ----------
    verdict : {"consistent", "inconsistent", "cannot be checked"}
    words : str
        The finding in plain words, with the numbers.
    """

    verdict: Verdict
    words: str

    def summary(self) -> str:
        """Return the verdict with its reason."""
        return f"{self.verdict}: {self.words}"


@dataclass(frozen=True, kw_only=True)
class Cell(Result):
    """One printed figure beside what the published counts give.

    Attributes
    ----------
    where : str
        Place in the paper.
    printed : str
        As printed.
    value : float
        Recomputed at full precision; NaN where nothing can be recomputed.
    verdict : {"reproduces", "does not follow from the counts", "cannot be checked"}
    words : str
        The finding in plain words.
    cut : bool
        Whether the figure follows only if digits were cut off instead of rounded.
    """

    where: str
    printed: str
    value: float
    verdict: CellVerdict
    words: str
    cut: bool = False

    def summary(self) -> str:
        """Return place, printed figure and verdict in one line."""
        return f"{self.where}: {self.printed} {self.verdict} ({self.words})"


@dataclass(frozen=True, kw_only=True)
class PublishedTable(Result):
    """All cells of one paper; ``n`` counts them."""

    paper: str
    cells: tuple[Cell, ...]

    def by_verdict(self, verdict: CellVerdict) -> tuple[Cell, ...]:
        """Return the cells with this verdict."""
        return tuple(cell for cell in self.cells if cell.verdict == verdict)

    def find(self, where: str) -> Cell:
        """Return the one cell at this place.

        Raises
        ------
        KeyError
            If no cell or more than one is there.
        """
        found = [cell for cell in self.cells if cell.where == where]
        if len(found) != 1:
            raise KeyError(f"{len(found)} cells are called {where!r} in {self.paper}")
        return found[0]

    def rows(self) -> list[dict[str, Any]]:
        """Return the cells as JSON-safe dicts, for tables and exports."""
        return [cell.to_dict() for cell in self.cells]

    def summary(self) -> str:
        """Return the number of cells per verdict in one line."""
        counts = [f"{v}: {len(self.by_verdict(v))}" for v in CELL_VERDICT.values()]
        cut = sum(cell.cut for cell in self.cells)
        return f"{self.paper}: {', '.join(counts)} (cut off instead of rounded: {cut})"


def published_table(paper: str, cells: list[Cell]) -> PublishedTable:
    """Collect cells under their paper; refuse two cells of one name."""
    names = [cell.where for cell in cells]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"cells must have different names, got twice: {', '.join(sorted(twice))}")
    return PublishedTable(
        paper=paper,
        cells=tuple(cells),
        n=len(cells),
        method="figures as published beside what the published counts give",
    )


def value_cell(
    where: str, printed: str, value: float, *, method: str, n: int, remark: str = ""
) -> Cell:
    """Compare one printed figure with a recomputed value."""
    figure = Printed.parse(printed)
    how = figure.match(value)
    shown = show_p(value) if printed.startswith("<") else figure.show(value)
    tail = " (digits cut off, not rounded)" if how == "cut" else ""
    return Cell(
        where=where,
        printed=printed,
        value=value,
        verdict="does not follow from the counts" if how is None else "reproduces",
        words=f"the counts give {shown}{tail}" + (f"; {remark}" if remark else ""),
        cut=how == "cut",
        method=method,
        n=n,
    )


def check_cell(
    where: str, printed: str, check: Check, *, value: float = math.nan, proves: bool = True
) -> Cell:
    """Turn the outcome of a check into a cell.

    With ``proves=False`` a check that finds no contradiction leaves the figure unchecked.
    """
    open_end = check.verdict == "consistent" and not proves
    return Cell(
        where=where,
        printed=printed,
        value=value,
        verdict=CELL_VERDICT["cannot be checked" if open_end else check.verdict],
        words=check.words,
        method=check.method,
        n=check.n,
        reason=check.reason,
    )


def open_cell(where: str, printed: str, missing: str) -> Cell:
    """Return a cell that cannot be checked, with what would be needed."""
    return Cell(
        where=where,
        printed=printed,
        value=math.nan,
        verdict="cannot be checked",
        words=missing,
        method="none",
        n=0,
        reason=missing,
    )


def parse_percent(printed: str | float, decimals: int | None) -> Printed:
    """Read a percentage with or without its sign."""
    figure = Printed.parse(printed, decimals=decimals)
    return Printed(figure.text, figure.value, figure.step, figure.bound, percent=True)


def overlaps(printed: Printed, low: float, high: float) -> bool:
    """Say whether some value from low to high may be printed so."""
    if printed.bound == "<":
        return low < printed.high
    return low <= printed.high and printed.low <= high


@dataclass(frozen=True, kw_only=True)
class RangeCheck(Check):
    """``recomputed``: value from the other figures; ``low``, ``high``: its range over rounding."""

    recomputed: float
    low: float
    high: float

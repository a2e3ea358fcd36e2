"""What an analysis says: sections of tables, figures and tests, each with method, n and warnings.

The one form of all results. The results page, the report, the tables in other formats and the
script that redoes them are written from it; nothing is computed after it. Undefined numbers are
NaN and carry their reason to the place where the number would stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from readerstudy.stats.results import json_safe

PLANNED, EXPLORATORY, DESCRIPTIVE = "planned", "exploratory", "descriptive"
TAGS = (PLANNED, EXPLORATORY, DESCRIPTIVE)
FORMS = {
    "count": "whole number",
    "percent": "share, shown in per cent with one decimal",
    "points": "difference of shares, shown in percentage points with one decimal and its sign",
    "area": "area under a curve or a score between 0 and 1, three decimals",
    "difference": "difference of such areas, three decimals and its sign",
    "kappa": "agreement, d prime and other measures with two decimals",
    "p": "p-value, three decimals or < 0.001",
    "seconds": "seconds, whole",
    "ratio": "odds or hazard ratio, two decimals",
    "number": "three digits that tell",
}
NAN = math.nan


@dataclass(frozen=True)
class Number:
    """A number in a table or sentence.

    Attributes
    ----------
    value, low, high, level : float
        NaN where there is none; ``reason`` then says why.
    form : str
        Key of FORMS: how it is shown. The number itself is never rounded.
    behind : mapping
        Which reads it counts, as filters of the page of reads: ``reader``, ``arm``, ``question``,
        ``answer``, ``origin``, ``right`` ("yes", "no"), ``item``, ``stratum``, ``generator``,
        ``period``.
    """

    value: float
    form: str = "number"
    low: float = NAN
    high: float = NAN
    level: float = 0.95
    reason: str = ""
    behind: Mapping[str, str] = field(default_factory=dict)

    @property
    def defined(self) -> bool:
        return not math.isnan(self.value)

    @property
    def has_interval(self) -> bool:
        return not (math.isnan(self.low) or math.isnan(self.high))


Cell = Number | str


def number_of(found: Any, form: str, *, behind: Mapping[str, str] | None = None) -> Number:
    """Return an estimate of `readerstudy.stats` (``value``, ``low``, ``high``) as a number."""
    return Number(
        value=float(found.value),
        form=form,
        low=float(getattr(found, "low", NAN)),
        high=float(getattr(found, "high", NAN)),
        level=float(getattr(found, "level", 0.95)),
        reason=getattr(found, "reason", None) or "",
        behind=behind or {},
    )


def count(value: int, **behind: str) -> Number:
    """Return a count, with the reads that it counts."""
    return Number(float(value), "count", behind=behind)


def undefined(reason: str, form: str = "number") -> Number:
    """Return a number that could not be computed, with the reason."""
    return Number(NAN, form, reason=reason)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    code, title : str
        Name in files; words in the head.
    kind : {"text", "value", "estimate", "interval", "plot"}
        An estimate shows its interval on a second line; ``interval`` shows only the limits, and
        ``plot`` draws them on the axis of the table.
    source : str
        Code of the cell that it shows; empty: its own code.
    group : str
        Heading over neighbouring columns.
    """

    code: str
    title: str
    kind: str = "value"
    source: str = ""
    group: str = ""

    @property
    def cell(self) -> str:
        return self.source or self.code


@dataclass(frozen=True)
class Row:
    """Cells by the code of their column; ``strong`` marks the row of all readers."""

    cells: Mapping[str, Cell]
    strong: bool = False


@dataclass(frozen=True)
class Axis:
    """The axis of intervals drawn in the rows of a table, in the unit of the numbers."""

    low: float
    high: float
    reference: float = NAN
    band: tuple[float, float] | None = None
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table. ``layout`` "matrix" shades each estimate by its value."""

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    method: str
    n: str
    notes: tuple[str, ...] = ()
    axis: Axis | None = None
    layout: str = "rows"
    width: str = "full"

    kind = "table"


@dataclass(frozen=True)
class Figure:
    """A figure: a Vega-Lite specification with its data, and the text that stands in for it."""

    code: str
    title: str
    spec: Mapping[str, Any]
    alt: str
    method: str
    n: str
    notes: tuple[str, ...] = ()
    width: str = "half"

    kind = "figure"


@dataclass(frozen=True)
class Passage:
    """Plain words between tables; ``**`` marks what is strong."""

    text: str

    kind = "passage"


Block = Table | Figure | Passage
BLOCKS: dict[str, type[Table] | type[Figure] | type[Passage]] = {
    "table": Table,
    "figure": Figure,
    "passage": Passage,
}


@dataclass(frozen=True)
class Test:
    """A test with all that a reviewer asks of a p-value.

    Attributes
    ----------
    code : str
        Tests of one family share their code: ``main`` is the one that decides an endpoint.
    what, name : str
        What is compared; the test with its reference.
    unit, n, null, assumptions : str
        Unit of analysis, how many, hypothesis, what must hold.
    symbol, df : str
        Name of the statistic such as z or F; its degrees of freedom.
    p, adjusted_p : float
        NaN where undefined; ``reason`` says why.
    """

    __test__ = False

    code: str
    what: str
    name: str
    unit: str
    n: str
    null: str
    assumptions: str
    p: float
    symbol: str = ""
    statistic: float = NAN
    df: str = ""
    adjusted_p: float = NAN
    adjustment: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """All that is said of one endpoint, or one descriptive part.

    ``lead`` holds sentences in plain words; ``**`` marks what is strong.
    """

    code: str
    title: str
    tag: str
    primary: bool = False
    lead: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    tests: tuple[Test, ...] = ()
    family: str = ""
    adjustment: str = ""

    @property
    def tables(self) -> list[Table]:
        return [block for block in self.blocks if isinstance(block, Table)]

    @property
    def figures(self) -> list[Figure]:
        return [block for block in self.blocks if isinstance(block, Figure)]

    def tagged(self, tag: str) -> Section:
        """Return the section as planned, exploratory or descriptive."""
        return replace(self, tag=tag)


@dataclass(frozen=True)
class Document:
    """All results of one run."""

    title: str
    summary: tuple[str, ...]
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def blocks(self) -> Iterator[tuple[Section, Block]]:
        """Yield every block with its section."""
        for section in self.sections:
            for block in section.blocks:
                yield section, block

    def section(self, code: str) -> Section:
        """Return a section by its code; KeyError if there is none."""
        for section in self.sections:
            if section.code == code:
                return section
        raise KeyError(code)

    def to_dict(self) -> dict[str, Any]:
        """Return the document as JSON at full precision; undefined numbers are null."""
        document = asdict(self)
        for section, made in zip(self.sections, document["sections"], strict=True):
            for block, written in zip(section.blocks, made["blocks"], strict=True):
                written["kind"] = block.kind
        result: dict[str, Any] = json_safe(document)
        return result


def from_dict(document: Mapping[str, Any]) -> Document:
    """Return the document that `Document.to_dict` wrote."""
    return Document(
        title=document["title"],
        summary=tuple(document["summary"]),
        facts=tuple(document["facts"]),
        sections=tuple(_section(one) for one in document["sections"]),
        provenance=document["provenance"],
    )


def _section(document: Mapping[str, Any]) -> Section:
    made = {
        **document,
        "lead": tuple(document["lead"]),
        "blocks": tuple(_block(one) for one in document["blocks"]),
        "tests": tuple(_test(one) for one in document["tests"]),
    }
    return Section(**made)


def _block(document: Mapping[str, Any]) -> Block:
    made = {key: value for key, value in document.items() if key != "kind"}
    if "notes" in made:
        made["notes"] = tuple(made["notes"])
    if document["kind"] == "table":
        made["columns"] = tuple(Column(**one) for one in made["columns"])
        made["rows"] = tuple(_row(one) for one in made["rows"])
        made["axis"] = _axis(made["axis"]) if made["axis"] else None
    return BLOCKS[document["kind"]](**made)


def _row(document: Mapping[str, Any]) -> Row:
    cells = document["cells"].items()
    return Row({code: _cell(cell) for code, cell in cells}, document["strong"])


def _cell(cell: Any) -> Cell:
    return cell if isinstance(cell, str) else Number(**_floats(cell, "value low high"))


def _axis(document: Mapping[str, Any]) -> Axis:
    made = _floats(document, "low high reference")
    return Axis(**{**made, "band": tuple(made["band"]) if made["band"] else None})


def _test(document: Mapping[str, Any]) -> Test:
    made = _floats(document, "p statistic adjusted_p")
    return Test(**{**made, "warnings": tuple(made["warnings"])})


def _floats(document: Mapping[str, Any], names: str) -> dict[str, Any]:
    """Return a copy in which null is NaN again and the words for infinity are numbers."""
    made = dict(document)
    for name in names.split():
        made[name] = NAN if made[name] is None else float(made[name])
    return made

"""Draw who is shown what, when and in which order. Pure: a design and a seed give one table.

The random numbers come from SHA-256 in counter mode, not from a library's generator, so that
the table can be drawn again bit by bit on any machine and in any language
(docs/algorithms/allocation.md).

allocation_design      the terms: Item, Design, Row, and what is refused
allocation_assignment  which items, arms and periods a reader gets
allocation_order       the order within a period
allocation_stream      the random numbers
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from readerstudy.reading.allocation_assignment import Showing, assign, sample
from readerstudy.reading.allocation_design import (
    TRAINING,
    Design,
    ImpossibleDesign,
    Item,
    Row,
    design_document,
    design_from,
    validate,
)
from readerstudy.reading.allocation_order import put_in_order
from readerstudy.reading.allocation_stream import ALGORITHM, Stream

__all__ = [
    "ALGORITHM",
    "Design",
    "ImpossibleDesign",
    "Item",
    "Row",
    "design_document",
    "design_from",
    "draw",
    "table_hash",
    "verify",
]


def draw(design: Design, seed: str) -> list[Row]:
    """Draw the table of a design.

    Parameters
    ----------
    design : Design
        The order of its readers and items does not matter; that of its arms does.
    seed : str
        Any text; stored with the result.

    Returns
    -------
    list of Row
        Sorted by reader, period and position.

    Raises
    ------
    ImpossibleDesign
        If the design contradicts itself or no order keeps its rules.
    """
    validate(design)
    assignment = assign(design, seed)
    rows: list[Row] = []
    for reader in sorted(design.readers):
        rows += _training(design, reader, Stream(seed, f"training|{reader}"))
        for period, showings in sorted(assignment[reader].items()):
            stream = Stream(seed, f"order|{reader}|{period}")
            rows += _period(design, reader, period, showings, stream)
    return rows


def _training(design: Design, reader: str, stream: Stream) -> list[Row]:
    items = stream.shuffled(sorted(design.training, key=lambda item: item.key))
    return list(_rows(reader, 0, [Showing(item, (TRAINING,)) for item in items], stream))


def _period(
    design: Design, reader: str, period: int, showings: list[Showing], stream: Stream
) -> list[Row]:
    showings = sorted(showings, key=lambda showing: showing.item.key)
    if design.repeats > len(showings):
        raise ImpossibleDesign(
            f"{design.repeats} repeats were asked for, but reader {reader} is shown only "
            f"{len(showings)} cases in a period."
        )
    again = sample(showings, design.repeats, stream) if design.repeats else []
    return list(_rows(reader, period, put_in_order(showings + again, design, stream), stream))


def _rows(reader: str, period: int, order: list[Showing], stream: Stream) -> Iterable[Row]:
    seen: Counter[str] = Counter()
    sides = _sides(order, stream)
    position = 0
    for showing, shown in zip(order, sides, strict=True):
        for stage, arm in enumerate(showing.arms, start=1):
            position += 1
            repeat = seen[showing.item.key]
            yield Row(reader, period, position, showing.item.key, arm, stage, repeat, shown)
        seen[showing.item.key] += 1


def _sides(order: list[Showing], stream: Stream) -> list[tuple[int, ...]]:
    """Draw which member stands in which place; the first member stands in each equally often."""
    found: list[tuple[int, ...]] = [(0,)] * len(order)
    for places in sorted({showing.item.places for showing in order} - {1}):
        chosen = [i for i, showing in enumerate(order) if showing.item.places == places]
        lots = stream.shuffled([number % places for number in range(len(chosen))])
        for index, lot in zip(chosen, lots, strict=True):
            others = stream.shuffled(range(1, places))
            found[index] = (*others[:lot], 0, *others[lot:])
    return found


def table(rows: Sequence[Row]) -> list[list[Any]]:
    """Return the rows as plain lists, as the certificate prints them."""
    return [
        [r.reader, r.period, r.position, r.item, r.arm, r.stage, r.repeat, list(r.sides)]
        for r in rows
    ]


def table_hash(rows: Sequence[Row]) -> str:
    """Return the SHA-256 of the table in canonical JSON."""
    return hashlib.sha256(json.dumps(table(rows), separators=(",", ":")).encode()).hexdigest()


def _verify_part(part: dict[str, Any]) -> list[str]:
    """Draw the whole table again for a reader who came later, and compare that reader's rows."""
    if "design" not in part:
        raise ImpossibleDesign("The part of a reader states only the hash of its design.")
    drawn = draw(design_from(part["design"]), part["seed"])
    rows = [row for row in drawn if row.reader == part["reader"]]
    return [] if table(rows) == part["table"] else ["The table differs from the one drawn again."]


def _verify_takeovers(certificate: dict[str, Any]) -> list[str]:
    """Compare what a reserve took over with the drawn rows of the reader who left.

    Nothing was drawn for a reserve: each row must be one of the other reader's.
    """
    drawn: dict[str, list[list[Any]]] = {}
    tables = [certificate["table"], *(part["table"] for part in certificate.get("parts", []))]
    for reader, *rest in (row for one in tables for row in one):
        drawn.setdefault(reader, []).append(rest)
    found = []
    for one in certificate.get("takeovers", []):
        rows = [rest for _, *rest in one["table"]]
        if any(row not in drawn.get(one["replaces"], []) for row in rows):
            found.append(f"Reader {one['reader']} reads what {one['replaces']} was not drawn.")
        drawn[one["reader"]] = rows
    return found


def verify(certificate: dict[str, Any]) -> list[str]:
    """Draw the table of a certificate again; return what differs, nothing if all agrees.

    Raises
    ------
    ImpossibleDesign
        If the certificate was made by another algorithm or lacks its design.
    """
    if certificate.get("algorithm") != ALGORITHM:
        raise ImpossibleDesign(
            f"This certificate was made by {certificate.get('algorithm')!r}; "
            f"this version draws with {ALGORITHM!r}."
        )
    if "design" not in certificate:
        raise ImpossibleDesign(
            "This certificate was made before unblinding and states only the hash of the design."
        )
    rows = draw(design_from(certificate["design"]), certificate["seed"])
    differences = [
        f"Reader {part['reader']}, added after the lock: {difference}"
        for part in certificate.get("parts", [])
        for difference in _verify_part(part)
    ]
    differences += _verify_takeovers(certificate)
    if table(rows) != certificate["table"]:
        differences.append("The table differs from the one drawn again.")
    if table_hash(rows) != certificate["table_hash"]:
        differences.append("The hash of the table differs.")
    return differences

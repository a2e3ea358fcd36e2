"""Draw the order of a blinded session. Pure: a design and a seed give one table, for ever.

Terms
-----
item
    What is shown once: a case, known here by an opaque key and the key of its subject.
gap
    The least distance between two positions of one reader at which the same subject may appear.

The random numbers come from SHA-256 in counter mode, not from a library's generator, so that
the table can be drawn again bit by bit on any machine and in any language
(docs/algorithms/allocation.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

ALGORITHM = "readerstudy-allocation-1"
REPAIR_PASSES = 500
SWAP_TRIES = 50


class ImpossibleDesign(ValueError):
    """No order can meet the constraints; the message names the conflict."""


@dataclass(frozen=True)
class Item:
    """One case to be shown: ``key`` names it, ``subject`` groups what may not be close."""

    key: str
    subject: str


@dataclass(frozen=True)
class Design:
    """A fully crossed design: every reader reads every item once.

    Attributes
    ----------
    readers : tuple of str
        Reader codes.
    items : tuple of Item
        What each reader is shown.
    gap : int
        Least distance between two items of one subject, in positions; 1 = no constraint.
    """

    readers: tuple[str, ...]
    items: tuple[Item, ...]
    gap: int = 1


@dataclass(frozen=True)
class Row:
    """One line of the table: at ``position`` (from 1) ``reader`` is shown ``item``."""

    reader: str
    position: int
    item: str


class Stream:
    """Uniform whole numbers from SHA-256(seed | label | counter), 64 bits at a time."""

    def __init__(self, seed: str, label: str) -> None:
        self._prefix = f"{ALGORITHM}|{seed}|{label}|".encode()
        self._counter = 0

    def below(self, bound: int) -> int:
        """Return a number in [0, bound), without modulo bias (rejection)."""
        limit = (1 << 64) - (1 << 64) % bound
        while True:
            block = hashlib.sha256(self._prefix + str(self._counter).encode()).digest()
            self._counter += 1
            value = int.from_bytes(block[:8], "big")
            if value < limit:
                return value % bound

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Return a Fisher–Yates shuffle."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


def draw(design: Design, seed: str) -> list[Row]:
    """Draw one order per reader.

    Parameters
    ----------
    design : Design
        Readers, items and the gap. The order of its tuples does not matter.
    seed : str
        Any text; stored with the result.

    Returns
    -------
    list of Row
        Sorted by reader and position; each reader has each item exactly once.

    Raises
    ------
    ImpossibleDesign
        If keys repeat, something is missing, or the gap cannot be kept.
    """
    _validate(design)
    items = sorted(design.items, key=lambda item: item.key)
    rows = []
    for reader in sorted(design.readers):
        stream = Stream(seed, reader)
        order = _keep_apart(stream.shuffled(items), design.gap, stream)
        rows += [Row(reader, position, item.key) for position, item in enumerate(order, start=1)]
    return rows


def _validate(design: Design) -> None:
    if not design.readers or not design.items:
        raise ImpossibleDesign("A design needs at least one reader and one case.")
    if len(set(design.readers)) != len(design.readers):
        raise ImpossibleDesign("A reader is named twice in the design.")
    if len({item.key for item in design.items}) != len(design.items):
        raise ImpossibleDesign("A case is named twice in the design.")
    if design.gap < 1:
        raise ImpossibleDesign(f"The gap must be at least 1, not {design.gap}.")
    counts: dict[str, int] = {}
    for item in design.items:
        counts[item.subject] = counts.get(item.subject, 0) + 1
    most = max(counts.values())
    tied = sum(count == most for count in counts.values())
    # As in scheduling equal tasks with a cooling time: most − 1 full gaps and a last group.
    needed = (most - 1) * design.gap + (tied if design.gap >= tied else 0)
    if most > 1 and needed > len(design.items):
        raise ImpossibleDesign(
            f"{tied} subjects appear {most} times; keeping them {design.gap} positions apart "
            f"needs {needed} positions, but there are {len(design.items)}. "
            "Lower the gap or choose other cases."
        )


def _keep_apart(order: list[Item], gap: int, stream: Stream) -> list[Item]:
    """Swap each item that is too close to its like with a random other that cures it."""
    for _ in range(REPAIR_PASSES):
        close = [i for i in range(len(order)) if _clashes(order, i, gap)]
        if not close:
            return order
        for here in close:
            _cure(order, here, gap, stream)
    raise ImpossibleDesign(
        f"No order was found that keeps the cases of one subject {gap} positions apart. "
        "Lower the gap."
    )


def _cure(order: list[Item], here: int, gap: int, stream: Stream) -> None:
    """Swap the item at ``here`` away; if no swap cures it, leave a random one for the next pass."""
    for _ in range(SWAP_TRIES):
        if not _clashes(order, here, gap):
            return
        there = stream.below(len(order))
        order[here], order[there] = order[there], order[here]
        if not (_clashes(order, here, gap) or _clashes(order, there, gap)):
            return
        order[here], order[there] = order[there], order[here]
    there = stream.below(len(order))
    order[here], order[there] = order[there], order[here]


def _clashes(order: list[Item], index: int, gap: int) -> bool:
    """Is another item of the same subject nearer than ``gap`` before or after this one?"""
    low, high = max(0, index - gap + 1), min(len(order), index + gap)
    subject = order[index].subject
    return any(order[i].subject == subject for i in range(low, high) if i != index)


def table_hash(rows: Sequence[Row]) -> str:
    """Return the SHA-256 of the table in canonical JSON."""
    table = [[row.reader, row.position, row.item] for row in rows]
    return hashlib.sha256(json.dumps(table, separators=(",", ":")).encode()).hexdigest()


def design_document(design: Design) -> dict[str, object]:
    """Return a design as JSON, as stored and as printed in the certificate."""
    return {
        "readers": list(design.readers),
        "items": [asdict(item) for item in design.items],
        "gap": design.gap,
    }


def design_from(document: dict[str, object]) -> Design:
    """Return the design that :func:`design_document` stored."""
    readers, items = document["readers"], document["items"]
    if not isinstance(readers, list) or not isinstance(items, list):
        raise ImpossibleDesign("The stored design must list its readers and items.")
    return Design(
        readers=tuple(readers),
        items=tuple(Item(**item) for item in items),
        gap=int(str(document["gap"])),
    )

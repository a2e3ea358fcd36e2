"""Who reads which item, in which arm and period. Orders come after (allocation_order)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from readerstudy.reading.allocation_design import Design, Item, versions_of
from readerstudy.reading.allocation_stream import Stream

T = TypeVar("T")


@dataclass(frozen=True)
class Showing:
    """An item that one reader is shown in one period, through these arms one after another."""

    item: Item
    arms: tuple[str, ...]


Assignment = dict[str, dict[int, list[Showing]]]


def assign(design: Design, seed: str) -> Assignment:
    """Return by reader and period what is to be shown, before any order is drawn."""
    items = _items_by_reader(design, Stream(seed, "items"))
    if design.schedule == "crossover":
        return _crossover(design, items, Stream(seed, "arms"))
    arms = design.arms
    return {
        reader: {1: [Showing(item, arms) for item in of_reader]}
        for reader, of_reader in items.items()
    }


def _items_by_reader(design: Design, stream: Stream) -> dict[str, list[Item]]:
    readers = sorted(design.readers)
    items = sorted(design.items, key=lambda item: item.key)
    plans: dict[str, Callable[[], dict[str, list[Item]]]] = {
        "crossed": lambda: {reader: items for reader in readers},
        "one_version": lambda: _one_version(readers, items, stream),
        "split_plot": lambda: _split_plot(readers, items, design.plots, stream),
        "partial": lambda: _partial(readers, items, design.readers_per_item, stream),
    }
    return plans[design.plan]()


def _one_version(readers: list[str], items: list[Item], stream: Stream) -> dict[str, list[Item]]:
    """Give each reader one version of each unit.

    Units are taken in groups of as many as there are versions. The first unit of a group gives
    every version to equally many readers (±1) by lot; the next give each reader the next
    version. So each reader has every version equally often (±1 in a last, incomplete group).
    """
    versions = versions_of(items)
    count = len(next(iter(versions.values())))
    chosen: dict[str, list[Item]] = {reader: [] for reader in readers}
    units = _by_category(versions.items(), lambda unit: unit[1][0].stratum, stream)
    lots: list[int] = []
    for number, (_, group) in enumerate(units):
        if number % count == 0:
            start = stream.below(count)
            lots = stream.shuffled([(start + i) % count for i in range(len(readers))])
        for reader, lot in zip(readers, lots, strict=True):
            chosen[reader].append(group[(lot + number) % count])
    return chosen


def _split_plot(
    readers: list[str], items: list[Item], plots: int, stream: Stream
) -> dict[str, list[Item]]:
    """Deal readers and subjects to plots; all items of a subject stay in one plot."""
    subjects: dict[str, list[Item]] = {}
    for item in items:
        subjects.setdefault(item.subject, []).append(item)
    dealt = _by_category(
        subjects.items(), lambda entry: sorted(item.category for item in entry[1]), stream
    )
    by_plot = [
        [item for _, of_subject in dealt[plot::plots] for item in of_subject]
        for plot in range(plots)
    ]
    order = stream.shuffled(readers)
    plot_of = {reader: by_plot[number % plots] for number, reader in enumerate(order)}
    return {reader: plot_of[reader] for reader in readers}


def _partial(
    readers: list[str], items: list[Item], readers_per_item: int, stream: Stream
) -> dict[str, list[Item]]:
    """Give each item to the readers with the least to read so far, ties by lot."""
    chosen: dict[str, list[Item]] = {reader: [] for reader in readers}

    def load(reader: str, item: Item) -> tuple[int, int]:
        same = sum(other.category == item.category for other in chosen[reader])
        return len(chosen[reader]), same

    for item in _by_category(items, lambda item: item.category, stream):
        lot = stream.shuffled(readers)
        lot.sort(key=lambda reader: load(reader, item))
        for reader in lot[:readers_per_item]:
            chosen[reader].append(item)
    return chosen


def _by_category(entries: Iterable[T], category: Callable[[T], object], stream: Stream) -> list[T]:
    """Shuffle the entries within each category; categories follow one another in sorted order."""
    groups: dict[str, list[T]] = {}
    for entry in entries:
        groups.setdefault(str(category(entry)), []).append(entry)
    return [entry for name in sorted(groups) for entry in stream.shuffled(groups[name])]


def _crossover(design: Design, items: dict[str, list[Item]], stream: Stream) -> Assignment:
    readers, arms = sorted(design.readers), design.arms
    if design.counterbalance == "readers":
        sequences = williams_square(len(arms))
        lots = stream.shuffled([number % len(sequences) for number in range(len(readers))])
        sequence_of = dict(zip(readers, (sequences[lot] for lot in lots), strict=True))
        return {
            reader: {
                period: [Showing(item, (arms[sequence_of[reader][period - 1]],)) for item in mine]
                for period in range(1, len(arms) + 1)
            }
            for reader, mine in items.items()
        }
    return _crossover_by_items(design, items, stream)


def _crossover_by_items(design: Design, items: dict[str, list[Item]], stream: Stream) -> Assignment:
    """Let each item go through the arms on its own; half of a period's items in each arm."""
    arms, readers = design.arms, sorted(design.readers)
    dealt = _by_category(sorted(design.items, key=lambda i: i.key), lambda i: i.category, stream)
    start = {item.key: number % len(arms) for number, item in enumerate(dealt)}
    lots = stream.shuffled([number % len(arms) for number in range(len(readers))])
    offset = dict(zip(readers, lots, strict=True))
    return {
        reader: {
            period: [
                Showing(item, (arms[(start[item.key] + offset[reader] + period) % len(arms)],))
                for item in mine
            ]
            for period in range(1, len(arms) + 1)
        }
        for reader, mine in items.items()
    }


def williams_square(count: int) -> list[list[int]]:
    """Return sequences in which each arm follows each other one equally often.

    Williams, Aust J Sci Res 1949; A2:149. Even ``count``: that many sequences; odd: twice as
    many, the second half being the mirror image of the first.
    """
    first = [0]
    for step in range(1, count):
        first.append((first[-1] + (step if step % 2 else -step)) % count)
    rows = [[(arm + shift) % count for arm in first] for shift in range(count)]
    return rows if count % 2 == 0 else rows + [row[::-1] for row in rows]


def sample(showings: Sequence[Showing], count: int, stream: Stream) -> list[Showing]:
    """Return showings drawn without replacement, from all categories in turn."""
    groups: dict[tuple[str, str], list[Showing]] = {}
    for showing in showings:
        groups.setdefault(showing.item.category, []).append(showing)
    queues = [stream.shuffled(groups[name]) for name in sorted(groups)]
    drawn: list[Showing] = []
    turn = 0
    while len(drawn) < count:
        if queue := queues[turn % len(queues)]:
            drawn.append(queue.pop())
        turn += 1
    return drawn

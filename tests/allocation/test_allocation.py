"""The draw of a session's order: balance, constraints, and the same table for the same seed."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.reading.allocation import (
    ALGORITHM,
    Design,
    ImpossibleDesign,
    Item,
    Stream,
    design_document,
    design_from,
    draw,
    table_hash,
)


def simple(n: int, readers: int = 2) -> Design:
    return Design(
        readers=tuple(f"R{i}" for i in range(1, readers + 1)),
        items=tuple(Item(f"case{i:03d}", f"subject{i:03d}") for i in range(n)),
    )


def paired(subjects: int, gap: int) -> Design:
    items = tuple(Item(f"{s:03d}{v}", f"{s:03d}") for s in range(subjects) for v in "ab")
    return Design(readers=("R1", "R2"), items=items, gap=gap)


def orders(rows):
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.reader, []).append(row.item)
    return found


def test_every_reader_reads_every_case_once_in_an_order_of_their_own():
    by_reader = orders(draw(simple(24), "seed"))
    assert sorted(by_reader["R1"]) == sorted(by_reader["R2"]) == [f"case{i:03d}" for i in range(24)]
    assert by_reader["R1"] != by_reader["R2"]


@given(subjects=st.integers(4, 40), gap=st.integers(1, 4), seed=st.text(min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_the_two_versions_of_a_subject_stay_apart(subjects, gap, seed):
    design = paired(subjects, min(gap, subjects // 2))
    for order in orders(draw(design, seed)).values():
        places = {item: place for place, item in enumerate(order)}
        for number in range(subjects):
            assert abs(places[f"{number:03d}a"] - places[f"{number:03d}b"]) >= design.gap


@given(n=st.integers(1, 60), seed=st.text(min_size=1))
@settings(max_examples=40, deadline=None)
def test_the_same_seed_gives_the_same_table_whatever_the_order_of_the_input(n, seed):
    design = simple(n, readers=3)
    turned = Design(readers=design.readers[::-1], items=design.items[::-1], gap=design.gap)
    assert draw(design, seed) == draw(turned, seed)
    assert draw(design_from(design_document(design)), seed) == draw(design, seed)


def test_a_reader_more_does_not_change_the_others_orders():
    two, three = orders(draw(simple(12, 2), "s")), orders(draw(simple(12, 3), "s"))
    assert two["R1"] == three["R1"]
    assert two["R2"] == three["R2"]


def test_another_seed_gives_another_table():
    assert draw(simple(12), "a") != draw(simple(12), "b")


def test_the_order_can_be_drawn_again_from_the_written_description():
    """A second implementation, written from docs/algorithms/allocation.md alone."""
    seed, reader = "0123abcd", "R2"
    counter = 0

    def number_below(bound: int) -> int:
        nonlocal counter
        while True:
            text = f"readerstudy-allocation-1|{seed}|{reader}|{counter}"
            counter += 1
            value = int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:16], 16)
            if value < 2**64 - 2**64 % bound:
                return value % bound

    order = [f"case{i:03d}" for i in range(10)]
    for i in range(9, 0, -1):
        j = number_below(i + 1)
        order[i], order[j] = order[j], order[i]
    assert orders(draw(simple(10), seed))[reader] == order


def test_each_place_is_equally_likely():
    """Chi-square over 3,000 draws of five cases: 4 × 4 free cells, 99.99 % point 44.3."""
    counts = Counter()
    for number in range(3000):
        order = orders(draw(simple(5, 1), str(number)))["R1"]
        counts.update((item, place) for place, item in enumerate(order))
    expected = 600
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 44.3
    assert len(counts) == 25


def test_the_stream_is_uniform_below_a_bound_that_is_no_power_of_two():
    stream = Stream("seed", "label")
    counts = Counter(stream.below(3) for _ in range(3000))
    assert set(counts) == {0, 1, 2}
    assert all(abs(n - 1000) < 130 for n in counts.values())  # five standard deviations


def test_the_hash_tells_tables_apart():
    rows = draw(simple(6), "s")
    assert table_hash(rows) == table_hash(list(rows))
    assert table_hash(rows) != table_hash(rows[::-1])


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (Design((), (Item("a", "a"),)), "at least one reader"),
        (Design(("R1",), ()), "at least one reader and one case"),
        (Design(("R1", "R1"), (Item("a", "a"),)), "reader is named twice"),
        (Design(("R1",), (Item("a", "a"), Item("a", "b"))), "case is named twice"),
        (Design(("R1",), (Item("a", "a"),), gap=0), "at least 1"),
        (paired(2, 4), "Lower the gap"),
    ],
)
def test_an_impossible_design_names_the_conflict(design, words):
    with pytest.raises(ImpossibleDesign, match=words):
        draw(design, "seed")


def test_the_algorithm_is_versioned():
    assert ALGORITHM == "readerstudy-allocation-1"

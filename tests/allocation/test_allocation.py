"""The draw: balance, constraints, and the same table for the same seed, for every design."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.reading.allocation import (
    ALGORITHM,
    Design,
    ImpossibleDesign,
    Item,
    design_document,
    design_from,
    draw,
    table,
    table_hash,
    verify,
)
from readerstudy.reading.allocation_assignment import williams_square
from readerstudy.reading.allocation_stream import Stream

SEEDS = st.text(min_size=1, max_size=12)


def names(readers: int) -> tuple[str, ...]:
    return tuple(f"R{i}" for i in range(1, readers + 1))


def singles(n: int, **about) -> tuple[Item, ...]:
    return tuple(Item(f"case{i:03d}", f"subject{i:03d}", **about) for i in range(n))


def versions(subjects: int, strata: int = 1) -> tuple[Item, ...]:
    """Two versions of each subject, of groups a and b."""
    return tuple(
        Item(f"{s:03d}{g}", f"{s:03d}", stratum=f"s{s % strata}", group=g, unit=f"{s:03d}")
        for s in range(subjects)
        for g in "ab"
    )


def simple(n: int, readers: int = 2, **rules) -> Design:
    return Design(readers=names(readers), items=singles(n), **rules)


def orders(rows, period: int = 1) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.period == period:
            found.setdefault(row.reader, []).append(row.item)
    return found


def longest_run(groups) -> int:
    return max(len(list(run)) for _, run in groupby(groups))


def spread(counts) -> int:
    return max(counts) - min(counts)


# who reads what


def test_fully_crossed_every_reader_reads_every_case_once_in_an_order_of_their_own():
    by_reader = orders(draw(simple(24), "seed"))
    assert sorted(by_reader["R1"]) == sorted(by_reader["R2"]) == [f"case{i:03d}" for i in range(24)]
    assert by_reader["R1"] != by_reader["R2"]


@given(subjects=st.integers(2, 41), readers=st.integers(1, 7), seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_one_version_per_reader_is_balanced_for_readers_and_for_cases(subjects, readers, seed):
    design = Design(names(readers), versions(subjects), plan="one_version")
    by_reader = orders(draw(design, seed))
    times = Counter(item for order in by_reader.values() for item in order)
    for order in by_reader.values():
        assert sorted(item[:3] for item in order) == [f"{s:03d}" for s in range(subjects)]
        assert spread([sum(i[3] == g for i in order) for g in "ab"]) <= 1
    for subject in range(subjects):
        assert spread([times[f"{subject:03d}{g}"] for g in "ab"]) <= 1


@given(subjects=st.integers(6, 40), readers=st.integers(3, 8), plots=st.integers(2, 3), seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_split_plot_readers_of_a_plot_share_their_cases_and_plots_are_even(
    subjects, readers, plots, seed
):
    design = Design(names(readers), versions(subjects), plan="split_plot", plots=plots)
    sets = Counter(frozenset(order) for order in orders(draw(design, seed)).values())
    assert len(sets) == plots
    assert spread(sets.values()) <= 1
    assert spread([len(plot) // 2 for plot in sets]) <= 1
    assert frozenset().union(*sets) == {item.key for item in design.items}
    assert sum(len(plot) for plot in sets) == len(design.items)
    for plot in sets:
        assert {f"{item[:3]}a" for item in plot} | {f"{item[:3]}b" for item in plot} == plot


@given(n=st.integers(1, 40), readers=st.integers(1, 8), per_item=st.integers(1, 8), seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_partial_each_case_has_its_number_of_readers_and_loads_are_even(n, readers, per_item, seed):
    per_item = min(per_item, readers)
    design = simple(n, readers, plan="partial", readers_per_item=per_item)
    if n * per_item < readers:
        with pytest.raises(ImpossibleDesign, match="nothing to read"):
            draw(design, seed)
        return
    rows = draw(design, seed)
    assert set(Counter(row.item for row in rows).values()) == {per_item}
    assert len({(row.reader, row.item) for row in rows}) == len(rows)
    loads = Counter(row.reader for row in rows)
    assert spread([loads[reader] for reader in design.readers]) <= 1


# arms and periods


@given(n=st.integers(1, 20), readers=st.integers(1, 9), arms=st.integers(2, 4), seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_crossover_by_readers_every_case_in_every_arm_and_sequences_even(n, readers, arms, seed):
    codes = tuple("ABCD"[:arms])
    design = simple(n, readers, schedule="crossover", arms=codes)
    rows = draw(design, seed)
    assert Counter((row.reader, row.item, row.arm) for row in rows) == Counter(
        (reader, item.key, arm)
        for reader in design.readers
        for item in design.items
        for arm in codes
    )
    sequences: Counter[tuple[str, ...]] = Counter()
    for reader in design.readers:
        arms_of = [
            {r.arm for r in rows if (r.reader, r.period) == (reader, p + 1)} for p in range(arms)
        ]
        assert all(len(found) == 1 for found in arms_of)
        sequences[tuple(min(found) for found in arms_of)] += 1
    possible = len(williams_square(arms))
    assert (
        max(sequences.values()) - (min(sequences.values()) if len(sequences) == possible else 0)
        <= 1
    )


@given(n=st.integers(2, 30), readers=st.integers(1, 6), seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_crossover_by_cases_half_of_each_period_in_each_arm(n, readers, seed):
    design = simple(n, readers, schedule="crossover", arms=("A", "B"), counterbalance="items")
    rows = draw(design, seed)
    for reader in design.readers:
        mine = [row for row in rows if row.reader == reader]
        assert Counter((row.item, row.arm) for row in mine) == Counter(
            (item.key, arm) for item in design.items for arm in "AB"
        )
        for period in (1, 2):
            assert spread(Counter(r.arm for r in mine if r.period == period).values()) <= 1


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_in_a_williams_square_each_arm_follows_each_other_equally_often(count):
    rows = williams_square(count)
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == count * (count - 1)
    assert len(set(follows.values())) == 1
    for place in range(count):
        assert len(set(Counter(row[place] for row in rows).values())) == 1


@given(n=st.integers(1, 20), seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_sequential_the_stages_of_a_case_follow_one_another(n, seed):
    design = simple(n, 2, schedule="sequential", arms=("plain", "aided"))
    rows = draw(design, seed)
    for reader in design.readers:
        mine = [row for row in rows if row.reader == reader]
        assert [row.position for row in mine] == list(range(1, 2 * n + 1))
        assert [row.arm for row in mine] == ["plain", "aided"] * n
        assert [row.stage for row in mine] == [1, 2] * n
        assert [a.item for a in mine[::2]] == [b.item for b in mine[1::2]]


# order


@given(subjects=st.integers(4, 40), gap=st.integers(1, 4), seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_the_two_versions_of_a_subject_stay_apart(subjects, gap, seed):
    gap = min(gap, subjects // 2)
    for order in orders(draw(Design(names(2), versions(subjects), gap=gap), seed)).values():
        places = {item: place for place, item in enumerate(order)}
        for number in range(subjects):
            assert abs(places[f"{number:03d}a"] - places[f"{number:03d}b"]) >= gap


@given(a=st.integers(1, 40), b=st.integers(1, 40), run=st.integers(2, 5), seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_no_class_runs_longer_than_allowed(a, b, run, seed):
    items = tuple(
        Item(f"{g}{i}", f"{g}{i}", group=g) for g, n in (("a", a), ("b", b)) for i in range(n)
    )
    design = Design(names(1), items, max_run=run)
    if max(a, b) > run * (min(a, b) + 1):
        with pytest.raises(ImpossibleDesign, match="in a row"):
            draw(design, seed)
    elif max(a, b) * 1.2 <= run * (min(a, b) + 1):
        (order,) = orders(draw(design, seed)).values()
        assert longest_run(item[0] for item in order) <= run


@given(n=st.integers(12, 40), repeats=st.integers(1, 6), lag=st.integers(1, 8), seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_repeats_are_marked_and_keep_their_lag(n, repeats, lag, seed):
    rows = draw(simple(n, 1, repeats=repeats, lag=lag), seed)
    assert len(rows) == n + repeats
    places: dict[str, list[int]] = {}
    for row in rows:
        assert row.repeat == len(places.setdefault(row.item, []))
        places[row.item].append(row.position)
    twice = [found for found in places.values() if len(found) == 2]
    assert len(twice) == repeats
    assert all(second - first >= lag for first, second in twice)


@given(n=st.integers(1, 12), blocks=st.integers(2, 4), seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_blocks_have_every_stratum_in_equal_proportion(n, blocks, seed):
    items = tuple(Item(f"{s}{i}", f"{s}{i}", stratum=s) for s in "xyz" for i in range(n * blocks))
    (order,) = orders(draw(Design(names(1), items, blocks=blocks), seed)).values()
    for part in range(blocks):
        counts = Counter(item[0] for item in order[3 * n * part : 3 * n * (part + 1)])
        assert counts == {"x": n, "y": n, "z": n}


@given(n=st.integers(1, 40), places=st.integers(2, 4), seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_sides_show_each_member_once_and_the_first_one_everywhere_equally_often(n, places, seed):
    rows = draw(Design(names(2), singles(n, places=places)), seed)
    for reader in names(2):
        sides = [row.sides for row in rows if row.reader == reader]
        assert all(sorted(shown) == list(range(places)) for shown in sides)
        counts = Counter(shown.index(0) for shown in sides)
        assert spread([counts[place] for place in range(places)]) <= 1


def test_training_comes_first_outside_the_main_reading():
    training = (Item("t1", "s1"), Item("t2", "s2"))
    rows = draw(Design(names(2), singles(5), training=training), "seed")
    for reader in names(2):
        mine = [row for row in rows if row.reader == reader]
        assert {row.item for row in mine[:2]} == {"t1", "t2"}
        assert [(row.period, row.phase) for row in mine[:2]] == [(0, "training")] * 2
        assert {(row.period, row.phase) for row in mine[2:]} == {(1, "main")}


def test_all_rules_together_hold():
    design = Design(names(4), versions(40, strata=2), gap=6, max_run=3, repeats=8, lag=15, blocks=4)
    for order in orders(draw(design, "all")).values():
        assert len(order) == 88
        assert longest_run(item[3] for item in order) <= 3
        for i, first in enumerate(order):
            for j in range(i + 1, len(order)):
                if order[j] == first:
                    assert j - i >= 15
                elif order[j][:3] == first[:3]:
                    assert j - i >= 6


# reproducible


DESIGNS = (
    Design(names(3), versions(9), gap=2),
    Design(names(3), versions(9), plan="one_version", max_run=3),
    Design(names(4), versions(9), plan="split_plot", plots=2),
    Design(names(4), singles(9), plan="partial", readers_per_item=2),
    Design(names(4), singles(9), schedule="crossover", arms=("A", "B"), repeats=2, lag=3),
    Design(
        names(2), singles(6), schedule="sequential", arms=("A", "B"), training=(Item("t", "t"),)
    ),
    Design(names(2), singles(6, places=2)),
)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_seed_gives_the_same_table_whatever_the_order_of_the_input(design):
    turned = design_from(
        {
            **design_document(design),
            "readers": list(design.readers[::-1]),
            "items": design_document(design)["items"][::-1],
        }
    )
    assert draw(design, "s") == draw(turned, "s")
    assert draw(design, "s") != draw(design, "t")


@pytest.mark.parametrize("design", DESIGNS)
def test_a_certificate_is_verified_by_drawing_again(design):
    rows = draw(design, "s")
    certificate = {
        "algorithm": ALGORITHM,
        "seed": "s",
        "design": design_document(design),
        "table": table(rows),
        "table_hash": table_hash(rows),
    }
    assert verify(certificate) == []
    forged = [list(row) for row in table(rows)]
    forged[0][3], forged[1][3] = forged[1][3], forged[0][3]
    assert verify({**certificate, "table": forged}) != []


def test_a_certificate_without_its_design_says_why_it_cannot_be_verified():
    with pytest.raises(ImpossibleDesign, match="before unblinding"):
        verify({"algorithm": ALGORITHM})
    with pytest.raises(ImpossibleDesign, match="made by"):
        verify({"algorithm": "something-else"})


def test_a_reader_more_does_not_change_the_others_orders():
    two, three = orders(draw(simple(12, 2), "s")), orders(draw(simple(12, 3), "s"))
    assert two["R1"] == three["R1"]
    assert two["R2"] == three["R2"]


def test_the_order_can_be_drawn_again_from_the_written_description():
    """A second implementation, written from docs/algorithms/allocation.md alone."""
    seed, reader = "0123abcd", "R2"
    counter = 0

    def number_below(bound: int) -> int:
        nonlocal counter
        while True:
            text = f"readerstudy-allocation-2|{seed}|order|{reader}|1|{counter}"
            counter += 1
            value = int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:16], 16)
            if value < 2**64 - 2**64 % bound:
                return value % bound

    def shuffle(order: list[str]) -> None:
        for i in range(len(order) - 1, 0, -1):
            j = number_below(i + 1)
            order[i], order[j] = order[j], order[i]

    order = [f"case{i:03d}" for i in range(10)]
    shuffle(order)
    assert orders(draw(simple(10), seed))[reader] == order


def test_each_place_is_equally_likely():
    """Chi-square over 3,000 draws of five cases: 4 × 4 free cells, 99.99 % point 44.3."""
    counts = Counter()
    for number in range(3000):
        order = orders(draw(simple(5, 1), str(number)))["R1"]
        counts.update((item, place) for place, item in enumerate(order))
    assert sum((n - 600) ** 2 / 600 for n in counts.values()) < 44.3
    assert len(counts) == 25


def test_every_permitted_order_is_equally_likely():
    """Of the 24 orders of aabb' items, those without a run of three; chi-square, 99.99 %."""
    items = tuple(Item(k, k, group=k[0]) for k in ("a1", "a2", "a3", "b1"))
    counts = Counter(
        tuple(orders(draw(Design(names(1), items, max_run=2), str(n)))["R1"]) for n in range(2400)
    )
    assert len(counts) == 12  # b in the second or third place, times 3! orders of a
    assert sum((n - 200) ** 2 / 200 for n in counts.values()) < 37.4


def test_the_stream_is_uniform_below_a_bound_that_is_no_power_of_two():
    stream = Stream("seed", "label")
    counts = Counter(stream.below(3) for _ in range(3000))
    assert set(counts) == {0, 1, 2}
    assert all(abs(n - 1000) < 130 for n in counts.values())  # five standard deviations


# what cannot be


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (Design((), (Item("a", "a"),)), "at least one reader"),
        (Design(("R1",), ()), "at least one reader and one case"),
        (Design(("R1", "R1"), (Item("a", "a"),)), "Reader R1 is named twice"),
        (Design(("R1",), (Item("a", "a"), Item("a", "b"))), "Case a is named twice"),
        (Design(("R1",), (Item("a", "a"),), training=(Item("a", "a"),)), "training"),
        (Design(("R1",), (Item("a", "p"),), training=(Item("b", "p"),)), "training block"),
        (Design(("R1",), (Item("a", "a"),), gap=0), "gap must be at least 1"),
        (Design(names(2), versions(2), gap=4), "Lower the gap"),
        (simple(4, arms=("A", "B")), "crossover or a sequential"),
        (simple(4, schedule="crossover"), "at least two arms"),
        (simple(4, 2, plan="partial", readers_per_item=3), "only 2 are enrolled"),
        (simple(4, 2, plan="split_plot", plots=3), "3 plots cannot be made"),
        (simple(4, 2, plan="one_version"), "No case has another version"),
        (Design(names(2), versions(3)[:-1], plan="one_version"), "1 of 2 versions"),
        (simple(4, 1, repeats=5), "5 repeats were asked for"),
        (simple(6, 1, repeats=3, lag=8), "Lower the lag"),
        (simple(3, plan="latin"), "There is no design"),
    ],
)
def test_an_impossible_design_names_the_conflict(design, words):
    with pytest.raises(ImpossibleDesign, match=words):
        draw(design, "seed")


def test_a_stored_design_with_an_unknown_entry_is_refused():
    with pytest.raises(ImpossibleDesign, match="unknown entry: colour"):
        design_from({**design_document(simple(3)), "colour": "red"})

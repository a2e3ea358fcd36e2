"""The whole draw a second time, written from docs/algorithms/allocation.md and nothing else."""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict

import pytest

from readerstudy.reading.allocation import Design, Item, draw, table

Case = dict


class Lots:
    """Random numbers of one label."""

    def __init__(self, seed: str, label: str) -> None:
        self.text, self.counter = f"readerstudy-allocation-2|{seed}|{label}", 0

    def below(self, bound: int) -> int:
        while True:
            digest = hashlib.sha256(f"{self.text}|{self.counter}".encode()).hexdigest()
            self.counter += 1
            if (value := int(digest[:16], 16)) < 2**64 - 2**64 % bound:
                return value % bound

    def shuffle(self, entries: list) -> list:
        entries = list(entries)
        for i in range(len(entries) - 1, 0, -1):
            j = self.below(i + 1)
            entries[i], entries[j] = entries[j], entries[i]
        return entries

    def by_category(self, entries: list, name) -> list:
        found = []
        for wanted in sorted({name(entry) for entry in entries}):
            found += self.shuffle([entry for entry in entries if name(entry) == wanted])
        return found


def pair(case: Case) -> tuple[str, str]:
    return case["stratum"], case["group"]


def written(case: Case) -> str:
    return f"({case['stratum']!r}, {case['group']!r})"


def chosen(design: dict, lots: Lots) -> dict[str, list[Case]]:
    readers = sorted(design["readers"])
    cases = sorted(design["items"], key=lambda case: case["key"])
    found: dict[str, list[Case]] = {reader: [] for reader in readers}
    if design["plan"] == "crossed":
        return dict.fromkeys(readers, cases)
    if design["plan"] == "one_version":
        units: dict[str, list[Case]] = {}
        for case in sorted(cases, key=lambda case: (case["group"], case["key"])):
            units.setdefault(case["unit"], []).append(case)
        groups = list(units.values())
        versions = len(groups[0])
        for n, unit in enumerate(lots.by_category(groups, lambda one: one[0]["stratum"])):
            if n % versions == 0:
                start = lots.below(versions)
                given = lots.shuffle([(start + i) % versions for i in range(len(readers))])
            for reader, lot in zip(readers, given, strict=True):
                found[reader].append(unit[(lot + n) % versions])
        return found
    if design["plan"] == "split_plot":
        people: dict[str, list[Case]] = {}
        for case in cases:
            people.setdefault(case["subject"], []).append(case)

        def name(of_person: list[Case]) -> str:
            pairs = sorted(map(pair, of_person))
            return "[" + ", ".join(f"({s!r}, {g!r})" for s, g in pairs) + "]"

        dealt = lots.by_category(list(people.values()), name)
        for n, reader in enumerate(lots.shuffle(readers)):
            mine = dealt[n % design["plots"] :: design["plots"]]
            found[reader] = [case for person in mine for case in person]
        return found
    for case in lots.by_category(cases, written):
        order = lots.shuffle(readers)
        order.sort(key=lambda r: (len(found[r]), [pair(c) for c in found[r]].count(pair(case))))
        for reader in order[: design["readers_per_item"]]:
            found[reader].append(case)
    return found


def arms_by_period(design: dict, lots: Lots) -> dict[str, dict[int, object]]:
    """For each reader and period a function from the key of a case to the arms it is shown in."""
    readers, arms = sorted(design["readers"]), design["arms"]
    if design["schedule"] != "crossover":
        return {reader: {1: lambda _: tuple(arms)} for reader in readers}
    periods, count = range(1, len(arms) + 1), len(arms)
    if design["counterbalance"] == "readers":
        first = [0]
        for step in range(1, count):
            first.append((first[-1] + (step if step % 2 else -step)) % count)
        square = [[(arm + shift) % count for arm in first] for shift in range(count)]
        square += [row[::-1] for row in square] if count % 2 else []
        drawn = lots.shuffle([i % len(square) for i in range(len(readers))])
        return {
            reader: {p: lambda _, p=p, row=square[lot]: (arms[row[p - 1]],) for p in periods}
            for reader, lot in zip(readers, drawn, strict=True)
        }
    cases = sorted(design["items"], key=lambda case: case["key"])
    start = {case["key"]: n for n, case in enumerate(lots.by_category(cases, written))}
    offsets = lots.shuffle([i % count for i in range(len(readers))])
    return {
        reader: {
            p: lambda key, p=p, offset=offset: (arms[(start[key] % count + offset + p) % count],)
            for p in periods
        }
        for reader, offset in zip(readers, offsets, strict=True)
    }


def ordered(design: dict, cases: list[Case], lots: Lots) -> list[Case] | None:
    cases = sorted(cases, key=lambda case: case["key"])
    categories = sorted({pair(case) for case in cases})
    queues = [lots.shuffle([c for c in cases if pair(c) == one]) for one in categories]
    again: list[Case] = []
    turn = 0
    queues = queues if design["repeats"] else []
    while len(again) < design["repeats"]:
        if queues[turn % len(queues)]:
            again.append(queues[turn % len(queues)].pop())
        turn += 1
    return again


def one_order(design: dict, shown: list[Case], lots: Lots) -> list[Case]:
    if design["blocks"] == 1:
        return lots.shuffle(shown)
    dealt = []
    for one in sorted({pair(case) for case in shown}):
        dealt += lots.shuffle([case for case in shown if pair(case) == one])
    found = []
    for block in range(design["blocks"]):
        found += lots.shuffle(dealt[block :: design["blocks"]])
    return found


def is_permitted(design: dict, order: list[Case]) -> bool:
    run = 0
    for i, case in enumerate(order):
        same = i > 0 and case["group"] and order[i - 1]["group"] == case["group"]
        run = run + 1 if same else 1
        if design["max_run"] and case["group"] and run > design["max_run"]:
            return False
        for j in range(i):
            if order[j]["key"] == case["key"]:
                if i - j < design["lag"]:
                    return False
            elif order[j]["subject"] == case["subject"] and i - j < design["gap"]:
                return False
    return True


def sides_of(order: list[Case], lots: Lots) -> list[list[int]]:
    found = [[0] for _ in order]
    for places in sorted({case["places"] for case in order} - {1}):
        here = [i for i, case in enumerate(order) if case["places"] == places]
        drawn = lots.shuffle([n % places for n in range(len(here))])
        for i, place in zip(here, drawn, strict=True):
            others = lots.shuffle(list(range(1, places)))
            found[i] = [*others[:place], 0, *others[place:]]
    return found


def rows(reader: str, period: int, order: list[Case], arms_of, lots: Lots) -> list[list]:
    found, seen = [], []
    for case, sides in zip(order, sides_of(order, lots), strict=True):
        for stage, arm in enumerate(arms_of(case["key"]), start=1):
            repeat = seen.count(case["key"])
            found.append([reader, period, len(found) + 1, case["key"], arm, stage, repeat, sides])
        seen.append(case["key"])
    return found


def drawn_again(design: dict, seed: str) -> list[list] | None:
    """Return the table, or None where none of 50 orders keeps the rules."""
    found = []
    cases = chosen(design, Lots(seed, "items"))
    arms = arms_by_period(design, Lots(seed, "arms"))
    for reader in sorted(design["readers"]):
        lots = Lots(seed, f"training|{reader}")
        trained = lots.shuffle(sorted(design["training"], key=lambda case: case["key"]))
        found += rows(reader, 0, trained, lambda _: ("training",), lots)
        for period, arms_of in sorted(arms[reader].items()):
            lots = Lots(seed, f"order|{reader}|{period}")
            mine = sorted(cases[reader], key=lambda case: case["key"])
            again = ordered(design, mine, lots) if design["repeats"] else []
            for _ in range(50):
                order = one_order(design, mine + again, lots)
                if is_permitted(design, order):
                    break
            else:
                return None
            found += rows(reader, period, order, arms_of, lots)
    return found


def random_design(rng: random.Random, plan: str, schedule: str) -> Design:
    versions = rng.choice((2, 3)) if plan == "one_version" else 1
    people = [f"s{n:02d}" for n in range(rng.randint(8, 14))]
    items = [
        Item(
            key=f"{rng.randrange(10**6):06d}",
            subject=person if plan == "one_version" or rng.random() < 0.8 else people[0],
            stratum=strata,
            group="abc"[version] if versions > 1 else rng.choice("ab"),
            unit=person if versions > 1 else "",
            places=1 if schedule == "sequential" else rng.choice((1, 2, 2)),
        )
        for person in people
        for strata in [rng.choice(("glioma", "naïve", "it's"))]
        for version in range(versions)
    ]
    rng.shuffle(items)
    return Design(
        readers=tuple(f"R{n + 1}" for n in range(rng.randint(2, 5))),
        items=tuple(items),
        plan=plan,
        schedule=schedule,
        arms=("main",) if schedule == "single" else tuple("pqr"[: rng.choice((2, 3))]),
        counterbalance=rng.choice(("readers", "items")),
        training=tuple(Item(f"t{n}", f"ts{n}") for n in range(rng.randint(0, 3))),
        plots=2 if plan == "split_plot" else 1,
        readers_per_item=2 if plan == "partial" else 1,
        repeats=rng.choice((0, 2)),
        lag=2,
        gap=rng.choice((1, 2)),
        max_run=rng.choice((0, 4)),
        blocks=rng.choice((1, 2)),
    )


@pytest.mark.parametrize("schedule", ["single", "crossover", "sequential"])
@pytest.mark.parametrize("plan", ["crossed", "one_version", "split_plot", "partial"])
def test_the_table_can_be_drawn_again_from_the_page_alone(plan, schedule):
    rng, compared = random.Random(f"{plan}{schedule}"), 0
    for number in range(12):
        design, seed = random_design(rng, plan, schedule), f"seed {number}"
        mine = drawn_again({**asdict(design), "arms": list(design.arms)}, seed)
        if mine is not None:  # else the rules are hard, and places are swapped
            assert table(draw(design, seed)) == mine
            compared += 1
    assert compared >= 6

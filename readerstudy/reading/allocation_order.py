"""A random order that keeps like away from like: distances, runs and balanced blocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from readerstudy.reading.allocation_assignment import Showing
from readerstudy.reading.allocation_design import Design, ImpossibleDesign
from readerstudy.reading.allocation_stream import Stream

PLAIN_TRIES = 50
RESTARTS = 20
PASSES = 200
SWAP_TRIES = 50


@dataclass(frozen=True)
class Rules:
    """What an order must respect; see Design."""

    gap: int
    lag: int
    max_run: int
    blocks: int

    @property
    def reach(self) -> int:
        """Positions on either side that can matter to a place."""
        return max(self.gap, self.lag, self.max_run + 1)

    @property
    def trivial(self) -> bool:
        return self.gap == 1 and self.lag == 1 and self.max_run == 0


def put_in_order(showings: list[Showing], design: Design, stream: Stream) -> list[Showing]:
    """Return the showings in an order that keeps the rules of the design.

    Whole orders are drawn at random and the first that keeps all rules is taken, so that every
    permitted order is equally likely. Where none of 50 does, places that break a rule are
    swapped with others drawn at random until none does.

    Raises
    ------
    ImpossibleDesign
        If the rules contradict each other or no order was found; names the rule.
    """
    rules = Rules(design.gap, design.lag, design.max_run, design.blocks)
    _require_possible(showings, rules)
    for _ in range(PLAIN_TRIES):
        order, block = _drawn(showings, rules, stream)
        if rules.trivial or not _broken(order, rules):
            return order
    for _ in range(RESTARTS):
        order, block = _drawn(showings, rules, stream)
        if _repair(order, block, rules, stream):
            return order
    raise ImpossibleDesign(_why_not(order, rules))


def _drawn(
    showings: list[Showing], rules: Rules, stream: Stream
) -> tuple[list[Showing], list[int]]:
    """Return a random order, and the block of each place."""
    if rules.blocks == 1:
        return stream.shuffled(showings), [0] * len(showings)
    groups: dict[tuple[str, str], list[Showing]] = {}
    for showing in showings:
        groups.setdefault(showing.item.category, []).append(showing)
    dealt = [one for name in sorted(groups) for one in stream.shuffled(groups[name])]
    blocks = [dealt[number :: rules.blocks] for number in range(rules.blocks)]
    order = [showing for block in blocks for showing in stream.shuffled(block)]
    return order, [number for number, block in enumerate(blocks) for _ in block]


def _breaks(order: list[Showing], here: int, rules: Rules) -> Counter[str]:
    """Return how often the showing at one place breaks each rule."""
    item, found = order[here].item, Counter[str]()
    for there in range(max(0, here - rules.reach), min(len(order), here + rules.reach + 1)):
        other, distance = order[there].item, abs(there - here)
        if distance == 0:
            continue
        if other.key == item.key:
            found["lag"] += distance < rules.lag
        elif other.subject == item.subject:
            found["gap"] += distance < rules.gap
    if rules.max_run and item.group and _run(order, here) > rules.max_run:
        found["max_run"] += 1
    return +found


def _run(order: list[Showing], here: int) -> int:
    """Return how many of the same group stand in a row around a place."""
    group, low, high = order[here].item.group, here, here
    while low > 0 and order[low - 1].item.group == group:
        low -= 1
    while high < len(order) - 1 and order[high + 1].item.group == group:
        high += 1
    return high - low + 1


def _broken(order: list[Showing], rules: Rules) -> list[int]:
    return [here for here in range(len(order)) if _breaks(order, here, rules)]


def _repair(order: list[Showing], block: list[int], rules: Rules, stream: Stream) -> bool:
    """Swap places within blocks until no rule is broken; tell whether that was reached."""
    for _ in range(PASSES):
        broken = _broken(order, rules)
        if not broken:
            return True
        for here in broken:
            _cure(order, here, block, rules, stream)
    return False


def _cure(order: list[Showing], here: int, block: list[int], rules: Rules, stream: Stream) -> None:
    """Swap one place for the better; if no swap helps, make a random one for the next pass."""
    first = block.index(block[here])
    size = block.count(block[here])
    for _ in range(SWAP_TRIES):
        if not _breaks(order, here, rules):
            return
        there = first + stream.below(size)
        before = _breaks(order, here, rules).total() + _breaks(order, there, rules).total()
        order[here], order[there] = order[there], order[here]
        after = _breaks(order, here, rules).total() + _breaks(order, there, rules).total()
        if after < before:
            return
        order[here], order[there] = order[there], order[here]
    there = first + stream.below(size)
    order[here], order[there] = order[there], order[here]


def _require_possible(showings: list[Showing], rules: Rules) -> None:
    _require_gap(showings, rules)
    _require_runs(showings, rules)
    shown = Counter(showing.item.key for showing in showings)
    repeats = sum(count - 1 for count in shown.values())
    if repeats and repeats + rules.lag > len(showings):
        raise ImpossibleDesign(
            f"{repeats} repeats at a distance of at least {rules.lag} positions need "
            f"{repeats + rules.lag} positions, but there are {len(showings)}. "
            "Lower the lag or the number of repeats."
        )


def _require_gap(showings: list[Showing], rules: Rules) -> None:
    items = {showing.item.key: showing.item for showing in showings}
    counts = Counter(item.subject for item in items.values())
    most = max(counts.values())
    tied = sum(count == most for count in counts.values())
    # As in scheduling equal tasks with a cooling time: most − 1 full gaps and a last group.
    needed = (most - 1) * rules.gap + (tied if rules.gap >= tied else 0)
    if most > 1 and needed > len(showings):
        raise ImpossibleDesign(
            f"{tied} subjects appear {most} times; keeping them {rules.gap} positions apart "
            f"needs {needed} positions, but there are {len(showings)}. "
            "Lower the gap or choose other cases."
        )


def _require_runs(showings: list[Showing], rules: Rules) -> None:
    counts = Counter(showing.item.group for showing in showings if showing.item.group)
    for count in counts.values():
        others = len(showings) - count
        if rules.max_run and count > rules.max_run * (others + 1):
            raise ImpossibleDesign(
                f"{count} cases of one class with {others} others cannot be read with at most "
                f"{rules.max_run} of one class in a row. Raise the longest run or balance the "
                "classes."
            )


def _why_not(order: list[Showing], rules: Rules) -> str:
    total: Counter[str] = Counter()
    for here in range(len(order)):
        total.update(_breaks(order, here, rules))
    advice = {
        "gap": f"lower the distance of {rules.gap} between cases of one subject",
        "lag": f"lower the distance of {rules.lag} to a repeat",
        "max_run": f"raise the longest run of {rules.max_run} of one class",
    }
    rule = total.most_common(1)[0][0]
    blocks = " or use fewer blocks" if rules.blocks > 1 else ""
    return f"No order was found that keeps all rules. The hardest: {advice[rule]}{blocks}."

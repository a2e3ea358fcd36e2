"""Net reclassification and discrimination improvement per reader and over all of them.

The score of a graded answer is taken as a prediction: the lowest score of the scale is 0, the
highest 1 (with K levels of confidence (score - 1) / (2 K - 1)). It is no probability; NRI over
groups and the category-free NRI ask only for its order or its groups, the IDI takes its distances
as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from readerstudy import stats
from readerstudy.analysis.document import (
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Table,
    Test,
    count,
    number_of,
    undefined,
)
from readerstudy.analysis.endpoints.graded import FloatArray, Graded
from readerstudy.analysis.endpoints.over_readers import is_clustered
from readerstudy.analysis.endpoints.words import many
from readerstudy.stats.reclassification import CAUTION
from readerstudy.studies.analysis_plan import PlannedAnalysis

NRI_CUT, NRI_FREE, IDI = "nri_categorical", "nri_continuous", "idi"
NOT_PLANNED = "not planned"
CHUNK = 2_000_000
SAME = 1e-12


@dataclass(frozen=True)
class Tested:
    """The p of one reader with its z."""

    p: Number
    z: float = math.nan


@dataclass(frozen=True)
class Pair:
    """Two arms as shares of the scale, shape (readers, cases); NaN where not read in both."""

    block: Graded
    entry: PlannedAnalysis
    old: FloatArray
    new: FloatArray

    @property
    def clustered(self) -> bool:
        return is_clustered(self.block, self.entry)


def pair_of(block: Graded, entry: PlannedAnalysis, reference: int, arm: int) -> Pair:
    """Return two arms of a block."""
    share = block.share
    both = ~np.isnan(share[reference]) & ~np.isnan(share[arm])
    old, new = (np.where(both, share[a], np.nan) for a in (reference, arm))
    return Pair(block, entry, old, new)


def reclassification_blocks(pair: Pair, suffix: str = "") -> tuple[list[Block], list[Test]]:
    """Return the planned tables of reclassification with their tests."""
    blocks: list[Block] = []
    tests: list[Test] = []
    for method, make in ((NRI_CUT, _nri_table), (NRI_FREE, _nri_table), (IDI, _idi_table)):
        if method not in pair.entry.methods:
            continue
        if method == NRI_CUT and not pair.entry.cutoffs:
            blocks.append(Passage(_NO_CUTOFFS))
            continue
        if not (~np.isnan(pair.old)).any():
            blocks.append(Passage(_NO_PAIRS.format(_TITLES[method])))
            continue
        table, found = make(pair, method, suffix)
        blocks.append(table)
        tests += found
    return blocks, tests


_TITLES = {
    NRI_CUT: "Net reclassification",
    NRI_FREE: "Net reclassification, category-free",
    IDI: "Integrated discrimination improvement",
}
_NO_CUTOFFS = (
    "**Net reclassification over groups: not computed.** The plan names it without cut-offs; a "
    "plan with cut-offs as shares of the scale gives it."
)
_NO_PAIRS = "**{}: not computed.** No reader read a case in both arms."
_SCALE = (
    "The scores count as shares of their scale, lowest 0 and highest 1; they are no calibrated "
    "probabilities."
)


def _moves(pair: Pair, method: str) -> FloatArray:
    """Return 1 up, -1 down, 0 no move; NaN where there is no pair."""
    if method == NRI_FREE:
        change = pair.new - pair.old
        return np.where(np.abs(change) <= SAME, 0.0, np.sign(change))
    groups = [np.digitize(p, pair.entry.cutoffs) for p in (pair.old, pair.new)]
    return np.where(np.isnan(pair.old), np.nan, np.sign(groups[1] - groups[0]))


def _nri_table(pair: Pair, method: str, suffix: str) -> tuple[Table, list[Test]]:
    block, moves = pair.block, _moves(pair, method)
    draws = _draws(pair, moves)
    rows: list[Row] = []
    tests: list[Test] = []
    for number, reader in enumerate(block.readers):
        cells, found = _nri_cells(pair, moves, method, number, draws)
        rows.append(Row({"reader": reader, **cells, "p": found.p}))
        tests.append(_test(pair, f"{method}{suffix}", number, found))
    cells = _all_cells(moves, block, draws, pair)
    rows.append(Row({"reader": "All", **cells, "p": NOT_PLANNED}, strong=True))
    how = "category-free: any change of the score is a move"
    if method == NRI_CUT:
        cuts = " and ".join(f"{100 * cut:g}" for cut in pair.entry.cutoffs)
        how = f"{many(len(pair.entry.cutoffs) + 1, 'group')}, cut at {cuts} % of the scale"
    table = Table(
        code=f"{method}{suffix}",
        title=_TITLES[method],
        columns=_nri_columns(block),
        rows=tuple(rows),
        method=f"Net reclassification improvement, {how}; {_method(pair)}",
        n=_n(pair),
        notes=(_SCALE, CAUTION),
    )
    return table, tests


def _nri_columns(block: Graded) -> tuple[Column, ...]:
    events, others = (int((block.truth == c).sum()) for c in (1, 0))
    up = f"{block.label(block.positive)}, {many(events, 'case')}: events"
    down = f"{block.label(block.negative)}, {many(others, 'case')}: non-events"
    return (
        Column("reader", "Reader", "text"),
        Column("up_events", "Moved up", group=up),
        Column("down_events", "Moved down", group=up),
        Column("events", "Net", group=up),
        Column("down_nonevents", "Moved down", group=down),
        Column("up_nonevents", "Moved up", group=down),
        Column("nonevents", "Net", group=down),
        Column("nri", "NRI"),
        Column("nri_interval", "Interval", "interval", source="nri"),
        Column("p", "p"),
    )


def _nri_cells(
    pair: Pair, moves: FloatArray, method: str, reader: int, draws: FloatArray
) -> tuple[dict[str, Cell], Tested]:
    seen = ~np.isnan(pair.old[reader])
    truth, move = pair.block.truth[seen], moves[reader][seen]
    counts: dict[str, Cell] = {
        f"{way}_{name}": count(int(((move == sign) & (truth == value)).sum()))
        for way, sign in (("up", 1), ("down", -1))
        for name, value in (("events", 1), ("nonevents", 0))
    }
    if not seen.any():
        nothing = "no case was read in both arms"
        parts = {name: undefined(nothing, "area") for name in ("events", "nonevents", "nri")}
        return counts | parts, Tested(undefined(nothing, "p"))
    compute: Callable[..., Any] = (
        (lambda *a, **k: stats.nri_categorical(*a, cutoffs=pair.entry.cutoffs, **k))
        if method == NRI_CUT
        else stats.nri_continuous
    )
    old, new = pair.old[reader][seen], pair.new[reader][seen]
    found = compute(truth, old, new, level=1 - pair.entry.alpha)
    value, tested = _tested(pair, found, draws[:, reader])
    parts = {
        "events": _part(found.events, found.reason),
        "nonevents": _part(found.nonevents, found.reason),
        "nri": value,
    }
    return counts | parts, tested


def _part(value: float, reason: str | None, form: str = "difference") -> Number:
    return Number(value, form, reason=(reason or "") if math.isnan(value) else "")


def _tested(pair: Pair, found: Any, drawn: FloatArray) -> tuple[Number, Tested]:
    """Return estimate and test of one reader; of patients with several cases by resampling them."""
    reason = found.reason or ""
    if not pair.clustered:
        p = Number(found.pvalue, "p", reason=reason if math.isnan(found.pvalue) else "")
        return number_of(found, "difference"), Tested(p, found.z)
    low, high = _limits(drawn, 1 - pair.entry.alpha)
    spread = float(np.nanstd(drawn, ddof=1)) if np.isfinite(drawn).sum() > 1 else math.nan
    value = Number(found.value, "difference", low, high, 1 - pair.entry.alpha, reason)
    if not spread > 0:
        return value, Tested(undefined(reason or "the draws do not vary", "p"))
    z = found.value / spread
    return value, Tested(Number(float(2 * special.ndtr(-abs(z))), "p"), z)


def _all_cells(moves: FloatArray, block: Graded, draws: FloatArray, pair: Pair) -> dict[str, Cell]:
    events = block.truth == 1
    cells: dict[str, Cell] = {
        f"{way}_{name}": count(int((moves[:, members] == sign).sum()))
        for way, sign in (("up", 1), ("down", -1))
        for name, members in (("events", events), ("nonevents", ~events))
    }
    parts = _components(moves, np.ones(block.truth.size)[None], events)
    for name, part in zip(("events", "nonevents"), parts, strict=True):
        cells[name] = _part(_mean(part[0]), "a class is empty")
    return cells | {"nri": _over_all(parts[0][0] + parts[1][0], draws, pair)}


def _over_all(values: FloatArray, draws: FloatArray, pair: Pair) -> Number:
    level = 1 - pair.entry.alpha
    defined = ~np.isnan(values)
    if not defined.any():
        return undefined("a class is empty for every reader", "difference")
    low, high = _limits(draws[:, defined].mean(axis=1), level)
    reason = "" if math.isfinite(low) else "too many draws left a class empty"
    return Number(float(values[defined].mean()), "difference", low, high, level, reason)


def _components(
    change: FloatArray, weights: FloatArray, events: Any
) -> tuple[FloatArray, FloatArray]:
    """Return mean change in events and mean fall in non-events, shape (draws, readers)."""
    seen = ~np.isnan(change)
    filled = np.where(seen, change, 0.0)
    parts = []
    for members, sign in ((events, 1.0), (~events, -1.0)):
        total = weights[:, members] @ filled[:, members].T
        size = weights[:, members] @ seen[:, members].T.astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts.append(sign * np.where(size > 0, total / size, np.nan))
    return parts[0], parts[1]


def _draws(pair: Pair, change: FloatArray) -> FloatArray:
    """Return the sum of both parts for each draw of cases (patients) and reader."""
    entry, events = pair.entry, pair.block.truth == 1
    rng = np.random.default_rng(entry.seed)
    found = []
    step = max(1, CHUNK // max(events.size, 1))
    for start in range(0, entry.draws, step):
        weights = _weights(pair, rng, min(step, entry.draws - start))
        parts = _components(change, weights, events)
        found.append(parts[0] + parts[1])
    return np.concatenate(found)


def _weights(pair: Pair, rng: np.random.Generator, size: int) -> FloatArray:
    """Return how often each case is drawn: cases within their class, or patients."""
    truth, subject = pair.block.truth, pair.block.subject
    if pair.clustered:
        persons = int(subject.max()) + 1
        drawn = rng.multinomial(persons, np.full(persons, 1 / persons), size=size)
        return drawn[:, subject].astype(float)
    weights = np.empty((size, truth.size))
    for value in (1, 0):
        members = np.flatnonzero(truth == value)
        if members.size:
            even = np.full(members.size, 1 / members.size)
            weights[:, members] = rng.multinomial(members.size, even, size=size)
    return weights


def _limits(drawn: FloatArray, level: float) -> tuple[float, float]:
    kept = drawn[np.isfinite(drawn)]
    if kept.size < 0.9 * drawn.size or not kept.size:
        return math.nan, math.nan
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _slope(share: FloatArray, block: Graded) -> float:
    """Return the mean over readers of the mean score of events less that of non-events."""
    parts = _components(share, np.ones(block.truth.size)[None], block.truth == 1)
    return _mean(parts[0][0] + parts[1][0])


def _mean(values: FloatArray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else math.nan


def _idi_table(pair: Pair, method: str, suffix: str) -> tuple[Table, list[Test]]:
    block = pair.block
    change = pair.new - pair.old
    draws = _draws(pair, change)
    rows: list[Row] = []
    tests: list[Test] = []
    for number, reader in enumerate(block.readers):
        cells, found = _idi_cells(pair, number, draws)
        rows.append(Row({"reader": reader, **cells, "p": found.p}))
        tests.append(_test(pair, f"{method}{suffix}", number, found))
    parts = _components(change, np.ones(block.truth.size)[None], block.truth == 1)
    cells = {
        "slope_old": _part(_slope(pair.old, block), "a class is empty", "area"),
        "slope_new": _part(_slope(pair.new, block), "a class is empty", "area"),
        "events": _part(_mean(parts[0][0]), "a class is empty"),
        "nonevents": _part(_mean(parts[1][0]), "a class is empty"),
        "idi": _over_all(parts[0][0] + parts[1][0], draws, pair),
    }
    rows.append(Row({"reader": "All", **cells, "p": NOT_PLANNED}, strong=True))
    table = Table(
        code=f"idi{suffix}",
        title=_TITLES[IDI],
        columns=(
            Column("reader", "Reader", "text"),
            Column("slope_old", "Slope without", group="Mean score, events less non-events"),
            Column("slope_new", "Slope with", group="Mean score, events less non-events"),
            Column("events", "Rise in events"),
            Column("nonevents", "Fall in non-events"),
            Column("idi", "IDI"),
            Column("idi_interval", "Interval", "interval", source="idi"),
            Column("p", "p"),
        ),
        rows=tuple(rows),
        method=f"Integrated discrimination improvement (Pencina 2008); {_method(pair)}",
        n=_n(pair),
        notes=(_SCALE, CAUTION),
    )
    return table, tests


def _idi_cells(pair: Pair, reader: int, draws: FloatArray) -> tuple[dict[str, Cell], Tested]:
    seen = ~np.isnan(pair.old[reader])
    names = ("slope_old", "slope_new", "events", "nonevents")
    if not seen.any():
        nothing = "no case was read in both arms"
        cells: dict[str, Cell] = {n: undefined(nothing, "difference") for n in (*names, "idi")}
        return cells, Tested(undefined(nothing, "p"))
    found = stats.idi(
        pair.block.truth[seen],
        pair.old[reader][seen],
        pair.new[reader][seen],
        level=1 - pair.entry.alpha,
    )
    value, tested = _tested(pair, found, draws[:, reader])
    parts: dict[str, Cell] = {
        n: _part(getattr(found, n), found.reason, "area" if "slope" in n else "difference")
        for n in names
    }
    return parts | {"idi": value}, tested


def _method(pair: Pair) -> str:
    unit = "patient" if pair.clustered else "case within its class"
    resampled = f"bootstrap by {unit}, {pair.entry.draws:,} draws, seed {pair.entry.seed}"
    if pair.clustered:
        return f"readers and all: {resampled}, percentile limits; p from the spread of the draws"
    return (
        "readers: Wald limits and z test with the variance of Pencina 2011 (NRI) and 2008 (IDI); "
        f"all: mean of the readers, {resampled}, percentile limits"
    )


def _n(pair: Pair) -> str:
    pairs = int((~np.isnan(pair.old)).sum())
    return (
        f"{many(len(pair.old), 'reader')}, {many(pairs, 'pair')} of reads of one case in both arms"
    )


def _test(pair: Pair, code: str, reader: int, found: Tested) -> Test:
    is_idi = code.startswith(IDI)
    name = "IDI" if is_idi else "NRI"
    law = "z test, Pencina 2008" if is_idi else "z test, Pencina 2011"
    who = pair.block.readers[reader]
    return Test(
        code=f"{code}:{who}",
        what=f"{_TITLES[IDI if is_idi else NRI_FREE if NRI_FREE in code else NRI_CUT]}, {who}",
        name=f"{name}, {'z test with the bootstrap error' if pair.clustered else law}",
        unit="patient" if pair.clustered else "case",
        n=many(int((~np.isnan(pair.old[reader])).sum()), "case"),
        null=f"the {name} is 0: the scores of events and non-events do not part further",
        assumptions="scores taken as predictions; large sample",
        p=found.p.value,
        symbol="z",
        statistic=found.z,
        reason=found.p.reason,
    )

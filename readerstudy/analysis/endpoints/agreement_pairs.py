"""Agreement of each pair of readers, with what the prevalence of a level does to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import NAN, Cell, Column, Number, Row, Table, count, undefined
from readerstudy.analysis.endpoints.agreement_panel import LINEAR, Panel
from readerstudy.analysis.endpoints.resampling import cluster_totals
from readerstudy.stats.agreement_cohen import CohenKappa, kappa_influence
from readerstudy.stats.quantiles import normal_quantile

FAR_BELOW = 0.2
"""How far kappa lies below AC1 before its prevalence is named as the cause."""
WORDS = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"))


@dataclass(frozen=True)
class Pair:
    """Two readers on the cases that both rated.

    ``found`` has the weights of the scale, ``plain`` none; both are None without a common case.
    """

    first: str
    second: str
    n: int
    kappa: Number
    same: Number
    found: CohenKappa | None = None
    plain: CohenKappa | None = None
    clustered: bool = False


def pairs_of(panel: Panel) -> list[Pair]:
    """Return Cohen's kappa of each pair of readers of a panel with levels."""
    return [_pair(panel, *columns) for columns in panel.pairs()]


def _pair(panel: Panel, i: int, j: int) -> Pair:
    both = panel.of((i, j))
    first, second = both.readers
    if not both.items:
        reason = "no case was rated by both"
        return Pair(first, second, 0, undefined(reason, "kappa"), undefined(reason, "percent"))
    table = np.zeros((len(panel.levels),) * 2, dtype=int)
    np.add.at(table, tuple(both.ratings.astype(int).T), 1)
    found = stats.cohen_kappa_from_table(table, weights=panel.weights, level=panel.level)
    plain = found if panel.weights is None else stats.cohen_kappa_from_table(table)
    number, same = _number(found, both), _same(both)
    return Pair(first, second, len(both.items), number, same, found, plain, both.is_clustered)


def _same(both: Panel) -> Number:
    """Return how often both gave the same level, with the patient as cluster where there are."""
    same = (both.ratings[:, 0] == both.ratings[:, 1]).astype(int)
    if not both.is_clustered:
        share = stats.proportion(int(same.sum()), len(same), level=both.level)
        return Number(share.value, "percent", share.low, share.high, both.level)
    found = stats.clustered_proportion(same, both.clusters, level=both.level)
    reason = found.reason or ""
    return Number(found.value, "percent", found.low_wilson, found.high_wilson, both.level, reason)


def _number(found: CohenKappa, both: Panel) -> Number:
    number = kappa_number(found)
    if both.is_clustered and number.has_interval:
        low, high = _clustered_limits(found, both)
        number = replace(number, low=low, high=high)
    return replace(number, behind={"reader": ",".join(both.readers), "arm": both.arm})


def kappa_number(found: CohenKappa) -> Number:
    """Return a kappa; without an interval, and why, where its standard error is 0."""
    if math.isnan(found.value):
        return undefined(found.reason or "", "kappa")
    if found.se == 0.0 or not found.high > found.low:
        reason = found.reason or ""
        if found.value == 0.0:
            reason = "no interval: a reader gave one level only"
        elif not reason or found.value == 1.0:
            reason = "no interval: no disagreement, so the standard error is 0"
        return Number(found.value, "kappa", level=found.level, reason=reason)
    return Number(found.value, "kappa", found.low, found.high, found.level)


def _clustered_limits(found: CohenKappa, both: Panel) -> tuple[float, float]:
    """Return limits from the influence of each case, summed over the cases of a patient."""
    se = clustered_se(both)
    half = normal_quantile(both.level) * se
    return max(-1.0, found.value - half), min(1.0, found.value + half)


def clustered_se(both: Panel) -> float:
    """Return the standard error of the kappa of two readers, patients as clusters."""
    codes = both.ratings.astype(int)
    table = np.zeros((len(both.levels),) * 2)
    np.add.at(table, tuple(codes.T), 1.0)
    _, influence = kappa_influence(table / len(codes), both.weight_matrix)
    totals = cluster_totals(influence[codes[:, 0], codes[:, 1]][:, None], both.clusters)[:, 0]
    n_clusters = len(totals)
    if n_clusters < 2:
        return NAN
    return math.sqrt(float(totals @ totals) * n_clusters / (n_clusters - 1)) / len(codes)


def in_words(kappa: float) -> str:
    """Return a kappa in the words of Landis and Koch (1977), as Park et al. use them."""
    if math.isnan(kappa):
        return ""
    if kappa < 0.0:
        return "none"
    return next((word for least, word in WORDS if kappa > least), "slight")


def weights_named(panel: Panel) -> str:
    """Return which weights a kappa has, in words."""
    if panel.weights is None:
        return "no weights"
    if isinstance(panel.weights, str):
        return f"{LINEAR} weights"
    return f"{LINEAR} weights, “not evaluable” a level that agrees with itself alone"


def matrix_table(panel: Panel, pairs: Sequence[Pair], arm: str, code: str) -> Table:
    """Return the kappas as a triangle of readers by readers."""
    cells = {(one.second, one.first): one.kappa for one in pairs}
    across, down = panel.readers[:-1], panel.readers[1:]
    rows = tuple(
        Row({"reader": second, **{first: cells.get((second, first), "") for first in across}})
        for second in down
    )
    columns = (Column("reader", "", "text"), *(Column(one, one, "estimate") for one in across))
    sizes = [one.n for one in pairs]
    return Table(
        code=code,
        title=f"Agreement of each pair of readers{arm}",
        columns=columns,
        rows=rows,
        method=f"Cohen’s kappa (1960), {weights_named(panel)}, {limits_in_words(panel, pairs)}",
        n=_sizes(sizes),
        layout="matrix",
        width="half",
    )


def limits_in_words(panel: Panel, pairs: Sequence[Pair]) -> str:
    """Return which interval the kappas of pairs have."""
    level = f"{100 * panel.level:g} %"
    if any(one.clustered for one in pairs):
        return f"normal {level} interval, linearised variance with patients as clusters"
    return f"asymptotic {level} interval (Fleiss, Cohen & Everitt 1969)"


def _sizes(sizes: Sequence[int]) -> str:
    if not sizes:
        return "no pair of readers"
    low, high = min(sizes), max(sizes)
    span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{span} cases a pair, {len(sizes):,} {'pair' if len(sizes) == 1 else 'pairs'}"


def pairs_table(panel: Panel, pairs: Sequence[Pair], arm: str, code: str) -> Table:
    """Return percent agreement, kappa and what stands beside it, one row a pair."""
    ac = "AC2" if panel.is_ordered else "AC1"
    return Table(
        code=code,
        title=f"Pairs of readers{arm}",
        columns=(
            Column("pair", "Readers", "text"),
            Column("n", "Cases"),
            Column("same", "Same level, %", "estimate"),
            Column("kappa", "Kappa", "estimate"),
            Column("words", "In words", "text"),
            Column("ac", f"Gwet’s {ac}", "estimate"),
            Column("pabak", "PABAK"),
            Column("largest", "Largest kappa possible"),
        ),
        rows=tuple(_pair_row(panel, one) for one in pairs),
        method=(
            f"Share of cases on the same level (Wilson interval); Cohen’s kappa, "
            f"{weights_named(panel)}, {limits_in_words(panel, pairs)}; Gwet’s {ac} (2008, 2014); "
            "prevalence- and bias-adjusted kappa; words after Landis & Koch (1977)"
        ),
        n=_sizes([one.n for one in pairs]),
        notes=tuple(note for one in pairs if (note := prevalence_note(panel, one))),
    )


def _pair_row(panel: Panel, one: Pair) -> Row:
    common: dict[str, Cell] = {
        "pair": f"{one.first} and {one.second}",
        "kappa": one.kappa,
        "same": one.same,
    }
    if one.found is None or one.plain is None:
        nothing = undefined(one.kappa.reason, "kappa")
        return Row(
            {**common, "n": count(0), "words": ""}
            | dict.fromkeys(("ac", "pabak", "largest"), nothing)
        )
    gwet = one.found.gwet
    return Row(
        {
            **common,
            "n": count(one.n, reader=f"{one.first},{one.second}", arm=panel.arm),
            "words": in_words(one.kappa.value),
            "ac": Number(gwet.value, "kappa", gwet.low, gwet.high, panel.level, gwet.reason or ""),
            "pabak": Number(one.plain.pabak, "kappa"),
            "largest": Number(one.found.kappa_max, "kappa", reason=one.found.reason or ""),
        }
    )


def prevalence_note(panel: Panel, one: Pair) -> str:
    """Return a sentence where kappa is low because nearly all cases are on one level."""
    if one.plain is None or math.isnan(one.plain.value):
        return ""
    gwet = one.plain.gwet.value
    if math.isnan(gwet) or gwet - one.plain.value < FAR_BELOW:
        return ""
    table = np.asarray(one.plain.table)
    shares = (table.sum(axis=0) + table.sum(axis=1)) / (2.0 * one.n)
    often = int(shares.argmax())
    return (
        f"{one.first} and {one.second} chose “{panel.levels[often]}” in "
        f"{100 * shares[often]:.0f} % of their answers: kappa without weights "
        f"({one.plain.value:.2f}) is lowered by that prevalence, AC1 ({gwet:.2f}) is not; "
        f"they agreed on {int(np.trace(table))} of {one.n} cases."
    )

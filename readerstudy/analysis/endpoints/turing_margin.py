"""Is the share of right calls within the planned margin around guessing? Two one-sided tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

from readerstudy import stats
from readerstudy.analysis.document import NAN, Cell, Column, Number, Row, Table, Test
from readerstudy.analysis.endpoints.turing_calls import Calls
from readerstudy.analysis.endpoints.turing_rows import CHANCE, against_guessing, p_cell
from readerstudy.analysis.endpoints.words import many
from readerstudy.stats.quantiles import normal_quantile

TOST = "Two one-sided tests (Schuirmann, J Pharmacokinet Biopharm 1987)"


@dataclass(frozen=True)
class Margin:
    """Whether the share lies within the margin.

    Attributes
    ----------
    margin, alpha : float
    p : float
        The larger of both one-sided p-values.
    number : Number
        The share with its interval at level 1 - 2 alpha: within the margin where p < alpha.
    is_clustered : bool
    reason : str
    """

    margin: float
    alpha: float
    p: float
    number: Number
    is_clustered: bool
    reason: str

    @property
    def within(self) -> bool:
        return self.p < self.alpha

    @property
    def verdict(self) -> str:
        """Return the outcome in words."""
        if math.isnan(self.p):
            return "not tested"
        return "within the margin" if self.within else "not shown"

    def test(self, calls: Calls) -> Test:
        """Return the test with all that belongs to it."""
        how = "normal, clustered variance (Rao & Scott 1992)" if self.is_clustered else "binomial"
        return Test(
            code="equivalence",
            what="Right calls of all readers within the margin around 50 %",
            name=f"{TOST}, {how}",
            unit=calls.unit,
            n=f"{many(len(calls), 'read')}, {many(calls.n_clusters, 'cluster')}",
            null=f"the share lies {100 * self.margin:g} points or more from 50 %",
            assumptions="clusters are independent; the margin was fixed before the data",
            p=self.p,
            reason=self.reason if math.isnan(self.p) else "",
        )


def margin_of(calls: Calls) -> Margin | None:
    """Return the outcome for some calls; None without a planned margin."""
    margin = calls.entry.margin
    if margin is None:
        return None
    if margin >= CHANCE:
        reason = f"a margin of {100 * margin:g} points around 50 % holds every share"
        return Margin(margin, calls.entry.alpha, NAN, _none(reason), False, reason)
    return _clustered(calls, margin) if calls.repeats_clusters else _exact(calls, margin)


def _none(reason: str) -> Number:
    return Number(NAN, "percent", reason=reason)


def _exact(calls: Calls, margin: float) -> Margin:
    alpha = calls.entry.alpha
    found = stats.equivalence_to_chance(calls.n_right, len(calls), margin=margin, alpha=alpha)
    reason = found.reason if not len(calls) else ""
    number = Number(found.value, "percent", found.low, found.high, found.level, reason=reason or "")
    return Margin(margin, alpha, found.p_exact, number, False, reason or "")


def _clustered(calls: Calls, margin: float) -> Margin:
    found, alpha = against_guessing(calls), calls.entry.alpha
    half = normal_quantile(1 - 2 * alpha) * found.se
    number = Number(found.value, "percent", found.value - half, found.value + half, 1 - 2 * alpha)
    reason = found.reason or ""
    return Margin(margin, alpha, found.p_equivalence, number, True, reason)


def margin_table(calls: Calls) -> Table | None:
    """Return the outcome of each reader and of all; None without a planned margin."""
    margin = calls.entry.margin
    if margin is None:
        return None
    parts = calls.parts(lambda call: call.reader)
    none = calls.where(lambda _: False)
    rows = [_row(reader, parts.get(reader, none)) for reader in calls.readers]
    if len(calls.readers) > 1:
        rows.append(_row("All readers", calls, strong=True))
    level = f"{100 * (1 - 2 * calls.entry.alpha):g}"
    return Table(
        code="margin",
        title="Within the planned margin around guessing",
        columns=(
            Column("reader", "Reader", "text"),
            Column("correct", "Correct, %"),
            Column("interval", f"{level} % interval", "interval", "correct"),
            Column("p", "p, margin"),
            Column("verdict", f"Within ±{100 * margin:g} points", "text"),
        ),
        rows=tuple(rows),
        method=(
            f"{TOST}: exact binomial for each reader, clustered variance where reads share a "
            f"case. A share is within where its {level} % interval is. That a test against 50 % "
            "is not significant does not show it."
        ),
        n=calls.n_words(),
        width="half",
    )


def _row(reader: str, calls: Calls, *, strong: bool = False) -> Row:
    found = margin_of(calls)
    if found is None:
        raise ValueError("no margin around guessing was planned")
    cells: dict[str, Cell] = {
        "reader": reader,
        "correct": found.number,
        "p": p_cell(found.p, found.reason),
        "verdict": found.verdict,
    }
    return Row(cells, strong)

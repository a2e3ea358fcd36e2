"""Are scores of two groups equal? Differences of means and tests of ranks, patients as units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import Column, Number, Row, Table, Test, count
from readerstudy.analysis.endpoints.scores import Scores
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import REAL, SYNTHETIC, Dataset

RANKS = ("mann_whitney", "signed_rank")
MEANS = ("paired_t", "clustered_mean_difference")


@dataclass(frozen=True)
class Compared:
    """Two groups of scores: the second less the first is reported."""

    what: str
    first: Scores
    second: Scores
    found: stats.Estimate

    @property
    def shared(self) -> int:
        """Patients (or cases) with scores in both groups."""
        return int(getattr(self.found, "n_shared", 0))

    @property
    def difference(self) -> Number:
        """Mean of the second group less that of the first."""
        found = self.found
        reason = found.reason or ""
        limits = (math.nan, math.nan) if reason else (found.low, found.high)
        return Number(found.value, "difference", *limits, found.level, reason)


def comparisons(data: Dataset, scores: Scores) -> list[Compared]:
    """Return synthetic against real in each arm, and each later arm against the first."""
    arms = list(dict.fromkeys(arm for arm in _arms(data, scores)))
    found = []
    if scores.origins:
        for arm in arms:
            where = f", {data.protocol.arm_name(arm)}" if len(arms) > 1 else ""
            part = scores.of(arm=arm)
            pair = part.of(origin=REAL), part.of(origin=SYNTHETIC)
            found.append(compare(f"synthetic less real{where}", *pair))
    for arm in arms[1:]:
        names = " less ".join(data.protocol.arm_name(one) for one in (arm, arms[0]))
        found.append(compare(names, scores.of(arm=arms[0]), scores.of(arm=arm)))
    return found


def _arms(data: Dataset, scores: Scores) -> list[str]:
    present = {row.arm for row in scores.rows}
    wanted = scores.entry.arms or data.protocol.arm_codes
    return [arm for arm in wanted if arm in present]


def compare(what: str, first: Scores, second: Scores) -> Compared:
    """Compare the means of two groups of scores."""
    rows = [*second.known, *first.known]
    group = ["second"] * len(second.known) + ["first"] * len(first.known)
    found = stats.clustered_mean_difference(
        [row.value for row in rows],
        group,
        [row.cluster for row in rows],
        groups=("second", "first"),
        level=first.confidence,
    )
    return Compared(what, first, second, found)


def tests_of(scores: Scores, compared: Compared, stage: str) -> list[Test]:
    """Return the planned tests of one comparison; the first one decides the endpoint."""
    named = scores.entry.methods
    found = []
    if set(named) & set(RANKS) or not named:
        found.append(rank_test(compared, stage))
    if set(named) & set(MEANS):
        found.append(_mean_test(compared, stage))
    return [replace(test, code="main") if n == 0 else test for n, test in enumerate(found)]


def rank_test(compared: Compared, stage: str) -> Test:
    """Return a signed-rank test where patients are in both groups, else Mann-Whitney."""
    first, second = compared.first.by_cluster(), compared.second.by_cluster()
    both = sorted(set(first) & set(second))
    unit = compared.first.unit
    common: dict[str, Any] = {
        "code": "ranks",
        "what": f"{compared.what}{stage}",
        "unit": f"{unit}, the mean of the scores of all its reads",
    }
    if both:
        alone = len(set(first) ^ set(second))
        ranked = stats.signed_rank([second[one] for one in both], [first[one] for one in both])
        return Test(
            name=ranked.method,
            n=f"{many(len(both), unit)} with both" + (f", {alone} with one left out" * bool(alone)),
            null="differences are symmetric about 0",
            assumptions=f"{unit}s are independent; readers are these readers",
            p=ranked.pvalue,
            symbol="V",
            statistic=ranked.statistic,
            reason=ranked.reason or "",
            warnings=ranked.warnings,
            **common,
        )
    return _unpaired(first, second, unit, common)


def _unpaired(
    first: dict[str, float], second: dict[str, float], unit: str, common: dict[str, Any]
) -> Test:
    sizes = f"{len(second)} against {len(first)} {unit}s"
    words: dict[str, Any] = {
        "null": "neither group tends to higher scores",
        "assumptions": f"{unit}s are independent; readers are these readers",
    }
    if not first or not second:
        reason = "one of the groups has no score"
        return Test(
            name="Mann–Whitney U test", n=sizes, p=math.nan, reason=reason, **words, **common
        )
    found = stats.mann_whitney(
        list(second.values()), list(first.values()), method="asymptotic", continuity=True
    )
    return Test(
        name=found.method,
        n=sizes,
        p=found.pvalue,
        symbol="U",
        statistic=found.statistic,
        reason=found.reason or "",
        warnings=found.warnings,
        **words,
        **common,
    )


def _mean_test(compared: Compared, stage: str) -> Test:
    found: Any = compared.found
    unit = compared.first.unit
    return Test(
        code="means",
        what=f"{compared.what}{stage}",
        name="Cluster-robust t test of the difference of means",
        unit=f"{unit}, with all its reads as a cluster",
        n=f"{found.n:,} scores of {many(found.n_clusters, unit)}, {found.n_shared} in both groups",
        null="both means are equal",
        assumptions=f"{unit}s are independent; the difference of means is about normal",
        p=found.pvalue,
        symbol="t",
        statistic=found.t,
        df=str(found.df),
        reason=found.reason or "",
        warnings=found.warnings,
    )


def difference_table(
    scores: Scores, found: list[tuple[str, Compared]], tests: dict[tuple[str, str], list[Test]]
) -> Table | None:
    """Return the differences with what was tested; None where there is nothing to compare."""
    if not found:
        return None
    rows = []
    tested_later = scores.entry.consensus and any(tests.values())
    why = "tested after consensus" if tested_later else "no test of this endpoint was planned"
    for stage, one in found:
        test = next(iter(tests.get((stage, one.what), [])), None)
        p = Number(test.p, "p", reason=test.reason) if test else "none"
        rows.append(
            Row(
                {
                    "what": f"{one.what}{stage}",
                    "first": one.first.mean(),
                    "second": one.second.mean(),
                    "difference": one.difference,
                    "n": count(len(one.first.known) + len(one.second.known)),
                    "shared": count(one.shared),
                    "p": p,
                    "test": test.name if test else why,
                }
            )
        )
    return Table(
        code="differences",
        title="Differences of mean scores",
        columns=(
            Column("what", "Comparison", "text"),
            Column("second", "Mean", "estimate"),
            Column("first", "Mean of the other", "estimate"),
            Column("difference", "Difference", "estimate"),
            Column("n", "Scores"),
            Column("shared", f"{scores.unit.capitalize()}s in both"),
            Column("p", "p"),
            Column("test", "Test", "text"),
        ),
        rows=tuple(rows),
        method=(
            f"{100 * scores.confidence:g} % intervals from a variance with the {scores.unit} as "
            "cluster, t with clusters less one degrees of freedom; tests of ranks on the mean "
            f"score of each {scores.unit}"
        ),
        n=f"{len(scores.known):,} scores",
    )

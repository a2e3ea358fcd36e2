"""Do two groups of images get the same answers? Tests of tables, whatever their reads share."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, Test, undefined
from readerstudy.analysis.endpoints.given import ORDERED
from readerstudy.analysis.endpoints.resampling import (
    FloatArray,
    cluster_totals,
    percentiles,
    resampled,
)
from readerstudy.analysis.endpoints.score_tests import compare, rank_test
from readerstudy.analysis.endpoints.scores import Score, Scores
from readerstudy.analysis.endpoints.words import many

OF_TABLES = {
    "chi_square": "Pearson’s chi-square",
    "g_test": "G test",
    "fisher_exact": "Fisher’s exact test",
}
SMALL = 5.0
PUBLISHED = "chi_square"
"""The test that papers often give for reads of the same cases."""
ENUMERATED, FEW_TABLES = 500, 1000
"""Answers up to which Fisher's p is enumerated in any case; tables up to which above that."""
CLUSTERED = "clustered_chi_square"


@dataclass(frozen=True)
class Groups:
    """Two groups of answers: the second is compared with the first.

    ``levels`` are those that anybody gave; numbers have none.
    """

    code: str
    what: str
    first: Scores
    second: Scores
    levels: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[int, Score]]:
        """All answers with their group, 0 or 1."""
        both = (self.first, self.second)
        return [(group, row) for group, part in enumerate(both) for row in part.rows if row.level]

    @property
    def table(self) -> list[list[int]]:
        """Counts, groups in rows and levels in columns."""
        counts = Counter((group, row.level) for group, row in self.rows)
        return [[counts[group, level] for level in self.levels] for group in (0, 1)]

    @property
    def is_clustered(self) -> bool:
        """Does any patient (or case) have several answers?"""
        clusters = [row.cluster for _, row in self.rows]
        return len(set(clusters)) < len(clusters)


@dataclass(frozen=True)
class Finding:
    """One method of one comparison, as a row; ``test`` where its p decides something."""

    name: str
    statistic: Number
    df: str
    p: Number
    how: str
    test: Test | None = None


def findings(groups: Groups) -> list[Finding]:
    """Return every planned method in order; where reads share patients, what allows for it."""
    if not groups.levels:
        return [_of_numbers(groups)]
    named = list(groups.first.entry.methods) or [*OF_TABLES, "cramers_v"]
    found: list[Finding] = []
    tables = [name for name in named if name in OF_TABLES]
    if (groups.is_clustered and tables) or CLUSTERED in named:
        found.append(_clustered(groups))
    for name in named:
        if name in OF_TABLES:
            found.append(_of_table(groups, name))
        elif name == "cramers_v":
            found.append(_cramers_v(groups))
        elif name == "mann_whitney":
            found.append(_of_ranks(groups))
        elif name not in (CLUSTERED, "adjust_pvalues", "shapiro_wilk"):
            found.append(_refused(name, "not a method for a table of answers"))
    return found


def tests_of(found: list[Finding], code: str) -> list[Test]:
    """Return the tests of a comparison; the first one decides it under ``code``."""
    tests = [one.test for one in found if one.test is not None]
    return [
        replace(test, code=code if place == 0 else f"{code}_{place + 1}")
        for place, test in enumerate(tests)
    ]


def _refused(name: str, reason: str) -> Finding:
    nothing = undefined(reason)
    return Finding(OF_TABLES.get(name, name), nothing, "", replace(nothing, form="p"), reason)


def _words(groups: Groups) -> dict[str, Any]:
    unit = groups.first.unit
    return {
        "code": "",
        "what": groups.what,
        "n": f"{len(groups.rows):,} answers of "
        f"{many(len({row.cluster for _, row in groups.rows}), unit)}",
        "null": "both groups have the same distribution of answers",
    }


def _clustered(groups: Groups) -> Finding:
    rows = groups.rows
    found = stats.clustered_chi_square(
        [group for group, _ in rows], [r.level for _, r in rows], [r.cluster for _, r in rows]
    )
    unit = groups.first.unit
    test = Test(
        **_words(groups),
        name=found.method,
        unit=f"{unit}, with all its reads as a cluster",
        assumptions=f"{unit}s are independent; readers are these readers",
        p=found.pvalue,
        symbol="χ²",
        statistic=found.statistic,
        df=str(found.df),
        reason=found.reason or "",
        warnings=found.warnings,
    )
    return _finding(f"Score test, {unit}s as clusters", test)


def _finding(name: str, test: Test) -> Finding:
    return Finding(
        name=name,
        statistic=Number(test.statistic, reason=test.reason),
        df=test.df,
        p=Number(test.p, "p", reason=test.reason),
        how=test.name,
        test=test,
    )


def _of_table(groups: Groups, name: str) -> Finding:
    """Return a test of the table; a plain row, marked so, where its reads are not independent."""
    clustered = groups.is_clustered
    if clustered and name != PUBLISHED:
        unit = groups.first.unit
        return _refused(name, f"{unit}s with several answers: see the score test, which knows them")
    many_answers = name == "fisher_exact" and len(groups.rows) > ENUMERATED
    limit = {"max_tables": FEW_TABLES} if many_answers else {}
    try:
        found = getattr(stats, name)(groups.table, assume_independent=True, **limit)
    except ValueError as error:
        return _refused(name, str(error))
    statistic = float(getattr(found, "statistic", NAN))
    least = float(getattr(found, "min_expected", NAN))
    warnings = tuple(found.warnings)
    if least < SMALL:
        warnings += (f"the smallest expected count is {least:.1f}: Fisher’s test is exact",)
    test = Test(
        **_words(groups),
        name=found.method,
        unit=groups.first.unit,
        assumptions=f"one answer to a {groups.first.unit}; {groups.first.unit}s are independent",
        p=found.pvalue,
        symbol="χ²" if not math.isnan(statistic) else "",
        statistic=statistic,
        df=str(getattr(found, "df", "")),
        reason=found.reason or "",
        warnings=warnings,
    )
    made = _finding(OF_TABLES[name], test)
    if math.isnan(statistic):
        made = replace(made, statistic=undefined(found.reason or "an exact test has none"))
    if not clustered:
        return made
    label = f"{OF_TABLES[name]}, as often published"
    how = f"{found.method}; reads taken as independent, which they are not: not to be relied on"
    return replace(made, name=label, how=how, test=None)


def _cramers_v(groups: Groups) -> Finding:
    """Return Cramér's V with a percentile interval from draws of patients."""
    none = Number(NAN, "p", reason="a measure, not a test")
    if len(groups.levels) < 2:
        return Finding("Cramér’s V", undefined("all answers are on one level"), "", none, "")
    found = stats.cramers_v(groups.table)
    entry, rows, q = groups.first.entry, groups.rows, len(groups.levels)
    if math.isnan(found.value):
        return Finding("Cramér’s V", undefined(found.reason or "", "kappa"), "", none, "")
    place = {level: column for column, level in enumerate(groups.levels)}
    features = np.zeros((len(rows), 2 * q))
    for line, (group, row) in enumerate(rows):
        features[line, group * q + place[row.level]] = 1.0
    totals = cluster_totals(features, [row.cluster for _, row in rows])
    drawn = resampled(totals, lambda sums: _v(sums, q), draws=entry.draws, seed=entry.seed)
    low, high = percentiles(drawn, groups.first.confidence)
    how = (
        f"{found.method}; percentile bootstrap of {groups.first.unit}s, {entry.draws:,} draws, "
        f"seed {entry.seed}; V of a sample lies above that of the population"
    )
    number = Number(found.value, "kappa", low, high, groups.first.confidence)
    return Finding("Cramér’s V", number, "", none, how)


def _v(sums: FloatArray, q: int) -> FloatArray:
    table = sums.reshape(len(sums), 2, q)
    n = table.sum(axis=(1, 2))
    expected = table.sum(axis=2, keepdims=True) * table.sum(axis=1, keepdims=True)
    expected = expected / n[:, None, None]
    apart = (table - expected) ** 2 / np.where(expected > 0.0, expected, 1.0)
    return np.asarray(np.sqrt(apart.sum(axis=(1, 2)) / n))


def _of_ranks(groups: Groups) -> Finding:
    if groups.first.question.kind not in ORDERED:
        return _refused("Mann–Whitney U test", "needs ordered levels or numbers")
    return _of_numbers(groups)


def _of_numbers(groups: Groups) -> Finding:
    test = rank_test(compare(groups.what, groups.first, groups.second), "")
    return _finding(test.name.partition(",")[0], test)

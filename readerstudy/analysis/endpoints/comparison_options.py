"""Questions with any number of answers: is each option named as often in both classes?"""

from __future__ import annotations

import math
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Column,
    Number,
    Row,
    Section,
    Table,
    Test,
    count,
)
from readerstudy.analysis.endpoints.given import arms_of
from readerstudy.analysis.endpoints.words import fixed, many, p_value
from readerstudy.analysis.facts import ORIGINS, REAL, SYNTHETIC, Dataset, OptionFacts, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis


def option_section(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the share of answers that name each option, by class, with a test of each.

    Raises
    ------
    ValueError
        If real or synthetic images were not answered.
    """
    question = data.protocol.question(entry.question)
    blocks: list[Block] = []
    tests: list[Test] = []
    lead: list[str] = []
    for arm in arms_of(data, entry):
        reads = [
            read
            for read in data.first_reads
            if read.arm == arm and question.code in read.answers and read.origin in ORIGINS
        ]
        if {read.origin for read in reads} != set(ORIGINS):
            raise ValueError("real and synthetic images were not both answered")
        where = f", {data.protocol.arm_name(arm)}" if len(data.protocol.arm_codes) > 1 else ""
        found = [(option, _compared(reads, option, entry)) for option in question.options]
        blocks.append(_table(reads, found, entry, arm, where))
        tests += [_test(option, one, entry, where) for option, one in found]
        lead.append(_lead(found, where))
    return Section(
        entry.code, entry.title, PLANNED, lead=tuple(lead), blocks=tuple(blocks), tests=tuple(tests)
    )


def _compared(reads: list[Read], option: OptionFacts, entry: PlannedAnalysis) -> Any:
    question = entry.question
    return stats.clustered_comparison(
        [int(option.code in read.answers[question]) for read in reads],
        [read.item if entry.unit == "case" else read.subject for read in reads],
        [read.origin for read in reads],
        groups=(SYNTHETIC, REAL),
        level=1.0 - entry.alpha,
    )


def _table(
    reads: list[Read],
    found: list[tuple[OptionFacts, Any]],
    entry: PlannedAnalysis,
    arm: str,
    where: str,
) -> Table:
    rows = []
    for option, one in found:
        difference = one.difference(SYNTHETIC, REAL)
        named = {
            origin: sum(
                option.code in read.answers[entry.question]
                for read in reads
                if read.origin == origin
            )
            for origin in ORIGINS
        }
        shares = {
            f"share_{origin}": Number(
                one.shares[origin].value,
                "percent",
                one.shares[origin].low_wilson,
                one.shares[origin].high_wilson,
                reason=one.shares[origin].reason or "",
            )
            for origin in ORIGINS
        }
        rows.append(
            Row(
                {
                    "option": option.label,
                    **{
                        f"n_{origin}": count(
                            named[origin], arm=arm, origin=origin, answer=option.code
                        )
                        for origin in ORIGINS
                    },
                    **shares,
                    "difference": Number(
                        difference.value,
                        "points",
                        difference.low,
                        difference.high,
                        difference.level,
                        difference.reason or "",
                    ),
                    "p": Number(difference.pvalue, "p", reason=difference.reason or ""),
                }
            )
        )
    columns = [Column("option", "Option", "text")]
    for origin in ORIGINS:
        columns += [
            Column(f"n_{origin}", "Named", group=origin.capitalize()),
            Column(f"share_{origin}", "%", "estimate", group=origin.capitalize()),
        ]
    sizes = {origin: sum(read.origin == origin for read in reads) for origin in ORIGINS}
    return Table(
        code=f"options_{arm}",
        title=f"How often each option was named{where}",
        columns=(
            *columns,
            Column("difference", "Synthetic less real, points", "estimate"),
            Column("p", "p"),
        ),
        rows=tuple(rows),
        method=found[0][1].method if found else "",
        n=", ".join(f"{many(n, 'answer')} on {origin} images" for origin, n in sizes.items()),
        notes=("p before any adjustment; each option is a test of its own.",),
    )


def _test(option: OptionFacts, found: Any, entry: PlannedAnalysis, where: str) -> Test:
    difference = found.difference(SYNTHETIC, REAL)
    unit = "case" if entry.unit == "case" else "patient"
    return Test(
        code="main",
        what=f"{option.label}: synthetic against real{where}",
        name=found.method,
        unit=f"{unit}, with all its reads as a cluster",
        n=f"{found.n:,} answers of {many(found.n_clusters, unit)}",
        null="the option is named equally often in both classes",
        assumptions=f"{unit}s are independent; readers are these readers",
        p=difference.pvalue,
        symbol="z",
        statistic=difference.z,
        reason=difference.reason or "" if math.isnan(difference.pvalue) else "",
        warnings=found.warnings,
    )


def _lead(found: list[tuple[OptionFacts, Any]], where: str) -> str:
    known = [
        (abs(one.difference(SYNTHETIC, REAL).value), option, one)
        for option, one in found
        if not math.isnan(one.difference(SYNTHETIC, REAL).value)
    ]
    if not known:
        return f"No option could be compared{where}."
    _, option, one = max(known, key=lambda row: row[0])
    difference = one.difference(SYNTHETIC, REAL)
    return (
        f"“{option.label}” differs most between synthetic and real images{where}, by "
        f"**{fixed(100 * difference.value, 1)} points** ({p_value(difference.pvalue)}, one of "
        f"{len(found)} options)."
    )

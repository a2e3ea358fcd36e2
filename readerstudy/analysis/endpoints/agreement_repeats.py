"""How far each reader agrees with themselves on hidden repeats."""

from __future__ import annotations

from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import Column, Number, Row, Table, count, number_of, undefined
from readerstudy.analysis.endpoints.agreement_pairs import kappa_number
from readerstudy.analysis.endpoints.agreement_panel import LINEAR
from readerstudy.analysis.endpoints.given import ORDERED, level_name, levels_of
from readerstudy.analysis.facts import Dataset, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

Twice = list[tuple[str, Any, Any]]


def repeats_table(
    data: Dataset, entry: PlannedAnalysis, question: QuestionFacts, arm: str
) -> Table | None:
    """Return first and repeated answers of each reader; None where nothing was repeated."""
    twice = _twice(data, question.code, arm)
    if not any(twice.values()):
        return None
    levels = levels_of(data.protocol, question)
    rows = [_row(reader, found, question, levels, entry) for reader, found in twice.items()]
    together = [one for found in twice.values() for one in found]
    if len(twice) > 1:
        rows.append(_overall(together, levels, entry))
    several = len(data.protocol.arm_codes) > 1
    spread = "Wilson interval; all readers: clustered by case (Rao & Scott 1992)"
    method = f"First and repeated answer: share of the same level ({spread}); Cohen’s kappa"
    if not levels:
        method = "Repeated less first answer: mean with t interval, 95 % limits of agreement"
    return Table(
        code=f"repeats_{arm}",
        title="Same reader, hidden repeats"
        + (f", {data.protocol.arm_name(arm)}" if several else ""),
        columns=_columns(levels, question),
        rows=tuple(rows),
        method=method,
        n=f"{len(together)} repeats",
        width="half",
    )


def _columns(levels: tuple[str, ...], question: QuestionFacts) -> tuple[Column, ...]:
    if levels:
        return (
            Column("reader", "Reader", "text"),
            Column("n", "Repeats"),
            Column("same", "Same answer"),
            Column("share", "Same answer, %", "estimate"),
            Column("kappa", "Kappa", "estimate"),
        )
    unit = f", {question.unit}" if question.unit else ""
    return (
        Column("reader", "Reader", "text"),
        Column("n", "Repeats"),
        Column("bias", f"Mean difference{unit}", "estimate"),
        Column("lower", "Lower limit of agreement"),
        Column("upper", "Upper limit of agreement"),
    )


def _twice(data: Dataset, question: str, arm: str) -> dict[str, Twice]:
    """Return by reader the items that were read again, with both answers."""
    first = {
        (read.reader, read.item): read.answers[question]
        for read in reversed(data.first_reads)
        if read.arm == arm and question in read.answers
    }
    found: dict[str, Twice] = {code: [] for code in data.reader_codes}
    for read in data.reads:
        key = (read.reader, read.item)
        if read.repeat and read.arm == arm and question in read.answers and key in first:
            found.setdefault(read.reader, []).append(
                (read.item, first[key], read.answers[question])
            )
    return found


def _row(
    reader: str,
    found: Twice,
    question: QuestionFacts,
    levels: tuple[str, ...],
    entry: PlannedAnalysis,
) -> Row:
    n = count(len(found), reader=reader)
    level = 1.0 - entry.alpha
    if not found:
        nothing = undefined("no repeat was read")
        codes = ("same", "share", "kappa", "bias", "lower", "upper")
        return Row({"reader": reader, "n": n, **dict.fromkeys(codes, nothing)})
    if not levels:
        return Row({"reader": reader, "n": n, **_measured(found, level)})
    same = sum(level_name(a) == level_name(b) for _, a, b in found)
    share = stats.proportion(same, len(found), level=level)
    table = np.zeros((len(levels), len(levels)), dtype=int)
    for _, a, b in found:
        table[levels.index(level_name(a)), levels.index(level_name(b))] += 1
    weights = LINEAR if question.kind in ORDERED else None
    kappa = stats.cohen_kappa_from_table(table, weights=weights, level=level)
    cells = {"same": count(same), "share": number_of(share, "percent")}
    return Row({"reader": reader, "n": n, **cells, "kappa": kappa_number(kappa)})


def _measured(found: Twice, level: float) -> dict[str, Number]:
    again, before = ([float(one[side]) for one in found] for side in (2, 1))
    limits = stats.bland_altman(again, before, level=level)
    reason = limits.reason or ""
    return {
        "bias": Number(limits.bias, "number", limits.low, limits.high, level, reason),
        "lower": Number(limits.lower_limit, reason=reason),
        "upper": Number(limits.upper_limit, reason=reason),
    }


def _overall(together: Twice, levels: tuple[str, ...], entry: PlannedAnalysis) -> Row:
    n = count(len(together))
    level = 1.0 - entry.alpha
    if not levels:
        return Row({"reader": "All readers", "n": n, **_measured(together, level)}, strong=True)
    same = [int(level_name(a) == level_name(b)) for _, a, b in together]
    found = stats.clustered_proportion(same, [item for item, _, _ in together], level=level)
    share = Number(
        found.value, "percent", found.low_wilson, found.high_wilson, level, found.reason or ""
    )
    kappa = undefined("not pooled over readers", "kappa")
    cells = {"same": count(sum(same)), "share": share, "kappa": kappa}
    return Row({"reader": "All readers", "n": n, **cells}, strong=True)

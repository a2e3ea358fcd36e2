"""Sensitivity and specificity at the binary call, per reader and over readers."""

from __future__ import annotations

import math

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    Cell,
    Column,
    Number,
    Row,
    Table,
    Test,
    number_of,
    undefined,
)
from readerstudy.analysis.endpoints.graded import BoolArray, Graded
from readerstudy.analysis.endpoints.over_readers import (
    ASSUMPTIONS,
    SHORT,
    OverReaders,
    is_clustered,
    main_analysis,
    over_readers,
)
from readerstudy.studies.analysis_plan import PlannedAnalysis

CLASSES = (("sensitivity", 1), ("specificity", 0))


def share_number(
    block: Graded, entry: PlannedAnalysis, reader: int, *, arm: int, truth: int
) -> Number:
    """Return the share of right calls of a reader in one class of cases."""
    call = block.call[arm, reader]
    seen = ~np.isnan(call) & (block.truth == truth)
    behind = {
        "reader": block.readers[reader],
        "arm": block.arms[arm],
        "question": block.question.code,
    }
    right = call[seen] == truth
    level = 1 - entry.alpha
    if is_clustered(block, entry) and seen.any():
        found = stats.clustered_proportion(right, block.subject[seen], level=level)
        low, high = found.low_wilson, found.high_wilson
        return Number(found.value, "percent", low, high, level, found.reason or "", behind)
    made = stats.proportion(int(right.sum()), int(seen.sum()), level=level)
    return number_of(made, "percent", behind=behind)


def difference_number(
    block: Graded, entry: PlannedAnalysis, reader: int, *, pair: tuple[int, int], truth: int
) -> Number:
    """Return the difference of right calls between two arms, over cases read in both."""
    old, new = (block.call[arm, reader] for arm in pair)
    both = ~np.isnan(old) & ~np.isnan(new) & (block.truth == truth)
    if not both.any():
        return undefined("no case of this class was read in both arms", "points")
    was, now = old[both] == truth, new[both] == truth
    level = 1 - entry.alpha
    if is_clustered(block, entry):
        return _clustered(block, entry, reader, pair=pair, keep=both, truth=truth)
    cells = [int(n.sum()) for n in (now & was, now & ~was, ~now & was, ~now & ~was)]
    found = stats.mcnemar(*cells, level=level)
    return Number(found.difference, "points", found.low, found.high, level)


def _clustered(
    block: Graded,
    entry: PlannedAnalysis,
    reader: int,
    *,
    pair: tuple[int, int],
    keep: BoolArray,
    truth: int,
) -> Number:
    size = int(keep.sum())
    right = np.concatenate([block.call[arm, reader][keep] == truth for arm in pair]).astype(float)
    found = stats.obuchowski_rockette(
        reader=np.zeros(2 * size, dtype=int),
        test=np.repeat([0, 1], size),
        case=np.tile(np.arange(size), 2),
        score=right,
        cluster=np.tile(block.subject[keep], 2),
        metric="proportion",
        random="cases",
        level=1 - entry.alpha,
    ).differences[0]
    reason = found.reason or ""
    return Number(-found.value, "points", -found.high, -found.low, 1 - entry.alpha, reason)


def calls_table(
    block: Graded, entry: PlannedAnalysis, names: tuple[str, str], *, pair: tuple[int, int]
) -> tuple[Table, list[Test]]:
    """Return sensitivity and specificity of two arms with their differences and tests."""
    rows = [_reader_row(block, entry, number, pair) for number in range(len(block.readers))]
    name = main_analysis(block, entry)
    found = {truth: over_readers(block, entry, name, only=truth) for _, truth in CLASSES}
    cells: dict[str, Cell] = {"reader": "Mean"}
    tests = []
    for code, truth in CLASSES:
        cells |= _mean_cells(code, found[truth], pair)
        tests.append(_test(block, code, found[truth], pair))
    table = Table(
        code="calls",
        title="Sensitivity and specificity at the call",
        columns=_columns(names),
        rows=(*rows, Row(cells, strong=True)),
        method=_method(block, entry, found[1]),
        n=block.n_words(),
        notes=(
            f"Positive: called {block.label(block.positive)}, whatever the confidence. "
            f"Difference: {names[1]} less {names[0]}, in percentage points.",
        ),
    )
    return table, tests


def _columns(names: tuple[str, str]) -> tuple[Column, ...]:
    columns = [Column("reader", "Reader", "text")]
    for code, _ in CLASSES:
        group = code.capitalize()
        columns += [
            Column(f"{code}_reference", names[0], "estimate", group=group),
            Column(f"{code}_arm", names[1], "estimate", group=group),
            Column(f"{code}_difference", "Difference", "estimate", group=group),
            Column(f"{code}_p", "p", group=group),
        ]
    return tuple(columns)


def _reader_row(block: Graded, entry: PlannedAnalysis, reader: int, pair: tuple[int, int]) -> Row:
    cells: dict[str, Cell] = {"reader": block.readers[reader]}
    for code, truth in CLASSES:
        for name, arm in zip(("reference", "arm"), pair, strict=True):
            cells[f"{code}_{name}"] = share_number(block, entry, reader, arm=arm, truth=truth)
        cells[f"{code}_difference"] = difference_number(
            block, entry, reader, pair=pair, truth=truth
        )
        cells[f"{code}_p"] = "not planned"
    return Row(cells)


def _mean_cells(code: str, found: OverReaders, pair: tuple[int, int]) -> dict[str, Cell]:
    row = found.difference(*pair)
    p = row.pvalue if row else math.nan
    reason = "" if not math.isnan(p) else (row.reason if row else found.reason) or "undefined"
    return {
        f"{code}_reference": found.mean_number(pair[0], "percent"),
        f"{code}_arm": found.mean_number(pair[1], "percent"),
        f"{code}_difference": found.difference_number(*pair, "points"),
        f"{code}_p": Number(p, "p", reason=reason),
    }


def _method(block: Graded, entry: PlannedAnalysis, found: OverReaders) -> str:
    readers = "Readers: Wilson interval; difference over cases read in both arms, Newcombe 1998"
    if is_clustered(block, entry):
        readers = (
            "Readers: Wilson interval at the effective sample size (Rao & Scott 1992), difference "
            "with the covariance of patients"
        )
    method = found.result.method if found.result else f"not computed: {found.reason}"
    return f"{readers}. Mean: {method}"


def _test(block: Graded, code: str, found: OverReaders, pair: tuple[int, int]) -> Test:
    row = found.difference(*pair)
    return Test(
        code=code,
        what=f"{code.capitalize()} at the call, mean over readers",
        name=f"{SHORT[found.name]} on proportions",
        unit="reader and case",
        n=block.n_words(),
        null=f"the mean {code} is the same in both arms",
        assumptions=ASSUMPTIONS,
        p=row.pvalue if row else math.nan,
        symbol="z" if row and math.isinf(row.df) else "t",
        statistic=row.t if row else math.nan,
        df=found.df_words(*pair),
        reason=(row.reason if row else found.reason) or "",
    )

"""Turing calls by generator, stratum and arm: tables after Han et al., and what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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
)
from readerstudy.analysis.endpoints.parts import NO_STRATUM, grouping, in_words
from readerstudy.analysis.endpoints.turing_calls import Call, Calls
from readerstudy.analysis.endpoints.turing_rows import (
    confusion_cells,
    confusion_columns,
    detection_cells,
    detection_columns,
    p_cell,
    share_of,
)
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset
from readerstudy.stats.clustered_groups import ClusteredComparison, GroupDifference

MOST_PAIRS = 6
METHOD = (
    "Score test with the empirical variance over clusters (Rotnitzky & Jewell, Biometrika "
    "1990), readers fixed; limits from both Wilson limits (Zou & Donner, Stat Med 2008)"
)


@dataclass(frozen=True)
class Comparison:
    """What is compared: calls by group, and of which calls the share is."""

    code: str
    title: str
    what: str
    calls: Calls
    of: Callable[[Call], str]
    behind: str


def part_blocks(data: Dataset, calls: Calls) -> tuple[list[Block], list[Test]]:
    """Return tables by generator and stratum, what differs, and the planned subgroups."""
    blocks: list[Block] = []
    tests: list[Test] = []
    table = _by_generator(calls)
    blocks += [table] if table else []
    for comparison in _comparisons(data, calls):
        block, found = _compared(comparison)
        blocks.append(block)
        tests += found
    within = _within_strata(calls)
    if within:
        blocks.append(within[0])
        tests += within[1]
    blocks += [_subgroup(data, calls, name) for name in calls.entry.subgroups]
    return blocks, tests


def generator_of(call: Call) -> str:
    """Return the generator of the synthetic image of an item; "" for a real case."""
    return call.item.generator


def stratum_of(call: Call) -> str:
    """Return the stratum of an item."""
    return call.item.stratum or NO_STRATUM


def _by_generator(calls: Calls) -> Table | None:
    """Return the confusion of each generator and stratum, as table 1 of Han et al."""
    synthetic = calls.where(lambda call: bool(generator_of(call)))
    parts = synthetic.parts(lambda call: (generator_of(call), stratum_of(call)))
    if len(parts) < 2:
        return None
    real = calls.where(lambda call: not generator_of(call))
    by_stratum = real.parts(stratum_of)
    rows, borrowed = [], False
    for (generator, stratum), part in sorted(parts.items()):
        beside = by_stratum.get(stratum, real)
        borrowed = borrowed or stratum not in by_stratum
        rows.append(_generator_row(part, beside, generator, stratum))
    notes = ["Real cases of a stratum stand beside each of its generators."]
    if borrowed and not calls.is_choice:
        notes.append("Where a stratum has no real case, all real cases stand beside it.")
    return Table(
        code="generators",
        title="By generator and stratum",
        columns=(
            Column("generator", "Generator", "text"),
            Column("stratum", "Stratum", "text"),
            *confusion_columns(calls),
            Column("correct", "Correct, %", "estimate"),
            Column("recognised", "Synthetic recognised, %", "estimate"),
            *detection_columns(calls),
        ),
        rows=tuple(rows),
        method=(
            "Shares with Wilson interval, clustered as planned where a case was read more than "
            "once (Rao & Scott 1992). d′ and c with log-linear correction (Hautus 1995). After "
            "Han et al., ISBI 2018, table 1."
        ),
        n=calls.n_words(),
        notes=() if calls.is_choice else tuple(notes),
    )


def _generator_row(part: Calls, beside: Calls, generator: str, stratum: str) -> Row:
    both = part if part.is_choice else replace(part, calls=part.calls + beside.calls)
    placed = {} if stratum == NO_STRATUM else {"stratum": stratum}
    own = {"generator": generator, **placed}
    cells: dict[str, Cell] = {
        "generator": generator,
        "stratum": stratum,
        **_with_filter(confusion_cells(both), own, placed),
        "correct": share_of(both).number,
        "recognised": share_of(part, **own).number,
        **detection_cells(both, with_interval=not both.repeats_clusters),
    }
    return Row(cells)


def _with_filter(
    cells: Mapping[str, Cell], own: Mapping[str, str], placed: Mapping[str, str]
) -> dict[str, Cell]:
    """Return counts whose reads are those of a generator, or of the real cases beside it."""
    return {
        code: replace(cell, behind={**cell.behind, **(placed if code.startswith("real") else own)})
        if isinstance(cell, Number)
        else cell
        for code, cell in cells.items()
    }


def _comparisons(data: Dataset, calls: Calls) -> list[Comparison]:
    """Return what is compared: generators, strata and arms, each where there are several."""
    synthetic = calls.where(lambda call: bool(generator_of(call)))
    recognised = "right choices" if calls.is_choice else "synthetic cases called synthetic"
    made = [
        Comparison(
            "generators", "Generators compared", recognised, synthetic, generator_of, "generator"
        ),
        Comparison("strata", "Strata compared", "right calls", calls, stratum_of, "stratum"),
        Comparison(
            "arms",
            "Arms compared",
            "right calls",
            calls,
            lambda call: data.protocol.arm_name(call.arm),
            "",
        ),
    ]
    return [one for one in made if len({one.of(call) for call in one.calls.calls}) > 1]


def _compare(comparison: Comparison, calls: Calls) -> ClusteredComparison:
    groups = [comparison.of(call) for call in calls.calls]
    return stats.clustered_comparison(
        calls.success, calls.clusters, groups, groups=sorted(set(groups)), level=calls.level
    )


def _compared(comparison: Comparison) -> tuple[Table, list[Test]]:
    """Return the shares of the groups with their differences, and the tests."""
    calls = comparison.calls
    found = _compare(comparison, calls)
    rows = [_share_row(name, part, comparison) for name, part in _sorted(comparison)]
    pairs = found.differences if len(found.shares) <= MOST_PAIRS else ()
    adjusted = _holm([one.pvalue for one in pairs])
    rows += [_difference_row(one, p) for one, p in zip(pairs, adjusted, strict=True)]
    table = Table(
        code=comparison.code,
        title=comparison.title,
        columns=(
            Column("group", "Part", "text"),
            Column("reads", "Reads"),
            Column("share", f"Share of {comparison.what}", "estimate"),
            Column("difference", "Difference, points", "estimate"),
            Column("p", "p"),
            Column("adjusted", "p, Holm"),
        ),
        rows=tuple(rows),
        method=f"{METHOD}; pairs adjusted by Holm.",
        n=f"n = {many(len(calls), 'read')}, {many(calls.n_clusters, 'cluster')}",
        notes=(*found.warnings, *_too_many(found)),
    )
    tests = _global(comparison, found) + [
        _pair_test(comparison, one, p, len(pairs)) for one, p in zip(pairs, adjusted, strict=True)
    ]
    return table, tests


def _too_many(found: ClusteredComparison) -> tuple[str, ...]:
    if len(found.shares) <= MOST_PAIRS:
        return ()
    return (f"Pairs are not tested: more than {MOST_PAIRS} parts. The test of all is below.",)


def _sorted(comparison: Comparison) -> list[tuple[str, Calls]]:
    return sorted(comparison.calls.parts(comparison.of).items())


def _share_row(name: str, part: Calls, comparison: Comparison) -> Row:
    behind = {comparison.behind: name} if comparison.behind and name != NO_STRATUM else {}
    cells: dict[str, Cell] = {
        "group": name,
        "reads": count(len(part), question=part.question.code, **behind),
        "share": share_of(part, **behind).number,
        "difference": "",
        "p": "",
        "adjusted": "",
    }
    return Row(cells)


def _difference_row(one: GroupDifference, adjusted: float) -> Row:
    reason = one.reason or ""
    cells: dict[str, Cell] = {
        "group": f"{one.first} − {one.second}",
        "reads": count(one.n),
        "share": "",
        "difference": number_of(one, "points"),
        "p": p_cell(one.pvalue, reason),
        "adjusted": p_cell(adjusted, reason),
    }
    return Row(cells)


def _holm(p: Sequence[float]) -> list[float]:
    return stats.adjust_pvalues(p, method="holm").adjusted.tolist() if p else []


def _global(comparison: Comparison, found: ClusteredComparison) -> list[Test]:
    """Return the test that all groups are equal; of two groups the pair says it."""
    if len(found.shares) < 3:
        return []
    return [
        _test(
            comparison,
            code=comparison.code,
            what=f"{comparison.title}: share of {comparison.what}, all parts",
            n=f"{many(found.n, 'read')}, {many(found.n_clusters, 'cluster')}",
            p=found.pvalue,
            symbol="χ²",
            statistic=found.chi2,
            df=str(found.df) if found.df else "",
            reason=found.reason or "",
            warnings=found.warnings,
        )
    ]


def _pair_test(comparison: Comparison, one: GroupDifference, adjusted: float, of: int) -> Test:
    return _test(
        comparison,
        code=f"{comparison.code} pairs",
        what=f"{one.first} against {one.second}: share of {comparison.what}",
        n=many(one.n, "read"),
        p=one.pvalue,
        symbol="z",
        statistic=one.z,
        adjusted_p=adjusted,
        adjustment=f"holm over {many(of, 'pair')}" if of > 1 else "",
        reason=one.reason or "",
    )


def _test(comparison: Comparison, **rest: object) -> Test:
    return Test(
        name=METHOD,
        unit=comparison.calls.unit,
        null="the shares are equal",
        assumptions="clusters are independent; enough of them for a normal law",
        **rest,  # type: ignore[arg-type]
    )


def _within_strata(calls: Calls) -> tuple[Table, list[Test]] | None:
    """Return generators compared within each stratum; None with one stratum or one generator."""
    synthetic = calls.where(lambda call: bool(generator_of(call)))
    several = {
        stratum: part
        for stratum, part in sorted(synthetic.parts(stratum_of).items())
        if len({generator_of(call) for call in part.calls}) > 1
    }
    if not several or len(synthetic.parts(stratum_of)) < 2:
        return None
    what = "right choices" if calls.is_choice else "synthetic cases called synthetic"
    comparison = Comparison("generators in strata", "", what, synthetic, generator_of, "")
    found = [
        (stratum, one)
        for stratum, part in several.items()
        for one in _compare(comparison, part).differences
    ]
    adjusted = _holm([one.pvalue for _, one in found])
    rows = [
        Row({**_difference_row(one, p).cells, "stratum": stratum})
        for (stratum, one), p in zip(found, adjusted, strict=True)
    ]
    table = Table(
        code="generators_in_strata",
        title="Generators compared within each stratum",
        columns=(
            Column("stratum", "Stratum", "text"),
            Column("group", "Generators", "text"),
            Column("reads", "Reads"),
            Column("difference", f"Difference of {what}, points", "estimate"),
            Column("p", "p"),
            Column("adjusted", "p, Holm"),
        ),
        rows=tuple(rows),
        method=f"{METHOD}; adjusted by Holm over {many(len(found), 'comparison')}.",
        n=f"n = {many(len(synthetic), 'read')} of synthetic cases",
    )
    tests = [
        replace(
            _pair_test(comparison, one, p, len(found)),
            what=f"{stratum}: {one.first} against {one.second}, share of {what}",
        )
        for (stratum, one), p in zip(found, adjusted, strict=True)
    ]
    return table, tests


def _subgroup(data: Dataset, calls: Calls, name: str) -> Block:
    """Return the endpoint estimated once more in the parts of a planned subgroup."""
    label = grouping(data, name)
    parts = calls.parts(lambda call: label(call.item, call.period, call.reader))
    if len(parts) < 2:
        only = ", ".join(parts)
        return Passage(f"Subgroup {in_words(name)}: all reads are in one part, {only}.")
    rows = []
    for part in sorted(parts):
        share = share_of(parts[part]).number
        reads = count(len(parts[part]))
        cells: dict[str, Cell] = {"part": part, "reads": reads, "correct": share}
        rows.append(Row({**cells, **detection_cells(parts[part], with_interval=False)}))
    return Table(
        code=f"subgroup_{name.replace(':', '_')}",
        title=f"By {in_words(name)}",
        columns=(
            Column("part", "Part", "text"),
            Column("reads", "Reads"),
            Column("correct", "Correct, %"),
            Column("interval", f"{100 * calls.level:g} % interval", "interval", "correct"),
            *detection_columns(calls),
        ),
        rows=tuple(rows),
        method="Interval clustered as planned (Rao & Scott 1992); planned subgroup, no test.",
        n=calls.n_words(),
        width="half",
    )

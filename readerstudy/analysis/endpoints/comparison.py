"""Endpoint "comparison": are real and synthetic images answered alike?

Counts and shares of every level by class, differences with intervals and the planned tests, on the
first answers or after consensus. Where the plan names covariates (such as ``idh``), groups are
the values of the reference standard within each class, each pair compared, as in table 1 of Park
et al., Sci Rep 2021.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
)
from readerstudy.analysis.endpoints import parts as subgroups
from readerstudy.analysis.endpoints.after_consensus import UNSETTLED, Held, share_of
from readerstudy.analysis.endpoints.comparison_options import option_section
from readerstudy.analysis.endpoints.comparison_tests import Finding, Groups, findings, tests_of
from readerstudy.analysis.endpoints.given import NOT_EVALUABLE, arms_of, label_of
from readerstudy.analysis.endpoints.scores import (
    Scores,
    origin_words,
    readers_of,
    scores_of,
    settled_scores,
)
from readerstudy.analysis.endpoints.stacked import stacked_bars
from readerstudy.analysis.endpoints.words import fixed, listed, many, p_value
from readerstudy.analysis.facts import ORIGINS, Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

MAIN, BETWEEN = "main", "reference"
Found = Sequence[tuple[Groups, list[Finding]]]


@dataclass(frozen=True)
class Group:
    """Answers about images of one class, and of one value of the reference standard."""

    name: str
    origin: str
    value: str
    answers: Scores


def comparison(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the answers to a question in real and in synthetic images, compared.

    Raises
    ------
    ValueError
        If there is no second class, or the question has no levels or numbers.
    """
    if data.protocol.question(entry.question).kind == "multi":
        return option_section(data, entry)
    first = _with_not_evaluable(scores_of(data, replace(entry, not_evaluable="exclude")), entry)
    if not first.rows:
        raise ValueError("no answer was given")
    if entry.consensus and not first.levels:
        raise ValueError("numbers have no consensus: plan the comparison on the first answers")
    held: list[Held] = []
    decisive = first
    if entry.consensus:
        settled, held = settled_scores(data, first)
        decisive = _without_means(settled)
    blocks: list[Block] = []
    lead: list[str] = []
    tests: list[Test] = []
    for arm in [code for code in arms_of(data, entry) if first.of(arm=code).rows]:
        where = f", {data.protocol.arm_name(arm)}" if len(data.protocol.arm_codes) > 1 else ""
        groups = groups_of(data, entry, decisive.of(arm=arm))
        pairs = _pairs(groups, where, decisive)
        found = [(pair, findings(pair)) for pair in pairs]
        tests += [test for pair, one in found for test in tests_of(one, pair.code)]
        lead += [_lead(pair, tests_of(one, pair.code)) for pair, one in found if pair.code == MAIN]
        blocks += _arm_blocks(entry, groups, found, arm, where)
        blocks += _by_reader(data, entry, first.of(arm=arm), arm, where)
    blocks += [_subgroup(data, entry, name) for name in entry.subgroups]
    blocks += [Passage(text) for text in _remarks(data, entry, held)]
    return Section(
        entry.code, entry.title, PLANNED, lead=tuple(lead), blocks=tuple(blocks), tests=tuple(tests)
    )


def _with_not_evaluable(scores: Scores, entry: PlannedAnalysis) -> Scores:
    """Count "not evaluable" as a level of its own where the plan does not leave it out."""
    if entry.not_evaluable != "wrong" or not scores.levels:
        return replace(scores, entry=entry)
    rows = (
        replace(row, level=NOT_EVALUABLE) if math.isnan(row.value) else row for row in scores.rows
    )
    return replace(scores, entry=entry, rows=tuple(rows))


def _without_means(settled: Scores) -> Scores:
    """Leave out what no panel settled: a table of levels has no place for a mean of levels."""
    rows = (row if row.level else replace(row, value=math.nan) for row in settled.rows)
    return replace(settled, rows=tuple(rows))


def groups_of(data: Dataset, entry: PlannedAnalysis, answers: Scores) -> list[Group]:
    """Return the groups that are compared: classes, divided by the planned covariates.

    Raises
    ------
    ValueError
        If fewer than two groups were answered.
    """
    keys: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(answers.rows):
        known = data.items[row.item].references if row.item in data.items else {}
        value = ", ".join(known.get(name) or "not known" for name in entry.covariates)
        keys.setdefault((value, row.origin), []).append(place)
    wanted = [key for key in sorted(keys) if key[1] in ORIGINS]
    wanted.sort(key=lambda key: (key[0], ORIGINS.index(key[1])))
    if len(wanted) < 2:
        only = origin_words(wanted[0][1]) if wanted else "no"
        raise ValueError(f"{only} images alone were answered: there is nothing to compare")
    return [
        Group(
            name=", ".join(word for word in (value, origin_words(origin)) if word),
            origin=origin,
            value=value,
            answers=replace(
                answers, rows=tuple(answers.rows[place] for place in keys[value, origin])
            ),
        )
        for value, origin in wanted
    ]


def _pairs(groups: Sequence[Group], where: str, answers: Scores) -> list[Groups]:
    used = {row.level for group in groups for row in group.answers.rows if row.level}
    levels = tuple(level for level in (*answers.levels, NOT_EVALUABLE) if level in used)
    return [
        Groups(
            code=MAIN if one.value == other.value else BETWEEN,
            what=f"{other.name} against {one.name}{where}",
            first=one.answers,
            second=other.answers,
            levels=tuple(level for level in levels if _has(one, level) or _has(other, level)),
        )
        for one, other in combinations(groups, 2)
    ]


def _has(group: Group, level: str) -> bool:
    return any(row.level == level for row in group.answers.rows)


def _arm_blocks(
    entry: PlannedAnalysis,
    groups: Sequence[Group],
    found: Found,
    arm: str,
    where: str,
) -> list[Block]:
    answers = groups[0].answers
    stage = "after consensus" if entry.consensus else "first answers"
    blocks: list[Block] = []
    if answers.levels:
        blocks.append(_counts(groups, arm, f"{where}, {stage}"))
        blocks.append(_figure(groups, arm, where))
        blocks.append(_differences([pair for pair, _ in found], arm, where))
    else:
        blocks.append(_numbers(groups, arm, where))
    blocks.append(_tests_table(found, arm, where))
    return blocks


def _n(groups: Sequence[Group]) -> str:
    return "; ".join(
        f"{group.name}: {many(len({row.item for row in group.answers.rows}), 'case')}, "
        f"{len(_given(group.answers)):,} answers, {_lost(group.answers)} left out"
        for group in groups
    )


def _given(answers: Scores) -> list[str]:
    if not answers.levels:
        return [str(row.value) for row in answers.known]
    return [row.level for row in answers.rows if row.level]


def _lost(answers: Scores) -> int:
    return len(answers.rows) - len(_given(answers))


def _levels_used(groups: Sequence[Group]) -> list[str]:
    question = groups[0].answers.question
    extra = [NOT_EVALUABLE] if any(_has(group, NOT_EVALUABLE) for group in groups) else []
    return [*question.levels, *extra]


def _counts(groups: Sequence[Group], arm: str, words: str) -> Table:
    question = groups[0].answers.question
    columns = [Column("level", "Answer", "text")]
    for place, group in enumerate(groups):
        columns += [
            Column(f"n_{place}", "n", group=group.name),
            Column(f"share_{place}", "%", "estimate", group=group.name),
        ]
    rows = []
    for level in _levels_used(groups):
        cells: dict[str, Cell] = {"level": label_of(question, level)}
        for place, group in enumerate(groups):
            graded = [row for row in group.answers.rows if row.level]
            chosen = [int(row.level == level) for row in graded]
            behind = {"arm": arm, "origin": group.origin, "answer": level}
            cells[f"n_{place}"] = count(sum(chosen), **behind)
            cells[f"share_{place}"] = _share(chosen, [row.cluster for row in graded])
        rows.append(Row(cells))
    return Table(
        code=f"counts_{arm}",
        title=f"Answers by class{words}",
        columns=tuple(columns),
        rows=tuple(rows),
        method=(
            "Counts and shares; Wilson interval at the effective sample size, "
            f"{groups[0].answers.unit}s as clusters (Rao & Scott 1992)"
        ),
        n=_n(groups),
    )


def _share(chosen: Sequence[int], clusters: Sequence[str]) -> Number:
    if not chosen:
        return Number(math.nan, "percent", reason="no answer")
    found = share_of(chosen, clusters)
    return Number(found.value, "percent", found.low, found.high, reason=found.reason)


def _figure(groups: Sequence[Group], arm: str, where: str) -> Block:
    question = groups[0].answers.question
    levels = _levels_used(groups)
    bars = [
        (group.name, [_given(group.answers).count(level) for level in levels]) for group in groups
    ]
    words = [label_of(question, level) for level in levels]
    return stacked_bars(
        bars, words, title=f"Answers by class{where}", n=_n(groups), code=f"bars_{arm}"
    )


def _differences(pairs: Sequence[Groups], arm: str, where: str) -> Table:
    rows = []
    for pair in pairs:
        for level in pair.levels:
            found = level_difference(pair, level)
            words = label_of(pair.first.question, level)
            rows.append(Row({"what": pair.what, "level": words, "difference": found}))
    return Table(
        code=f"differences_{arm}",
        title=f"Differences of shares{where}",
        columns=(
            Column("what", "Comparison", "text"),
            Column("level", "Answer", "text"),
            Column("difference", "Difference, points", "estimate"),
        ),
        rows=tuple(rows),
        method=(
            "First named less second; limits from the Wilson limits of both shares (Zou & Donner "
            f"2008), {pairs[0].first.unit}s as clusters; not adjusted for the number of answers"
        ),
        n=f"{len(pairs)} comparisons" if len(pairs) > 1 else "1 comparison",
        width="half",
    )


def level_difference(pair: Groups, level: str) -> Number:
    """Return the share of a level in the second group less that in the first."""
    rows = pair.rows
    if len({group for group, _ in rows}) < 2:
        return Number(math.nan, "points", reason="one of the groups has no answer")
    found = stats.clustered_comparison(
        [int(row.level == level) for _, row in rows],
        [row.cluster for _, row in rows],
        [group for group, _ in rows],
        groups=(1, 0),
        level=pair.first.confidence,
    )
    difference = found.difference(1, 0)
    reason = difference.reason or ""
    limits = difference.low, difference.high
    return Number(difference.value, "points", *limits, pair.first.confidence, reason)


def _numbers(groups: Sequence[Group], arm: str, where: str) -> Table:
    rows = []
    for group in groups:
        values = [row.value for row in group.answers.known]
        quartiles = np.percentile(values, [25, 50, 75]) if values else [math.nan] * 3
        reason = "" if values else "no answer"
        names = ("lower", "median", "upper")
        cells: dict[str, Cell] = {
            name: Number(float(value), reason=reason)
            for name, value in zip(names, quartiles, strict=True)
        }
        mean = group.answers.mean() if values else Number(math.nan, reason=reason)
        n = count(len(values), arm=arm, origin=group.origin)
        rows.append(Row({"group": group.name, "n": n, "mean": mean, **cells}))
    return Table(
        code=f"numbers_{arm}",
        title=f"Numbers by class{where}",
        columns=(
            Column("group", "Class", "text"),
            Column("n", "Answers"),
            Column("median", "Median"),
            Column("lower", "Lower quartile"),
            Column("upper", "Upper quartile"),
            Column("mean", "Mean", "estimate"),
        ),
        rows=tuple(rows),
        method=f"Quartiles; mean with t interval, {groups[0].answers.unit}s as clusters",
        n=_n(groups),
    )


def _tests_table(
    found: Found,
    arm: str,
    where: str,
) -> Table:
    rows = [
        Row(
            {
                "what": pair.what,
                "name": one.name,
                "statistic": one.statistic,
                "df": one.df,
                "p": one.p,
                "how": one.how,
            }
        )
        for pair, of_pair in found
        for one in of_pair
    ]
    notes = [
        warning
        for _, of_pair in found
        for one in of_pair
        if one.test is not None
        for warning in one.test.warnings
    ]
    return Table(
        code=f"tests_{arm}",
        title=f"Tests and measures{where}",
        columns=(
            Column("what", "Comparison", "text"),
            Column("name", "Test or measure", "text"),
            Column("statistic", "Value", "estimate"),
            Column("df", "df", "text"),
            Column("p", "p"),
            Column("how", "Method", "text"),
        ),
        rows=tuple(rows),
        method="Two-sided; p before any adjustment for the planned family",
        n=f"{sum(len(pair.rows) for pair, _ in found):,} answers over all comparisons",
        notes=tuple(dict.fromkeys(notes)),
    )


def _by_reader(
    data: Dataset, entry: PlannedAnalysis, first: Scores, arm: str, where: str
) -> list[Block]:
    """Return the first answers of each reader by class; nothing for one reader or numbers."""
    readers = readers_of(data, first.rows)
    if not first.levels or (len(readers) < 2 and not entry.consensus):
        return []
    rows = []
    columns: list[Column] = []
    for reader in readers:
        try:
            groups = groups_of(data, entry, first.of(reader=reader))
        except ValueError as error:
            rows.append(Row({"reader": reader, "level": f"not computed: {error}"}))
            continue
        for level in _levels_used(groups):
            cells: dict[str, Cell] = {
                "reader": reader,
                "level": label_of(first.question, level),
            }
            for group in groups:
                code = f"n_{group.name}"
                hits = _given(group.answers).count(level)
                behind = {"reader": reader, "origin": group.origin, "answer": level, "arm": arm}
                cells[code] = count(hits, **behind)
                if code not in [column.code for column in columns]:
                    columns.append(Column(code, group.name))
            rows.append(Row(cells))
    blank: dict[str, Cell] = {column.code: count(0) for column in columns}
    return [
        Table(
            code=f"readers_{arm}",
            title=f"First answers of each reader{where}",
            columns=(
                Column("reader", "Reader", "text"),
                Column("level", "Answer", "text"),
                *columns,
            ),
            rows=tuple(replace(row, cells={**blank, **row.cells}) for row in rows),
            method="Counts of the first answers, as given",
            n=f"{len(_given(first)):,} answers, {_lost(first)} not evaluable",
        )
    ]


def _subgroup(data: Dataset, entry: PlannedAnalysis, name: str) -> Block:
    rows: list[Row] = []
    for label, part in subgroups.parts(data, name):
        plain = replace(entry, covariates=(), not_evaluable="exclude")
        answers = scores_of(part, plain)
        if entry.consensus:
            answers = _without_means(settled_scores(part, answers)[0])
        for arm in [code for code in arms_of(part, entry) if answers.of(arm=code).rows]:
            try:
                groups = groups_of(part, plain, answers.of(arm=arm))
            except ValueError as error:
                rows.append(Row({"part": label, "level": "", "difference": _missing(error)}))
                continue
            rows += _part_rows(label, groups, answers)
    return Table(
        code=f"subgroup_{name.replace(':', '_')}",
        title=f"Differences by {subgroups.in_words(name)}",
        columns=(
            Column("part", "Part", "text"),
            Column("level", "Answer", "text"),
            Column("difference", "Synthetic less real, points", "estimate"),
        ),
        rows=tuple(rows),
        method="As the differences above in each part; planned subgroup, no test",
        n=many(len({row.cells["part"] for row in rows}), "part"),
        width="half",
    )


def _missing(error: ValueError) -> Number:
    return Number(math.nan, "points", reason=str(error))


def _part_rows(label: str, groups: Sequence[Group], answers: Scores) -> list[Row]:
    (pair, *_) = _pairs(groups, "", answers)
    if not pair.levels:
        number = Number(math.nan, "points", reason="numbers: see the table of numbers")
        return [Row({"part": label, "level": "", "difference": number})]
    return [
        Row(
            {
                "part": label,
                "level": label_of(answers.question, level),
                "difference": level_difference(pair, level),
            }
        )
        for level in pair.levels
    ]


def _lead(pair: Groups, tests: Sequence[Test]) -> str:
    main = next(iter(tests), None)
    said = f"{p_value(main.p)}, {main.name.partition(',')[0].partition(' (')[0]}" if main else ""
    if main is None:
        said = "no test was planned"
    elif math.isnan(main.p):
        said = f"no test: {main.reason}"
    what = f"{pair.what[0].upper()}{pair.what[1:]}"
    widest = _widest(pair)
    return f"{what}: {widest}({said})."


def _widest(pair: Groups) -> str:
    """Return the answer whose share differs most, in words."""
    found = [(level_difference(pair, level), level) for level in pair.levels]
    known = [(abs(one.value), one, level) for one, level in found if one.defined]
    if not known:
        return ""
    _, most, level = max(known, key=lambda row: row[0])
    limits = (
        f", {100 * most.level:g} % interval {fixed(100 * most.low, 1)} to "
        f"{fixed(100 * most.high, 1)}"
        if most.has_interval
        else ""
    )
    words = label_of(pair.first.question, level)
    return f"“{words}” differs most, by **{fixed(100 * most.value, 1)} points**{limits} "


def _remarks(data: Dataset, entry: PlannedAnalysis, held: Sequence[Held]) -> list[str]:
    found = []
    if entry.consensus:
        open_ = sum(one.how == UNSETTLED for one in held)
        found.append(
            f"After consensus each case counts once; {open_} that differed and were laid before "
            "no panel are left out."
        )
        if not data.settled.get(entry.question):
            found.append(
                "**Nothing was laid before a panel**: only what all readers agree on holds."
            )
    if "shapiro_wilk" in entry.methods:
        found.append(
            "shapiro_wilk: **not used to choose a test**; a test that is chosen by the data has "
            "not the size that it states."
        )
    if entry.covariates:
        names = listed([name.replace("_", " ") for name in entry.covariates])
        found.append(f"Groups are the values of {names} within real and synthetic images.")
    return found

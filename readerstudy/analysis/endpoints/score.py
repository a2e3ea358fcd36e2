"""Endpoint "score": levels and means by arm, class and reader, first and after consensus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from readerstudy import stats
from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Cell,
    Column,
    Figure,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
)
from readerstudy.analysis.endpoints import parts as subgroups
from readerstudy.analysis.endpoints.after_consensus import (
    AGREED,
    CONSENSUS,
    NO_MAJORITY,
    UNSETTLED,
    Held,
    share_of,
)
from readerstudy.analysis.endpoints.agreement_measures import MAKERS, measure
from readerstudy.analysis.endpoints.agreement_panel import panel_of
from readerstudy.analysis.endpoints.given import arms_of, given
from readerstudy.analysis.endpoints.score_tests import (
    MEANS,
    RANKS,
    Compared,
    comparisons,
    difference_table,
    tests_of,
)
from readerstudy.analysis.endpoints.scores import (
    Scores,
    origin_words,
    readers_of,
    scores_of,
    settled_scores,
)
from readerstudy.analysis.endpoints.stacked import stacked_bars
from readerstudy.analysis.endpoints.words import fixed, listed, many, p_value
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

HOW = {
    AGREED: "readers agreed",
    CONSENSUS: "consensus of the panel",
    NO_MAJORITY: "no majority in the panel",
    UNSETTLED: "differed, laid before no panel",
}
DESCRIBED = ("clustered_proportion", "clustered_mean", "proportion", "adjust_pvalues")
SETTLED = "After consensus"
FIRST_STAGE, SETTLED_STAGE = "", ", after consensus"


@dataclass(frozen=True)
class Group:
    """Scores that share a row: an arm, a class and a reader, or all readers, or consensus."""

    arm: str
    origin: str
    who: str
    scores: Scores
    strong: bool = False

    def behind(self) -> dict[str, str]:
        """Return the filter of the reads of this row."""
        found = {"arm": self.arm, "origin": self.origin}
        if self.who not in ("All readers", SETTLED):
            found["reader"] = self.who
        return {key: value for key, value in found.items() if value}


def score(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return distribution and mean of the scores of an endpoint, and what differs.

    Raises
    ------
    ValueError
        If nothing was scored, or the question has no levels or numbers.
    """
    first = scores_of(data, entry)
    if not first.known:
        raise ValueError("no score was given")
    groups = _groups(data, first)
    settled, held = settled_scores(data, first) if entry.consensus else (None, [])
    if settled is not None and first.levels:
        groups += _settled_groups(data, settled)
    compared = [(FIRST_STAGE, one) for one in comparisons(data, first)]
    if settled is not None:
        compared += [(SETTLED_STAGE, one) for one in comparisons(data, settled)]
    decisive = SETTLED_STAGE if settled is not None else FIRST_STAGE
    tests = {
        (stage, one.what): tests_of(first, one, stage)
        for stage, one in compared
        if stage == decisive
    }
    differences = difference_table(first, compared, tests)
    blocks: list[Block] = [_means(data, first, groups)]
    if first.levels:
        blocks += [_levels(data, first, groups), _figure(data, first, groups)]
    blocks += [differences] if differences else []
    blocks += [_how(held)] if held else []
    blocks += _agreement(data, entry)
    blocks += [_subgroup(data, entry, name) for name in entry.subgroups]
    blocks += [Passage(text) for text in _remarks(data, entry)]
    return Section(
        code=entry.code,
        title=entry.title,
        tag=PLANNED,
        lead=_lead(
            data, first, settled, [one for stage, one in compared if stage == decisive], tests
        ),
        blocks=tuple(blocks),
        tests=tuple(test for found in tests.values() for test in found),
    )


def _groups(data: Dataset, scores: Scores) -> list[Group]:
    """Return, for each arm and class, a row of each reader and one of all."""
    found = []
    for arm in _arms(data, scores):
        for origin in scores.origins or [""]:
            part = scores.of(arm=arm, origin=origin)
            readers = readers_of(data, part.rows)
            found += [Group(arm, origin, code, part.of(reader=code)) for code in readers]
            if len(readers) > 1:
                found.append(Group(arm, origin, "All readers", part, strong=True))
    return found


def _arms(data: Dataset, scores: Scores) -> list[str]:
    present = {row.arm for row in scores.rows}
    return [arm for arm in arms_of(data, scores.entry) if arm in present]


def _settled_groups(data: Dataset, scores: Scores) -> list[Group]:
    return [
        Group(arm, origin, SETTLED, scores.of(arm=arm, origin=origin), strong=True)
        for arm in _arms(data, scores)
        for origin in scores.origins or [""]
    ]


def _row_names(data: Dataset, scores: Scores) -> tuple[Column, ...]:
    """Return the columns that name a row: arm and class only where there are several."""
    return (
        *([Column("arm", "Arm", "text")] if len(data.protocol.arm_codes) > 1 else []),
        *([Column("origin", "Class", "text")] if scores.origins else []),
        Column("who", "Reader", "text"),
    )


def _names(data: Dataset, group: Group) -> dict[str, Cell]:
    return {
        "arm": data.protocol.arm_name(group.arm),
        "origin": origin_words(group.origin),
        "who": group.who,
    }


def _means(data: Dataset, scores: Scores, groups: Sequence[Group]) -> Table:
    rows = []
    for group in groups:
        part, behind = group.scores, group.behind()
        cells: dict[str, Cell] = {
            "n": count(len(part.known), **behind),
            "units": count(len({row.cluster for row in part.known})),
            "mean": part.mean(**behind) if part.known else Number(math.nan, reason="no score"),
            "median": Number(part.median(), reason="" if part.known else "no score"),
            "lost": count(part.not_evaluable),
        }
        rows.append(Row({**_names(data, group), **cells}, strong=group.strong))
    span = scores.question.scores
    scale = (
        f"levels count {min(span.values()):g} to {max(span.values()):g}"
        if span
        else f"unit {scores.question.unit or 'as given'}"
    )
    return Table(
        code="means",
        title="Mean scores",
        columns=(
            *_row_names(data, scores),
            Column("mean", "Mean", "estimate"),
            Column("median", "Median"),
            Column("n", "Scores"),
            Column("units", f"{scores.unit.capitalize()}s"),
            Column("lost", "Without a score"),
        ),
        rows=tuple(rows),
        method=(
            f"Mean with a {100 * scores.confidence:g} % t interval, variance with the "
            f"{scores.unit} as cluster (Cochran 1977); {scale}"
        ),
        n=_size(scores),
        notes=_notes(scores),
    )


def _size(scores: Scores) -> str:
    rows = scores.rows
    return (
        f"{len(scores.known):,} first scores of {many(len({r.item for r in rows}), 'case')} by "
        f"{many(len({r.reader for r in rows}), 'reader')}, {scores.not_evaluable} not evaluable"
    )


def _notes(scores: Scores) -> tuple[str, ...]:
    found = []
    if scores.incomplete:
        found.append(
            f"{scores.incomplete} cases were left out, as not every reader read them in every arm."
        )
    if scores.entry.not_evaluable == "wrong" and scores.levels:
        found.append("“Not evaluable” counts as the lowest level, as planned.")
    if scores.entry.consensus:
        found.append(
            "After consensus each case counts once. Levels that differed and were laid before no "
            "panel enter the mean as the mean of the readers; in the shares they are left out."
        )
    return tuple(found)


def _levels(data: Dataset, scores: Scores, groups: Sequence[Group]) -> Table:
    rows = []
    for group in groups:
        graded = [row for row in group.scores.rows if row.level]
        cells: dict[str, Cell] = {"n": count(len(graded), **group.behind())}
        clusters = [row.cluster for row in graded]
        for level in scores.levels:
            chosen = [int(row.level == level) for row in graded]
            cells[f"count_{level}"] = count(sum(chosen), **group.behind(), answer=level)
            cells[f"share_{level}"] = _share(chosen, clusters)
        rows.append(Row({**_names(data, group), **cells}, strong=group.strong))
    columns = [
        column
        for level in scores.levels
        for column in (
            Column(f"count_{level}", "n", group=_level_words(scores, level)),
            Column(f"share_{level}", "%", "estimate", group=_level_words(scores, level)),
        )
    ]
    return Table(
        code="levels",
        title="How often each level was given",
        columns=(*_row_names(data, scores), *columns, Column("n", "Scores")),
        rows=tuple(rows),
        method=(
            f"Counts and shares; Wilson interval at the effective sample size, {scores.unit}s as "
            "clusters (Rao & Scott 1992)"
        ),
        n=_size(scores),
    )


def _level_words(scores: Scores, level: str) -> str:
    label = scores.question.label_of(level)
    return label if label == level else f"{level} {label}" if level.isdigit() else label


def _share(chosen: Sequence[int], clusters: Sequence[str]) -> Number:
    if not chosen:
        return Number(math.nan, "percent", reason="no score")
    found = share_of(chosen, clusters)
    return Number(found.value, "percent", found.low, found.high, reason=found.reason)


def _figure(data: Dataset, scores: Scores, groups: Sequence[Group]) -> Figure:
    bars = []
    for group in groups:
        given = [row.level for row in group.scores.rows if row.level]
        names = _names(data, group)
        label = ", ".join(str(names[column.code]) for column in reversed(_row_names(data, scores)))
        bars.append((label, [given.count(level) for level in scores.levels]))
    words = [_level_words(scores, level) for level in scores.levels]
    return stacked_bars(bars, words, title="Distribution of the scores", n=_size(scores))


def _how(held: Sequence[Held]) -> Table:
    counts = {how: sum(one.how == how for one in held) for how in HOW}
    rows = []
    for how, words in HOW.items():
        share = stats.proportion(counts[how], len(held))
        number = Number(share.value, "percent", share.low, share.high)
        rows.append(Row({"how": words, "n": count(counts[how]), "share": number}))
    return Table(
        code="settled",
        title="How the answers that hold came about",
        columns=(
            Column("how", "How", "text"),
            Column("n", "Cases"),
            Column("share", "Share, %", "estimate"),
        ),
        rows=tuple(rows),
        method="Wilson intervals",
        n=many(len(held), "case"),
        notes=(f"{sum(one.is_not_evaluable for one in held)} were held to be not evaluable.",),
        width="half",
    )


def _agreement(data: Dataset, entry: PlannedAnalysis) -> list[Block]:
    """Return the planned measures of agreement of the scores, arm by arm."""
    names = [name for name in entry.methods if name in MAKERS]
    rows = []
    for arm in arms_of(data, entry) if names else ():
        held = given(data, entry, arm)
        if len(held.readers) > 1:
            panel = panel_of(held, data.protocol.question(entry.question), data.protocol, entry)
            for found in (measure(name, panel) for name in names):
                where = data.protocol.arm_name(arm)
                cells: dict[str, Cell] = {
                    "value": found.number,
                    "n": count(found.n),
                    "how": found.method,
                }
                rows.append(Row({"arm": where, "measure": found.label, **cells}))
    if names and not rows:
        return [Passage(f"{listed(names)}: **not computed**, fewer than two readers scored.")]
    if not rows:
        return []
    several = len(data.protocol.arm_codes) > 1
    return [
        Table(
            code="agreement",
            title="Agreement of the first scores",
            columns=(
                *([Column("arm", "Arm", "text")] if several else []),
                Column("measure", "Measure", "text"),
                Column("value", "Value", "estimate"),
                Column("n", "Cases"),
                Column("how", "Method", "text"),
            ),
            rows=tuple(rows),
            method=f"{100 * (1 - entry.alpha):g} % intervals",
            n=f"{len(data.reader_codes)} readers",
        )
    ]


def _subgroup(data: Dataset, entry: PlannedAnalysis, name: str) -> Table:
    rows = []
    for label, part in subgroups.parts(data, name):
        scores = scores_of(part, entry)
        for arm in _arms(part, scores):
            for origin in scores.origins or [""]:
                held = scores.of(arm=arm, origin=origin)
                cells = _names(data, Group(arm, origin, label, held))
                number = held.mean() if held.known else Number(math.nan, reason="no score")
                rows.append(Row({**cells, "mean": number, "n": count(len(held.known))}))
    first = scores_of(data, entry)
    columns = [column for column in _row_names(data, first) if column.code != "who"]
    return Table(
        code=f"subgroup_{name.replace(':', '_')}",
        title=f"Mean scores by {subgroups.in_words(name)}",
        columns=(
            Column("who", "Part", "text"),
            *columns,
            Column("mean", "Mean", "estimate"),
            Column("n", "Scores"),
        ),
        rows=tuple(rows),
        method=f"Mean of all readers, the {first.unit} as cluster; planned subgroup, no test",
        n=_size(first),
        width="half",
    )


def _lead(
    data: Dataset,
    first: Scores,
    settled: Scores | None,
    compared: Sequence[Compared],
    tests: dict[tuple[str, str], list[Test]],
) -> tuple[str, ...]:
    lines = []
    for arm in _arms(data, first):
        where = f" ({data.protocol.arm_name(arm)})" if len(data.protocol.arm_codes) > 1 else ""
        held = settled if settled is not None and first.levels else first
        stage = " after consensus" if held is settled else ""
        parts = []
        for origin in held.origins or [""]:
            mean = held.of(arm=arm, origin=origin).mean()
            name = f"{origin_words(origin)} " if origin else ""
            parts.append(f"{name}**{fixed(mean.value, 2)}** ({_limits(mean)})")
        before = first.of(arm=arm).mean()
        also = f"; the first scores had {fixed(before.value, 2)}" if stage else ""
        lines.append(f"Mean score{stage}{where}: {listed(parts)}{also}.")
    for one in compared:
        test = next((t for (_, what), ts in tests.items() if what == one.what for t in ts), None)
        p = f", {p_value(test.p)}" if test else "; no test was planned"
        value = one.difference
        name = f"{one.what[0].upper()}{one.what[1:]}"
        lines.append(f"{name}: **{fixed(value.value, 2)}** ({_limits(value)}{p}).")
    return tuple(lines)


def _limits(number: Number) -> str:
    if not number.has_interval:
        return number.reason or "no interval"
    low, high = fixed(number.low, 2), fixed(number.high, 2)
    return f"{100 * number.level:g} % interval {low} to {high}"


def _remarks(data: Dataset, entry: PlannedAnalysis) -> list[str]:
    known = {*RANKS, *MEANS, *DESCRIBED, *MAKERS}
    unknown = [name for name in entry.methods if name not in known]
    found = []
    if unknown:
        found.append(f"{listed(unknown)}: **not computed**, not a method for scores.")
    if entry.consensus and not data.settled.get(entry.question):
        found.append(
            "**Nothing was laid before a panel**: after consensus only what all readers scored "
            "alike holds as a level."
        )
    return found

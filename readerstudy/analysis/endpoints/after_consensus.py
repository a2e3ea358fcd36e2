"""The answers that hold after adjudication: counts, means and tests, one for each item.

What readers answered alike, and what a panel agreed on, counts once for each item. Levels that lie
apart by no more than the rule of the round allowed have no panel's value: a mean score then takes
the mean of the readers, as is usual; everywhere else they are left out and counted.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from readerstudy import stats
from readerstudy.analysis.endpoints.given import NOT_EVALUABLE
from readerstudy.analysis.facts import ORIGINS, Dataset, QuestionFacts, Settled
from readerstudy.stats.results import json_safe
from readerstudy.studies.analysis_plan import PlannedAnalysis

AGREED, CONSENSUS, NO_MAJORITY, UNSETTLED = "agreed", "consensus", "no_majority", "not_laid"
TESTS: dict[str, Callable[[list[list[int]], list[str]], Any]] = {
    "chi_square": lambda table, subjects: stats.chi_square(table, case_ids=subjects),
    "g_test": lambda table, subjects: stats.g_test(table, case_ids=subjects),
    "fisher_exact": lambda table, subjects: stats.fisher_exact(table, case_ids=subjects),
    "cramers_v": lambda table, _: stats.cramers_v(table),
}
NAMES = {
    "chi_square": "Pearson’s chi-square",
    "g_test": "G test",
    "fisher_exact": "Fisher’s exact test",
    "cramers_v": "Cramér’s V",
}


@dataclass(frozen=True)
class Share:
    """A share of items with its 95 % interval; NaN with a reason where it has none."""

    value: float
    low: float
    high: float
    method: str
    reason: str


@dataclass(frozen=True)
class Level:
    """How often one level holds, with the subject as cluster."""

    code: str
    label: str
    count: int
    share: Share


@dataclass(frozen=True)
class Group:
    """The items of one arm, or of one arm and class."""

    arm: str
    name: str
    n: int
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Mean:
    """A mean score; NaN with a reason where it cannot be estimated."""

    arm: str
    value: float
    low: float
    high: float
    n: int
    method: str
    reason: str


@dataclass(frozen=True)
class PlannedTest:
    """One planned test or measure of a table; NaN with a reason where it is undefined."""

    arm: str
    name: str
    value: float
    p: float
    adjusted_p: float
    n: int
    method: str
    reason: str


@dataclass(frozen=True)
class AfterConsensus:
    """One planned endpoint on the answers that hold."""

    entry: PlannedAnalysis
    text: str
    counts: dict[str, int]
    groups: tuple[Group, ...]
    means: tuple[Mean, ...] = ()
    tests: tuple[PlannedTest, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the endpoint as JSON at full precision; undefined numbers are null."""
        document: dict[str, Any] = {
            "code": self.entry.code,
            "question": self.entry.question,
            "primary": self.entry.primary,
            "items": self.counts,
            "groups": [_group_document(group) for group in self.groups],
            "means": [vars(mean) for mean in self.means],
            "tests": [vars(test) for test in self.tests],
        }
        return dict(json_safe(document))


def _group_document(group: Group) -> dict[str, Any]:
    levels = [
        {"level": one.code, "count": one.count, "share": vars(one.share)} for one in group.levels
    ]
    return {"arm": group.arm, "group": group.name, "n": group.n, "levels": levels}


@dataclass(frozen=True)
class Held:
    """What holds for one question about one item, with whom the item belongs to.

    ``code`` is the level that holds; None where there is none, or it is "not evaluable".
    """

    arm: str
    item: str
    subject: str
    origin: str
    how: str
    code: str | None
    is_not_evaluable: bool
    given: tuple[Any, ...]

    def score(self, scores: Mapping[str, float]) -> float | None:
        """Return the level as a number; what was not laid before a panel takes the mean."""
        if self.code is not None:
            return scores[self.code]
        levels = [value for value in self.given if isinstance(value, str)]
        if self.how == UNSETTLED and levels and len(levels) == len(self.given):
            return statistics.fmean(scores[level] for level in levels)
        return None


def after_consensus(data: Dataset) -> list[AfterConsensus]:
    """Return the planned endpoints that are stated to rest on the answers after consensus."""
    planned = [entry for entry in data.protocol.plan if entry.consensus]
    found = [_endpoint(data, entry, data.protocol.question(entry.question)) for entry in planned]
    return _adjusted(found, data.protocol.plan)


def _endpoint(data: Dataset, entry: PlannedAnalysis, question: QuestionFacts) -> AfterConsensus:
    held = held_answers(data, entry)
    arms = sorted({one.arm for one in held})
    by_arm = {arm: [one for one in held if one.arm == arm] for arm in arms}
    made = AfterConsensus(
        entry=entry,
        text=question.text,
        counts=settled_counts(held),
        groups=tuple(_group(question, arm, "all", rows) for arm, rows in by_arm.items()),
    )
    if entry.endpoint == "score":
        return replace(made, means=tuple(_mean(question, a, rows) for a, rows in by_arm.items()))
    if entry.endpoint == "comparison":
        return _compared(made, question, by_arm)
    return made


def held_answers(data: Dataset, entry: PlannedAnalysis) -> list[Held]:
    """Return what holds for each item and arm; without a round, what all readers agree on."""
    settled = data.settled.get(entry.question) or _without_a_round(data, entry.question)
    about = {read.item: (read.subject, read.origin) for read in data.reads}
    return [
        _held(one, *about[one.item])
        for one in settled
        if one.item in about and (not entry.arms or one.arm in entry.arms)
    ]


def _held(one: Settled, subject: str, origin: str) -> Held:
    return Held(
        arm=one.arm,
        item=one.item,
        subject=subject,
        origin=origin,
        how=one.how,
        code=one.value if isinstance(one.value, str) else None,
        is_not_evaluable=is_not_evaluable(one.value),
        given=one.given,
    )


def is_not_evaluable(value: Any) -> bool:
    """Does a value say that the case could not be judged?"""
    return isinstance(value, dict) and bool(value.get(NOT_EVALUABLE))


def _without_a_round(data: Dataset, question: str) -> list[Settled]:
    given: dict[tuple[str, str], list[Any]] = {}
    for read in data.first_reads:
        if question in read.not_evaluable:
            given.setdefault((read.item, read.arm), []).append({NOT_EVALUABLE: True})
        elif question in read.answers:
            given.setdefault((read.item, read.arm), []).append(read.answers[question])
    found = []
    for (item, arm), values in sorted(given.items()):
        answers = tuple(sorted(values, key=json.dumps))
        alike = all(value == answers[0] for value in answers)
        value, how = (answers[0], AGREED) if alike else (None, UNSETTLED)
        found.append(Settled(item, arm, answers, value, how))
    return found


def settled_counts(held: Iterable[Held]) -> dict[str, int]:
    """Count items by how they were settled; the names are those of the export."""
    rows = list(held)
    how = Counter(row.how for row in rows)
    return {
        "items": len(rows),
        "readers_agreed": how[AGREED],
        "consensus": how[CONSENSUS],
        "no_majority": how[NO_MAJORITY],
        "not_laid": how[UNSETTLED],
        "not_evaluable": sum(row.is_not_evaluable for row in rows),
    }


def _group(question: QuestionFacts, arm: str, name: str, rows: Sequence[Held]) -> Group:
    known = [row for row in rows if row.code is not None]
    return Group(arm, name, len(known), tuple(_levels(question, known)))


def _levels(question: QuestionFacts, known: Sequence[Held]) -> Iterable[Level]:
    subjects = [row.subject for row in known]
    for option in question.options:
        chosen = [int(row.code == option.code) for row in known]
        yield Level(option.code, option.label, sum(chosen), share_of(chosen, subjects))


def share_of(chosen: Sequence[int], subjects: Sequence[str]) -> Share:
    """Return a share with Wilson limits, which stay inside 0 to 1 and wide at its ends."""
    found = stats.clustered_proportion(chosen, subjects)
    if math.isfinite(found.low_wilson):
        method = "Wilson interval at the effective sample size, subjects as clusters"
        return Share(found.value, found.low_wilson, found.high_wilson, method, "")
    if found.value in (0.0, 1.0):  # no spread between clusters to estimate
        size = found.n_clusters
        alone = stats.proportion(round(found.value * size), size)
        method = "Wilson interval, each subject counted once"
        return Share(found.value, alone.low, alone.high, method, "")
    return Share(found.value, math.nan, math.nan, found.method, found.reason or "")


def _mean(question: QuestionFacts, arm: str, rows: Sequence[Held]) -> Mean:
    """Estimate the mean level with the subject as cluster."""
    scores = question.scores
    known = [(value, row.subject) for row in rows if (value := row.score(scores)) is not None]
    found = stats.clustered_mean([one for one, _ in known], [subject for _, subject in known])
    method = f"{found.method}, patients as clusters; levels count {_range(scores)}"
    return Mean(arm, found.value, found.low, found.high, len(known), method, found.reason or "")


def _range(scores: dict[str, float]) -> str:
    return f"{min(scores.values()):g} to {max(scores.values()):g}"


def _compared(
    made: AfterConsensus, question: QuestionFacts, by_arm: dict[str, list[Held]]
) -> AfterConsensus:
    groups: list[Group] = []
    tests: list[PlannedTest] = []
    for arm, rows in by_arm.items():
        of_arm = [
            _group(question, arm, name, [row for row in rows if row.origin == name])
            for name in ORIGINS
        ]
        known = [row for row in rows if row.code is not None and row.origin in ORIGINS]
        tests += [_test(name, of_arm, known) for name in made.entry.methods]
        groups += of_arm
    return replace(made, groups=tuple(groups), tests=tuple(tests))


def _test(method: str, groups: Sequence[Group], known: Sequence[Held]) -> PlannedTest:
    """Carry out one planned method on the table of classes by levels that anybody chose."""
    nan, arm = math.nan, groups[0].arm
    used = [i for i, _ in enumerate(groups[0].levels) if any(g.levels[i].count for g in groups)]
    table = [[group.levels[place].count for place in used] for group in groups]
    name = NAMES.get(method, method)
    if method not in TESTS:
        return PlannedTest(
            arm, name, nan, nan, nan, len(known), "", "not computed on a table of counts"
        )
    try:
        found = TESTS[method](table, [row.subject for row in known])
    except ValueError as error:
        return PlannedTest(arm, name, nan, nan, nan, len(known), "", str(error))
    value = getattr(found, "statistic", getattr(found, "value", nan))
    p = getattr(found, "pvalue", nan)
    return PlannedTest(arm, name, value, p, nan, found.n, found.method, found.reason or "")


def _adjusted(
    found: Sequence[AfterConsensus], plan: Sequence[PlannedAnalysis]
) -> list[AfterConsensus]:
    """Adjust the p-values of each planned family, method by method and arm by arm."""
    made = list(found)
    for family in {one.entry.family for one in found if one.entry.adjustment}:
        members = [number for number, one in enumerate(made) if one.entry.family == family]
        if len(members) == sum(entry.family == family for entry in plan):
            _adjust(made, members)
    return made


def _adjust(made: list[AfterConsensus], members: Sequence[int]) -> None:
    keys = dict.fromkeys((test.arm, test.name) for n in members for test in made[n].tests)
    for key in keys:
        raw = [_p_of(made[number], key) for number in members]
        method = made[members[0]].entry.adjustment
        adjusted = stats.adjust_pvalues(raw, method=method).adjusted.tolist()
        for number, p in zip(members, adjusted, strict=True):
            made[number] = _with_p(made[number], key, p)


def _p_of(one: AfterConsensus, key: tuple[str, str]) -> float:
    return next((test.p for test in one.tests if (test.arm, test.name) == key), math.nan)


def _with_p(one: AfterConsensus, key: tuple[str, str], p: float) -> AfterConsensus:
    tests = (
        replace(test, adjusted_p=p) if (test.arm, test.name) == key else test for test in one.tests
    )
    return replace(one, tests=tuple(tests))


ROW_TEXTS = {
    "endpoint": "Code of the planned endpoint",
    "question": "Code of the question",
    "arm": "Code of the arm",
    "group": "all, or real and synthetic where the plan compares them",
    "what": "share of a level, mean, or the name of a test",
    "level": "Code of the level whose share it is",
    "count": "Items at this level",
    "n": "Items",
    "value": "Share, mean, test statistic or measure",
    "low": "Lower end of the 95 % interval",
    "high": "Upper end of the 95 % interval",
    "p": "p of the test",
    "adjusted_p": "p adjusted for the tests of the planned family",
    "method": "How it was computed",
    "reason": "Why a number is missing",
}


def rows(found: Iterable[AfterConsensus]) -> Iterable[dict[str, Any]]:
    """Yield every number of the endpoints after consensus as rows of a table."""
    for one in found:
        common = {"endpoint": one.entry.code, "question": one.entry.question}
        for group in one.groups:
            yield from (common | _level_row(group, level) for level in group.levels)
        for mean in one.means:
            yield common | {"group": "all", "what": "mean", **vars(mean)}
        for test in one.tests:
            row = dict(vars(test))
            yield common | {"group": "all", "what": row.pop("name"), **row}


def _level_row(group: Group, level: Level) -> dict[str, Any]:
    share = level.share
    return {
        "arm": group.arm,
        "group": group.name,
        "what": "share of a level",
        "level": level.code,
        "count": level.count,
        "n": group.n,
        "value": share.value,
        "low": share.low,
        "high": share.high,
        "method": share.method,
        "reason": share.reason,
    }

"""Follow-up of patients, and what is to predict it: scores of readers, other measurements."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from readerstudy.analysis.endpoints.after_consensus import held_answers
from readerstudy.analysis.endpoints.given import ORDERED, arms_of, complete_items, level_name
from readerstudy.analysis.endpoints.resampling import FloatArray
from readerstudy.analysis.facts import Dataset, QuestionFacts, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis

HAPPENED = ("1", "1.0", "yes", "true", "event", "dead", "died", "progressed")
CENSORED = ("0", "0.0", "no", "false", "censored", "alive", "stable")
ALL = "All readers"
HIGH, LOW = "above the median", "at or below the median"


@dataclass(frozen=True)
class Patients:
    """Follow-up, one entry for each patient.

    Attributes
    ----------
    codes : tuple of str
    time, event : ndarray, shape (n,)
        Event 1, censoring 0.
    lost : mapping of str to int
        Patients without a usable time or event, by reason.
    differing : int
        Patients whose cases name different times; the first case counts.
    """

    codes: tuple[str, ...]
    time: FloatArray
    event: FloatArray
    lost: Mapping[str, int] = field(default_factory=dict)
    differing: int = 0

    def rows(self, known: Iterable[str]) -> list[int]:
        """Return the places of the patients that are known elsewhere."""
        wanted = set(known)
        return [place for place, code in enumerate(self.codes) if code in wanted]

    @property
    def n_events(self) -> int:
        return int(self.event.sum())


def followed(data: Dataset, time: str, event: str) -> Patients:
    """Return the follow-up that the reference standard holds.

    Raises
    ------
    ValueError
        If no patient has both a time and whether the event came.
    """
    found: dict[str, tuple[float, float]] = {}
    lost: Counter[str] = Counter()
    seen: dict[str, set[tuple[str, str]]] = {}
    for code in sorted(data.items):
        item = data.items[code]
        given = item.references.get(time, ""), item.references.get(event, "")
        seen.setdefault(item.subject, set()).add(given)
        if item.subject in found:
            continue
        read = _read(*given)
        if isinstance(read, str):
            lost[f"{item.subject}|{read}"] += 1
        else:
            found[item.subject] = read
    reasons = Counter(key.partition("|")[2] for key in lost if key.partition("|")[0] not in found)
    if not found:
        raise ValueError(
            f"no patient has a time “{time}” and whether the event came, “{event}”, in the "
            "reference standard"
        )
    codes = tuple(sorted(found))
    differing = sum(len(seen[code] - {("", "")}) > 1 for code in codes)
    times, events = (np.array([found[code][side] for code in codes]) for side in (0, 1))
    return Patients(codes, times, events, reasons, differing)


def _read(time: str, event: str) -> tuple[float, float] | str:
    """Return time and event, or why they cannot be used."""
    if not time or not event:
        return "time or event not known"
    try:
        value = float(time)
    except ValueError:
        return f"“{time}” is no time"
    if not math.isfinite(value) or value < 0.0:
        return "a time below 0"
    word = event.strip().lower()
    if word not in HAPPENED and word not in CENSORED:
        return f"“{event}” does not say whether the event came"
    return value, float(word in HAPPENED)


@dataclass(frozen=True)
class Marker:
    """What may predict: a number, a group, or both, for each patient.

    ``groups`` are in the order of the scale; ``source`` is "answers" or "reference".
    """

    code: str
    label: str
    arm: str
    reader: str
    values: Mapping[str, float]
    of_group: Mapping[str, str]
    groups: tuple[str, ...]
    source: str = "answers"


def markers_of(data: Dataset, entry: PlannedAnalysis) -> list[Marker]:
    """Return the answers of each reader and of all readers in each arm, then the covariates."""
    question = data.protocol.question(entry.question)
    complete = None if entry.missing == "available" else complete_items(data, entry)
    found: list[Marker] = []
    for arm in arms_of(data, entry):
        reads = [
            read
            for read in data.first_reads
            if read.arm == arm
            and question.code in read.answers
            and (complete is None or read.item in complete)
        ]
        found += _of_arm(data, entry, question, arm, reads)
    return found + [_covariate(data, name) for name in entry.covariates]


def _of_arm(
    data: Dataset,
    entry: PlannedAnalysis,
    question: QuestionFacts,
    arm: str,
    reads: Sequence[Read],
) -> list[Marker]:
    readers = [code for code in data.reader_codes if any(read.reader == code for read in reads)]
    score = scorer(data, entry, question)
    single = [
        _marker(question, arm, code, [read for read in reads if read.reader == code], score)
        for code in readers
    ]
    if not single:
        return []
    together = _together(data, entry, question, arm, single)
    return [*single, together] if len(single) > 1 or entry.consensus else single


def scorer(
    data: Dataset, entry: PlannedAnalysis, question: QuestionFacts
) -> Callable[[Read], float]:
    """Return what makes a number of an answer; NaN where levels have no order."""
    if not question.levels:
        return lambda read: float(read.answers[question.code])
    if question.kind in ORDERED:
        return lambda read: question.scores[level_name(read.answers[question.code])]
    if len(question.levels) != 2:
        return lambda _: math.nan
    positive = entry.positive or question.levels[-1]
    graded = data.protocol.question(entry.confidence) if entry.confidence else None

    def score(read: Read) -> float:
        call = int(read.answers[question.code] == positive)
        if graded is None or read.answers.get(graded.code) not in graded.levels:
            return float(call) if graded is None else math.nan
        sure = graded.levels.index(read.answers[graded.code]) + 1
        return float(len(graded.levels) + sure if call else len(graded.levels) + 1 - sure)

    return score


def _marker(
    question: QuestionFacts,
    arm: str,
    reader: str,
    reads: Sequence[Read],
    score: Callable[[Read], float],
) -> Marker:
    values: dict[str, list[float]] = {}
    levels: dict[str, list[str]] = {}
    for read in reads:
        value = score(read)
        if not math.isnan(value):
            values.setdefault(read.subject, []).append(value)
        if question.levels:
            levels.setdefault(read.subject, []).append(level_name(read.answers[question.code]))
    means = {code: float(np.mean(one)) for code, one in values.items()}
    groups = {code: _typical(question, one) for code, one in levels.items()}
    return _grouped(question, arm, reader, means, groups)


def _typical(question: QuestionFacts, given: Sequence[str]) -> str:
    """Return the middle of ordered levels, or the most frequent one; empty for a tie."""
    if question.kind in ORDERED:
        places = sorted(question.levels.index(level) for level in given)
        return question.levels[places[(len(places) - 1) // 2]]
    (first, often), *others = Counter(given).most_common()
    return "" if others and others[0][1] == often else first


def _grouped(
    question: QuestionFacts,
    arm: str,
    reader: str,
    values: Mapping[str, float],
    groups: Mapping[str, str],
) -> Marker:
    if question.levels:
        of_group = {code: question.label_of(level) for code, level in groups.items() if level}
        order = tuple(question.label_of(level) for level in question.levels)
    else:
        of_group, order = _halves(values)
    used = set(of_group.values())
    return Marker(
        code=f"{arm}_{reader}".replace(" ", "_").lower(),
        label=reader,
        arm=arm,
        reader=reader,
        values=values,
        of_group=of_group,
        groups=tuple(group for group in order if group in used),
    )


def _halves(values: Mapping[str, float]) -> tuple[dict[str, str], tuple[str, ...]]:
    middle = float(np.median(list(values.values()))) if values else math.nan
    return {code: HIGH if value > middle else LOW for code, value in values.items()}, (LOW, HIGH)


def _together(
    data: Dataset,
    entry: PlannedAnalysis,
    question: QuestionFacts,
    arm: str,
    single: Sequence[Marker],
) -> Marker:
    """Return the mean score of all readers, and the group that most of them, or a panel, chose."""
    values: dict[str, list[float]] = {}
    levels: dict[str, list[str]] = {}
    codes = {question.label_of(level): level for level in question.levels}
    for marker in single:
        for code, value in marker.values.items():
            values.setdefault(code, []).append(value)
        for code, group in marker.of_group.items():
            levels.setdefault(code, []).append(codes.get(group, ""))
    groups = {code: _typical(question, one) for code, one in levels.items()} if codes else {}
    if entry.consensus and codes:
        held = [one for one in held_answers(data, entry) if one.arm == arm and one.code]
        groups = {one.subject: one.code or "" for one in held}
    means = {code: float(np.mean(one)) for code, one in values.items()}
    return _grouped(question, arm, ALL, means, groups)


def _covariate(data: Dataset, name: str) -> Marker:
    """Return an endpoint of the reference standard; a minus before its name turns it."""
    endpoint, sign = (name[1:], -1.0) if name.startswith("-") else (name, 1.0)
    given: dict[str, str] = {}
    for code in sorted(data.items):
        item = data.items[code]
        value = item.references.get(endpoint, "")
        if value and item.subject not in given:
            given[item.subject] = value
    values = {code: _float(text) for code, text in given.items()}
    numbers = {code: sign * value for code, value in values.items() if not math.isnan(value)}
    label = endpoint.replace("_", " ") + (", lower is worse" if sign < 0 else "")
    if len(numbers) < len(given):
        groups, order = given, tuple(sorted(set(given.values())))
    else:
        groups, order = _halves(values)
        if len(set(values.values())) == 2:
            groups, order = given, tuple(sorted(set(given.values()), key=float))
    return Marker(
        code=f"reference_{endpoint}",
        label=label,
        arm="",
        reader="",
        values=numbers,
        of_group=groups,
        groups=tuple(group for group in order if group in set(groups.values())),
        source="reference",
    )


def _float(text: Any) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan

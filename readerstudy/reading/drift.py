"""How a reader's reading changes over time, without truth: scale, repeats, pace, pauses.

Every alert is a fact with the limit that it passes. Nothing here knows what is right, and no
answer to a single case is told: only shares of a scale over many.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.reading.clocks import clocks_of, seconds_of
from readerstudy.reading.models import Rating, Reading, Submission
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.stats import chi_square, cohen_kappa
from readerstudy.studies.models import Question, Study

BLOCK = 10  # readings
LEAST_READINGS = 20  # before a change of the scale is tested
P_LIMIT = 0.01
ONE_LEVEL = 0.9  # share of one answer among all of a reader
LEAST_FOR_ONE_LEVEL = 10
FASTER = 0.5  # of the reader's own first block
SAME = 0.6  # share of hidden repeats answered the same
LEAST_REPEATS = 5
PAUSE_MINUTES = 10
MANY_PAUSES = 3
SCALES = (Question.Kind.ORDINAL, Question.Kind.SINGLE, Question.Kind.CONFIDENCE)


@dataclass(frozen=True)
class Answered:
    """One reading that counts, with its coded answers and its clock, in seconds."""

    reading: Reading
    codes: dict[str, str]
    seconds: float | None
    idle: float
    away: float


@dataclass(frozen=True)
class Bar:
    """One level of a scale, ready for SVG: 12 units wide, up to 30 high."""

    label: str
    count: int
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class ScaleUse:
    """How often a reader used each level of a question, and whether that changed.

    ``pvalue`` compares the first half of the reader's own answers with the second (Pearson's
    chi-square); None where there are too few.
    """

    question: Question
    counts: dict[str, int]
    halves: tuple[dict[str, int], dict[str, int]]
    pvalue: float | None
    reason: str

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    @property
    def top(self) -> tuple[str, int]:
        """The level used most and how often."""
        return max(self.counts.items(), key=lambda entry: entry[1])

    @property
    def bars(self) -> list[Bar]:
        most = max(self.counts.values()) or 1
        labels = {option.code: option.label for option in self.question.options.all()}
        return [
            Bar(labels[code], count, 14.0 * i, 30 - 28 * count / most, 28 * count / most)
            for i, (code, count) in enumerate(self.counts.items())
        ]

    @property
    def text(self) -> str:
        """The counts in words, for who does not see the bars."""
        return ", ".join(f"{bar.label}: {bar.count}" for bar in self.bars)


@dataclass(frozen=True)
class Repeats:
    """Hidden repeats of one question that a reader answered twice."""

    question: Question
    same: int
    n: int
    kappa: float | None
    reason: str  # why there is no kappa


@dataclass(frozen=True)
class Drift:
    """What is known of one reader."""

    scales: list[ScaleUse]
    repeats: list[Repeats]
    block_medians: list[float]
    long_pauses: int

    @property
    def scale(self) -> ScaleUse | None:
        """The scale shown on the board: the first with levels in order, or the first at all."""
        ordered = [one for one in self.scales if one.question.kind != Question.Kind.SINGLE]
        return (ordered or self.scales or [None])[0]

    @property
    def repeated(self) -> tuple[int, int]:
        """Hidden repeats answered the same, of how many, over all questions."""
        return sum(one.same for one in self.repeats), sum(one.n for one in self.repeats)


def drift_of(study: Study) -> dict[int, Drift]:
    """Return the drift of every reader, by enrolment."""
    questions = [q for q in study.questions.prefetch_related("options") if _is_scale(q)]
    answered: dict[int, list[Answered]] = defaultdict(list)
    for one in _answered(study):
        answered[one.reading.enrolment_id].append(one)
    return {
        enrolment.pk: _drift(answered[enrolment.pk], questions) for enrolment in study.readers.all()
    }


def _is_scale(question: Question) -> bool:
    return question.kind in SCALES and len(question.options.all()) > 1


def _answered(study: Study) -> Iterable[Answered]:
    """Yield the readings that count, in the order of answering."""
    submissions = list(
        Submission.objects.filter(
            reading__enrolment__in=study.readers,
            reading__period__gt=TRAINING_PERIOD,
            outcome=Submission.Outcome.ACCEPTED,
            superseded_by__isnull=True,
        )
        .select_related("reading")
        .order_by("received_at")
    )
    codes: dict[Any, dict[str, str]] = defaultdict(dict)
    ratings = Rating.objects.filter(submission__in=submissions, choice__isnull=False)
    for key, question, code in ratings.values_list("submission", "question__code", "choice__code"):
        codes[key][question] = code
    clocks = clocks_of(study)
    for one in submissions:
        load, look, idle, away = seconds_of(clocks[one.reading_id]).values()
        taken = None if load is None or look is None else load + look
        yield Answered(one.reading, codes[one.pk], taken, idle or 0.0, away or 0.0)


def _drift(answered: list[Answered], questions: list[Question]) -> Drift:
    first = [one for one in answered if one.reading.repeat == 0]
    times = [one.seconds for one in answered if one.seconds is not None]
    limit = 60 * PAUSE_MINUTES
    return Drift(
        scales=[use for question in questions if (use := _scale_use(question, first)) is not None],
        repeats=[
            found for question in questions if (found := _repeats(question, answered)) is not None
        ],
        block_medians=[
            statistics.median(times[end - BLOCK : end])
            for end in range(BLOCK, len(times) + 1, BLOCK)
        ],
        long_pauses=sum(one.idle + one.away > limit for one in answered),
    )


def _scale_use(question: Question, answered: list[Answered]) -> ScaleUse | None:
    given = [one.codes[question.code] for one in answered if question.code in one.codes]
    if not given:
        return None
    order = [option.code for option in question.options.all()]
    half = len(given) // 2
    halves = _counts(order, given[:half]), _counts(order, given[half:])
    pvalue, reason = _change(halves, len(given))
    return ScaleUse(question, _counts(order, given), halves, pvalue, reason)


def _counts(order: list[str], given: list[str]) -> dict[str, int]:
    found = Counter(given)
    return {code: found[code] for code in order}


def _change(halves: tuple[dict[str, int], dict[str, int]], n: int) -> tuple[float | None, str]:
    if n < LEAST_READINGS:
        return None, f"tested from {LEAST_READINGS} answers on"
    used = [code for code in halves[0] if halves[0][code] + halves[1][code]]
    if len(used) < 2:
        return None, "one level only"
    table = [[half[code] for code in used] for half in halves]
    # The cases of the two halves differ, so the answers are of different cases.
    result = chi_square(table, assume_independent=True)
    return float(result.pvalue), ""


def _repeats(question: Question, answered: list[Answered]) -> Repeats | None:
    """Compare the two answers to each hidden repeat."""
    by_place: dict[tuple[Any, ...], dict[int, str]] = defaultdict(dict)
    for one in answered:
        if question.code in one.codes:
            shown = one.reading
            place = (shown.item, shown.period, shown.arm, shown.stage)
            by_place[place][shown.repeat] = one.codes[question.code]
    pairs = [(both[0], both[1]) for both in by_place.values() if {0, 1} <= set(both)]
    if not pairs:
        return None
    kappa, reason = _kappa(pairs, [option.code for option in question.options.all()])
    return Repeats(question, sum(a == b for a, b in pairs), len(pairs), kappa, reason)


def _kappa(pairs: list[tuple[str, str]], order: list[str]) -> tuple[float | None, str]:
    if len(pairs) < LEAST_REPEATS:
        return None, f"kappa from {LEAST_REPEATS} repeats on"
    first, second = zip(*pairs, strict=True)
    result = cohen_kappa(first, second, categories=order)
    return (None, result.reason) if result.reason else (float(result.value), "")

"""The private debrief of one reader: own calls, own cues, own times, and nothing of anybody else.

Open once the study is unblinded, its coordinator has opened the debriefs, and the reader has no
blind part elsewhere that the truth of these cases would spoil.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from readerstudy import stats
from readerstudy.analysis.datasets import accepted, reads_of
from readerstudy.analysis.debriefing import are_open, decision_of
from readerstudy.analysis.endpoints.reads import is_right
from readerstudy.analysis.facts import Item, Protocol, QuestionFacts, Read
from readerstudy.analysis.protocol_facts import items_of, protocol_of
from readerstudy.analysis.reads_behind import ShownAnswer, ShownCase, shown_answers, shown_case
from readerstudy.analysis.shown_pictures import Picture, pictures_of
from readerstudy.cases.models import Series
from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.reading.clocks import seconds_of
from readerstudy.reading.home import Link, adds_links
from readerstudy.stats.results import Estimate
from readerstudy.studies.models import Enrolment, Study
from readerstudy.truth.shared_cases import require_no_part
from readerstudy.truth.unblinding import origins_of

NOT_YET = (
    "Your debrief is not open to you yet. It opens when every reading of yours that it could "
    "influence is over and unblinded."
)


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of seconds; None without a clock."""

    n: int
    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class QuestionDebrief:
    """Own answers to one question whose right answer is known."""

    text: str
    levels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]  # truth in words, how often each was answered
    share: Estimate
    n_right: int
    n: int
    not_evaluable: int
    time_right: Spread
    time_wrong: Spread


@dataclass(frozen=True)
class CueDebrief:
    """How often a cue was named with right and with wrong answers to the first such question."""

    text: str
    rows: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class WrongRead:
    """A case that was answered wrongly."""

    token: str
    position: int
    cases: tuple[ShownCase, ...]
    answers: tuple[ShownAnswer, ...]
    look: float | None


@dataclass(frozen=True)
class Debrief:
    """All that one reader sees."""

    note: str
    questions: tuple[QuestionDebrief, ...]
    cues: tuple[CueDebrief, ...]
    wrong: tuple[WrongRead, ...]
    n_reads: int
    time: Spread
    repeats: int
    repeats_alike: int


def is_open_to(enrolment: Enrolment) -> bool:
    """May this reader see the own debrief now?"""
    try:
        require_open(enrolment)
    except (NotFound, NotAllowed):
        return False
    return True


def require_open(enrolment: Enrolment) -> None:
    """Refuse a debrief that is not open.

    Raises
    ------
    NotFound
        Before the study is unblinded and its debriefs are open, and of what is no reader's part.
    NotAllowed
        If the reader has a blind part in another study that shows some of these cases.
    """
    study = enrolment.study
    is_reader = enrolment.kind == Enrolment.Kind.READER and study.rehearsal_of_id is None
    if not is_reader or study.state != Study.State.UNBLINDED or not are_open(study):
        raise NotFound("There is no such page.")
    try:
        require_no_part(enrolment.reader, study)
    except NotAllowed as error:
        raise NotAllowed(NOT_YET) from error


def debrief_of(enrolment: Enrolment) -> Debrief:
    """Return the debrief of one reader; the look at truth is recorded."""
    require_open(enrolment)
    study = enrolment.study
    origins = origins_of(study, actor=enrolment.reader)
    answers = accepted(study).filter(reading__enrolment=enrolment)
    rows = list(answers)
    reads = reads_of(study, answers, origins)
    protocol, items = protocol_of(study), items_of(study, origins)
    first = [read for read in reads if read.repeat == 0]
    known = [one for one in protocol.questions if any(one.code in i.right for i in items.values())]
    wrong = [
        (row, read)
        for row, read in zip(rows, reads, strict=True)
        if read.repeat == 0 and _is_wrong(protocol, items[read.item], read)
    ]
    decision = decision_of(study)
    alike, repeats = _repeats(reads, known)
    return Debrief(
        note=decision.note if decision else "",
        questions=tuple(_question(one, first, items) for one in known),
        cues=tuple(_cues(protocol, first, items, known)),
        wrong=tuple(_wrong(study, protocol, items, wrong)),
        n_reads=len(first),
        time=_spread(first),
        repeats=repeats,
        repeats_alike=alike,
    )


def _is_wrong(protocol: Protocol, item: Item, read: Read) -> bool:
    return any(one.right == "no" for one in shown_answers(protocol, item, read))


def _question(
    question: QuestionFacts, reads: Sequence[Read], items: Mapping[str, Item]
) -> QuestionDebrief:
    known = [(read, right) for read, right in _judged(question, reads, items) if right is not None]
    right = [read for read, is_so in known if is_so]
    levels = question.levels
    table = Counter(
        (str(items[read.item].right[question.code]), str(read.answers[question.code]))
        for read, _ in known
    )
    return QuestionDebrief(
        text=question.text,
        levels=tuple(question.label_of(level) for level in levels),
        rows=tuple(
            (question.label_of(truth), tuple(table[truth, said] for said in levels))
            for truth in levels
            if any(table[truth, said] for said in levels)
        ),
        share=_share([(read.item, int(is_so)) for read, is_so in known]),
        n_right=len(right),
        n=len(known),
        not_evaluable=sum(question.code in read.not_evaluable for read in reads),
        time_right=_spread(right),
        time_wrong=_spread([read for read, is_so in known if not is_so]),
    )


def _judged(
    question: QuestionFacts, reads: Sequence[Read], items: Mapping[str, Item]
) -> Iterable[tuple[Read, bool | None]]:
    """Yield the reads that answer a question, each with whether it is right."""
    for read in reads:
        if question.code in read.answers:
            yield read, is_right(question, items[read.item], read.answers[question.code])


def _share(calls: Sequence[tuple[str, int]]) -> Estimate:
    """Return the share of right answers; clustered where a case was read in several arms."""
    items = [item for item, _ in calls]
    if len(set(items)) == len(items):
        return stats.proportion(sum(right for _, right in calls), len(calls), ci="wilson")
    return stats.clustered_against([right for _, right in calls], items)


def _spread(reads: Iterable[Read]) -> Spread:
    seconds = [look for read in reads if (look := seconds_of(read.clocks)["look"]) is not None]
    if len(seconds) < 2:
        return Spread(len(seconds), seconds[0] if seconds else None, None, None)
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Spread(len(seconds), median, low, high)


def _cues(
    protocol: Protocol,
    reads: Sequence[Read],
    items: Mapping[str, Item],
    known: Sequence[QuestionFacts],
) -> Iterable[CueDebrief]:
    """Yield the named cues beside right and wrong answers to the first question with a truth."""
    if not known:
        return
    first = known[0]
    for cue in (one for one in protocol.questions if one.kind == "multi"):
        counts: Counter[tuple[str, bool]] = Counter()
        for read, right in _judged(first, reads, items):
            if right is not None:
                counts.update((code, right) for code in read.answers.get(cue.code, ()))
        rows = [(cue.label_of(c), counts[c, True], counts[c, False]) for c in cue.levels]
        yield CueDebrief(cue.text, tuple(row for row in rows if row[1] or row[2]))


def _repeats(reads: Sequence[Read], known: Sequence[QuestionFacts]) -> tuple[int, int]:
    """Return how many hidden repeats were answered alike in all questions with a truth, of all."""
    first = {(one.item, one.arm, one.period): one for one in reads if one.repeat == 0}
    alike = total = 0
    for again in (one for one in reads if one.repeat):
        before = first.get((again.item, again.arm, again.period))
        if before is not None:
            total += 1
            codes = [one.code for one in known]
            alike += all(again.answers.get(c) == before.answers.get(c) for c in codes)
    return alike, total


def _wrong(
    study: Study, protocol: Protocol, items: Mapping[str, Item], wrong: Sequence[tuple[Any, Read]]
) -> Iterable[WrongRead]:
    pictures = pictures_of(study, [row.reading_id for row, _ in wrong])
    codes = {code for _, read in wrong for code in items[read.item].cases}
    cases = {case.code: case for case in study.cases.filter(code__in=codes)}
    for row, read in wrong:
        item = items[read.item]
        members = zip(item.cases, item.origins, item.generators, strict=True)
        shown = pictures[row.reading_id]
        yield WrongRead(
            token=row.reading.token,
            position=read.position,
            cases=tuple(shown_case(cases[code], o, g, shown) for code, o, g in members),
            answers=tuple(shown_answers(protocol, item, read)),
            look=seconds_of(read.clocks)["look"],
        )


def series_of(enrolment: Enrolment, *, reading: str, number: int) -> Series:
    """Return one series that a reader was shown in an own reading.

    Raises
    ------
    NotFound
        If the reader has no such reading, or it showed no such series.
    """
    require_open(enrolment)
    row = enrolment.readings.filter(token=reading, completed_at__isnull=False).first()
    shown: list[Picture] = []
    if row is not None:
        by_case = pictures_of(enrolment.study, [row.pk])[row.pk]
        shown = [one for pictures in by_case.values() for one in pictures]
    found = next((one.series for one in shown if one.number == number), None)
    if found is None:
        raise NotFound("There is no such image.")
    return found


@adds_links
def debrief_link(enrolment: Enrolment) -> Iterable[Link]:
    """Yield the way to the debrief, once it is open to this reader."""
    if is_open_to(enrolment):
        yield Link("Your debrief", reverse("debrief", args=[enrolment.token]))

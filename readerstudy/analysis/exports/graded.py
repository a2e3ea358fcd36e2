"""Which questions make ROC data, and their reads as a table for the multi-reader programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from readerstudy.analysis.endpoints.reads import scored
from readerstudy.analysis.facts import Dataset, QuestionFacts
from readerstudy.stats.mrmc_files import MrmcTable, make_table

GRADING = ("confidence",)


@dataclass(frozen=True)
class Graded:
    """A question with two levels whose truth is known, and what grades its answers.

    ``name`` is the part of file names that tells it from others.
    """

    name: str
    question: str
    confidence: str = ""
    positive: str = ""


def graded_of(data: Dataset) -> list[Graded]:
    """Return what can be written as ROC data: as the plan says, then every other question."""
    found: dict[tuple[str, str, str], None] = {}
    for question, confidence, positive in _candidates(data):
        asked = data.protocol.question(question)
        level = positive or (asked.levels[-1] if asked.levels else "")
        found.setdefault((question, confidence, level))
    names: Counter[str] = Counter()
    made = []
    for question, confidence, positive in found:
        names[question] += 1
        number = names[question]
        name = question if number == 1 else f"{question}_{number}"
        made.append(Graded(name, question, confidence, positive))
    return made


def _candidates(data: Dataset) -> Iterator[tuple[str, str, str]]:
    asked = {one.code: one for one in data.protocol.questions}
    planned = [e for e in data.protocol.plan if _is_graded(data, asked.get(e.question))]
    for entry in (e for e in planned if e.confidence in asked):
        yield entry.question, entry.confidence, entry.positive
    with_confidence = {entry.question for entry in planned if entry.confidence in asked}
    for question in asked.values():
        if question.code not in with_confidence and _is_graded(data, question):
            yield question.code, _confidence_in(data, question.code), ""


def _is_graded(data: Dataset, question: QuestionFacts | None) -> bool:
    """Has a question two levels, and is a right answer to it known of any item?"""
    if question is None or len(question.levels) != 2 or question.kind in GRADING:
        return False
    return any(question.code in item.right for item in data.items.values())


def _confidence_in(data: Dataset, question: str) -> str:
    bound = (
        one.code
        for one in data.protocol.questions
        if one.bound_to == question and one.kind in GRADING
    )
    return next(bound, "")


def table_of(data: Dataset, graded: Graded) -> MrmcTable:
    """Return the graded reads as rows of reader, test (arm), case, truth and score.

    Raises
    ------
    ValueError
        If nothing can be written, or a reader has two answers for one case in one arm.
    """
    found = scored(data, graded.question, graded.confidence, positive=graded.positive)
    if not len(found):
        raise ValueError(
            f"no read answers it with a known truth and a graded answer ({found.n_unknown} reads "
            f"without a known truth, {found.n_ungraded} without a confidence)"
        )
    places = Counter(zip(found.readers, found.arms, found.items, strict=True))
    (reader, arm, item), times = places.most_common(1)[0]
    if times > 1:
        raise ValueError(f"reader {reader} answered case {item} {times} times in arm {arm}")
    return make_table(
        reader=found.readers,
        test=found.arms,
        case=found.items,
        truth=found.truth,
        score=found.scores,
    )


def told_of(data: Dataset, graded: Graded) -> str:
    """Say in one line how truth and score of a table are to be read."""
    asked = data.protocol.question(graded.question)
    words = f"truth 1: {asked.label_of(graded.positive)} ({graded.positive})"
    if not graded.confidence:
        return f"{asked.text} {words}; score 1: called so, 0: not"
    return (
        f"{asked.text} {words}; the score rises from surely not to surely, from the answer and its "
        f"confidence ({graded.confidence})"
    )

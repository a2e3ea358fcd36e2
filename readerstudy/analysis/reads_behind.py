"""The reads behind a number of the results: found by the filters that the number names.

What is asked of every read of a study (place, answer, right or wrong) is asked of slim rows; only
the reads of one page are loaded whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet

from readerstudy.analysis.answer_words import answer_words
from readerstudy.analysis.datasets import accepted, reads_of
from readerstudy.analysis.endpoints.reads import is_right
from readerstudy.analysis.facts import EQUAL, Item, Protocol, QuestionFacts, Read
from readerstudy.analysis.protocol_facts import items_of, protocol_of
from readerstudy.analysis.shown_pictures import Picture, pictures_of
from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading.clocks import seconds_of
from readerstudy.reading.models import Rating, Submission
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import origins_of

NOT_EVALUABLE = "not_evaluable"
VALUES = ("choice__code", "choices", "number", "text", "region", "places")  # one is given
NAMES = {
    "reader": "Reader",
    "arm": "Arm",
    "period": "Period",
    "question": "Question",
    "answer": "Answer",
    "right": "Right",
    "origin": "Truth",
    "generator": "Generator",
    "stratum": "Stratum",
    "item": "Case",
    "repeat": "Hidden repeats",
}


@dataclass(frozen=True)
class Filters:
    """What the reads have in common; empty: anything. ``repeat`` "yes" takes hidden repeats."""

    reader: str = ""
    arm: str = ""
    period: str = ""
    question: str = ""
    answer: str = ""
    right: str = ""
    origin: str = ""
    generator: str = ""
    stratum: str = ""
    item: str = ""
    repeat: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """Return the filters of a query.

        Raises
        ------
        ReaderStudyError
            If an answer is named without its question, or a value cannot be.
        """
        made = cls(**{one.name: query.get(one.name, "").strip() for one in fields(cls)})
        if (made.answer or made.right) and not made.question:
            raise ReaderStudyError("Name the question whose answer is meant.")
        if made.right not in ("", "yes", "no") or made.repeat not in ("", "yes", "no"):
            raise ReaderStudyError("“right” and “repeat” are yes or no.")
        if made.period and not made.period.isdecimal():
            raise ReaderStudyError("A period is a whole number.")
        return made

    @property
    def given(self) -> dict[str, str]:
        """Return the filters that are set."""
        return {name: value for name, value in asdict(self).items() if value}

    def without(self, name: str) -> str:
        """Return the query without one filter; without the question no answer stays."""
        gone = {name} | ({"answer", "right"} if name == "question" else set())
        return urlencode({key: value for key, value in self.given.items() if key not in gone})


@dataclass(frozen=True)
class Chip:
    """One filter in words, and the query without it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True)
class ShownCase:
    """One case of a read, with its truth in words."""

    case: Case
    truth: str
    is_synthetic: bool
    generator: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class ShownAnswer:
    """One answer in words; ``right`` is "yes", "no" or empty where it is not known."""

    text: str
    answer: str
    right: str
    truth: str


@dataclass(frozen=True)
class ShownRead:
    """One read with all that is known of it."""

    read: Read
    token: str  # of the reading
    arm: str
    stratum: str
    cases: tuple[ShownCase, ...]
    answers: tuple[ShownAnswer, ...]
    seconds: Mapping[str, float | None]


class Behind:
    """The reads of an unblinded study that some filters leave. Making it is a look at truth."""

    def __init__(self, study: Study, filters: Filters, *, actor: Any) -> None:
        self.study, self.filters = study, filters
        self.origins: Mapping[Any, Origin] = origins_of(study, actor=actor)
        self.protocol: Protocol = protocol_of(study)
        self.items: Mapping[str, Item] = items_of(study, self.origins)
        self.question: QuestionFacts | None = self._question()

    def _question(self) -> QuestionFacts | None:
        if not self.filters.question:
            return None
        try:
            return self.protocol.question(self.filters.question)
        except ValueError as error:
            raise ReaderStudyError(f"The filter does not fit: {error}.") from error

    def chips(self) -> list[Chip]:
        """Return the filters in words."""
        return [
            Chip(NAMES[name], self._words(name, value), self.filters.without(name))
            for name, value in self.filters.given.items()
        ]

    def _words(self, name: str, value: str) -> str:
        if name == "arm":
            return self.protocol.arm_name(value)
        if name == "question" and self.question:
            return self.question.text
        if name == "answer" and self.question:
            known = {NOT_EVALUABLE: "Not evaluable", EQUAL: "Equal"}
            return known.get(value) or self.question.label_of(value)
        return value

    def keys(self) -> list[Any]:
        """Return the submissions of the reads that are left, in reading order."""
        rows = self._placed().values_list("pk", "reading__item")
        wanted = {code for code, item in self.items.items() if self._is_wanted(item)}
        found = [(key, item) for key, item in rows if item in wanted]
        if self.question is None:
            return [key for key, _ in found]
        given = self._given(self.question)
        return [
            key
            for key, item in found
            if key in given and self._fits(self.question, self.items[item], given[key])
        ]

    def _placed(self) -> QuerySet[Submission]:
        asked = self.filters
        rows = accepted(self.study)
        if asked.repeat != "yes":
            rows = rows.filter(reading__repeat=0)
        named = {
            "reading__enrolment__code": asked.reader,
            "reading__arm": asked.arm,
            "reading__period": asked.period,
            "reading__item": asked.item,
        }
        return rows.filter(**{column: value for column, value in named.items() if value})

    def _is_wanted(self, item: Item) -> bool:
        asked = self.filters
        return (
            asked.origin in ("", *item.origins)
            and asked.generator in ("", *item.generators)
            and asked.stratum in ("", item.stratum)
        )

    def _given(self, question: QuestionFacts) -> dict[Any, Any]:
        """Return the answer of every submission, as plain values; None for not evaluable."""
        rows = Rating.objects.filter(question__study=self.study, question__code=question.code)
        if self.filters.reader:
            rows = rows.filter(submission__reading__enrolment__code=self.filters.reader)
        found = rows.values_list("submission_id", *VALUES)
        return {key: next((v for v in held if v is not None), None) for key, *held in found}

    def _fits(self, question: QuestionFacts, item: Item, value: Any) -> bool:
        asked = self.filters
        if asked.answer == NOT_EVALUABLE:
            return value is None
        if value is None:
            return not asked.answer and not asked.right
        if asked.answer and asked.answer not in _levels(value):
            return False
        return not asked.right or is_right(question, item, value) is (asked.right == "yes")

    def shown(self, keys: Iterable[Any]) -> list[ShownRead]:
        """Return the reads of one page, whole."""
        order = list(keys)
        answers = accepted(self.study).filter(pk__in=order)
        rows = list(answers)
        reads = reads_of(self.study, answers, self.origins)
        pictures = pictures_of(self.study, [row.reading_id for row in rows])
        codes = {code for read in reads for code in self.items[read.item].cases}
        cases = {case.code: case for case in self.study.cases.filter(code__in=codes)}
        made = {
            row.pk: self._shown(row, read, cases, pictures[row.reading_id])
            for row, read in zip(rows, reads, strict=True)
        }
        return [made[key] for key in order]

    def _shown(
        self,
        row: Submission,
        read: Read,
        cases: Mapping[str, Case],
        pictures: Mapping[Any, list[Picture]],
    ) -> ShownRead:
        item = self.items[read.item]
        members = zip(item.cases, item.origins, item.generators, strict=True)
        return ShownRead(
            read=read,
            token=row.reading.token,
            arm=self.protocol.arm_name(read.arm) if self.protocol.arms else "",
            stratum=item.stratum,
            cases=tuple(
                shown_case(cases[code], origin, generator, pictures)
                for code, origin, generator in members
            ),
            answers=tuple(shown_answers(self.protocol, item, read)),
            seconds=seconds_of(read.clocks),
        )


def _levels(value: Any) -> set[str]:
    if isinstance(value, dict) and "members" in value:
        return {str(value["members"][0])} if value["members"] else {EQUAL}
    return {str(one) for one in value} if isinstance(value, list) else {str(value)}


def shown_case(
    case: Case, origin: str, generator: str, pictures: Mapping[Any, list[Picture]]
) -> ShownCase:
    """Return a case with its truth in words: "real", or "synthetic" with its generator."""
    words = f"{origin}, {generator}" if generator else origin
    shown = tuple(pictures.get(case.pk, ()))
    return ShownCase(case, words, origin == Origin.Kind.SYNTHETIC, generator, shown)


def shown_answers(protocol: Protocol, item: Item, read: Read) -> Iterable[ShownAnswer]:
    """Yield every answer of a read in words, with whether it is right."""
    for question in protocol.questions:
        right = item.right.get(question.code)
        truth = "" if right is None else answer_words(question, right)
        if question.code in read.not_evaluable:
            yield ShownAnswer(question.text, "Not evaluable", "", truth)
        elif question.code in read.answers:
            value = read.answers[question.code]
            verdict = is_right(question, item, value)
            told = "" if verdict is None else "yes" if verdict else "no"
            yield ShownAnswer(question.text, answer_words(question, value), told, truth)

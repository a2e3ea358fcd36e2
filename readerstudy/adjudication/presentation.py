"""What the pages of adjudication show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readerstudy.adjudication.concluding import consensus_of
from readerstudy.adjudication.finding import differ, values_of, votable
from readerstudy.adjudication.models import Consensus, Discordance, Round, Vote
from readerstudy.adjudication.settling import HOW, settled
from readerstudy.adjudication.voting import before, left_to_vote, opinions_for
from readerstudy.reading.models import Reading
from readerstudy.reading.progress import layout_of
from readerstudy.studies.answers import NOT_EVALUABLE
from readerstudy.studies.models import Question, Study

ROW_LABEL_LIMIT = 18


@dataclass(frozen=True)
class Choice:
    """One option with the digit that chooses it."""

    code: str
    digit: str
    label: str
    anchor: str


@dataclass(frozen=True)
class Asked:
    """One discordant question of a case as a member of the panel sees it."""

    question: Question
    choices: list[Choice]
    own: str
    opinions: list[str]
    given: str

    @property
    def code(self) -> str:
        return self.question.code

    @property
    def look(self) -> str:
        """The arrangement of the options, as on the reading page."""
        labels = [len(choice.label) for choice in self.choices]
        if any(choice.anchor for choice in self.choices) or max(labels) > ROW_LABEL_LIMIT:
            return "options--rows"
        return "options--rows" if self.question.kind == "ordinal" else "options--2"


def words_of(question: Question, value: Any) -> str:
    """Return the label of a value."""
    if value is None:
        return "no majority"
    if value == NOT_EVALUABLE:
        return "Not evaluable"
    labels = {option.code: option.label for option in question.options.all()}
    return labels.get(value, str(value))


def asked_of(reading: Reading, stage: str | None, given: Mapping[str, str]) -> list[Asked]:
    """Return what is asked of a case; opinions only once the own vote was cast.

    ``given`` is a form that was refused: its choices stay.
    """
    return [_asked(one, reading, stage, given) for one in before(reading)]


def _asked(
    discordance: Discordance, reading: Reading, stage: str | None, given: Mapping[str, str]
) -> Asked:
    question = discordance.question
    own = Vote.objects.filter(
        discordance=discordance, enrolment=reading.enrolment_id, stage=Vote.Stage.OWN
    ).first()
    shown = opinions_for(discordance, reading.enrolment) if stage != Vote.Stage.OWN else []
    return Asked(
        question=question,
        choices=choices_of(question),
        own=words_of(question, own.value) if own else "",
        opinions=[words_of(question, value) for value in shown],
        given=given.get(f"vote-{question.code}", ""),
    )


def choices_of(question: Question) -> list[Choice]:
    """Return the options as the reading page shows them, levels highest first, with their digits.

    Codes that are single digits are their own keys.
    """
    options = list(question.options.all())
    own = all(option.code.isdigit() and len(option.code) == 1 for option in options)
    digits = [option.code for option in options] if own else [*"1234567890"]
    shown = [
        Choice(option.code, digits[at] if at < len(digits) else "", option.label, option.anchor)
        for at, option in enumerate(options)
    ]
    return shown[::-1] if question.kind == Question.Kind.ORDINAL else shown


def viewer_data(reading: Reading) -> dict[str, Any]:
    """Return the images of a case for the viewer, in the form in which they were read."""
    study = reading.enrolment.study
    return {
        "layout": layout_of(study, reading.arm, reading.enrolment.reader),
        "images": {image.slot: image.token for image in reading.images.all()},
        "base": "/i/",
    }


def page_of(study: Study, *, sees_answers: bool) -> dict[str, Any]:
    """Return the context of the coordinator's page."""
    opened = study.rounds.filter(concluded_at__isnull=True).first()
    found = differing_of(study)
    seats = round_rows(opened) if opened else []
    rounds = study.rounds.filter(concluded_at__isnull=False).select_related("opened_by")
    return {
        "opened": opened,
        "seats": seats,
        "waiting": [seat for seat in seats if seat["done"] < seat["total"]],
        "may_open": study.state == Study.State.CLOSED,
        "found": found,
        "distances": widest(found),
        "cases": discordant_cases(study, opened),
        "rounds": rounds.order_by("-number"),
        "tally": tally_of(study),
        "consensus": consensus_rows(study) if sees_answers else [],
        "sees_answers": sees_answers,
        "adoptions": study.adoptions.select_related("question", "adopted_by"),
        "known_endpoints": known_endpoints(study),
    }


def known_endpoints(study: Study) -> list[str]:
    """Return the endpoints that the readers of a study are judged by."""
    truths = study.questions.values_list("truth", flat=True)
    return sorted({truth["endpoint"] for truth in truths if truth.get("source") == "reference"})


@dataclass(frozen=True)
class Place:
    """How far a member of the panel is."""

    number: int
    total: int
    left: int

    @property
    def done(self) -> int:
        return self.total - self.left


def place_of(reading: Reading, opened: Round) -> Place:
    """Return which case of a round this is, in the member's own order, and what is left."""
    seat = reading.enrolment
    total = Reading.objects.filter(enrolment=seat, period=opened.number).count()
    return Place(reading.position, total, left_to_vote(opened, seat))


def round_rows(opened: Round) -> list[dict[str, Any]]:
    """Return each member of the panel by code with what is left to vote."""
    total = Reading.objects.filter(period=opened.number)
    rows = []
    for seat in opened.panel.select_related("reader"):
        planned, left = total.filter(enrolment=seat).count(), left_to_vote(opened, seat)
        rows.append(
            {
                "code": seat.code,
                "member": seat.reader,
                "total": planned,
                "done": planned - left,
                "left": left,
            }
        )
    return rows


@dataclass(frozen=True)
class Differing:
    """How often readers differ in one question, by how many levels more than allowed."""

    question: Question
    items: int
    by_rule: list[int]  # differ by more than 0, 1, 2 … levels; one entry for choices

    @property
    def discordant(self) -> int:
        return self.by_rule[0]


def differing_of(study: Study) -> list[Differing]:
    """Return for each question that a panel can vote on how often readers differ, by rule."""
    return [_differing(study, question) for question in votable(study)]


def _differing(study: Study, question: Question) -> Differing:
    values = values_of(study, question)
    steps = question.options.count() if question.kind == Question.Kind.ORDINAL else 2
    counts = [
        sum(differ(question, given, least) for given in values.values())
        for least in range(1, max(steps, 2))
    ]
    return Differing(question, len(values), counts)


def widest(rows: list[Differing]) -> list[int]:
    """Return the distances that the table of rules has columns for."""
    return list(range(max((len(row.by_rule) for row in rows), default=0)))


@dataclass(frozen=True)
class CaseRow:
    """One case that readers answered differently, without any answer."""

    item: str
    arm: str
    questions: list[tuple[str, str]]  # text and state


def discordant_cases(study: Study, opened: Round | None) -> list[CaseRow]:
    """Return the cases that readers answered differently, and what became of each question."""
    laid = set(opened.discordances.values_list("question", "item", "arm")) if opened else set()
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for question in votable(study):
        for one in settled(study, question):
            if len(set(map(repr, one.given))) > 1:
                before_panel = (question.pk, one.item, one.arm) in laid
                state = "before the panel" if before_panel else HOW[one.how]
                found.setdefault((one.item, one.arm), []).append((question.text, state))
    return [CaseRow(item, arm, questions) for (item, arm), questions in sorted(found.items())]


def consensus_rows(study: Study) -> list[dict[str, Any]]:
    """Return the values that hold, in words."""
    return [_consensus_row(one) for one in consensus_of(study)]


def tally_of(study: Study) -> list[dict[str, Any]]:
    """Return by question how often a panel agreed, without any value."""
    counts: dict[Question, Counter[bool]] = {}
    for one in consensus_of(study):
        counts.setdefault(one.discordance.question, Counter())[one.value is not None] += 1
    return [
        {"question": question, "agreed": count[True], "open": count[False]}
        for question, count in counts.items()
    ]


def _consensus_row(one: Consensus) -> dict[str, Any]:
    laid = one.discordance
    given = Counter(words_of(laid.question, value) for value in laid.opinions)
    return {
        "question": laid.question,
        "item": laid.item,
        "arm": laid.arm,
        "value": words_of(laid.question, one.value),
        "agreed": one.value is not None,
        "opinions": ", ".join(f"{label} × {count}" for label, count in sorted(given.items())),
        "consensus": one,
    }

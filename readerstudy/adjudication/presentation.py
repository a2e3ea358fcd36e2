"""What the pages of adjudication show."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.adjudication.concluding import consensus_of
from readerstudy.adjudication.finding import discordances, votable
from readerstudy.adjudication.models import Consensus, Discordance, Round, Vote
from readerstudy.adjudication.voting import before, left_to_vote, opinions_for
from readerstudy.core.cells import safe_cell
from readerstudy.reading.models import Reading
from readerstudy.reading.progress import layout_of
from readerstudy.studies.answers import NOT_EVALUABLE
from readerstudy.studies.models import Question, Study

COLUMNS = ("question", "item", "arm", "round", "version", "consensus", "votes_for", "votes")


@dataclass(frozen=True)
class Asked:
    """One discordant question of a case as a member of the panel sees it."""

    question: Question
    choices: list[tuple[str, str, str]]
    own: Any
    opinions: list[str]

    @property
    def code(self) -> str:
        return self.question.code


def words_of(question: Question, value: Any) -> str:
    """Return the label of a value."""
    if value is None:
        return "no majority"
    if value == NOT_EVALUABLE:
        return "Not evaluable"
    labels = {option.code: option.label for option in question.options.all()}
    return labels.get(value, str(value))


def asked_of(reading: Reading, stage: str | None) -> list[Asked]:
    """Return what is asked of a case; opinions only once the own vote was cast."""
    return [_asked(one, reading, stage) for one in before(reading)]


def _asked(discordance: Discordance, reading: Reading, stage: str | None) -> Asked:
    question = discordance.question
    own = Vote.objects.filter(
        discordance=discordance, enrolment=reading.enrolment_id, stage=Vote.Stage.OWN
    ).first()
    shown = opinions_for(discordance, reading.enrolment) if stage != Vote.Stage.OWN else []
    return Asked(
        question=question,
        choices=[(o.code, o.label, o.anchor) for o in question.options.all()],
        own=own.value if own else None,
        opinions=[words_of(question, value) for value in shown],
    )


def viewer_data(reading: Reading) -> dict[str, Any]:
    """Return the images of a case for the viewer, in the form in which they were read."""
    study = reading.enrolment.study
    return {
        "layout": layout_of(study, reading.arm, reading.enrolment.reader),
        "images": {image.slot: image.token for image in reading.images.all()},
        "base": "/i/",
    }


def round_rows(opened: Round) -> list[dict[str, Any]]:
    """Return each member of the panel by code with what is left to vote."""
    total = Reading.objects.filter(period=opened.number)
    rows = []
    for seat in opened.panel.all():
        planned = total.filter(enrolment=seat).count()
        rows.append(
            {"code": seat.code, "total": planned, "done": planned - left_to_vote(opened, seat)}
        )
    return rows


def questions_found(study: Study) -> list[dict[str, Any]]:
    """Return the questions that a panel can vote on, with how often readers differ."""
    return [
        {"question": question, "discordant": len(discordances(study, [question], 1))}
        for question in votable(study)
    ]


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


def consensus_csv(study: Study) -> str:
    """Return the consensus as CSV: codes, versions and votes; initial answers stay in the reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(consensus_of(study)))
    return out.getvalue()


def _cells(found: Iterable[Consensus]) -> Iterable[list[Any]]:
    for one in found:
        laid = one.discordance
        value = "not_evaluable" if one.value == NOT_EVALUABLE else one.value or ""
        yield [
            laid.question.code,
            laid.item,
            laid.arm,
            laid.round.number,
            one.version,
            safe_cell(value),
            one.votes_for,
            one.votes,
        ]

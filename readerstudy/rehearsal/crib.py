"""What the simulation knows and the page does not: the item behind a reading, and what is right.

Right answers come from truth where it is on record. Where it is not, a draw of the dry run stands
in for it, so that a study can be rehearsed before its reference standard is complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from readerstudy.reading.models import Reading
from readerstudy.rehearsal.virtual_readers import Aim, Shown, draw
from readerstudy.studies.asking import arms_of
from readerstudy.studies.models import Question, Study, StudyCase
from readerstudy.truth.feedback import right_answers

Aims = Mapping[str, Aim]


@dataclass(frozen=True)
class Crib:
    """The hidden side of a dry run.

    Attributes
    ----------
    shown : mapping
        By token of the reading.
    aims : mapping
        By item and question.
    drawn : frozenset of str
        Codes of the questions for which a draw stands in for a missing truth.
    """

    shown: Mapping[str, Shown]
    aims: Mapping[str, Aims]
    drawn: frozenset[str]


def crib_of(clone: Study, *, seed: str) -> Crib:
    """Return the hidden side of a locked dry run."""
    questions = list(clone.questions.prefetch_related("options"))
    aims, drawn = _aims(clone, questions, seed)
    arms = arms_of(clone)
    readings = Reading.objects.filter(enrolment__study=clone)
    shown = {
        reading.token: Shown(
            item=reading.item,
            arm=reading.arm,
            arm_number=arms.index(reading.arm) if reading.arm in arms else 0,
            repeat=reading.repeat,
            sides=tuple(reading.sides),
            aims=aims[reading.item],
        )
        for reading in readings
    }
    return Crib(shown, aims, drawn)


def _aims(
    clone: Study, questions: list[Question], seed: str
) -> tuple[dict[str, dict[str, Aim]], frozenset[str]]:
    items: dict[str, list[StudyCase]] = defaultdict(list)
    for row in clone.study_cases.select_related("case").order_by("item", "place"):
        items[row.item].append(row)
    asked = [question for question in questions if question.truth]
    aims: dict[str, dict[str, Aim]] = {}
    drawn = set()
    for item, members in items.items():
        right = right_answers(asked, [member.case for member in members])
        aims[item] = {}
        for question in asked:
            known = right.get(question.code)
            if known is None:
                drawn.add(question.code)
                known = _stand_in(question, len(members), seed, item)
            aims[item][question.code] = _aim(question, known)
    return aims, frozenset(drawn)


def _stand_in(question: Question, places: int, seed: str, item: str) -> object:
    chance = draw(seed, "truth", question.code, item)
    if "place" in question.truth:
        return {"member": int(chance * places)}
    codes = classes_of(question) or [option.code for option in question.options.all()]
    return codes[int(chance * len(codes))]


def classes_of(question: Question) -> list[str]:
    """Return the two codes that the truth of a question tells apart, in the order of its options.

    Real comes before synthetic. Empty where there are more than two.
    """
    truth = question.truth
    if truth.get("source") == "origin":
        return [truth[kind] for kind in ("real", "synthetic") if kind in truth]
    named = set(truth.get("values", {}).values())
    codes = [option.code for option in question.options.all() if option.code in named]
    return codes if len(codes) == 2 else []


def _aim(question: Question, known: object) -> Aim:
    is_origin = question.truth.get("source") == "origin"
    if isinstance(known, dict):
        return Aim(member=known["member"], origin=is_origin)
    noise, signal = classes_of(question) or ("", "")
    return Aim(noise=noise, signal=signal, right=str(known), origin=is_origin)

"""Change the questions of a draft: add, change, move, duplicate and remove them.

Every change leaves questions that do not contradict themselves (studies/answers.py); a change
that would is refused as a whole, in words that name the question and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.studies.answers import KINDS, BadRule, check_specs
from readerstudy.studies.asking import arms_of, spec_of
from readerstudy.studies.design import QUESTION_FIELDS, create_question, require_draft
from readerstudy.studies.models import Option, Question, Study
from readerstudy.studies.templates.base import (
    CONFIDENCE_LEVELS,
    OptionTemplate,
    QuestionTemplate,
    confidence_in,
    options,
)

CODE = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")
MAX_QUESTIONS, MAX_OPTIONS = 40, 20
LIMITS = {"text": 200, "help": 2000, "unit": 24}
LABEL, ANCHOR = 60, 240
APART = 1000

STARTS: dict[str, dict[str, Any]] = {
    "single": {"options": options(("yes", "Yes"), ("no", "No"))},
    "ordinal": {
        "options": options(("1", "Very poor"), ("2", "Poor"), ("3", "Good"), ("4", "Very good"))
    },
    "multi": {"options": options(("first", "First"), ("second", "Second")), "required": False},
    "confidence": {"options": CONFIDENCE_LEVELS},
    "number": {},
    "text": {"required": False},
    "region": {"region": {"kind": "point", "role": None}},
    "place": {},
    "ranking": {},
}


def new_question(kind: str) -> QuestionTemplate:
    """Return a question of a kind, ready to be changed.

    Raises
    ------
    ReaderStudyError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ReaderStudyError(f"There is no kind of question called {kind!r}.")
    return QuestionTemplate(code=kind, text="New question", kind=kind, **STARTS[kind])


def add_question(
    *, study: Study, source: QuestionTemplate, actor: Any, after: str = ""
) -> Question:
    """Add a question at the end, or after another one, under a free code."""
    with _draft(study, actor, "study.add_question") as (held, note):
        existing = list(held.questions.all())
        if len(existing) >= MAX_QUESTIONS:
            raise ReaderStudyError(f"A study can ask at most {MAX_QUESTIONS} questions.")
        codes = [question.code for question in existing]
        source = replace(source, code=free_code(source.code, codes))
        if source.kind == "confidence" and source.bound_to not in codes:
            source = replace(source, bound_to=_last_bindable(existing))
        _check_texts(source)
        question = create_question(held, APART + len(existing), source)
        at = codes.index(after) + 1 if after in codes else len(existing)
        _put_in_order(held, [*existing[:at], question, *existing[at:]])
        note.update(asdict(source))
    return question


def duplicate_question(*, study: Study, code: str, actor: Any) -> Question:
    """Add a copy of a question right after it."""
    source = template_of(question_of(study, code))
    return add_question(study=study, source=source, after=code, actor=actor)


def add_confidence(*, study: Study, code: str, actor: Any) -> Question:
    """Ask for the confidence in an answer, right after its question."""
    source = confidence_in(code, code=f"{code[:20]}_confidence")
    return add_question(study=study, source=source, after=code, actor=actor)


def change_question(*, study: Study, code: str, source: QuestionTemplate, actor: Any) -> Question:
    """Make a question what ``source`` says; options that keep their code keep their example."""
    _check_texts(source)
    with _draft(study, actor, "study.change_question") as (held, note):
        question = question_of(held, code)
        old = template_of(question)
        if source == old:
            return question
        _require_known(held, source)
        for name in ("code", "text", *QUESTION_FIELDS):
            setattr(question, name, getattr(source, name))
        _require_free(held, question)
        question.save()
        _write_options(question, source.options)
        if source.code != code:
            _rename(held, code, source.code)
        note.update(old=asdict(old), new=asdict(source))
    return question


def set_options(
    *, study: Study, code: str, levels: Sequence[OptionTemplate], actor: Any
) -> Question:
    """Change the options of a question and nothing else of it."""
    source = replace(template_of(question_of(study, code)), options=tuple(levels))
    return change_question(study=study, code=code, source=source, actor=actor)


def move_question(*, study: Study, code: str, by: int, actor: Any) -> None:
    """Move a question up (negative) or down by some places."""
    with _draft(study, actor, "study.move_question") as (held, note):
        order = list(held.questions.all())
        at = next((i for i, question in enumerate(order) if question.code == code), None)
        if at is None:
            raise _unknown(code)
        question = order.pop(at)
        order.insert(max(0, at + by), question)
        _put_in_order(held, order)
        note.update(order=[one.code for one in order])


def remove_question(*, study: Study, code: str, actor: Any) -> None:
    """Remove a question from a draft; refused while another one depends on it."""
    with _draft(study, actor, "study.remove_question") as (held, note):
        question = question_of(held, code)
        note.update(asdict(template_of(question)))
        question.options.all().delete()
        question.delete()
        _forget(held, code)
        _put_in_order(held, list(held.questions.all()))


@contextmanager
def _draft(study: Study, actor: Any, action: str) -> Iterator[tuple[Study, dict[str, Any]]]:
    """One write to the questions of a draft: checked as a whole, with one audit record."""
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        note: dict[str, Any] = {}
        yield held, note
        check_questions(held)
        if note:
            old, new = (note["old"], note["new"]) if "old" in note else (None, note)
            audit.record(actor=actor, action=action, target=f"study {held.pk}", old=old, new=new)


def check_questions(study: Study) -> None:
    """Refuse questions that contradict themselves.

    Raises
    ------
    ReaderStudyError
        ``question``, naming the question and what to change.
    """
    questions = list(study.questions.prefetch_related("options"))
    places = study.display.places
    try:
        check_specs([spec_of(question, places=places) for question in questions])
        for arm in arms_of(study):
            asked = [one for one in questions if not one.arms or arm in one.arms]
            check_specs([spec_of(question, places=places) for question in asked])
    except BadRule as error:
        raise ReaderStudyError(str(error), code="question") from error


def question_of(study: Study, code: str) -> Question:
    """Return a question of a study by its code."""
    question = study.questions.prefetch_related("options").filter(code=code).first()
    if question is None:
        raise _unknown(code)
    return question


def _unknown(code: str) -> NotFound:
    return NotFound(f"The study has no question with the code “{code}”. It may have been removed.")


def template_of(question: Question) -> QuestionTemplate:
    """Return a stored question as a template makes one."""
    stored = {name: getattr(question, name) for name in QUESTION_FIELDS}
    return QuestionTemplate(
        code=question.code,
        text=question.text,
        options=tuple(
            OptionTemplate(one.code, one.label, one.anchor) for one in question.options.all()
        ),
        **{**stored, "arms": tuple(stored["arms"])},
    )


def free_code(wanted: str, taken: Sequence[str]) -> str:
    """Return a code that no question has yet: the wanted one, or with a number behind it."""
    number, code = 2, wanted
    while code in taken:
        code, number = f"{wanted[:28]}_{number}", number + 1
    return code


def _last_bindable(questions: Sequence[Question]) -> str:
    """Return the last question whose answer one can be more or less sure of."""
    codes = [one.code for one in questions if one.kind not in ("confidence", "text")]
    if not codes:
        raise ReaderStudyError("Add the question first whose answer the confidence speaks of.")
    return codes[-1]


def _check_texts(source: QuestionTemplate) -> None:
    for code in (source.code, *(option.code for option in source.options)):
        if not CODE.fullmatch(code):
            raise ReaderStudyError(
                f"“{code}” is no code: use up to 32 small letters, digits and _, such as "
                "very_good.",
                code="question",
            )
    if not source.text.strip():
        raise ReaderStudyError("Give the question a text.", code="question")
    for name, limit in LIMITS.items():
        _require_length(f"The {name} of “{source.code}”", getattr(source, name), limit)
    if len(source.options) > MAX_OPTIONS:
        raise ReaderStudyError(f"A question can have at most {MAX_OPTIONS} choices.")
    for option in source.options:
        if not option.label.strip():
            raise ReaderStudyError(f"The choice “{option.code}” needs a text.", code="question")
        _require_length(f"The text of “{option.code}”", option.label, LABEL)
        _require_length(f"The anchor of “{option.code}”", option.anchor, ANCHOR)


def _require_length(what: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise ReaderStudyError(
            f"{what} may have at most {limit} characters; it has {len(text)}.", code="question"
        )


def _require_known(study: Study, source: QuestionTemplate) -> None:
    if unknown := set(source.arms) - set(study.arms.values_list("code", flat=True)):
        raise ReaderStudyError(f"The study has no arm “{min(unknown)}”.", code="question")
    role = (source.region or {}).get("role")
    if role and role not in [slot.code for slot in study.display.slots]:
        raise ReaderStudyError(f"The study shows no series “{role}”.", code="question")


def _require_free(study: Study, question: Question) -> None:
    if study.questions.exclude(pk=question.pk).filter(code=question.code).exists():
        raise ReaderStudyError(
            f"Another question has the code “{question.code}”. Choose another code.",
            code="question",
        )


def _write_options(question: Question, levels: Sequence[OptionTemplate]) -> None:
    codes = [level.code for level in levels]
    if len(set(codes)) != len(codes):
        raise ReaderStudyError(
            f"“{question.code}” has two choices with one code. Change one of them.",
            code="question",
        )
    question.options.exclude(code__in=codes).delete()
    for position, level in enumerate(levels, start=1):
        Option.objects.update_or_create(
            question=question,
            code=level.code,
            defaults={"position": position, "label": level.label, "anchor": level.anchor},
        )
    question._prefetched_objects_cache = {}  # type: ignore[attr-defined]


def _rename(study: Study, old: str, new: str) -> None:
    """Let what refers to a question follow its code."""
    study.questions.filter(bound_to=old).update(bound_to=new)
    for question in study.questions.exclude(show_if={}):
        for conditions in question.show_if.values():
            for condition in conditions:
                if condition["question"] == old:
                    condition["question"] = new
        question.save(update_fields=("show_if",))
    for entry in study.analysis_plan:
        for name in ("question", "confidence"):
            if entry[name] == old:
                entry[name] = new
    study.save(update_fields=("analysis_plan",))


def _forget(study: Study, code: str) -> None:
    """Take what analyses a removed question out of the plan."""
    kept = [entry for entry in study.analysis_plan if entry["question"] != code]
    for entry in kept:
        if entry["confidence"] == code:
            entry["confidence"] = ""
    study.analysis_plan = kept
    study.save(update_fields=("analysis_plan",))


def _put_in_order(study: Study, order: Sequence[Question]) -> None:
    """Number the questions from 1; far numbers first, since no two may ever be alike."""
    for start in (2 * APART, 1):
        for position, question in enumerate(order, start=start):
            study.questions.filter(pk=question.pk).update(position=position)

"""From the form that a browser sent to ratings: one rule object says what fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading import regions
from readerstudy.reading.models import Rating, Reading
from readerstudy.studies.answers import NOT_EVALUABLE, Misfit, check_form
from readerstudy.studies.asking import questions_in, spec_of
from readerstudy.studies.models import Question

Columns = dict[str, Any]


def ratings_of(reading: Reading, answers: Any) -> list[Rating]:
    """Return the ratings, not yet stored, that a complete form stands for.

    Raises
    ------
    ReaderStudyError
        ``invalid_answer`` with the field, for the first answer that does not fit.
    """
    study = reading.enrolment.study
    questions = {one.code: one for one in questions_in(study, reading.arm)}
    specs = [spec_of(one, places=len(reading.sides)) for one in questions.values()]
    try:
        values = check_form(specs, answers)
    except Misfit as misfit:
        raise _refusal(misfit, questions) from misfit
    return [
        Rating(question=questions[code], **_columns(questions[code], value, reading))
        for code, value in values.items()
    ]


def _refusal(misfit: Misfit, questions: dict[str, Question]) -> ReaderStudyError:
    asked = questions.get(misfit.code)
    named = f"“{asked.text if asked else misfit.code}” {misfit}." if misfit.code else str(misfit)
    return ReaderStudyError(named, code="invalid_answer", field=misfit.code)


def _columns(question: Question, value: Any, reading: Reading) -> Columns:
    if value == NOT_EVALUABLE:
        return {"not_evaluable": True}
    return FORMS[question.kind](question, value, reading)


def _choice(question: Question, value: Any, reading: Reading) -> Columns:
    del reading
    return {"choice": next(one for one in question.options.all() if one.code == value)}


def _choices(question: Question, value: Any, reading: Reading) -> Columns:
    del question, reading
    return {"choices": value}


def _confidence(question: Question, value: Any, reading: Reading) -> Columns:
    return (_choice if isinstance(value, str) else _number)(question, value, reading)


def _number(question: Question, value: Any, reading: Reading) -> Columns:
    del question, reading
    return {"number": float(value)}


def _text(question: Question, value: Any, reading: Reading) -> Columns:
    del question, reading
    return {"text": value}


def _region(question: Question, value: Any, reading: Reading) -> Columns:
    return {"region": regions.check(question, value, reading=reading)}


def _places(question: Question, value: Any, reading: Reading) -> Columns:
    """Keep what was clicked and which member of the item stood there."""
    del question
    shown = [] if value == "equal" else value if isinstance(value, list) else [value]
    return {"places": {"shown": shown, "members": [reading.sides[place] for place in shown]}}


FORMS: dict[str, Callable[[Question, Any, Reading], Columns]] = {
    "single": _choice,
    "ordinal": _choice,
    "multi": _choices,
    "confidence": _confidence,
    "number": _number,
    "text": _text,
    "region": _region,
    "place": _places,
    "ranking": _places,
}


def value_of(rating: Rating) -> Any:
    """Return the value of a stored rating as exports and analyses take it."""
    if rating.choice is not None:
        return rating.choice.code
    for name in ("choices", "number", "text", "region", "places"):
        if (value := getattr(rating, name)) is not None:
            return value
    return None

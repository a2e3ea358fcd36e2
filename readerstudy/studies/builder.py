"""What the question builder shows: the questions, one of them open, and how it all fits."""

from __future__ import annotations

import json
from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import analysis_plan
from readerstudy.studies.analysis_plan import ENDPOINTS
from readerstudy.studies.asking import arms_of, questions_in, shown_question, slots_in
from readerstudy.studies.fitting import warnings_of
from readerstudy.studies.models import Study
from readerstudy.studies.question_form import kind_line, presets
from readerstudy.studies.questioning import new_question
from readerstudy.studies.showing import prospect_of
from readerstudy.studies.templates.base import QuestionTemplate
from readerstudy.studies.templates.registry import TEMPLATES


def page_of(study: Study, open_code: str) -> dict[str, Any]:
    """Return everything beside the form of the open question."""
    questions = list(study.questions.prefetch_related("options"))
    beside = {"places": study.display.places}
    shown = [shown_question(question) | beside for question in questions]
    arms = [arm.code for arm in study.arms.all()] or arms_of(study)
    codes = [question.code for question in questions]
    return {
        "rows": [{"question": one, "kind": kind_line(one)} for one in questions],
        "open_code": open_code,
        "preview": json.dumps({**preview_of(study), "questions": shown}),
        "misfits": warnings_of(shown),
        "prospect": prospect_of(study),
        "presets": presets(list(TEMPLATES.values())),
        "plan": study.analyses,
        "gaps": analysis_plan.gaps(study.analyses, questions=codes, arms=arms),
        "endpoints": ENDPOINTS,
    }


def full_page_of(study: Study, arm: str) -> dict[str, Any]:
    """Return what the page-sized preview of one arm shows: its questions and its panes."""
    beside = {"places": study.display.places}
    slots = [{"role": s.code, "label": s.label, "place": s.place} for s in slots_in(study, arm)]
    document = {
        "slots": slots,
        "tools": list(study.display.tools),
        "questions": [shown_question(one) | beside for one in questions_in(study, arm)],
        "hanging": study.display.initial,
        "title": study.reader_title,
    }
    return {"preview": json.dumps(document), "arm": arm, "arms": list(study.arms.all())}


def preview_of(study: Study) -> dict[str, Any]:
    """Return what the reader's question column needs of the display."""
    slots = study.display.slots
    return {
        "slots": [{"role": slot.code, "label": slot.label, "place": slot.place} for slot in slots],
        "tools": list(study.display.tools),
    }


def source_named(name: str) -> QuestionTemplate:
    """Return the question that a choice of the list “Add” stands for.

    Raises
    ------
    ReaderStudyError
        If there is none of that name.
    """
    key, _, code = name.partition(":")
    if key == "kind":
        return new_question(code)
    template = TEMPLATES.get(key)
    for question in template.questions if template else ():
        if question.code == code:
            return question
    raise ReaderStudyError("Choose what kind of question to add.")

"""From rows to what a planned analysis has to fit."""

from __future__ import annotations

from django.db.models import Count

from readerstudy.studies.analysis_fit import Asked, Situation
from readerstudy.studies.asking import arms_of
from readerstudy.studies.models import Question, Study, StudyCase


def situation_of(study: Study) -> Situation:
    """Return the questions, arms, design, readers and patients of a study."""
    questions = study.questions.prefetch_related("options")
    return Situation(
        questions={question.code: _asked(question) for question in questions},
        arms=tuple(arms_of(study)),
        design=study.plan,
        readers=study.readers.filter(withdrawn_at__isnull=True).count(),
        patients_with_several=_patients_with_several(study),
    )


def _asked(question: Question) -> Asked:
    return Asked(
        text=question.text,
        kind=question.kind,
        source=question.truth.get("source", ""),
        side="place" in question.truth,
        bound_to=question.bound_to,
        levels=tuple(option.code for option in question.options.all()),
    )


def _patients_with_several(study: Study) -> int:
    items = study.study_cases.filter(phase=StudyCase.Phase.MAIN, place=0)
    counted = items.values("case__subject").annotate(items=Count("pk"))
    return counted.filter(items__gt=1).count()

"""A plan that the design cannot carry is refused, with the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from readerstudy.studies.analysis_fit import Asked, Situation, contradictions, shortfalls
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.templates.registry import TEMPLATES

QUESTIONS = {
    "origin": Asked("Real or synthetic?", "single", source="origin", levels=("real", "synthetic")),
    "grade": Asked("Grade?", "single", source="reference", levels=("low", "high")),
    "sure": Asked("How sure?", "confidence", bound_to="grade"),
    "margin": Asked("Margin?", "single", levels=("clear", "indistinct")),
}
PLAIN = Situation(QUESTIONS, ("main",), ReadingDesign(), readers=4)
CROSSOVER = replace(PLAIN, arms=("without", "with"), design=ReadingDesign(schedule="crossover"))


def entry(**changes: Any) -> PlannedAnalysis:
    base = {"code": "one", "title": "One", "question": "grade", "endpoint": "reference"}
    return PlannedAnalysis(**{**base, "unit": "subject", **changes})


@pytest.mark.parametrize(
    ("planned", "situation", "reason"),
    [
        (entry(question="grade", endpoint="turing"), PLAIN, "does not ask whether an image is"),
        (entry(question="margin"), PLAIN, "does not say what is right for “Margin?”"),
        (entry(endpoint="preference"), PLAIN, "does not choose between images"),
        (entry(positive="huge"), PLAIN, "no level “huge”"),
        (entry(question="origin", confidence="sure"), PLAIN, "does not grade the answer"),
        (entry(endpoint="mrmc-difference", arms=("with",)), CROSSOVER, "needs two arms"),
        (
            entry(endpoint="mrmc-difference", arms=("without", "with")),
            replace(CROSSOVER, design=ReadingDesign()),
            "not read on the same cases",
        ),
        (
            entry(methods=("mcnemar",)),
            replace(PLAIN, design=ReadingDesign(plan="one_version")),
            "mcnemar is a paired test",
        ),
        (entry(unit="reading"), PLAIN, "readings are not independent"),
        (entry(unit="reader"), PLAIN, "Choose the case or the patient"),
        (
            entry(unit="case"),
            replace(PLAIN, patients_with_several=3),
            "3 patients have several cases",
        ),
        (entry(endpoint="survival", time="os"), PLAIN, "needs two endpoints of the reference"),
        (entry(endpoint="auc", time="os", event="dead"), PLAIN, "analysed as survival"),
        (entry(endpoint="agreement", margin=0.1), PLAIN, "not judged by a margin"),
        (entry(stop_below=0.6), PLAIN, "A stop rule is for right calls|a stop rule is for"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(
    planned: PlannedAnalysis, situation: Situation, reason: str
) -> None:
    found = contradictions((planned,), situation)
    assert any(part in found[0] for part in reason.split("|")), found


@pytest.mark.parametrize(
    ("planned", "situation"),
    [
        (entry(question="origin", endpoint="turing", margin=0.1), PLAIN),
        (entry(methods=("mcnemar",)), PLAIN),
        (entry(unit="reading"), replace(PLAIN, readers=1)),
        (entry(unit="case"), PLAIN),
        (entry(endpoint="survival", time="os_days", event="dead"), PLAIN),
        (entry(endpoint="mrmc-difference", arms=("without", "with"), confidence="sure"), CROSSOVER),
    ],
)
def test_what_fits_is_let_through(planned: PlannedAnalysis, situation: Situation) -> None:
    assert contradictions((planned,), situation) == []


def test_a_question_that_is_gone_is_said_elsewhere() -> None:
    assert contradictions((entry(question="gone"),), PLAIN) == []


def test_agreement_of_one_reader_is_foretold_but_does_not_block() -> None:
    plan = (entry(endpoint="agreement"),)
    alone = replace(PLAIN, readers=1)
    assert contradictions(plan, alone) == []
    assert "needs two readers" in shortfalls(plan, alone)[0]
    assert shortfalls(plan, PLAIN) == []


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_the_plan_of_every_template_fits_its_own_design(key: str) -> None:
    template = TEMPLATES[key]
    questions = {
        one.code: Asked(
            one.text,
            one.kind,
            source=one.truth.get("source", ""),
            bound_to=one.bound_to,
            levels=tuple(option.code for option in one.options),
        )
        for one in template.questions
    }
    arms = tuple(arm.code for arm in template.arms) or ("main",)
    situation = Situation(questions, arms, template.design, readers=4, patients_with_several=9)
    assert contradictions(template.analysis, situation) == []

"""Which analyses the imported ratings allow, each with the usual methods of its kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from readerstudy.analysis.endpoints.registry import ENDPOINTS as COMPUTED
from readerstudy.analysis.facts import QuestionFacts
from readerstudy.analysis.importing.mapping import RatingsMapping
from readerstudy.studies.analysis_fit import Asked, Situation, contradictions
from readerstudy.studies.analysis_plan import ENDPOINTS, Plan, PlannedAnalysis
from readerstudy.studies.planning_analysis import METHODS
from readerstudy.studies.reading_design import ReadingDesign

GRADED = ("mrmc-difference", "auc")
TIME, EVENT = ("time", "survival"), ("event", "dead", "death", "status")


def offered(mapping: RatingsMapping) -> Plan:
    """Return every analysis of every question that fits, not yet chosen."""
    asked = [one for one in mapping.facts_of_questions if one.kind not in ("confidence", "text")]
    found = (_usual(question, name, mapping) for question in asked for name in COMPUTED)
    situation = situation_of(mapping)
    return tuple(one for one in found if not contradictions((one,), situation))


def chosen(mapping: RatingsMapping, codes: Iterable[str], primary: str) -> Plan:
    """Return the analyses of these codes; what was planned before under a code is kept."""
    known = {one.code: one for one in (*offered(mapping), *mapping.plan)}
    return tuple(replace(known[c], primary=c == primary) for c in codes if c in known)


def situation_of(mapping: RatingsMapping) -> Situation:
    """Return what a plan has to fit: readers read the same cases in every arm."""
    arms = tuple(one.code for one in mapping.arms) or ("main",)
    design = ReadingDesign(schedule="crossover") if len(arms) > 1 else ReadingDesign()
    return Situation(
        questions={one.code: _asked(one) for one in mapping.facts_of_questions},
        arms=arms,
        design=design,
    )


def _asked(one: QuestionFacts) -> Asked:
    source = str(one.truth.get("source", ""))
    return Asked(one.text, one.kind, source=source, bound_to=one.bound_to, levels=one.levels)


def _usual(question: QuestionFacts, endpoint: str, mapping: RatingsMapping) -> PlannedAnalysis:
    compares, graded = endpoint == "mrmc-difference", endpoint in GRADED
    title = f"{ENDPOINTS[endpoint].partition(',')[0]}: {question.text.lower()}"
    return PlannedAnalysis(
        code=f"{endpoint}_{question.code}",
        title=title[:120],
        question=question.code,
        endpoint=endpoint,
        unit="subject" if "subject" in mapping.columns else "case",
        methods=METHODS[endpoint],
        confidence=_confidence(question, mapping) if graded else "",
        arms=tuple(one.code for one in mapping.arms) if compares else (),
        margin=mapping.margin if endpoint == "turing" else None,
        time=_first(TIME, mapping) if endpoint == "survival" else "",
        event=_first(EVENT, mapping) if endpoint == "survival" else "",
        covariates=("age",) if endpoint == "regression" and "age" in mapping.references else (),
    )


def _confidence(question: QuestionFacts, mapping: RatingsMapping) -> str:
    bound = (one.code for one in mapping.facts_of_questions if one.bound_to == question.code)
    return next(bound, "")


def _first(names: tuple[str, ...], mapping: RatingsMapping) -> str:
    return next((one for one in mapping.references if one.startswith(names)), "")

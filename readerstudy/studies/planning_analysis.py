"""Change the planned analysis of a draft."""

from __future__ import annotations

from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import analysis_plan
from readerstudy.studies.analysis_plan import ENDPOINTS, PlannedAnalysis
from readerstudy.studies.asking import arms_of
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Study
from readerstudy.studies.questioning import free_code, question_of

METHODS = {
    "turing": (
        "proportion",
        "binomial_against",
        "clustered_against",
        "equivalence_to_chance",
        "dprime",
    ),
    "agreement": ("percent_agreement", "cohen_kappa", "fleiss_kappa", "gwet_ac"),
    "reference": ("confusion", "clustered_proportion"),
    "preference": ("clustered_proportion", "binomial_against"),
    "mrmc-difference": ("obuchowski_rockette", "dorfman_berbaum_metz"),
    "score": ("mann_whitney", "rwg", "icc"),
    "comparison": ("chi_square", "fisher_exact", "cramers_v"),
}


def plan_analysis(
    *, study: Study, question: str, endpoint: str, primary: bool, actor: Any
) -> PlannedAnalysis:
    """Add an endpoint to the plan, with the usual methods of its kind."""
    if endpoint not in ENDPOINTS:
        raise ReaderStudyError(f"There is no endpoint called {endpoint!r}.")
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        asked = question_of(held, question)
        graded = held.questions.filter(kind="confidence", bound_to=question).first()
        compares = endpoint == "mrmc-difference"
        entry = PlannedAnalysis(
            code=free_code(f"{endpoint}_{question}"[:28], [one.code for one in held.analyses]),
            title=f"{ENDPOINTS[endpoint].partition(',')[0]}: {asked.text.lower()}"[:120],
            question=question,
            endpoint=endpoint,
            primary=primary,
            methods=METHODS[endpoint],
            confidence=graded.code if graded and compares else "",
            arms=tuple(arms_of(held)) if compares else (),
            margin=held.margin if endpoint == "turing" else None,
        )
        _store(held, (*held.analyses, entry), actor)
    return entry


def drop_analysis(*, study: Study, code: str, actor: Any) -> None:
    """Take an endpoint out of the plan."""
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        kept = tuple(entry for entry in held.analyses if entry.code != code)
        if len(kept) == len(held.analyses):
            raise ReaderStudyError(f"The plan has no analysis “{code}”. It may have been removed.")
        _store(held, kept, actor)


def _store(study: Study, plan: analysis_plan.Plan, actor: Any) -> None:
    old, study.analysis_plan = study.analysis_plan, analysis_plan.document_of(plan)
    analysis_plan.parse(study.analysis_plan)
    study.save(update_fields=("analysis_plan",))
    audit.record(
        actor=actor,
        action="study.plan_analysis",
        target=f"study {study.pk}",
        old={"analysis": [entry["code"] for entry in old]},
        new={"analysis": [entry.code for entry in plan]},
    )

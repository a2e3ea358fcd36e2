"""Change the planned analysis of a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.studies import analysis_plan
from readerstudy.studies.analysis_fit import contradictions
from readerstudy.studies.analysis_plan import ENDPOINTS, PlannedAnalysis
from readerstudy.studies.analysis_situation import situation_of
from readerstudy.studies.asking import arms_of
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Study
from readerstudy.studies.questioning import free_code, question_of
from readerstudy.studies.templates.registry import TEMPLATES

GRADED = ("mrmc-difference", "auc")
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
    "mrmc-difference": ("obuchowski_rockette", "dorfman_berbaum_metz", "delong_test"),
    "score": ("mann_whitney", "rwg", "icc"),
    "comparison": ("chi_square", "fisher_exact", "cramers_v"),
    "auc": ("auc", "clustered_auc", "youden"),
    "regression": ("univariable", "logistic", "backward_elimination"),
    "survival": ("kaplan_meier", "logrank", "cox", "harrell_c", "time_dependent_auc"),
}
FURTHER = {
    "reference": (
        "two_proportions",
        "non_inferiority",
        "mcnemar",
        "obuchowski_rockette",
        "u_statistic",
    ),
    "preference": ("obuchowski_rockette", "u_statistic"),
    "mrmc-difference": ("u_statistic", "nri_continuous", "nri_categorical", "idi"),
    "auc": (
        "bootstrap_auc",
        "partial_auc",
        "obuchowski_rockette",
        "dorfman_berbaum_metz",
        "u_statistic",
    ),
    "agreement": (
        "light_kappa",
        "conger_kappa",
        "krippendorff_alpha",
        "icc",
        "rwg",
        "kendall_w",
        "concordance_correlation",
        "bland_altman",
    ),
    "score": ("clustered_mean", "clustered_mean_difference", "signed_rank", "kendall_w"),
    "comparison": ("g_test", "mann_whitney", "clustered_chi_square"),
    "regression": ("delong_test", "youden"),
}
"""What an endpoint can compute besides the usual methods."""


def plan_analysis(
    *, study: Study, question: str, endpoint: str, primary: bool, actor: Any
) -> PlannedAnalysis:
    """Add an endpoint to the plan, with the usual methods of its kind."""
    if endpoint not in ENDPOINTS:
        raise ReaderStudyError(f"There is no endpoint called {endpoint!r}.")
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        entry = usual_entry(held, question, endpoint, taken=[one.code for one in held.analyses])
        entry = replace(entry, primary=primary)
        _store(held, (*held.analyses, entry), actor)
    return entry


def usual_entry(
    study: Study, question: str, endpoint: str, *, taken: Sequence[str]
) -> PlannedAnalysis:
    """Return an endpoint of a question with the usual methods of its kind, not stored.

    Raises
    ------
    NotFound
        If the study has no such question.
    """
    asked = question_of(study, question)
    graded = study.questions.filter(kind="confidence", bound_to=question).first()
    compares = endpoint == "mrmc-difference"
    return PlannedAnalysis(
        code=free_code(f"{endpoint}_{question}"[:28], list(taken)),
        title=f"{ENDPOINTS[endpoint].partition(',')[0]}: {asked.text.lower()}"[:120],
        question=question,
        endpoint=endpoint,
        unit="subject",
        methods=METHODS[endpoint],
        confidence=graded.code if graded and endpoint in GRADED else "",
        arms=tuple(arms_of(study)) if compares else (),
        margin=study.margin if endpoint == "turing" else None,
    )


def change_analysis(
    *, study: Study, code: str, wanted: Mapping[str, Any], actor: Any
) -> PlannedAnalysis:
    """Change an endpoint of the plan; ``wanted`` holds fields of `PlannedAnalysis` by name.

    Raises
    ------
    Conflict
        After the lock.
    NotFound
        If the plan has no such endpoint any more.
    ReaderStudyError
        If the new entry contradicts itself or names what the study does not have; the plan
        stays as it was.
    """
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        entry = entry_of(held, code)
        document = {**analysis_plan.document_of((entry,))[0], **wanted, "code": code}
        (changed,) = analysis_plan.parse([document])
        require_fit(held, changed)
        require_methods(changed, former=entry)
        plan = tuple(changed if one.code == code else one for one in held.analyses)
        _store(held, plan, actor, changed=(entry, changed))
    return changed


def entry_from(study: Study, document: Mapping[str, Any]) -> PlannedAnalysis:
    """Return the entry that a document describes, checked against the study; nothing is stored.

    Raises
    ------
    ReaderStudyError
        If it contradicts itself, or the study does not carry it.
    """
    (entry,) = analysis_plan.parse([{**document, "primary": False}])
    require_fit(study, entry)
    require_methods(entry, former=entry)
    return entry


def entry_of(study: Study, code: str) -> PlannedAnalysis:
    """Return an endpoint of the plan by its code."""
    found = next((entry for entry in study.analyses if entry.code == code), None)
    if found is None:
        raise _unknown(code)
    return found


def _unknown(code: str) -> NotFound:
    return NotFound(f"The plan has no analysis “{code}”. It may have been removed.")


def methods_of(endpoint: str) -> list[str]:
    """Return what can be computed for an endpoint: the usual methods, then all others."""
    planned = [entry for template in TEMPLATES.values() for entry in template.analysis]
    more = [name for entry in planned if entry.endpoint == endpoint for name in entry.methods]
    return list(dict.fromkeys((*METHODS.get(endpoint, ()), *more, *FURTHER.get(endpoint, ()))))


def require_methods(entry: PlannedAnalysis, *, former: PlannedAnalysis) -> None:
    """Refuse an entry without a method, or with one that is for another endpoint."""
    known = set(methods_of(entry.endpoint))
    if entry.endpoint == former.endpoint:
        known |= set(former.methods)
    if not entry.methods:
        raise ReaderStudyError("Choose at least one method; without one nothing is computed.")
    if strange := [name for name in entry.methods if name not in known]:
        raise ReaderStudyError(
            f"{strange[0]} is no method for “{entry.endpoint_label}”. "
            f"It is computed by {', '.join(methods_of(entry.endpoint))}."
        )


def require_fit(study: Study, entry: PlannedAnalysis) -> None:
    """Refuse an entry that the questions, the design and the cases do not carry."""
    situation = situation_of(study)
    faults = analysis_plan.gaps((entry,), questions=situation.questions, arms=arms_of(study))
    faults += contradictions((entry,), situation)
    if faults:
        raise ReaderStudyError(" ".join(faults))


def drop_analysis(*, study: Study, code: str, actor: Any) -> None:
    """Take an endpoint out of the plan."""
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        kept = tuple(entry for entry in held.analyses if entry.code != code)
        if len(kept) == len(held.analyses):
            raise _unknown(code)
        _store(held, kept, actor)


def _store(
    study: Study,
    plan: analysis_plan.Plan,
    actor: Any,
    changed: tuple[PlannedAnalysis, PlannedAnalysis] | None = None,
) -> None:
    old, study.analysis_plan = study.analysis_plan, analysis_plan.document_of(plan)
    analysis_plan.parse(study.analysis_plan)
    study.save(update_fields=("analysis_plan",))
    before, after = analysis_plan.document_of(changed) if changed else (None, None)
    audit.record(
        actor=actor,
        action="study.plan_analysis",
        target=f"study {study.pk}",
        old={"analysis": [entry["code"] for entry in old], **({"entry": before} if before else {})},
        new={"analysis": [entry.code for entry in plan], **({"entry": after} if after else {})},
    )

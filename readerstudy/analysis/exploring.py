"""Ask for an analysis that was not planned. It is marked exploratory wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readerstudy.analysis.models import ExploratoryAnalysis
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, NotFound, ReaderStudyError
from readerstudy.studies import analysis_plan, planning_analysis
from readerstudy.studies.models import Study
from readerstudy.studies.questioning import free_code


def explore(
    *, study: Study, wanted: Mapping[str, Any], reason: str, actor: Any
) -> ExploratoryAnalysis:
    """Store an exploratory endpoint of an unblinded study; ``wanted`` is an entry of a plan.

    Raises
    ------
    NotAllowed
        Before the study is unblinded: until the lock an endpoint is planned instead.
    ReaderStudyError
        If the entry contradicts itself, or names what the study does not have.
    """
    if study.state != Study.State.UNBLINDED:
        raise NotAllowed("An exploratory analysis can be asked for once the study is unblinded.")
    if not reason.strip():
        raise ReaderStudyError("Say why; the reason stands beside the results.")
    with write_transaction():
        entry = planning_analysis.entry_from(study, {**wanted, "code": _code(study, wanted)})
        row = ExploratoryAnalysis.objects.create(
            study=study,
            entry=analysis_plan.document_of((entry,))[0],
            reason=reason.strip(),
            asked_by=actor,
        )
        audit.record(
            actor=actor,
            action="analysis.explore",
            target=f"study {study.pk}",
            new={"entry": row.entry},
            reason=row.reason,
        )
    return row


def usual(study: Study, *, question: str, endpoint: str) -> analysis_plan.PlannedAnalysis:
    """Return an endpoint with the usual methods of its kind, as a start for the form.

    Raises
    ------
    NotFound
        If there is no such question or endpoint.
    """
    if endpoint not in analysis_plan.ENDPOINTS:
        raise NotFound(f"There is no endpoint called {endpoint!r}.")
    return planning_analysis.usual_entry(study, question, endpoint, taken=_taken(study))


def _taken(study: Study) -> list[str]:
    rows = ExploratoryAnalysis.objects.filter(study=study)
    return [entry.code for entry in study.analyses] + [row.entry["code"] for row in rows]


def _code(study: Study, wanted: Mapping[str, Any]) -> str:
    wish = f"{wanted['endpoint']}_{wanted['question']}"[:28]
    return free_code(wish, _taken(study))

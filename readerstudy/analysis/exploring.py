"""Ask for an analysis that was not planned. It is marked exploratory wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readerstudy.analysis.models import ExploratoryAnalysis
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.studies import analysis_plan
from readerstudy.studies.asking import arms_of
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
    taken = [entry.code for entry in study.analyses]
    with write_transaction():
        rows = ExploratoryAnalysis.objects.filter(study=study)
        taken += [row.entry["code"] for row in rows]
        code = free_code(f"explore_{wanted.get('code') or wanted['endpoint']}"[:28], taken)
        (entry,) = analysis_plan.parse([{**wanted, "code": code, "primary": False}])
        questions = study.questions.values_list("code", flat=True)
        if missing := analysis_plan.gaps((entry,), questions=questions, arms=arms_of(study)):
            raise ReaderStudyError(" ".join(missing))
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

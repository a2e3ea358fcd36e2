"""Run the analysis of a study: once for each state of data, plan and software.

`start` stores the run and queues its job; `carry_out_run` is the work of the job; `finished` is
what pages and exports ask for.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils import timezone

from readerstudy.analysis import datasets, document, export
from readerstudy.analysis.carrying_out import (
    Entry,
    Tell,
    carry_out,
    plan_digest,
)
from readerstudy.analysis.document import EXPLORATORY, PLANNED, Document
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.models import AnalysisRun, ExploratoryAnalysis
from readerstudy.analysis.software import code_sha256, software, versions
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotAllowed
from readerstudy.studies import analysis_plan
from readerstudy.studies.models import Study


def exploratory_plan(study: Study) -> analysis_plan.Plan:
    """Return what was asked for after unblinding, in the order of asking."""
    rows = ExploratoryAnalysis.objects.filter(study=study)
    return analysis_plan.parse([row.entry for row in rows])


def start(study: Study, *, actor: Any) -> AnalysisRun:
    """Return the run for the present data and plan; a new one is queued.

    Raises
    ------
    NotAllowed
        Before the study is unblinded.
    """
    _require_unblinded(study)
    run = noted(study, actor=actor)
    if run.document is None and run.job is None:
        with write_transaction():
            run.job = jobs.enqueue(
                "analyse_study",
                title=f"Analysis of {study.name}",
                arguments={"run": str(run.pk)},
                actor=actor,
                key=f"analyse:{run.pk}",
            )
            run.save(update_fields=("job",))
    return run


def here(study: Study, *, actor: Any, tell: Tell | None = None) -> Document:
    """Return the results of the present data and plan, computed in this process where missing.

    Raises
    ------
    NotAllowed
        Before the study is unblinded.
    """
    _require_unblinded(study)
    return carry_out_run(noted(study, actor=actor), actor=actor, tell=tell)


def _require_unblinded(study: Study) -> None:
    if study.state != Study.State.UNBLINDED:
        raise NotAllowed("Results exist once the study is closed and unblinded.")


def start_after_unblinding(study: Study, *, actor: Any) -> None:
    """Start the analysis as soon as truth is joined; a dry run makes its own results."""
    if study.rehearsal_of_id is None:
        start(study, actor=actor)


def noted(study: Study, *, actor: Any) -> AnalysisRun:
    """Return the row of the run for the present data, plan and software, made where missing."""
    planned, later = study.analyses, exploratory_plan(study)
    facts = {
        "data_fingerprint": datasets.fingerprint(study),
        "plan_sha256": plan_digest([planned, later]),
        "software": software(),
    }
    named = [str(study.pk), *facts.values(), code_sha256()]
    key = hashlib.sha256("\n".join(named).encode()).hexdigest()
    known = AnalysisRun.objects.filter(key=key).select_related("job", "archive_job").first()
    if known is not None:
        return known
    entries = [(PLANNED, one) for one in analysis_plan.document_of(planned)]
    entries += [(EXPLORATORY, one) for one in analysis_plan.document_of(later)]
    with write_transaction():
        run, made = AnalysisRun.objects.get_or_create(
            key=key,
            defaults={
                "study": study,
                "entries": [{"tag": tag, "entry": one} for tag, one in entries],
                "started_by": actor if getattr(actor, "pk", None) else None,
                **facts,
            },
        )
        if made:
            audit.record(
                actor=actor,
                action="analysis.start",
                target=f"study {study.pk}",
                new={"run": str(run.pk), "key": key, **facts},
            )
    return run


def carry_out_run(run: AnalysisRun, *, actor: Any, tell: Tell | None = None) -> Document:
    """Compute a run and store its document, unless that was done before."""
    if run.document is not None:
        return document.from_dict(run.document)
    data = datasets.load(run.study, actor=actor)
    found = compute(data, _entries(run), tell=tell, plan_sha256=run.plan_sha256)
    with write_transaction():
        run.document = found.to_dict()
        run.data_sha256 = found.provenance["data_sha256"]
        run.finished_at = timezone.now()
        run.save(update_fields=("document", "data_sha256", "finished_at"))
        audit.record(
            actor=actor,
            action="analysis.finish",
            target=f"study {run.study_id}",
            new={"run": str(run.pk), "data_sha256": run.data_sha256},
        )
    return found


def _entries(run: AnalysisRun) -> tuple[Entry, ...]:
    plan = analysis_plan.parse([one["entry"] for one in run.entries])
    return tuple(Entry(entry, one["tag"]) for entry, one in zip(plan, run.entries, strict=True))


def compute(
    data: Dataset, entries: tuple[Entry, ...], *, plan_sha256: str = "", tell: Tell | None = None
) -> Document:
    """Return the document of a data set, with what it rests on."""
    provenance = {
        "protocol_hash": data.protocol.hash,
        "protocol_version": data.protocol.version,
        "plan_sha256": plan_sha256,
        "data_sha256": export.data_sha256(data),
        "software": versions(),
        "code_sha256": code_sha256(),
    }
    return carry_out(data, entries, provenance=provenance, tell=tell)


def earlier_than(run: AnalysisRun) -> list[AnalysisRun]:
    """Return the finished runs of the same study on other data, plans or versions."""
    others = AnalysisRun.objects.filter(study=run.study_id, finished_at__isnull=False)
    return list(others.exclude(pk=run.pk).order_by("finished_at"))


def finished(study: Study, *, actor: Any) -> Document:
    """Return the results of the present data and plan.

    Raises
    ------
    Conflict
        While they are being computed.
    """
    run = start(study, actor=actor)
    if run.document is None:
        raise Conflict("The analysis is at work. Its page shows how far it is.")
    return document.from_dict(run.document)

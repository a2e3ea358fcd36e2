"""Background work of the analysis."""

from __future__ import annotations

from typing import Any

from readerstudy.analysis import running
from readerstudy.analysis.models import AnalysisRun, RatingsImport
from readerstudy.analysis.ratings import computing
from readerstudy.core.jobs import JobContext, handles


@handles("analyse_study")
def analyse_study(context: JobContext, *, run: str) -> dict[str, Any]:
    """Compute one run; what an earlier attempt stored is kept."""
    row = AnalysisRun.objects.select_related("study", "started_by").get(pk=run)
    found = running.carry_out_run(row, actor=row.started_by, tell=context.progress)
    return {"run": run, "sections": len(found.sections)}


@handles("analyse_ratings")
def analyse_ratings(context: JobContext, *, ratings: str) -> dict[str, Any]:
    """Compute the results of imported ratings."""
    row = RatingsImport.objects.select_related("created_by").get(pk=ratings)
    found = computing.compute(row, tell=context.progress)
    return {"ratings": ratings, "sections": len(found.sections)}

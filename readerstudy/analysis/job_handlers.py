"""Background work of the analysis.

A worker computes for whoever may see the results, not for the person whose visit began it: that
one may be blind to the same cases in another study. Who looks is checked and recorded at the page.
"""

from __future__ import annotations

from typing import Any

from readerstudy.analysis import archiving, running
from readerstudy.analysis.models import AnalysisRun, RatingsImport
from readerstudy.analysis.ratings import computing
from readerstudy.core.jobs import JobContext, handles


@handles("analyse_study")
def analyse_study(context: JobContext, *, run: str) -> dict[str, Any]:
    """Compute one run; what an earlier attempt stored is kept."""
    row = AnalysisRun.objects.select_related("study").get(pk=run)
    found = running.carry_out_run(row, actor=None, tell=context.progress)
    archiving.queue(row, actor=None)
    return {"run": run, "sections": len(found.sections)}


@handles("archive_results")
def archive_results(context: JobContext, *, run: str) -> dict[str, Any]:
    """Write the report and everything else of one run as an archive, unless it is there."""
    row = AnalysisRun.objects.select_related("study").get(pk=run)
    context.progress(0, 1, "Writing the report, tables and figures")
    name = archiving.write(row, actor=None)
    context.progress(1, 1)
    return {"run": run, "archive": name}


@handles("analyse_ratings")
def analyse_ratings(context: JobContext, *, ratings: str) -> dict[str, Any]:
    """Compute the results of imported ratings."""
    row = RatingsImport.objects.select_related("created_by").get(pk=ratings)
    found = computing.compute(row, tell=context.progress)
    return {"ratings": ratings, "sections": len(found.sections)}

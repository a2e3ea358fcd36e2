"""Staff pages of scores: of a run, its copies, and all checkpoints side by side."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from readerstudy.cases.flags import label
from readerstudy.core import jobs
from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.core.models import Job
from readerstudy.core.pages import ActionView, CoordinatorPage
from synthesis import courses, progression, score_figures, score_tables
from synthesis.folders import scoring_folder
from synthesis.forms import LabelMapsForm, ScoreForm
from synthesis.looking import look_at_run, why_closed
from synthesis.metrics.regions import BRAIN
from synthesis.models import Checkpoint, GenerationRun, Scoring
from synthesis.score_orders import ScoreOrder, default_presets
from synthesis.score_rows import ACQUIRED, LABEL_MAP
from synthesis.sessions import sessions_of


def run_of(pk: uuid.UUID) -> GenerationRun:
    """Return a run; callers have checked the role."""
    run = GenerationRun.objects.select_related("checkpoint").filter(pk=pk).first()
    if run is None:
        raise NotFound("There is no such generation run.")
    return run


def scores_context(run: GenerationRun) -> dict[str, Any]:
    """Return what the page of a run's scores shows."""
    lines = score_tables.lines_of([run])
    return {
        "run": run,
        "drawn": "samples" in run.record,
        "label": label(run.role),
        "lines": lines,
        "sets": score_tables.set_lines(run),
        "figures": _agreements(lines),
        "scorings": run.scorings.select_related("job"),
        "copies": _with_copies(run),
        "jobs": Job.objects.filter(kind="score", arguments__run=str(run.pk))[:3],
        "segmentations": progression.segmentations_of(run),
        "upload": LabelMapsForm(),
    }


def _agreements(lines: list[score_tables.Line]) -> list[tuple[str, str, str]]:
    """Return preset, metric and region of what is drawn as agreement."""
    return [
        (line.preset, line.metric, line.region)
        for line in lines
        if line.metric in score_figures.MEASURED
        and line.synthetic.images > 1
        and line.baseline_name == ACQUIRED
        and not line.preset.endswith(LABEL_MAP)
    ]


def _with_copies(run: GenerationRun) -> Scoring | None:
    return next((one for one in run.scorings.all() if one.record.get("copies")), None)


class RunScores(ActionView, CoordinatorPage):
    """Scores of a run, and the form that orders more."""

    form_class = ScoreForm
    template_name = "synthesis/scores.html"

    def get_initial(self) -> dict[str, Any]:
        run = run_of(self.kwargs["pk"])
        return {**super().get_initial(), "presets": default_presets(run)}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "run": run_of(self.kwargs["pk"])}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        run = run_of(self.kwargs["pk"])
        closed = why_closed(run, self.request.user)
        return super().get_context_data(**scores_context(run), why_closed=closed, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponseBase:
        run = run_of(self.kwargs["pk"])
        order = ScoreOrder(
            presets=tuple(data.get("presets", ())),
            regions=tuple(data.get("regions", (BRAIN,))),
            scheme=data.get("labels", "auto"),
            segmenter=data.get("segmentations", ""),
            extractor=data["extractor"],
        ).checked()
        queue_scoring(run, order, actor=self.request.user)
        return redirect("run-scores", run.pk)


def queue_scoring(run: GenerationRun, order: ScoreOrder, *, actor: Any) -> Job:
    """Queue a scoring; the same order for the same images is one job."""
    arguments = {"run": str(run.pk), "order": order.to_dict()}
    told = json.dumps([arguments, len(run.record.get("images", []))], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()[:32]
    job = jobs.enqueue(
        "score",
        title=f"Score run {str(run.pk)[:8]}",
        arguments=arguments,
        actor=actor,
        key=f"score:{digest}",
    )
    if job.state == Job.State.FAILED:
        jobs.retry(job=job)
    return job


def run_scores_csv(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = run_of(pk)
    if reason := why_closed(run, request.user):
        raise NotAllowed(f"Scores by case are not handed out. {reason}")
    return _as_csv(score_tables.cases_csv(run), f"scores-{str(run.pk)[:8]}.csv")


def courses_table(request: HttpRequest) -> HttpResponse:
    require_coordinator(request.user)
    text = courses.courses_csv(courses.followed_courses())
    return _as_csv(text, "scores-over-training.csv")


def _as_csv(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def run_agreement(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    asked = [request.GET.get(name, "") for name in ("preset", "metric", "region")]
    svg = score_figures.agreement_svg(run_of(pk), *asked)
    return HttpResponse(svg, content_type="image/svg+xml")


def run_copies(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = run_of(pk)
    scoring = _with_copies(run)
    if scoring is None:
        raise NotFound("No search for copies was made for this run.")
    look = look_at_run(run=run, actor=request.user)
    context = {"run": run, "scoring": scoring, "look": look, "label": label(run.role)}
    return render(request, "synthesis/copies.html", context)


def run_copy(
    request: HttpRequest, pk: uuid.UUID, measure: str, place: int, kind: str
) -> HttpResponseBase:
    require_coordinator(request.user)
    run = run_of(pk)
    scoring = _with_copies(run)
    known = scoring.record["copies"].get(measure, {}).get("pairs", []) if scoring else []
    if scoring is None or place >= len(known) or why_closed(run, request.user):
        raise NotFound("There is no such picture.")
    path = scoring_folder(scoring.pk) / f"{measure}-{place}-{kind}.png"
    if not path.exists():
        raise NotFound("There is no such picture.")
    return FileResponse(path.open("rb"), content_type="image/png")


def generator_scores(request: HttpRequest) -> HttpResponse:
    require_coordinator(request.user)
    checkpoints = list(Checkpoint.objects.order_by("created_at"))
    rows = score_tables.comparison(checkpoints)
    metric = request.GET.get("metric", "fid")
    points = score_figures.points_of(checkpoints, metric)
    context = {
        "checkpoints": checkpoints,
        "rows": rows,
        "metric": metric,
        "kinds": [kind for kind, found in points.items() if found],
        "courses": courses.followed_courses(),
        "sessions": sessions_of(checkpoints, actor=request.user),
    }
    return render(request, "synthesis/generator_scores.html", context)


def generator_scores_csv(request: HttpRequest) -> HttpResponse:
    require_coordinator(request.user)
    text = score_tables.comparison_csv(list(Checkpoint.objects.order_by("created_at")))
    return _as_csv(text, "generator-scores.csv")


def generator_scores_figure(request: HttpRequest) -> HttpResponse:
    require_coordinator(request.user)
    kind, metric = request.GET.get("kind", ""), request.GET.get("metric", "fid")
    found = list(Checkpoint.objects.all())
    svg = score_figures.over_training_svg(found, kind, metric, actor=request.user)
    return HttpResponse(svg, content_type="image/svg+xml")

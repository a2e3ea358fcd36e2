"""Staff pages of the generators: what was trained, on what, how well, and what it made."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from readerstudy.cases.flags import label
from readerstudy.core import jobs
from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotFound
from readerstudy.core.models import Job
from readerstudy.core.pages import ActionView, CoordinatorPage
from synthesis import fairness, following, packing, summaries
from synthesis.drawing_views import forms_of
from synthesis.exporting import export_image
from synthesis.folders import run_folder
from synthesis.forms import GenerateForm
from synthesis.looking import look_at_run
from synthesis.models import Checkpoint, GenerationRun, TrainingRun

KINDS = (
    "make_phantoms",
    "import_cases",
    "train",
    "generate",
    "draw",
    "cut_slices",
    "film",
    "score",
    "release",
    "fairness",
)


def generators(request: HttpRequest) -> HttpResponse:
    require_coordinator(request.user)
    context = {
        "jobs": Job.objects.filter(kind__in=KINDS)[:12],
        "trainings": [following.follow(one) for one in TrainingRun.objects.all()[:12]],
        "checkpoints": [summaries.of(one) for one in Checkpoint.objects.all()],
    }
    return render(request, "synthesis/generators.html", context)


def checkpoint(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    context = summaries.page_context(access_checkpoint(pk))
    context["form"] = GenerateForm()
    if context["draws"]:
        context |= forms_of(context["checkpoint"])
    return render(request, "synthesis/checkpoint.html", context)


def generation_run(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = GenerationRun.objects.select_related("checkpoint").filter(pk=pk).first()
    if run is None:
        raise NotFound("There is no such generation run.")
    look = look_at_run(run=run, actor=request.user)
    return render(
        request,
        "synthesis/run.html",
        {
            "run": run,
            "look": look,
            "label": _labels(run.role),
            "plane": run.checkpoint.card["architecture"]["settings"].get("plane", ""),
            "fairness": fairness.latest_report(run),
        },
    )


def _labels(roles: str) -> str:
    """Return the names of the sequences of a run, which "+" joins where there are several."""
    return " and ".join(label(role) for role in roles.split("+"))


@require_POST
def checkpoint_files(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    require_coordinator(request.user)
    name = access_checkpoint(pk).run_folder
    stream = packing.pack(name=name, actor=request.user)
    return FileResponse(stream, as_attachment=True, filename=f"{name.replace('/', '-')}.zip")


def samples(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    require_coordinator(request.user)
    path: Path = run_folder(access_checkpoint(pk).run_folder) / "samples.png"
    if not path.exists():
        raise NotFound("This run has no sample sheet.")
    return FileResponse(path.open("rb"), content_type="image/png")


@require_POST
def fairness_report(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = GenerationRun.objects.filter(pk=pk).first()
    if run is None:
        raise NotFound("There is no such generation run.")
    fairness.request_report(run=run, actor=request.user)
    return redirect("generation-run", pk)


@require_POST
def generated_image(request: HttpRequest, pk: uuid.UUID, code: str) -> HttpResponse:
    require_coordinator(request.user)
    run = GenerationRun.objects.select_related("checkpoint").filter(pk=pk).first()
    if run is None:
        raise NotFound("There is no such generation run.")
    content = export_image(run=run, code=code, actor=request.user)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="synthetic-{code}.zip"'
    return response


class GenerateView(ActionView, CoordinatorPage):
    """Queue the making of synthetic counterparts."""

    form_class = GenerateForm
    template_name = "synthesis/checkpoint.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = summaries.page_context(access_checkpoint(self.kwargs["pk"]))
        return super().get_context_data(**found, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponseBase:
        stored = access_checkpoint(self.kwargs["pk"])
        codes = summaries.choose_sources(stored, data["count"], seed=data["seed"])
        queue_generation(stored, codes, seed=data["seed"], actor=self.request.user)
        return redirect("checkpoint", stored.pk)


def queue_generation(checkpoint: Checkpoint, codes: list[str], *, seed: int, actor: Any) -> Job:
    """Queue the making of counterparts; the same order given twice is one job."""
    arguments = {"checkpoint": str(checkpoint.pk), "cases": codes, "seed": seed}
    digest = hashlib.sha256(repr(arguments).encode()).hexdigest()[:32]
    job = jobs.enqueue(
        "generate",
        title=f"Make {len(codes)} synthetic counterparts",
        arguments=arguments,
        actor=actor,
        key=f"generate:{digest}",
    )
    if job.state == Job.State.FAILED:
        jobs.retry(job=job)
    return job


def access_checkpoint(pk: uuid.UUID) -> Checkpoint:
    """Return a checkpoint; callers have checked the role."""
    found = Checkpoint.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such checkpoint.")
    return found

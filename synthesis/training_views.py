"""Staff pages of trainings: order one, follow it, stop it, let it go on."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotFound
from readerstudy.core.models import Job
from readerstudy.core.pages import ActionView, CoordinatorPage
from synthesis import (
    courses,
    curves,
    following,
    ordering,
    packing,
    presets,
    releasing,
    sessions,
)
from synthesis.case_data import usable_cases
from synthesis.folders import run_folder
from synthesis.models import TrainingRun
from synthesis.sessions import checkpoints_of
from synthesis.training_forms import TrainForm, as_initial

DICES = frozenset({"dice", "dice_tumour", "dice_core", "dice_enhancing"})
RISING = DICES | {"ssim", "ms_ssim", "psnr", "cc", "mi", "precision", "recall", "diversity"}
CURVES = ("loss.svg", "scores.svg", "fid.svg", "kid.svg")


def choose_preset(request: HttpRequest) -> HttpResponse:
    require_coordinator(request.user)
    context = {"columns": presets.in_columns(), "count": len(presets.presets())}
    return render(request, "synthesis/presets.html", context)


class TrainView(ActionView, CoordinatorPage):
    """Order a training of one preset."""

    form_class = TrainForm
    template_name = "synthesis/train.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        roots = [Path(root) for root in settings.TRAINING_ROOTS]
        return {
            **super().get_form_kwargs(),
            "preset": presets.find(self.kwargs["preset"]),
            "folders": ordering.data_folders(roots),
        }

    def get_initial(self) -> dict[str, Any]:
        preset, like = self.kwargs["preset"], self.request.GET.get("like", "")
        model = next(
            (r for r in TrainingRun.objects.filter(preset=preset) if str(r.pk) == like), None
        )
        return as_initial(model) if model else {"name": ordering.free_name(preset)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        preset = presets.named(presets.find(self.kwargs["preset"]))
        usable = usable_cases(preset["sequences"])
        roots = [str(root) for root in settings.TRAINING_ROOTS]
        return super().get_context_data(preset=preset, usable=usable, roots=roots, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponseBase:
        form = self.get_form()
        form.is_valid()
        run = ordering.order_training(order=self._order(form, data), actor=self.request.user)
        return redirect("training", run.pk)

    def _order(self, form: TrainForm, data: dict[str, Any]) -> ordering.Order:
        preset, overrides = self.kwargs["preset"], form.overrides()
        sequences = presets.check(preset, overrides)
        folder, codes = form.images(usable_cases(sequences))
        asked = {name: data[name] for name in ("name", "seed", "device", "processes", "start_from")}
        return ordering.Order(
            preset=preset,
            data=folder,
            cases=codes,
            sequences=sequences,
            overrides=overrides,
            **asked,
        )


def training(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    followed = following.follow(access_training(pk))
    context = {
        "followed": followed,
        "run": followed.run,
        "best": followed.best(rising=RISING),
        "has_fid": courses.has_course(followed),
        "stops": courses.stops(followed),
        "sessions": sessions.sessions_of(checkpoints_of(followed.run.name), actor=request.user),
        "has_sheet": (run_folder(followed.run.name) / "samples.png").exists(),
        "releases": Job.objects.filter(kind="release", arguments__training=str(pk))[:3],
    }
    return render(request, "synthesis/training.html", context)


def training_curve(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    require_coordinator(request.user)
    followed = following.follow(access_training(pk))
    if name not in CURVES:
        raise NotFound("There is no such figure.")
    if name == "loss.svg":
        svg = curves.losses_svg(followed.train, followed.loss_names, until=followed.max_steps)
    elif name == "scores.svg":
        names = followed.score_names
        svg = curves.scores_svg(followed.validations, names, until=followed.max_steps)
    else:
        svg = courses.course_svg(followed, name.removesuffix(".svg"), actor=request.user)
    return HttpResponse(svg, content_type="image/svg+xml")


@require_POST
def training_release(request: HttpRequest, pk: uuid.UUID, step: int) -> HttpResponse:
    require_coordinator(request.user)
    releasing.release(run=access_training(pk), step=step, actor=request.user)
    return redirect("training", pk)


@require_POST
def training_files(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    require_coordinator(request.user)
    name = access_training(pk).name
    stream = packing.pack(name=name, actor=request.user)
    return FileResponse(stream, as_attachment=True, filename=f"{name}.zip")


def training_samples(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    require_coordinator(request.user)
    path = run_folder(access_training(pk).name) / "samples.png"
    if not path.exists():
        raise NotFound("This run has no sample sheet yet.")
    return FileResponse(path.open("rb"), content_type="image/png")


@require_POST
def training_stop(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    ordering.ask_to_stop(run=access_training(pk), actor=request.user)
    return redirect("training", pk)


@require_POST
def training_resume(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    ordering.go_on(run=access_training(pk), actor=request.user)
    return redirect("training", pk)


def access_training(pk: uuid.UUID) -> TrainingRun:
    """Return a training; callers have checked the role."""
    found = TrainingRun.objects.select_related("job", "created_by", "start_from").filter(pk=pk)
    run = found.first()
    if run is None:
        raise NotFound("There is no such training.")
    return run

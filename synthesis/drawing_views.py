"""Orders to generators that draw images: images, real slices to go with them, a film."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from readerstudy.core import jobs
from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import Conflict, NotFound
from readerstudy.core.models import Job
from readerstudy.core.pages import ActionView, CoordinatorPage
from synthesis import summaries
from synthesis.drawing_forms import CutForm, DrawForm, FilmForm
from synthesis.drawing_kinds import FILM_FILE, draws_images, free_for_slices
from synthesis.folders import run_folder
from synthesis.models import Checkpoint


class OrderView(ActionView, CoordinatorPage):
    """A form on the page of a checkpoint that queues a job."""

    template_name = "synthesis/checkpoint.html"

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of the address."""
        found = Checkpoint.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None or not draws_images(found):
            raise NotFound("There is no such generator of images.")
        return found

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "checkpoint": self.checkpoint}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        context = super().get_context_data(**kwargs)
        return {
            **context,
            **summaries.page_context(self.checkpoint),
            **forms_of(self.checkpoint, form),
        }


class DrawView(OrderView):
    """Queue the drawing of images."""

    form_class = DrawForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        order = {
            "count": data["count"],
            "seed": data["seed"],
            "truncation": data.get("truncation", 1.0),
            "exclude_copies": data["exclude_copies"],
        }
        _queue("draw", f"Draw {data['count']} images", self.checkpoint, order, self.request.user)
        return redirect("checkpoint", self.checkpoint.pk)


class CutView(OrderView):
    """Queue the cutting of real slices."""

    form_class = CutForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        free = free_for_slices(self.checkpoint)
        if not free:
            raise Conflict("No real case has every sequence without having trained this network.")
        order = {"cases": free, "count": data["count"], "seed": data["seed"]}
        _queue(
            "cut_slices",
            f"Cut {data['count']} real slices",
            self.checkpoint,
            order,
            self.request.user,
        )
        return redirect("checkpoint", self.checkpoint.pk)


class FilmView(OrderView):
    """Queue the making of a film."""

    form_class = FilmForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        order = {
            "stops": data["stops"],
            "seed": data["seed"],
            "truncation": data.get("truncation", 1.0),
        }
        _queue(
            "film",
            f"Film a walk past {data['stops']} images",
            self.checkpoint,
            order,
            self.request.user,
        )
        return redirect("checkpoint", self.checkpoint.pk)


def forms_of(checkpoint: Checkpoint, bound: Any = None) -> dict[str, Any]:
    """Return the forms of the page, one of them as it was sent if it was refused."""
    kinds = {"draw_form": DrawForm, "cut_form": CutForm, "film_form": FilmForm}
    return {
        name: bound if isinstance(bound, kind) else kind(checkpoint=checkpoint, prefix=None)
        for name, kind in kinds.items()
    }


def film_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    require_coordinator(request.user)
    found = Checkpoint.objects.filter(pk=pk).first()
    path = run_folder(found.run_folder) / FILM_FILE if found else None
    if path is None or not path.exists():
        raise NotFound("No film was made of this generator.")
    return FileResponse(path.open("rb"), content_type="video/mp4")


def _queue(kind: str, title: str, checkpoint: Checkpoint, order: dict[str, Any], actor: Any) -> Job:
    """Queue an order; the same one given twice is one job."""
    arguments = {"checkpoint": str(checkpoint.pk), **order}
    digest = hashlib.sha256(repr(sorted(arguments.items())).encode()).hexdigest()[:32]
    job = jobs.enqueue(kind, title=title, arguments=arguments, actor=actor, key=f"{kind}:{digest}")
    if job.state == Job.State.FAILED:
        jobs.retry(job=job)
    return job

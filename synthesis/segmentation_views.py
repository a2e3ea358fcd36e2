"""Staff pages of segmentations: Dice by group and by case, time to progression, label maps."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from readerstudy.cases.flags import label
from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from synthesis import label_maps, overlap_tables, progression
from synthesis.forms import LabelMapsForm, ProgressionForm
from synthesis.looking import why_closed
from synthesis.score_views import run_of


def _name(run: Any) -> str:
    return f"run-{str(run.pk)[:8]}"


def run_segmentations(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = run_of(pk)
    known = progression.segmentations_of(run)
    form = ProgressionForm(request.GET or None, segmentations=known)
    chosen = form.chosen() if form.is_bound and form.is_valid() else form.default()
    closed = why_closed(run, request.user)
    context = {
        "run": run,
        "label": label(run.role),
        "form": form,
        "known": known,
        "asked": form.query(chosen),
        "closed": closed,
        "groups": overlap_tables.by_group(run, with_reference=not closed),
        "found": progression.read_out(run, *chosen) if known else None,
    }
    return render(request, "synthesis/segmentations.html", context)


def run_progression_csv(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = run_of(pk)
    form = ProgressionForm(request.GET, segmentations=progression.segmentations_of(run))
    if not form.is_valid():
        raise ReaderStudyError(f"The rule cannot be used: {form.errors.as_text()}")
    text = progression.csv_of(progression.read_out(run, *form.chosen()))
    return _csv(text, f"{_name(run)}-progression.csv")


def run_overlaps_csv(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    require_coordinator(request.user)
    run = run_of(pk)
    if reason := why_closed(run, request.user):
        raise NotAllowed(f"Scores by case are not handed out. {reason}")
    text = overlap_tables.cases_csv(run)
    return _csv(text, f"{_name(run)}-segmentations.csv")


def _csv(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
def upload_label_maps(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    require_coordinator(request.user)
    run = run_of(pk)
    form = LabelMapsForm(request.POST, request.FILES)
    if not form.is_valid():
        raise ReaderStudyError("Name the set in letters, digits and hyphens, and choose files.")
    label_maps.keep(
        run=run,
        name=form.cleaned_data["name"],
        files=form.cleaned_data["files"],
        actor=request.user,
    )
    return redirect("run-scores", pk)

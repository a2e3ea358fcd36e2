"""Results of an unblinded study: the page, the figure and the downloads."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.generic import TemplateView

from readerstudy.analysis import datasets, export, figures, programme, reporting
from readerstudy.analysis.presentation import results_context
from readerstudy.core.errors import NotFound
from readerstudy.studies.access import access_study, find_with_role
from readerstudy.studies.pages import StudyPage
from readerstudy.studies.permissions import Action, Rights

TYPES = {".csv": "text/csv", ".json": "application/json", ".svg": "image/svg+xml"}


@login_required
def results(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    study = access_study(pk=pk, user=request.user, action=Action.RESULTS)
    _, role = find_with_role(pk=pk, user=request.user)
    report = reporting.analyse(datasets.load(study, actor=request.user))
    context = {**results_context(study, report), "rights": Rights(study, role)}
    return render(request, "analysis/results.html", context)


@login_required
def figure(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    study = access_study(pk=pk, user=request.user, action=Action.RESULTS)
    report = reporting.analyse(datasets.load(study, actor=request.user))
    if report.turing is None:
        raise NotFound("This study did not ask whether images are real.")
    return HttpResponse(figures.accuracy_svg(report.turing), content_type="image/svg+xml")


@login_required
def download(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """Send one file of the export, or all as a zip."""
    study = access_study(pk=pk, user=request.user, action=Action.EXPORT)
    data = datasets.load(study, actor=request.user)
    content = export.files(data, reporting.analyse(data))
    if name == "everything.zip":
        return _attachment(export.to_zip(content), name, "application/zip")
    if name not in content:
        raise NotFound("There is no such file in the export.")
    kind = TYPES.get(name[name.rfind(".") :], "text/plain")
    return _attachment(content[name], name, kind)


def _attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class ProgrammePage(StudyPage, TemplateView):
    """All sessions that judge one generator while it is trained."""

    template_name = "analysis/programme.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        history = programme.history_of(self.study, actor=self.request.user)
        return super().get_context_data(history=history, **kwargs)

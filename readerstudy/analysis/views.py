"""Results of an unblinded study: the page, its figures and tables, and the downloads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import TemplateView

from readerstudy.adjudication.table import is_adjudicated
from readerstudy.analysis import archiving, datasets, export, programme, running
from readerstudy.analysis.document import Document, Figure, Table, from_dict
from readerstudy.analysis.exports.for_others import file_for_others
from readerstudy.analysis.presentation import page_of
from readerstudy.analysis.writing import drawing
from readerstudy.analysis.writing.table_csv import table_csv
from readerstudy.core import jobs
from readerstudy.core.errors import NotFound
from readerstudy.studies.pages import StudyPage
from readerstudy.studies.permissions import Action
from readerstudy.truth import unblinding

TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".zip": "application/zip",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


DRAWN: dict[str, Callable[[Figure], str | bytes]] = {
    ".svg": drawing.svg,
    ".png": drawing.png,
    ".pdf": drawing.pdf,
    ".json": lambda figure: json.dumps(figure.spec),
}


class ResultsPage(StudyPage, TemplateView):
    """Every result of the present data and plan, or how far the analysis is."""

    action = Action.RESULTS
    template_name = "analysis/results.html"

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:  # type: ignore[override]
        run = running.start(self.study, actor=request.user)
        unblinding.record_look(self.study, actor=request.user)
        if run.document is None:
            context = self.get_context_data(run=run)
            return render(request, "analysis/at_work.html", context)
        archiving.queue(run, actor=request.user)
        reads_url = reverse("study-reads", args=[self.study.pk])
        page = page_of(from_dict(run.document), reads_url=reads_url)
        return self.render_to_response(
            self.get_context_data(
                run=run,
                earlier=running.earlier_than(run),
                consensus=is_adjudicated(self.study),
                results_url=reverse("study-results", args=[self.study.pk]),
                **page,
            )
        )


class ResultPart(StudyPage):
    """What all addresses of single results share."""

    action = Action.RESULTS

    def document(self) -> Document:
        unblinding.record_look(self.study, actor=self.request.user)
        return running.finished(self.study, actor=self.request.user)

    def find(self, kind: type[Any], name: str) -> tuple[Any, str]:
        """Return a block by "section.block.ending", and its ending."""
        code, _, ending = name.rpartition(".")
        for section, block in self.document().blocks():
            if isinstance(block, kind) and f"{section.code}.{block.code}" == code:
                return block, f".{ending}"
        raise NotFound("The results have no such part. They may have been computed again.")


class ResultFigure(ResultPart):
    """One figure: as its specification, or drawn."""

    def get(self, request: HttpRequest, name: str, **_: Any) -> HttpResponse:
        del request
        figure, ending = self.find(Figure, name)
        if ending not in DRAWN:
            raise NotFound("A figure can be had as svg, png, pdf or json.")
        return HttpResponse(DRAWN[ending](figure), content_type=TYPES[ending])


class ResultTable(ResultPart):
    """One table at full precision."""

    def get(self, request: HttpRequest, name: str, **_: Any) -> HttpResponse:
        del request
        table, _ending = self.find(Table, name)
        return attachment(table_csv(table).encode(), name, "text/csv")


class CancelAnalysis(StudyPage):
    """Stop an analysis that is at work; its page offers to try again."""

    action = Action.RESULTS
    http_method_names = ["post"]

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        run = running.noted(self.study, actor=request.user)
        if run.job is not None:
            jobs.cancel(job=run.job)
        return redirect("study-results", self.study.pk)


class Download(ResultPart):
    """One file of the export, or all as a zip."""

    action = Action.EXPORT

    def get(self, request: HttpRequest, name: str, **_: Any) -> HttpResponse:
        found = self.document()
        kind = TYPES.get(name[name.rfind(".") :], "text/plain")
        if name in archiving.WRITTEN:
            run = running.start(self.study, actor=request.user)
            return attachment(archiving.read(run, name), name, kind)
        data = datasets.load(self.study, actor=request.user)
        blob = file_for_others(data, name) or export.files(data, found).get(name)
        if blob is None:
            raise NotFound("There is no such file in the export.")
        return attachment(blob, name, kind)


def attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    """Return a file to keep."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class ProgrammePage(StudyPage, TemplateView):
    """All sessions that judge one generator while it is trained."""

    template_name = "analysis/programme.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        history = programme.history_of(self.study, actor=self.request.user)
        return super().get_context_data(history=history, **kwargs)

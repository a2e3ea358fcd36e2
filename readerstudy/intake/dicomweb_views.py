"""Pages to find exams on a DICOMweb server and to import their series.

Terms and answers name persons: they travel in the body of a request and are kept nowhere.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.pages import ActionView, CoordinatorPage
from readerstudy.intake.dicomweb import MAX_STUDIES, Client, server_called, servers
from readerstudy.intake.dicomweb_forms import ExamForm, PickForm, SearchForm
from readerstudy.intake.dicomweb_importing import open_dicomweb, record_search, series_of, start
from readerstudy.intake.options import FACES_WARNING


@method_decorator(never_cache, "dispatch")
@method_decorator(sensitive_post_parameters(), "dispatch")
class SearchPage(CoordinatorPage, ActionView):
    """Look for exams on one of the configured servers."""

    template_name = "intake/dicomweb.html"
    form_class = SearchForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(servers=servers(), limit=MAX_STUDIES, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        self.form = form
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        server = server_called(data["server"])
        with Client(server) as client:
            exams = client.search_studies(self.form.terms)
        record_search(server=server, actor=self.request.user)
        context = self.get_context_data(form=self.form, exams=exams, searched=server)
        return self.render_to_response(context)


@method_decorator(never_cache, "dispatch")
@method_decorator(sensitive_post_parameters(), "dispatch")
class SeriesPage(CoordinatorPage, ActionView):
    """Show the series of one exam (first step), and import those that are chosen (second)."""

    http_method_names = ["post"]
    template_name = "intake/dicomweb_series.html"
    form_class = PickForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        exam = ExamForm(request.POST)
        if not exam.is_valid():
            messages.error(request, "Choose an exam from the list.")
            return redirect("dicomweb")
        try:
            self.load(**exam.cleaned_data)
        except ReaderStudyError as error:
            messages.error(request, error.message)
            return redirect("dicomweb")
        if "import" in request.POST:
            return super().post(request, *args, **kwargs)
        form = PickForm(initial=exam.cleaned_data, series=self.series)
        return self.render_to_response(self.get_context_data(form=form))

    def load(self, server: str, study_uid: str) -> None:
        """Ask the server for the series of the exam."""
        self.server = server_called(server)
        with Client(self.server) as client:
            self.series = series_of(client, study_uid)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "series": self.series}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(server=self.server, warning=FACES_WARNING, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        self.form = form
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        picks, options, actor = self.form.picks, self.form.options, self.request.user
        batch = open_dicomweb(server=self.server, picks=picks, options=options, actor=actor)
        start(batch=batch, actor=actor)
        return redirect("import", batch.pk)

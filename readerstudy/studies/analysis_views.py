"""The page on which one planned analysis of a draft is changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from readerstudy.studies import planning_analysis
from readerstudy.studies.analysis_form import AnalysisForm, initial_of
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action


class AnalysisPage(StudyAction):
    """One endpoint of the plan."""

    action = Action.DESIGN
    template_name = "studies/analysis.html"
    form_class = AnalysisForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.entry = planning_analysis.entry_of(self.study, kwargs["entry"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "study": self.study, "entry": self.entry}

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.entry)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(entry=self.entry, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["wanted"] = form.wanted()
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        planning_analysis.change_analysis(
            study=self.study,
            code=self.entry.code,
            wanted=data["wanted"],
            actor=self.request.user,
        )
        messages.success(self.request, "The planned analysis is saved.")
        return redirect(self.get_success_url())

    def get_success_url(self) -> str:
        return f"{reverse('study-questions', args=[self.study.pk])}#analysis"

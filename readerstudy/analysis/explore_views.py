"""The page on which an analysis that was not planned is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from readerstudy.analysis import exploring
from readerstudy.studies.analysis_form import AnalysisForm, described, initial_of
from readerstudy.studies.analysis_plan import ENDPOINTS, PlannedAnalysis
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action
from readerstudy.studies.planning_analysis import methods_of


class ExploreForm(AnalysisForm):
    """An entry of a plan with the reason for asking."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=500,
        help_text="Stands in the audit log and beside the results.",
    )

    def __init__(self, *args: Any, entry: PlannedAnalysis, **kwargs: Any) -> None:
        super().__init__(*args, entry=entry, **kwargs)
        for name in ("question", "endpoint"):  # chosen above the form
            self.fields[name].widget = forms.HiddenInput()
        fitting = methods_of(entry.endpoint)
        self._choose("methods", [(name, f"{name}: {described(name)}") for name in fitting])
        for name in ("primary", "stop_below"):
            del self.fields[name]

    def wanted(self) -> dict[str, Any]:
        self.cleaned_data |= {"primary": False, "stop_below": None}
        wanted = super().wanted()
        del wanted["reason"]
        return wanted


class ExplorePage(StudyAction):
    """Ask for an exploratory endpoint."""

    action = Action.RESULTS
    template_name = "analysis/explore.html"
    form_class = ExploreForm

    @cached_property
    def entry(self) -> PlannedAnalysis:
        first = self.study.questions.first()
        asked = self.request.GET
        return exploring.usual(
            self.study,
            question=asked.get("question", first.code if first else ""),
            endpoint=asked.get("endpoint", "agreement"),
        )

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "study": self.study, "entry": self.entry}

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.entry)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = {"entry": self.entry, "endpoints": ENDPOINTS}
        return super().get_context_data(questions=self.study.questions.all(), **shown, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["wanted"] = form.wanted()
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        exploring.explore(
            study=self.study,
            wanted=data["wanted"],
            reason=data["reason"],
            actor=self.request.user,
        )
        messages.success(self.request, "The exploratory analysis is added.")
        return redirect("study-results", self.study.pk)

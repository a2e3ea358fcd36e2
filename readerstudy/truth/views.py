"""Pages for the staff that need truth: the draw of the cases in a ratio, and unblinding."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action
from readerstudy.truth import selection, unblinding
from readerstudy.truth.forms import ChooseCasesForm, UnblindForm
from readerstudy.truth.runs import generation_runs


class CasesPage(StudyAction):
    """Choose the cases of a draft: counts by class, and codes without class."""

    action = Action.DESIGN
    template_name = "truth/cases.html"
    form_class = ChooseCasesForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "runs": generation_runs()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        codes = self.study.cases.order_by("code").values_list("code", flat=True)
        pool = selection.pool_of(self.study)
        return super().get_context_data(pool=pool, codes=list(codes), **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        cases = selection.choose_cases(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, f"{len(cases)} cases are chosen.")
        return redirect("study-cases", self.study.pk)


class UnblindPage(StudyAction):
    """Join truth to a closed study, once and for all."""

    action = Action.UNBLIND
    template_name = "truth/unblind.html"
    form_class = UnblindForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        unblinding.unblind(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, "The study is unblinded.")
        return redirect("study-results", self.study.pk)

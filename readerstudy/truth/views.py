"""Pages for the staff that need truth: the draw of the cases in a ratio, and unblinding."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action
from readerstudy.studies.templates.registry import TEMPLATES
from readerstudy.truth import selection, shared_cases, unblinding
from readerstudy.truth.forms import (
    BreakBlindForm,
    ChooseCasesForm,
    UnblindForm,
    first_numbers,
)
from readerstudy.truth.models import CaseUnblinding, Origin, ReferenceStandard
from readerstudy.truth.runs import generation_runs


class CasesPage(StudyAction):
    """Choose the cases of a draft: counts by class, and codes without class."""

    action = Action.DESIGN
    template_name = "truth/cases.html"
    form_class = ChooseCasesForm

    def get_form_kwargs(self) -> dict[str, Any]:
        one_by_one = not selection.how_drawn(self.study)
        given = {"runs": generation_runs(), "one_by_one": one_by_one}
        return super().get_form_kwargs() | given

    def get_initial(self) -> dict[str, Any]:
        template = TEMPLATES.get(self.study.template)
        return first_numbers(template.numbers) if template else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        codes = self.study.cases.order_by("code").values_list("code", flat=True)
        pool = selection.pool_of(self.study)
        drawn = selection.how_drawn(self.study)
        return super().get_context_data(pool=pool, codes=list(codes), how_drawn=drawn, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        cases = selection.choose_cases(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, f"{len(cases)} cases are chosen.")
        return redirect("study-cases", self.study.pk)


class UnblindPage(StudyAction):
    """Join truth to a closed study, once and for all."""

    action = Action.UNBLIND
    template_name = "truth/unblind.html"
    form_class = UnblindForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(shared=shared_cases.shared_cases(self.study), **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        unblinding.unblind(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, "The study is unblinded.")
        return redirect("study-results", self.study.pk)


@method_decorator(never_cache, name="dispatch")
class BreakBlindPage(StudyAction):
    """Unblind one case of a blinded study. What is true of it is shown once, here."""

    action = Action.BREAK_BLIND
    template_name = "truth/unblind_case.html"
    form_class = BreakBlindForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        broken = CaseUnblinding.objects.filter(study=self.study).select_related("case", "actor")
        return super().get_context_data(broken=broken, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        row = unblinding.break_blind(study=self.study, actor=self.request.user, **data)
        origin = Origin.objects.filter(case=row.case).first()
        references = ReferenceStandard.objects.current().filter(case=row.case)
        shown = self.get_context_data(
            form=BreakBlindForm(), row=row, origin=origin, references=references
        )
        return self.render_to_response(shown)

"""The page of a study's design, with a trial draw that shows at once what cannot be drawn."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading.trial import try_draw
from readerstudy.studies import arming, design
from readerstudy.studies.models import Study
from readerstudy.studies.pages import StudyAction, StudyPage
from readerstudy.studies.permissions import Action
from readerstudy.studies.plan_form import PlanForm, initial_of
from readerstudy.studies.showing import prospect_of


class DesignPage(StudyAction):
    """Who reads what, in which arms and order; and what a reader would be shown."""

    action = Action.DESIGN
    template_name = "reading/design.html"
    form_class = PlanForm

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.study.plan)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_draft = self.study.state == Study.State.DRAFT
        trial = try_draw(self.study) if is_draft and self.study.study_cases.exists() else None
        slots = [(slot.code, slot.label) for slot in self.study.display.slots]
        return super().get_context_data(
            trial=trial, prospect=prospect_of(self.study), slots=slots, **kwargs
        )

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["document"] = form.document()
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        design.set_plan(study=self.study, document=data["document"], actor=self.request.user)
        messages.success(self.request, "The design is saved.")
        return redirect(self.get_success_url())

    def get_success_url(self) -> str:
        return reverse("study-design", args=[self.study.pk])


class ArmAction(StudyPage):
    """Add, change or remove an arm of a draft."""

    action = Action.DESIGN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        given = request.POST
        where = {"study": self.study, "code": given.get("code", ""), "actor": request.user}
        try:
            if given.get("action") == "remove":
                arming.remove_arm(**where)
            elif slots := given.getlist("slots"):
                arming.set_arm(name=given.get("name", ""), slots=slots, **where)
            else:
                messages.error(request, "Tick at least one series that the arm shows.")
        except ReaderStudyError as error:
            messages.error(request, error.message)
        return redirect("study-design", self.study.pk)

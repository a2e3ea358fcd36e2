"""Pages of the debriefs: the staff opens them, and each reader sees the own one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView, View

from readerstudy.analysis import debrief
from readerstudy.analysis.debriefing import MAX_NOTE, are_open, decide_debriefs
from readerstudy.analysis.models import DebriefDecision
from readerstudy.cases.thumbnails import thumbnail
from readerstudy.reading.access import access_enrolment
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action
from readerstudy.truth.shared_cases import shared_cases

PER_PAGE = 12


class ReleaseForm(forms.Form):
    """Words to the readers; empty for none."""

    note = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        label="Words to the readers",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Shown at the top of each debrief, such as a thank-you or what was learnt.",
    )


class ReleasePage(StudyAction):
    """Open the debriefs of a study to its readers, or close them again."""

    action = Action.DEBRIEF
    template_name = "analysis/debriefs.html"
    form_class = ReleaseForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        decisions = DebriefDecision.objects.filter(study=self.study).select_related("decided_by")
        return super().get_context_data(
            are_open=are_open(self.study),
            decisions=decisions,
            shared=shared_cases(self.study),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        opens = not are_open(self.study)
        decide_debriefs(study=self.study, is_open=opens, actor=self.request.user, **data)
        told = "open to the readers" if opens else "closed"
        messages.success(self.request, f"The debriefs are {told}.")
        return redirect("study-debriefs", self.study.pk)


@method_decorator(never_cache, name="dispatch")
class DebriefPage(TemplateView):
    """Own calls, cues and times of one reader."""

    template_name = "analysis/debrief.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = access_enrolment(token=kwargs["enrolment"], user=self.request.user)
        own = debrief.debrief_of(found)
        page = Paginator(own.wrong, PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**{**kwargs, "enrolment": found}, debrief=own, page=page)


class DebriefPicture(View):
    """One image of an own reading."""

    def get(self, request: HttpRequest, enrolment: str, reading: str, number: int) -> HttpResponse:
        found = access_enrolment(token=enrolment, user=request.user)
        series = debrief.series_of(found, reading=reading, number=number)
        headers = {"Cache-Control": "private, no-store"}
        return HttpResponse(thumbnail(series, "large"), content_type="image/png", headers=headers)

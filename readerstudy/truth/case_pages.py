"""The page of one case's truth: what is on record, how it came about, and a form to add to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from readerstudy.cases.access import access_case
from readerstudy.core.pages import ActionView, CoordinatorPage
from readerstudy.truth.models import ReferenceStandard
from readerstudy.truth.recording_reference import MAX_ENDPOINT, MAX_TEXT, record_reference
from readerstudy.truth.visibility import look_at, require_sight


class ReferenceForm(forms.Form):
    """One value for one endpoint."""

    endpoint = forms.CharField(
        max_length=MAX_ENDPOINT, help_text="Short name such as who_grade or progression."
    )
    value = forms.CharField(max_length=MAX_TEXT)
    method = forms.CharField(
        max_length=MAX_TEXT,
        required=False,
        label="How it is known",
        help_text="Such as histopathology, follow-up of 6 months, or consensus of two readers.",
    )
    reason = forms.CharField(
        max_length=500,
        required=False,
        label="Reason of a correction",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed when another value is on record already.",
    )


class CaseTruthPage(CoordinatorPage, ActionView):
    """Origin and reference standard of a case. Every look is recorded."""

    template_name = "truth/case.html"
    form_class = ReferenceForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.case = access_case(kwargs["pk"])
        require_sight(user=request.user, case=self.case)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        truth = look_at(case=self.case, actor=self.request.user)
        rows = ReferenceStandard.objects.filter(case=self.case).select_related("recorded_by")
        earlier = rows.exclude(pk__in=[row.pk for row in truth.references])
        return super().get_context_data(case=self.case, truth=truth, earlier=earlier, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        row = record_reference(case=self.case, actor=self.request.user, **data)
        messages.success(self.request, f"{row.endpoint} is on record.")
        return redirect("case-truth", self.case.pk)

"""Pages for preparations: which there are, one of them before and after, and the decision."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from readerstudy.cases import deciding, preparation_shown
from readerstudy.cases.preparation_shown import access_preparation
from readerstudy.core.forms import ConfirmForm, ReasonForm
from readerstudy.core.pages import ActionView, CoordinatorPage


class PreparationsPage(CoordinatorPage, TemplateView):
    """All preparations, newest first."""

    template_name = "cases/preparations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        get = self.request.GET.get
        found = preparation_shown.listing(get("state", ""), get("page"))
        return super().get_context_data(**found, **kwargs)


class CasePreparation(CoordinatorPage):
    """The way from a case to the preparation that waits for a person."""

    def get(self, request: HttpRequest, pk: Any) -> HttpResponse:
        del request
        waiting = preparation_shown.waiting_for(pk)
        return redirect("preparation", waiting.pk) if waiting else redirect("preparations")


class PreparationPage(CoordinatorPage, TemplateView):
    """One preparation: pictures, steps, figures, and the decision."""

    template_name = "cases/preparation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = access_preparation(self.kwargs["pk"])
        return super().get_context_data(
            shown=preparation_shown.shown(row),
            view="flicker" if self.request.GET.get("view") == "flicker" else "pair",
            form=ReasonForm(),
            **kwargs,
        )


class PreparationPicture(CoordinatorPage):
    """A sheet of one series before or after, or both in turn."""

    def get(self, request: HttpRequest, pk: Any, role: str, which: str) -> HttpResponse:
        del request
        content = preparation_shown.picture(access_preparation(pk), role, which)
        headers = {"Cache-Control": "private, max-age=3600"}
        return HttpResponse(content, content_type="image/png", headers=headers)


class _Decision(CoordinatorPage, ActionView):
    http_method_names = ["post"]
    template_name = "cases/preparation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = access_preparation(self.kwargs["pk"])
        return super().get_context_data(shown=preparation_shown.shown(row), view="pair", **kwargs)


class AcceptPreparation(_Decision):
    """Replace the series by what was prepared."""

    form_class = ConfirmForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        row = access_preparation(self.kwargs["pk"])
        deciding.accept(preparation=row, actor=self.request.user)
        messages.success(self.request, f"Accepted. Case {row.case.code} shows the prepared series.")
        return redirect("preparation", row.pk)


class RejectPreparation(_Decision):
    """Leave the series as they are."""

    form_class = ReasonForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        row = access_preparation(self.kwargs["pk"])
        deciding.reject(preparation=row, actor=self.request.user, reason=data["reason"])
        messages.success(self.request, f"Rejected. Case {row.case.code} stays as it was.")
        return redirect(f"{reverse('preparations')}?state=proposed")

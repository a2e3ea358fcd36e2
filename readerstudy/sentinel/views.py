"""The page of the leak sentinel: result, history, a new run, and the limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from readerstudy.core.forms import ConfirmForm
from readerstudy.sentinel import running
from readerstudy.sentinel.forms import LimitsForm
from readerstudy.sentinel.limiting import Blocking, limits_of, set_limits
from readerstudy.sentinel.presentation import page_of
from readerstudy.studies.pages import StudyAction, StudyPage
from readerstudy.studies.permissions import Action, may
from readerstudy.truth.unblinding import origins_of


class SentinelPage(StudyPage, TemplateView):
    """Cue by cue, with the history of runs."""

    action = Action.CHECKLIST
    template_name = "sentinel/sentinel.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **page_of(self.study), generators=self._generators(), **kwargs
        )

    def _generators(self) -> list[str]:
        """The names of the generators, for those who may know them now; the look is recorded."""
        if not may(Action.RESULTS, study=self.study, role=self.role):
            return []
        origins = origins_of(self.study, actor=self.request.user).values()
        return sorted({origin.generator for origin in origins if origin.generator})


class RunSentinel(StudyAction):
    """Queue a run."""

    action = Action.CHECKLIST
    post_action = Action.MANAGE
    template_name = "sentinel/sentinel.html"
    form_class = ConfirmForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        del request, args, kwargs
        return redirect("study-sentinel", self.study.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**page_of(self.study), **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        running.require_images(self.study)
        running.request_run(study=self.study, actor=self.request.user)
        return redirect("study-sentinel", self.study.pk)


class LimitsPage(StudyAction):
    """Change when a cue blocks, with a reason."""

    template_name = "sentinel/limits.html"
    form_class = LimitsForm

    def get_initial(self) -> dict[str, Any]:
        return asdict(limits_of(self.study))

    def act(self, data: dict[str, Any]) -> HttpResponse:
        reason = data.pop("reason")
        actor = self.request.user
        set_limits(study=self.study, limits=Blocking(**data), actor=actor, reason=reason)
        messages.success(self.request, "The limits are changed. Run the sentinel again.")
        return redirect("study-sentinel", self.study.pk)

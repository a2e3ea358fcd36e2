"""What all pages about one study share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.views.generic.base import ContextMixin, View

from readerstudy.core.pages import ActionView
from readerstudy.studies.access import access_study


class StudyPage(ContextMixin, View):
    """A page about one study, for its coordinators; all others find nothing."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.study = access_study(pk=kwargs["pk"], user=request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(study=self.study, **kwargs)


class StudyAction(StudyPage, ActionView):
    """A form about one study; afterwards the study's own page is shown."""

    def get_success_url(self) -> str:
        return reverse("study", args=[self.study.pk])

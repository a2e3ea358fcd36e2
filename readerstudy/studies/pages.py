"""What all pages about one study share."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.generic.base import ContextMixin, View

from readerstudy.core.errors import Conflict
from readerstudy.core.pages import ActionView
from readerstudy.studies import permissions
from readerstudy.studies.access import find_with_role, require_staff
from readerstudy.studies.permissions import Action, Rights


class StaffPage(ContextMixin, View):
    """A page for everybody who belongs to the staff of a study."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        require_staff(request.user)


class StudyPage(ContextMixin, View):
    """A page about one study, for members whose role has ``action``; strangers find nothing."""

    action = Action.MANAGE
    post_action: Action | None = None  # where sending needs more than looking

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.study, self.role = find_with_role(pk=kwargs["pk"], user=request.user)
        permissions.require_role(self.needed, study=self.study, role=self.role)

    @property
    def needed(self) -> Action:
        """The action that this request takes: whatever does not only look is a step."""
        looks = self.request.method in ("GET", "HEAD", "OPTIONS")
        return self.action if looks else self.post_action or self.action

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rights = Rights(self.study, self.role)
        return super().get_context_data(study=self.study, rights=rights, **kwargs)


class StudyAction(StudyPage, ActionView):
    """A form about one study; afterwards the study's own page is shown."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        try:
            permissions.require_now(self.needed, study=self.study, role=self.role)
        except Conflict as error:
            form.add_error(None, error.message)
            return self.refused(form, status=error.status)
        return super().form_valid(form)

    def get_success_url(self) -> str:
        return reverse("study", args=[self.study.pk])

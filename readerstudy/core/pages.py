"""What the pages share: the coordinator's door, and forms that call one write function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.views.generic import FormView
from django.views.generic.base import ContextMixin, View

from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import ReaderStudyError


class CoordinatorPage(ContextMixin, View):
    """A page for coordinators alone."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        require_coordinator(request.user)


class ActionView(ABC, FormView):  # type: ignore[type-arg]
    """A form whose valid data goes to one write function; a refusal stands in the form."""

    http_method_names = ["get", "head", "options", "post"]  # Django's forms take PUT as well

    @abstractmethod
    def act(self, data: dict[str, Any]) -> HttpResponse:
        """Call the write function and say where to go on."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        try:
            return self.act(form.cleaned_data)
        except ReaderStudyError as error:
            form.add_error(None, error.message)
            return self.refused(form, status=error.status)

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        return self.refused(form, status=400)

    def refused(self, form: BaseForm, *, status: int) -> HttpResponse:
        """Show the form again with what was typed and what is wrong with it."""
        return self.render_to_response(self.get_context_data(form=form), status=status)

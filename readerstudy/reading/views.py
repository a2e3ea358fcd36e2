"""Pages for readers: the own studies, and the page on which a study is read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from readerstudy.reading import access, home
from readerstudy.studies.access import is_staff


@require_safe
def first_page(request: HttpRequest) -> HttpResponseBase:
    """Send the staff to their studies and show readers their own."""
    if is_staff(request.user):
        return redirect("studies")
    return ReaderHome.as_view()(request)


@method_decorator(never_cache, name="dispatch")
class ReaderHome(TemplateView):
    """The studies of the signed-in reader."""

    template_name = "reading/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            entries=home.entries_of(user),
            last_receipt=home.last_receipt(user),
            now=timezone.now(),
            **kwargs,
        )


@require_safe
@never_cache
@ensure_csrf_cookie
def read(request: HttpRequest, enrolment: str) -> HttpResponse:
    """Serve the empty reading page; the rest comes through the API."""
    found = access.access_enrolment(token=enrolment, user=request.user)
    return render(request, "reading/reading.html", {"enrolment": found})

"""The list of cases for the staff. Nothing here knows where a case comes from."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from readerstudy.cases import browser
from readerstudy.cases.access import access_case, access_series
from readerstudy.cases.thumbnails import SIZES, thumbnail
from readerstudy.cases.usage import usage_of
from readerstudy.core.pages import CoordinatorPage


class CasesPage(CoordinatorPage, TemplateView):
    """Cases with their sequences, and one of them in detail."""

    template_name = "cases/cases.html"

    def get_context_data(self, pk: Any = None, **kwargs: Any) -> dict[str, Any]:
        get = self.request.GET.get
        found = browser.listing(query=get("q", ""), show=get("show", ""), number=get("page"))
        rows = browser.rows(found.page)
        chosen = access_case(pk) if pk else rows[0].case if rows else None
        return super().get_context_data(
            listing=found,
            rows=rows,
            chosen=browser.detail(chosen) if chosen else None,
            usage=usage_of(chosen) if chosen else None,
            roles=browser.ROLES.values(),
            role_places=browser.ROLE_PLACES,
            totals=browser.totals(),
            **kwargs,
        )


class ThumbnailView(CoordinatorPage):
    """The picture of one series."""

    def get(self, request: HttpRequest, pk: Any) -> HttpResponse:
        size = request.GET.get("size", "small")
        content = thumbnail(access_series(pk), size if size in SIZES else "small")
        headers = {"Cache-Control": "private, max-age=86400"}
        return HttpResponse(content, content_type="image/png", headers=headers)

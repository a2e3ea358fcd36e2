"""The list of cases for the staff. Nothing here knows where a case comes from."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from readerstudy.cases import browser, browser_sections, bulk, columns, panel
from readerstudy.cases.access import access_series
from readerstudy.cases.browser_filters import Query
from readerstudy.cases.flags import label
from readerstudy.cases.thumbnails import SIZES, thumbnail
from readerstudy.cases.words import size_text
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.pages import CoordinatorPage


class CasesPage(CoordinatorPage, TemplateView):
    """Cases with their sequences, and one of them in detail."""

    template_name = "cases/cases.html"

    def get_context_data(self, pk: Any = None, **kwargs: Any) -> dict[str, Any]:
        user, given = self.request.user, self.request.GET
        found = browser.listing(query=Query.of(given), user=user, number=given.get("page"))
        totals = browser.totals()
        return super().get_context_data(
            listing=found,
            chosen=panel.chosen(pk, found.rows, found.columns),
            actions=bulk.offered_actions(),
            totals={**totals, "size": size_text(totals["bytes"])},
            lines=browser_sections.lines(user),
            **_column_choice(found),
            **kwargs,
        )


def _column_choice(found: browser.Listing) -> dict[str, Any]:
    """Return what the menu of columns offers."""
    own = found.study is None
    return {
        "known_roles": [(role, label(role)) for role in columns.known_roles()] if own else [],
        "known_facts": columns.FACTS.items(),
        "chosen_facts": [column.key for column in found.columns.facts],
        "page_sizes": columns.PER_PAGE,
    }


class ColumnsView(CoordinatorPage):
    """Keep which columns this person wants to see."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        given = request.POST
        if "usual" in given:
            columns.usual_columns(user=request.user)
            return back_to_list(given)
        try:
            size = int(given.get("per_page", columns.PER_PAGE[0]))
            names = given.getlist("column")
            columns.choose_columns(user=request.user, names=names, per_page=size)
        except (ReaderStudyError, ValueError) as error:
            messages.error(request, str(error))
        return back_to_list(given)


def back_to_list(given: QueryDict) -> HttpResponse:
    """Return to the list as it was filtered and sorted."""
    query = QueryDict(given.get("matching", "")).urlencode()
    return redirect(reverse("cases") + (f"?{query}" if query else ""))


class ThumbnailView(CoordinatorPage):
    """The picture of one series."""

    def get(self, request: HttpRequest, pk: Any) -> HttpResponse:
        size = request.GET.get("size", "small")
        content = thumbnail(access_series(pk), size if size in SIZES else "small")
        headers = {"Cache-Control": "private, max-age=86400"}
        return HttpResponse(content, content_type="image/png", headers=headers)

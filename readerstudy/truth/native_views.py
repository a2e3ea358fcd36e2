"""Pages of the staff's viewer, and the pixels it asks for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from readerstudy.cases import native_images
from readerstudy.cases.access import access_case, access_series
from readerstudy.cases.models import Case
from readerstudy.cases.storage import DamagedObject
from readerstudy.core.errors import NotAllowed
from readerstudy.core.pages import CoordinatorPage
from readerstudy.truth.native_case import case_view, relatives_of
from readerstudy.truth.native_compare import comparison
from readerstudy.truth.visibility import why_hidden

PLAIN = "text/plain; charset=utf-8"


class CaseViewerPage(CoordinatorPage):
    """One case as it was acquired."""

    def get(self, request: HttpRequest, pk: Any) -> HttpResponse:
        case, given = access_case(pk), request.GET
        if code := given.get("compare", "").strip():
            return _to_comparison(request, case, code)
        view = case_view(
            case=case, user=request.user, roles=given.getlist("show"), axes=given.get("axes", "")
        )
        context = {"view": view, "data": view.page.data(), **_way_back(given, case)}
        context["relatives"] = relatives_of(case)
        return render(request, "truth/viewer.html", context)


class CaseComparePage(CoordinatorPage):
    """Two cases beside each other."""

    def get(self, request: HttpRequest, pk: Any, other: Any) -> HttpResponse:
        first, second, given = access_case(pk), access_case(other), request.GET
        view = comparison(
            first=first,
            second=second,
            user=request.user,
            role=given.get("role", ""),
            rule=given.get("rule", ""),
        )
        context = {"view": view, "data": view.page.data(), **_way_back(given, first)}
        return render(request, "truth/compare.html", context)


class NativeImageView(CoordinatorPage):
    """One chunk of a series as it was acquired."""

    def get(self, request: HttpRequest, token: str, index: int) -> HttpResponse:
        wanted = native_images.parse(token)
        case = access_series(wanted.series).case
        if not wanted.relative and wanted.under is None and why_hidden(request.user, case):
            raise NotAllowed("The values of this image are hidden now. Load the page again.")
        try:
            content = native_images.chunk(wanted, index)
        except DamagedObject as error:  # the viewer shows these words in the pane
            return HttpResponse(error.message, status=error.status, content_type=PLAIN)
        takes_zstd = "zstd" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(
            content if takes_zstd else native_images.as_gzip(content),
            content_type="application/octet-stream",
        )
        response["Content-Encoding"] = "zstd" if takes_zstd else "gzip"
        response["Cache-Control"] = "private, no-store"
        response["Vary"] = "Accept-Encoding, Cookie"
        return response


def _to_comparison(request: HttpRequest, case: Case, code: str) -> HttpResponse:
    other = Case.objects.filter(code__iexact=code).first()
    if other is None or other.pk == case.pk:
        messages.error(request, f"There is no other case {code}. Type the code of the other case.")
        return redirect("case-viewer", case.pk)
    return redirect(
        f"{reverse('case-compare', args=[case.pk, other.pk])}{_kept_query(request.GET)}"
    )


def _way_back(given: QueryDict, case: Case) -> dict[str, str]:
    """Return the address of the list as it was filtered and sorted when the viewer was opened."""
    query = QueryDict(given.get("list", "")).urlencode()
    address = reverse("case", args=[case.pk])
    return {"back": address + (f"?{query}" if query else ""), "list": query}


def _kept_query(given: QueryDict) -> str:
    kept = QueryDict(mutable=True)
    if query := given.get("list", ""):
        kept["list"] = QueryDict(query).urlencode()
    return f"?{kept.urlencode()}" if kept else ""

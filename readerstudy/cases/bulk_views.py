"""Pages on which an action on several cases is asked for, previewed and confirmed."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from readerstudy.cases import browser, bulk
from readerstudy.cases.browser_filters import Query
from readerstudy.cases.bulk_actions import known_strata, known_tags
from readerstudy.cases.listing_csv import cases_csv
from readerstudy.cases.models import CaseChange
from readerstudy.cases.views import back_to_list
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.core.pages import CoordinatorPage

EXPORT = "export"
PER_PAGE = 100


class SelectView(CoordinatorPage):
    """Take the chosen cases to the preview of an action, or give them out as a table."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        given = request.POST
        action = given.get("action", "")
        try:
            cases = _chosen(given, request.user)
            if action == EXPORT:
                return _csv(cases_csv(cases, request.user))
            change = bulk.choose(action=action, cases=cases, user=request.user)
        except ReaderStudyError as error:
            messages.error(request, error.message)
            return back_to_list(given)
        return redirect("cases-change", change.pk)


def _chosen(given: QueryDict, user: Any) -> list[Any]:
    """Return the identifiers that were ticked, here and on other pages, or all that match."""
    if "all" in given:
        cases = list(browser.choice(Query.of_string(given.get("matching", "")), user))
    else:
        cases = _named(given)
    if not cases:
        raise ReaderStudyError("Choose at least one case.")
    return cases


def _named(given: QueryDict) -> list[Any]:
    named = [*given.getlist("case"), *given.get("cases", "").split(",")]
    try:
        return list(dict.fromkeys(uuid.UUID(name) for name in named if name))
    except ValueError as error:
        raise ReaderStudyError("The choice of cases could not be read. Choose again.") from error


def _csv(text: str) -> HttpResponse:
    response = HttpResponse(text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    name = f"cases-{timezone.now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


class ChangePage(CoordinatorPage):
    """One action: what it needs to know, what it would do row by row, and the confirmation."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.change = bulk.access_change(pk=kwargs["pk"], user=request.user)
        self.action = bulk.action_of(self.change.action)

    def get(self, request: HttpRequest, pk: Any) -> HttpResponse:
        del pk
        values = self.change.parameters or {}
        form = self.action.make_form(request.user)
        if form is not None:
            form.initial = self.action.initial(values)
        return self.show(form)

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        if "confirm" in request.POST:
            return self.confirm(request)
        form = self.action.make_form(request.user, request.POST)
        if form is not None and not form.is_valid():
            return self.show(form, status=400)
        bulk.preview(change=self.change, values=form.cleaned_data if form else {})
        return redirect("cases-change", pk)

    def confirm(self, request: HttpRequest) -> HttpResponse:
        revision = request.POST.get("revision", "")
        seen = int(revision) if revision.isdecimal() else -1
        try:
            bulk.confirm(change=self.change, revision=seen, user=request.user)
        except ReaderStudyError as error:
            messages.error(request, error.message)
        return redirect("cases-change", self.change.pk)

    def show(self, form: Any, status: int = 200) -> HttpResponse:
        context = self.get_context_data(
            change=self.change,
            action=self.action,
            form=form,
            asks=self.change.parameters is None,
            **_preview_of(self.change, self.action, self.request.GET.get("page")),
            strata=known_strata(),
            tags=known_tags(),
        )
        return render(self.request, "cases/change.html", context, status=status)


def _preview_of(change: CaseChange, action: bulk.Action, number: Any) -> dict[str, Any]:
    """Return the rows of the preview: first what will not change and why, then what will."""
    rows = bulk.rows_of(change)
    if change.parameters is None:
        rows = [bulk.Row(str(c.pk), c.code, "", "") for c in bulk.cases_of(change.cases)]
    willing = sum(row.changes for row in rows)
    job = change.result.get("job")
    return {
        "page": Paginator(sorted(rows, key=lambda row: row.changes), PER_PAGE).get_page(number),
        "n_changes": willing,
        "n_refused": len(rows) - willing,
        "button": action.button(willing),
        "job": Job.objects.filter(pk=job).first() if job else None,
        "shown_values": action.shown_values(change.parameters or {}),
    }

"""Pages for readers: the own studies, and the page on which a study is read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from readerstudy.readers import display_check_validity as validity
from readerstudy.readers import profiles
from readerstudy.readers.display_check_result import start_address
from readerstudy.readers.models import ReaderProfile
from readerstudy.reading import access, calendars, home
from readerstudy.reading.parts import BREAK_MINUTES
from readerstudy.studies import amending
from readerstudy.studies.access import is_staff
from readerstudy.studies.differences import pieces
from readerstudy.studies.models import Amendment, Enrolment


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
        found = home.entries_of(user)
        return super().get_context_data(
            entries=found,
            last_receipt=home.last_receipt(user),
            standing=validity.standing(user=user, device=validity.device_from(self.request)),
            now=timezone.now(),
            break_minutes=BREAK_MINUTES,
            profile_wanted=bool(found) and not profiles.is_complete(_profile_of(user)),
            **kwargs,
        )


def _profile_of(user: Any) -> ReaderProfile | None:
    return ReaderProfile.objects.filter(user=user).first()


@require_safe
@never_cache
@ensure_csrf_cookie
def read(request: HttpRequest, enrolment: str) -> HttpResponse:
    """Serve the empty reading page, on a display that may be read on; the rest comes through
    the API."""
    found = access.access_enrolment(token=enrolment, user=request.user)
    if found.withdrawn_at is not None:
        return redirect("reader-home")
    if amending.unread_by(found):
        return redirect("read-changes", found.token)
    device = validity.device_from(request)
    reads = found.kind == Enrolment.Kind.READER
    if reads and not validity.may_read(user=request.user, device=device):
        return redirect(start_address(goal=request.path))
    return render(request, "reading/reading.html", {"enrolment": found, "home": _home_of(found)})


def _home_of(enrolment: Enrolment) -> str:
    """Return where the reading page leads back to: a preview to the study it belongs to."""
    if enrolment.kind != Enrolment.Kind.PREVIEW:
        return reverse("reader-home")
    study = enrolment.study
    return reverse("study-preview", args=[study.rehearsal_of_id or study.pk])


@require_safe
@never_cache
def washout_calendar(request: HttpRequest, enrolment: str) -> HttpResponse:
    """Serve the date of the next part as a calendar file."""
    found = access.access_enrolment(token=enrolment, user=request.user)
    response = HttpResponse(calendars.next_part(found), content_type="text/calendar")
    response["Content-Disposition"] = 'attachment; filename="reading.ics"'
    return response


@method_decorator(never_cache, name="dispatch")
class ChangesPage(TemplateView):
    """What an amendment changed for the reader, to be acknowledged before going on."""

    template_name = "reading/changes.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.enrolment = access.access_enrolment(token=kwargs["enrolment"], user=request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        versions = [_told(one) for one in amending.unread_by(self.enrolment)]
        kwargs |= {"enrolment": self.enrolment, "versions": versions}
        return super().get_context_data(**kwargs)

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        amending.acknowledge(enrolment=self.enrolment)
        return redirect("read", self.enrolment.token)


def _told(amendment: Amendment) -> dict[str, Any]:
    """Return what of an amendment concerns readers; reasons and the rest are for the staff."""
    changes = [change for change in amendment.changes if change["concerns_readers"]]
    shown = [{"what": c["what"], "pieces": pieces(c["old"], c["new"])} for c in changes]
    return {"at": amendment.at, "changes": shown}

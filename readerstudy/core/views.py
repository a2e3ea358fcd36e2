"""Pages of the project itself: errors, the audit log, background jobs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import TemplateView

from readerstudy.core import audit_pages, jobs, verifying
from readerstudy.core.access import access_job
from readerstudy.core.middleware import error_response


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what to do when a form's protection code is out of date."""
    del reason
    message = "This page was open for too long. Go back, load it again and repeat the step."
    return error_response(request, status=403, code="signed_out", message=message)


def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """Say how long to wait after too many wrong passwords."""
    del response, credentials
    message = "Too many wrong passwords for this account. Try again in 15 minutes."
    return error_response(request, status=429, code="locked_out", message=message)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    del exception
    message = "There is no page at this address. Start again from the first page."
    return error_response(request, status=404, code="not_found", message=message)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be understood, or is more than one form may hold."""
    if isinstance(exception, TooManyFilesSent):
        message = (
            f"One form takes at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files. Nothing was "
            "stored. Pack the folder into one zip, or switch scripts on and send it again."
        )
    else:
        message = "The request could not be used. Go back, load the page again and repeat the step."
    return error_response(request, status=400, code="invalid", message=message)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of the program."""
    message = (
        "The server met a fault and stopped this step. What was saved before is kept. "
        "Tell the person who runs the server the time at which this happened."
    )
    return error_response(request, status=500, code="fault", message=message)


class AuditPage(TemplateView):
    """The audit log, newest first: what the user may read of it."""

    template_name = "core/audit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        action = self.request.GET.get("action", "")
        records = audit_pages.visible_to(self.request.user)
        page = audit_pages.page_of(records, action=action, number=self.request.GET.get("page"))
        return super().get_context_data(
            page=page,
            lines=audit_pages.lines(page),
            actions=audit_pages.actions(records),
            action=action,
            verified=verifying.last_verification(),
            **kwargs,
        )


@require_GET
def job(request: HttpRequest, pk: Any) -> JsonResponse:
    """Tell how far a background job is."""
    found = access_job(pk=pk, user=request.user)
    shown = {name: getattr(found, name) for name in ("state", "step", "of", "error")}
    return JsonResponse({**shown, "message": found.said, "finished": found.is_finished})


@require_POST
def job_retry(request: HttpRequest, pk: Any) -> HttpResponse:
    """Put a failed job back to waiting and return to the page that shows it."""
    jobs.retry(job=access_job(pk=pk, user=request.user, change=True))
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "studies")

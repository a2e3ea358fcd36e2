"""Map errors to answers in one place: the domain's own, and a database that is away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from readerstudy.core.errors import ReaderStudyError

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]


def error_response(request: HttpRequest, *, status: int, code: str, message: str) -> HttpResponse:
    """Return the error as JSON to a program and as a page to a person."""
    if request.path.startswith("/api/"):
        body = {"error": {"code": code, "message": message}}
        return JsonResponse(body, status=status)
    shown = {"code": code, "message": message, "status": status}
    return render(request, "error.html", shown, status=status)


class ErrorMiddleware:
    """Turn a ReaderStudyError from any view into an answer with its sentence."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, ReaderStudyError):
            return None
        return error_response(request, status=error.status, code=error.code, message=error.message)


class UnavailableMiddleware:
    """Answer 503 with Retry-After while the database cannot be reached; nothing is lost."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return self._unavailable()

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        del request
        if isinstance(error, OperationalError | InterfaceError):
            log.exception("the database cannot be reached")
            return self._unavailable()
        return None

    def _unavailable(self) -> HttpResponse:
        body = {
            "error": {
                "code": "unavailable",
                "message": "The server cannot store anything at the moment. Nothing is lost; "
                "the page tries again by itself.",
            }
        }
        return JsonResponse(body, status=503, headers={"Retry-After": "3"})

"""What all API views share: one shape of error."""

from __future__ import annotations

from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from readerstudy.core.errors import ReaderStudyError


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return ``{"error": {"code", "message", …}}`` for every refusal."""
    if isinstance(error, OperationalError | InterfaceError):
        return None  # UnavailableMiddleware answers 503
    if isinstance(error, ReaderStudyError):
        body = {"code": error.code, "message": error.message, **error.details}
        return Response({"error": body}, status=error.status)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    code = getattr(error, "default_code", "invalid")
    message = "The request could not be used."
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        code, message = "signed_out", "Please sign in again."
    elif isinstance(error, exceptions.APIException) and isinstance(error.detail, str):
        message = str(error.detail)
    elif isinstance(error, exceptions.ValidationError):
        message = f"The request could not be used: {error.detail}"
    response.data = {"error": {"code": code, "message": message}}
    return response

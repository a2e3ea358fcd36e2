"""Pages of the project itself."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what to do when a form's protection code is out of date."""
    del reason
    message = "This page was open for too long. Go back, load it again and repeat the step."
    if request.path.startswith("/api/"):
        return JsonResponse({"error": {"code": "signed_out", "message": message}}, status=403)
    return render(request, "error.html", {"message": message, "status": 403}, status=403)

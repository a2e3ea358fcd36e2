"""The upload page's programming interface. Thin: find through access, call one function."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.core.access import require_coordinator
from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake import closing, opening, receiving
from readerstudy.intake.access import access_file, access_own_import
from readerstudy.intake.models import Import


class PartParser(BaseParser):
    """Hands a part of a file over as it is, never more than one part."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> bytes:
        del media_type, parser_context
        content: bytes = stream.read(settings.INTAKE_PART_BYTES + 1)
        return content


class UploadAPIView(APIView):
    """A view about uploads; nothing of it is kept by a browser or on the way."""

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response


class UploadsView(UploadAPIView):
    def post(self, request: Request) -> Response:
        require_coordinator(request.user)
        return Response(_told(opening.open_upload(actor=request.user)), status=201)


class UploadView(UploadAPIView):
    def get(self, request: Request, pk: Any) -> Response:
        batch = access_own_import(pk=pk, user=request.user)
        files = [
            {"path": one.path, "size": one.size, "modified": one.modified, "token": one.token,
             "received": one.received}
            for one in receiving.known_files(batch)
        ]  # fmt: skip
        return Response({**_told(batch), "files": files})

    def delete(self, request: Request, pk: Any) -> Response:
        closing.cancel(batch=access_own_import(pk=pk, user=request.user), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class FilesView(UploadAPIView):
    def post(self, request: Request, pk: Any) -> Response:
        batch = access_own_import(pk=pk, user=request.user)
        files = request.data.get("files") if isinstance(request.data, dict) else None
        if not isinstance(files, list) or not all(isinstance(one, dict) for one in files):
            raise ReaderStudyError("Send a list of files, each with path, size and date.")
        return Response({"files": receiving.announce(batch=batch, files=files)})


class FileView(UploadAPIView):
    parser_classes = (PartParser,)

    def get(self, request: Request, pk: Any, token: Any) -> Response:
        file = access_file(pk=pk, token=token, user=request.user)
        return Response({"received": receiving.received_of(file), "size": file.size})

    def put(self, request: Request, pk: Any, token: Any) -> Response:
        file = access_file(pk=pk, token=token, user=request.user)
        content = request.data if isinstance(request.data, bytes) else b""
        received = receiving.receive(
            file=file,
            offset=_whole_number(request.headers.get("Upload-Offset", "")),
            content=_entire(content, request),
            digest=request.headers.get("Part-SHA256", ""),
        )
        return Response({"received": received})

    def delete(self, request: Request, pk: Any, token: Any) -> Response:
        file = access_file(pk=pk, token=token, user=request.user)
        receiving.leave_out(files=[file], batch=file.batch)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _told(batch: Import) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "state": batch.state,
        "page": reverse("import", args=[batch.pk]),
        "start": reverse("import-start", args=[batch.pk]),
        "files_url": reverse("api-import-files", args=[batch.pk]),
        "part_bytes": settings.INTAKE_PART_BYTES,
    }


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ReaderStudyError("State where the part begins, in the header Upload-Offset.")
    return int(text)


def _entire(content: bytes, request: Request) -> bytes:
    """Refuse a part that broke off on its way; the next attempt brings it whole."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdigit() and len(content) < min(int(announced), settings.INTAKE_PART_BYTES + 1):
        raise ReaderStudyError("The part broke off on its way. Send it again.", code="damaged")
    return content

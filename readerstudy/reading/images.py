"""Send the pre-encoded bytes of one chunk: same headers, same length, same path for every case."""

from __future__ import annotations

from django.http import FileResponse, HttpResponseBase

from readerstudy.cases import storage
from readerstudy.core.errors import NotFound
from readerstudy.reading.models import EncodedSeries, ReadingImage

PREFERRED = ("zstd", "gzip")


def chunk_response(*, image: ReadingImage, index: int, accepted: str) -> HttpResponseBase:
    """Return chunk ``index`` in an encoding that the browser takes.

    No file name, no ETag, no date: the only headers that vary are those that the browser's own
    Accept-Encoding and the position in the fetch order decide.
    """
    reading = image.reading
    encoded = EncodedSeries.objects.filter(
        study=reading.enrolment.study, case=image.case_id, role=image.role
    ).first()
    encoding = choose_encoding(accepted)
    names = encoded.objects_by_encoding[encoding] if encoded else []
    if not 0 <= index < len(names):
        raise NotFound("There is no such image.")
    response = FileResponse(
        storage.open_verified(names[index]), content_type="application/octet-stream"
    )
    del response["Content-Disposition"]
    response["Content-Encoding"] = encoding
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = "Accept-Encoding, Cookie"
    return response


def choose_encoding(accepted: str) -> str:
    """Return the best stored encoding that an Accept-Encoding header names."""
    offered = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    for encoding in PREFERRED:
        if encoding in offered:
            return encoding
    return "gzip"

"""Archives and office files with the same bytes for the same content."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)
FIXED_TIME = "1980-01-01T00:00:00Z"
STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


def to_zip(content: Mapping[str, bytes]) -> bytes:
    """Return all files as one archive, in the order of their names."""
    return _packed(sorted(content.items()))


def fixed_office(blob: bytes) -> bytes:
    """Return a DOCX or XLSX file whose parts and properties carry no time of writing."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    stamp = rb"\g<1>" + FIXED_TIME.encode() + rb"\g<3>"
    return _packed(
        [
            (name, STAMP.sub(stamp, part) if name == "docProps/core.xml" else part)
            for name, part in parts
        ]
    )


def _packed(parts: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blob in parts:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, blob)
    return out.getvalue()

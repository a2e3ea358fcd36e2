"""Small pictures of series for the staff, made once and kept beside the objects."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.conf import settings

from readerstudy.cases.canonical import load_shown
from readerstudy.cases.models import Series
from readerstudy.imaging.frames import plane_of
from readerstudy.imaging.thumbnails import png_thumbnail

SIZES = {"small": 104, "large": 376}  # pixels, for twice the size on the page


def thumbnail(series: Series, size: str) -> bytes:
    """Return the picture of a series as PNG."""
    path = _path(series, size)
    if not path.exists():
        _store(path, _draw(series, SIZES[size]))
    return path.read_bytes()


def _draw(series: Series, pixels: int) -> bytes:
    z, y, x = series.spacing_mm
    return png_thumbnail(load_shown(series).array, (z, y, x), size=pixels)


def _path(series: Series, size: str) -> Path:
    plane = plane_of(series.shape)
    name = f"{series.sha256}-{size if plane == 'axial' else f'{plane}-{size}'}.png"
    return Path(settings.MEDIA_ROOT) / "thumbnails" / series.sha256[:2] / name


def _store(path: Path, content: bytes) -> None:
    """Put the picture in place whole; two processes may draw it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)

"""HTML and SVG to PDF, with the same bytes for the same content."""

from __future__ import annotations

import hashlib
import logging
import re
from html import escape
from typing import Any

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
SIZE = re.compile(r"<svg[^>]*?\bwidth=\"([\d.]+)\"[^>]*?\bheight=\"([\d.]+)\"")
PAGE = (
    "<!DOCTYPE html><html lang='en'><title>{title}</title><style>"
    "@page {{ size: {width}px {height}px; margin: 0 }} body {{ margin: 0 }} "
    "svg {{ display: block }}</style><body>{svg}</body></html>"
)


class DrawingUnavailable(RuntimeError):
    """A library that makes the PDF is missing; the message says how to install it."""


def pdf_of(text: str) -> bytes:
    """Return the PDF of an HTML page; one that asks for anything outside itself is refused.

    Raises
    ------
    DrawingUnavailable
        Where the drawing libraries of Debian are missing.
    """
    weasyprint = _weasyprint()
    identifier = hashlib.sha256(text.encode()).digest()[:16]
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=(), fail_on_errors=True)
    made = weasyprint.HTML(string=text, url_fetcher=fetcher)
    blob: bytes = made.write_pdf(pdf_identifier=identifier, pdf_tags=True)
    return blob


def pdf_of_svg(svg: str, title: str) -> bytes:
    """Return a drawing as a PDF page of its own size.

    Raises
    ------
    DrawingUnavailable
        Where the drawing libraries of Debian are missing.
    """
    found = SIZE.search(svg)
    if found is None:
        raise ValueError("the drawing has no width and height")
    width, height = found.groups()
    return pdf_of(PAGE.format(title=escape(title), width=width, height=height, svg=svg))


def _weasyprint() -> Any:
    for name in ("weasyprint", "weasyprint.progress", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell of every page and glyph
    try:
        import weasyprint
        from PIL import ImageFile

        # WeasyPrint has Pillow take damaged files, in the whole process: here they are refused.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    except OSError as error:
        raise DrawingUnavailable(
            f"The PDF needs drawing libraries that are not installed ({error}). "
            f"On Debian: apt-get install {PACKAGES}. Everything else needs none of them."
        ) from error
    return weasyprint

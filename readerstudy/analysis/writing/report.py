"""The report of a study as one HTML file, and as PDF made of that HTML."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from django.template.loader import render_to_string

from readerstudy.analysis.document import Document
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.writing.layout import context_of, source_of
from readerstudy.analysis.writing.papers import NO_PAPERS, Papers

TEMPLATE = "analysis/report/report.html"
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class DrawingUnavailable(RuntimeError):
    """A library that makes the PDF is missing; the message says how to install it."""


def html(document: Document, data: Dataset, papers: Papers = NO_PAPERS) -> str:
    """Return the report as one HTML file: styles and figures are in it, nothing is fetched."""
    context = context_of(source_of(document, data, papers))
    return render_to_string(TEMPLATE, context)


def pdf(document: Document, data: Dataset, papers: Papers = NO_PAPERS) -> bytes:
    """Return the report as PDF (A4).

    Raises
    ------
    DrawingUnavailable
        Where the drawing libraries of Debian are missing.
    """
    return pdf_of(html(document, data, papers))


def pdf_of(text: str) -> bytes:
    """Return the PDF of a report's HTML; the same HTML gives the same bytes."""
    weasyprint = _weasyprint()
    identifier = hashlib.sha256(text.encode()).digest()[:16]
    made = weasyprint.HTML(string=text, url_fetcher=_refuse)
    blob: bytes = made.write_pdf(pdf_identifier=identifier, pdf_tags=True)
    return blob


def _weasyprint() -> Any:
    try:
        import weasyprint
    except OSError as error:
        raise DrawingUnavailable(
            f"The PDF needs drawing libraries that are not installed ({error}). "
            f"On Debian: apt-get install {PACKAGES}. The HTML report needs none of them."
        ) from error
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell of every page and glyph
    return weasyprint


def _refuse(url: str, **_: Any) -> Any:
    raise ValueError(f"A report fetches nothing, but asks for {url!r}.")

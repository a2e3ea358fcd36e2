"""The report of a study as one HTML file, and as PDF made of that HTML."""

from __future__ import annotations

from django.template.loader import render_to_string

from readerstudy.analysis.document import Document
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.writing.layout import context_of, source_of
from readerstudy.analysis.writing.paged import pdf_of
from readerstudy.analysis.writing.papers import NO_PAPERS, Papers

TEMPLATE = "analysis/report/report.html"


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

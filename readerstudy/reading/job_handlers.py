"""Background work of the reading app."""

from __future__ import annotations

from typing import Any

from readerstudy.core.jobs import JobContext, handles
from readerstudy.reading import display
from readerstudy.studies.models import Study


@handles("encode_study")
def encode_study(context: JobContext, *, study: str) -> dict[str, Any]:
    """Bring all images of a locked study into its display form."""
    return display.prepare(Study.objects.get(pk=study), context.progress)

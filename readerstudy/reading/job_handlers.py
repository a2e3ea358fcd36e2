"""Background work of the reading app."""

from __future__ import annotations

from typing import Any

from readerstudy.core.jobs import JobContext, handles
from readerstudy.reading import display, scheduling
from readerstudy.studies.models import Study


@handles("encode_study")
def encode_study(context: JobContext, *, study: str) -> dict[str, Any]:
    """Bring all images of a locked study into its display form."""
    found = Study.objects.get(pk=study)
    result = display.prepare(found, context.progress)
    scheduling.images_are_ready(found, actor=context.job.created_by)
    return result

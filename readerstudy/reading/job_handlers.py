"""Background work of the reading app."""

from __future__ import annotations

from typing import Any

from readerstudy.core.jobs import JobContext, handles
from readerstudy.reading import display, scheduling
from readerstudy.studies.models import Study


@handles("prepare_preview")
def prepare_preview(context: JobContext, *, study: str, copy: str) -> dict[str, Any]:
    """Bring the few images of a draft's preview into its display form."""
    del study  # whose staff may see the job
    found = Study.objects.filter(pk=copy, rehearsal_of__isnull=False).first()
    if found is None:
        return {"ended": "The preview was thrown away before its images were ready."}
    return display.prepare(found, context.progress)


@handles("encode_study")
def encode_study(context: JobContext, *, study: str) -> dict[str, Any]:
    """Bring all images of a locked study into its display form."""
    found = Study.objects.get(pk=study)
    result = display.prepare(found, context.progress)
    scheduling.images_are_ready(found, actor=context.job.created_by)
    return result

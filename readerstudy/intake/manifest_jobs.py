"""The background work of a comparison: nothing is imported by it."""

from __future__ import annotations

from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.jobs import JobContext, handles
from readerstudy.intake import manifest_proposing
from readerstudy.intake.models import Import


@handles(manifest_proposing.KIND)
def plan_manifest(context: JobContext, *, batch: str) -> dict[str, Any]:
    """Compare; what was found lies in the folder of the upload, since it names the source."""
    found = Import.objects.select_related("created_by").get(pk=batch)
    try:
        return manifest_proposing.compare(found, progress=context.progress)
    except OSError as error:  # its own words would name a file
        raise ReaderStudyError(
            f"The comparison stopped: {error.strerror or type(error).__name__}."
        ) from None

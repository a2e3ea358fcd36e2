"""The background work of an import from a DICOMweb server."""

from __future__ import annotations

from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.jobs import JobContext, handles
from readerstudy.intake import dicomweb_importing, finishing
from readerstudy.intake.job_handlers import import_cases
from readerstudy.intake.models import Import


@handles(dicomweb_importing.KIND)
def import_dicomweb(context: JobContext, *, batch: str) -> dict[str, Any]:
    """Retrieve what is missing, then import as any other folder; the copies are removed."""
    found = Import.objects.select_related("created_by").get(pk=batch)
    finishing.begin(batch=found, job=context.job)
    try:
        dicomweb_importing.retrieve(found, progress=context.progress)
    except ReaderStudyError:
        finishing.fail(batch=found)
        raise
    except OSError as error:  # its own words would name a file
        finishing.fail(batch=found)
        raise ReaderStudyError(
            f"The retrieval stopped: {error.strerror or type(error).__name__}. What came is kept."
        ) from None
    result: dict[str, Any] = import_cases(context, batch=batch) or {}
    return result

"""Background work that brings images in."""

from __future__ import annotations

import logging
from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.jobs import JobContext, LeaseLost, handles
from readerstudy.intake import finishing, importing, starting
from readerstudy.intake.models import Import

log = logging.getLogger(__name__)


@handles(starting.KIND)
def import_cases(context: JobContext, *, batch: str) -> dict[str, Any]:
    """Carry an import out; carried out again, it finds what is there.

    Neither the result nor an error holds a name of the source: see `results.rows_of`.
    """
    found = Import.objects.select_related("created_by").get(pk=batch)
    if (done := finishing.finished_by(batch=found, job=context.job)) is not None:
        return done
    finishing.begin(batch=found, job=context.job)
    try:
        outcomes = importing.run(found, progress=context.progress)
    except LeaseLost:
        raise
    except OSError as error:  # its own words would name a file of the source
        finishing.fail(batch=found)
        raise ReaderStudyError(
            f"The import stopped: {error.strerror or type(error).__name__}. What came in is kept."
        ) from None
    except ReaderStudyError:
        finishing.fail(batch=found)
        raise
    except Exception as error:
        finishing.fail(batch=found)
        log.exception("import %s failed", batch)
        raise ReaderStudyError(
            f"The import met a fault ({type(error).__name__}). What came in is kept."
        ) from None
    return finishing.finish(batch=found, outcomes=outcomes)

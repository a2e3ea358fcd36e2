"""The archive of a run: written once by a job, kept, and read file by file for downloads."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from readerstudy.analysis import datasets, running
from readerstudy.analysis.everything import everything
from readerstudy.analysis.models import AnalysisRun
from readerstudy.analysis.writing.packing import to_zip
from readerstudy.cases import storage
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError

WHOLE = "everything.zip"
WRITTEN = {
    WHOLE: "",
    "report.pdf": "report/report.pdf",
    "report.html": "report/report.html",
    "methods.docx": "text/methods.docx",
    "tables.xlsx": "tables/tables.xlsx",
    "tables.docx": "tables/tables.docx",
}
"""What is offered by itself, and where it stands in the archive."""
NO_PDF = "report/no_pdf.txt"


def queue(run: AnalysisRun, *, actor: Any) -> None:
    """Store the order to write the archive of a computed run; once."""
    if run.archive_job_id is not None:
        return
    with write_transaction():
        run.archive_job = jobs.enqueue(
            "archive_results",
            title=f"Report of {run.study.name}",
            arguments={"run": str(run.pk)},
            actor=actor,
            key=f"archive:{run.pk}",
        )
        run.save(update_fields=("archive_job",))


def write(run: AnalysisRun, *, actor: Any) -> str:
    """Write the archive of a run unless it is there; return the name of the stored object."""
    if run.archive:
        return run.archive
    found = running.carry_out_run(run, actor=actor)
    name = storage.put(to_zip(everything(datasets.load(run.study, actor=actor), found)))
    with write_transaction():
        AnalysisRun.objects.filter(pk=run.pk).update(archive=name)
        audit.record(
            actor=actor,
            action="analysis.archive",
            target=f"study {run.study_id}",
            new={"run": str(run.pk), "archive": name},
        )
    run.archive = name
    return name


def read(run: AnalysisRun, name: str) -> bytes:
    """Return the archive, or one of the documents in it.

    Raises
    ------
    Conflict
        While it is being written.
    ReaderStudyError
        For the PDF, where the libraries that draw it are not installed.
    """
    if not run.archive:
        raise Conflict("The report is being written. The page of the results shows how far it is.")
    with storage.open_verified(run.archive) as stored:
        content: bytes = stored.read()
    if name == WHOLE:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if WRITTEN[name] not in archive.namelist():
            raise ReaderStudyError(archive.read(NO_PDF).decode().strip(), code="no_pdf")
        return archive.read(WRITTEN[name])

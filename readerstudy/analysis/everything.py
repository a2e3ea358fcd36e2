"""The whole archive of a study, and single documents of it; the database adds to the bundle."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from importlib.metadata import distributions

from readerstudy.analysis import export
from readerstudy.analysis.document import Document
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.study_papers import AUDIT_COLUMNS, audit_rows, papers_of
from readerstudy.analysis.writing import bundle, report
from readerstudy.analysis.writing.layout import source_of
from readerstudy.analysis.writing.paged import DrawingUnavailable
from readerstudy.analysis.writing.papers import Papers
from readerstudy.analysis.writing.table_docx import tables_docx
from readerstudy.analysis.writing.table_xlsx import workbook
from readerstudy.core.errors import ReaderStudyError

SUMS = "SHA256SUMS"
Writer = Callable[[Document, Dataset, Papers], bytes]


def everything(data: Dataset, found: Document) -> dict[str, bytes]:
    """Return every file of the archive by its path; the same study gives the same bytes."""
    raw = {name: blob for name, blob in export.files(data, found).items() if name != SUMS}
    raw["audit.csv"] = export.to_csv(audit_rows(data.study), AUDIT_COLUMNS).encode()
    raw["software.txt"] = software_list().encode()
    made = bundle.files(found, data, papers_of(data.study), raw=raw)
    return {**made, SUMS: _sums(made)}


def _sums(content: dict[str, bytes]) -> bytes:
    lines = (f"{hashlib.sha256(one).hexdigest()}  {name}\n" for name, one in content.items())
    return "".join(sorted(lines, key=lambda line: line[66:])).encode()


def software_list() -> str:
    """Return every installed package with its version, as ``pip list`` does."""
    found = {one.metadata["Name"]: one.version for one in distributions()}
    lines = sorted((f"{name}=={one}" for name, one in found.items()), key=str.casefold)
    return "\n".join([f"Python {platform.python_version()}", *lines, ""])


def _whole(write: Callable[[Document], bytes]) -> Writer:
    """Return a writer that adds the flow of the readings to the document, as the report does."""
    return lambda found, data, papers: write(source_of(found, data, papers).document)


SINGLE: dict[str, Writer] = {
    "report.html": lambda found, data, papers: report.html(found, data, papers).encode(),
    "report.pdf": report.pdf,
    "methods.docx": lambda found, data, papers: bundle.methods_docx(source_of(found, data, papers)),
    "tables.xlsx": _whole(workbook),
    "tables.docx": _whole(tables_docx),
}


def single(name: str, data: Dataset, found: Document) -> bytes | None:
    """Return one document without making the others; None where there is none of that name.

    Raises
    ------
    ReaderStudyError
        Where the libraries that draw a PDF are not installed.
    """
    write = SINGLE.get(name)
    try:
        return write(found, data, papers_of(data.study)) if write else None
    except DrawingUnavailable as error:
        raise ReaderStudyError(str(error), code="no_pdf") from error

"""The whole archive of a study; the database adds to the bundle."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import distributions

from readerstudy.analysis import export
from readerstudy.analysis.document import Document
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.study_papers import AUDIT_COLUMNS, audit_rows, papers_of
from readerstudy.analysis.writing import bundle

SUMS = "SHA256SUMS"


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

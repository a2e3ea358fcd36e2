"""Files of stored ratings: what they rest on, the results, and exports for other programs."""

from __future__ import annotations

import json
from typing import Any

from readerstudy.analysis.exports.for_others import file_for_others, names_for_others
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings.access import imported_dataset
from readerstudy.analysis.ratings.computing import results_of
from readerstudy.analysis.writing import report

CONTENT_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "application/octet-stream",  # to keep; its styles are in it, so no page shows it
}
OWN = {
    "report.pdf": "Report, PDF",
    "report.html": "Report, HTML",
    "results.json": "Results at full precision",
    "facts.json": "The ratings as they were taken",
    "mapping.json": "What the columns mean, for the next import",
    "faults.json": "What was found wrong in the file",
}


def offered_files(row: RatingsImport) -> list[tuple[str, str]]:
    """Return the files of a stored import, each with its words."""
    return [*OWN.items(), *names_for_others(imported_dataset(row))]


def file_named(row: RatingsImport, name: str) -> bytes | None:
    """Return a file; None where there is none of that name.

    Raises
    ------
    Conflict
        If it rests on results that are not computed yet, or the ratings are not stored.
    """
    if name == "mapping.json":
        return _json(row.mapping)
    data = imported_dataset(row)
    if name in ("facts.json", "faults.json"):
        return _json(row.facts if name == "facts.json" else row.faults)
    if name == "results.json":
        return _json(results_of(row).to_dict())
    if name == "report.html":
        return report.html(results_of(row), data).encode()
    if name == "report.pdf":
        return report.pdf(results_of(row), data)
    return file_for_others(data, name)


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()

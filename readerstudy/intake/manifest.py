"""Manifests: a table that says which files are which case, sequence, stratum, origin and truth.

`read` finds all that is wrong with the table itself, `plan` says what applying it would change,
`apply` does it row by row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake.manifest_apply import RowResult, apply
from readerstudy.intake.manifest_plan import FAULTS, Plan, RowChange, plan
from readerstudy.intake.manifest_rows import Manifest, Row, knows, rows_of
from readerstudy.intake.manifest_tables import Problem, TableError, read_table

__all__ = [
    "FAULTS",
    "NAMES",
    "Manifest",
    "ManifestError",
    "Plan",
    "Row",
    "RowChange",
    "RowResult",
    "apply",
    "find_manifest",
    "plan",
    "read",
]
NAMES = ("manifest.csv", "manifest.xlsx", "manifest.tsv")
SHOWN = 10


class ManifestError(ReaderStudyError):
    """A manifest cannot be used; ``problems`` lists every reason.

    The message holds nothing of the table, which names cases as the source does.
    """

    code = "manifest"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda one: one.row)
        count = len(problems)
        said = " ".join(_sentence(str(one)) for one in self.problems[:SHOWN])
        more = f" And {count - SHOWN} more." if count > SHOWN else ""
        super().__init__(
            f"The manifest has {count} problem{'s' if count > 1 else ''}. {said}{more}"
        )

    def to_list(self) -> list[dict[str, Any]]:
        """Return the problems as plain data."""
        return [
            {"row": one.row, "column": one.column, "problem": one.text, "cell": one.cell}
            for one in self.problems
        ]


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ManifestError
        With every problem of the table, each with its row and column.
    """
    try:
        manifest, problems = rows_of(read_table(path, knows=knows))
    except TableError as error:
        raise ManifestError([Problem(0, "", str(error))]) from error
    if problems:
        raise ManifestError(problems)
    return manifest


def find_manifest(folder: Path) -> Path | None:
    """Return the manifest that lies at the top of a folder, if there is one.

    Raises
    ------
    ManifestError
        If there are several.
    """
    found = sorted(path for path in folder.iterdir() if path.name.lower() in NAMES)
    if len(found) > 1:
        text = f"There are {len(found)} manifests: {', '.join(p.name for p in found)}. Keep one."
        raise ManifestError([Problem(0, "", text)])
    return found[0] if found else None


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."

"""The table of a manifest: how it is read, and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from readerstudy.core import tables
from readerstudy.core.tables import SUFFIXES, Line, Problem, Table, TableError

__all__ = ["MAX_FILE_BYTES", "MAX_ROWS", "SHEET", "SUFFIXES", "Line", "Problem", "Table",
           "TableError", "read_table"]  # fmt: skip
SHEET = "manifest"
BOUNDS = tables.Bounds(what="manifest", sheet=SHEET)
MAX_FILE_BYTES, MAX_ROWS = BOUNDS.file_bytes, BOUNDS.rows


def read_table(path: Path, *, knows: Callable[[str], bool]) -> Table:
    """Read a manifest; ``knows`` says which column names are expected, to find the separator.

    Raises
    ------
    TableError
        If the file cannot be read as a table at all.
    """
    return tables.read_table(path, knows=knows, bounds=BOUNDS)

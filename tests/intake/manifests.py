"""Manifests and folders for tests, as a coordinator would have them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from readerstudy.intake.manifest import Manifest, read


def table(folder: Path, *rows: dict[str, Any], name: str = "manifest.csv") -> Path:
    """Write rows, given as dicts by column, below one header."""
    header = list(dict.fromkeys(column for row in rows for column in row))
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def manifest(folder: Path, *rows: dict[str, Any]) -> Manifest:
    """Return the manifest that these rows make."""
    return read(table(folder, *rows))

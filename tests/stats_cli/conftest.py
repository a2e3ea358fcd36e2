"""Small files, and the command line called on them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from readerstudy.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command said."""

    code: int
    out: str
    err: str

    def document(self) -> dict[str, Any]:
        """Return the JSON on the screen; refuse NaN and infinity, which JSON does not have."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.out, parse_constant=refuse)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table of the JSON on the screen."""
        return self.document()["tables"][table]["rows"]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


Stats = Callable[..., Outcome]
MakeFile = Callable[..., Path]


@pytest.fixture
def stats(capsys: pytest.CaptureFixture[str]) -> Stats:
    """Return a caller of ``readerstudy stats``."""

    def call(*arguments: object) -> Outcome:
        try:
            code = main(["stats", *map(str, arguments)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return Outcome(code, told.out, told.err)

    return call


@pytest.fixture
def make(tmp_path: Path) -> MakeFile:
    """Return a writer of CSV files."""

    def write(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[[str], Path]:
    """Return a writer of a file with a given text."""

    def write(text: str) -> Path:
        path = tmp_path / "given.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write

"""Graded reads as the workbook of the R package RJafroc: sheets TRUTH, FP and TP."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from readerstudy.analysis.exports.files_made import made_by
from readerstudy.analysis.exports.graded import Graded, table_of
from readerstudy.analysis.exports.stable_xlsx import without_dates
from readerstudy.analysis.facts import Dataset
from readerstudy.stats.mrmc_files import write_rjafroc


def rjafroc_files(data: Dataset, graded: Graded) -> dict[str, bytes]:
    """Return the workbook of one question, and which case each of its numbers stands for.

    Raises
    ------
    ValueError
        As for `table_of`, and for a study that is not fully crossed.
    """
    table = table_of(data, graded)
    numbers: dict[Any, int] = {}

    def write(path: Path) -> None:
        numbers.update(write_rjafroc(path, table))

    (name, workbook), *_ = made_by(f"rjafroc_{graded.name}.xlsx", write).items()
    return {
        name: without_dates(workbook),
        f"rjafroc_{graded.name}_cases.csv": _cases(numbers),
    }


def _cases(numbers: Mapping[Any, int]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("CaseID", "case"))
    writer.writerows((number, case) for case, number in numbers.items())
    return out.getvalue().encode()

"""Graded reads as the long data frame of the R package MRMCaov."""

from __future__ import annotations

from readerstudy.analysis.exports.files_made import made_by
from readerstudy.analysis.exports.graded import Graded, table_of
from readerstudy.analysis.facts import Dataset
from readerstudy.stats.mrmc_files import write_long_csv


def mrmcaov_files(data: Dataset, graded: Graded) -> dict[str, bytes]:
    """Return the data frame of one question: reader, treatment (arm), case, truth, rating.

    Raises
    ------
    ValueError
        As for `table_of`.
    """
    table = table_of(data, graded)
    return made_by(f"mrmcaov_{graded.name}.csv", lambda path: write_long_csv(path, table))

"""Graded reads for iMRMC (U.S. FDA): the arms are its modalities."""

from __future__ import annotations

from readerstudy.analysis.exports.files_made import made_by
from readerstudy.analysis.exports.graded import Graded, table_of, told_of
from readerstudy.analysis.facts import Dataset
from readerstudy.stats.mrmc_files import write_imrmc


def imrmc_files(data: Dataset, graded: Graded) -> dict[str, bytes]:
    """Return the input file of iMRMC for one question.

    Raises
    ------
    ValueError
        As for `table_of` and `write_imrmc`.
    """
    table = table_of(data, graded)
    description = f"{' '.join(data.protocol.name.split())}\n{told_of(data, graded)}"
    name = f"imrmc_{graded.name}.imrmc"
    return made_by(name, lambda path: write_imrmc(path, table, description=description))

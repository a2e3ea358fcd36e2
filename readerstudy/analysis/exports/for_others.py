"""All exports for other programs, with a list that says what was written and what was not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from readerstudy.analysis.exports.graded import Graded, graded_of, told_of
from readerstudy.analysis.exports.imrmc import imrmc_files
from readerstudy.analysis.exports.mrmcaov import mrmcaov_files
from readerstudy.analysis.exports.redcap import DICTIONARY, RECORDS, redcap_files
from readerstudy.analysis.exports.rjafroc import rjafroc_files
from readerstudy.analysis.facts import Dataset
from readerstudy.core.errors import NotFound

LIST = "exports.csv"
COLUMNS = ("file", "for", "content", "not_written_because")


@dataclass(frozen=True)
class Export:
    """One export: its files by name, or why there are none."""

    program: str
    content: str
    files: dict[str, bytes]
    reason: str = ""


@dataclass(frozen=True)
class Format:
    """A format of graded reads; ``names`` are those of its files, with a place for the question."""

    program: str
    make: Callable[[Dataset, Graded], dict[str, bytes]]
    names: tuple[str, ...]


GRADED = (
    Format("iMRMC", imrmc_files, ("imrmc_{}.imrmc",)),
    Format("RJafroc", rjafroc_files, ("rjafroc_{}.xlsx", "rjafroc_{}_cases.csv")),
    Format("MRMCaov", mrmcaov_files, ("mrmcaov_{}.csv",)),
)


def exports_of(data: Dataset) -> list[Export]:
    """Return every export that a data set allows; those that it does not say why."""
    found = [_made(one, data, graded) for graded in graded_of(data) for one in GRADED]
    if not found:
        reason = "no question with two levels has a known right answer"
        found = [Export(one.program, "graded reads", {}, reason) for one in GRADED]
    return [*found, Export("REDCap", f"{DICTIONARY} and {RECORDS}", redcap_files(data))]


def _made(form: Format, data: Dataset, graded: Graded) -> Export:
    content = told_of(data, graded)
    try:
        return Export(form.program, content, form.make(data, graded))
    except ValueError as error:
        return Export(form.program, content, {}, str(error))


def files_for_others(data: Dataset) -> dict[str, bytes]:
    """Return all files by name, and the list of them."""
    exports = exports_of(data)
    files = {name: blob for one in exports for name, blob in one.files.items()}
    return {**files, LIST: _list(exports)}


def file_for_others(data: Dataset, name: str) -> bytes | None:
    """Return one of the files without making the others; None where there is none of that name.

    Raises
    ------
    NotFound
        With the reason, if its format cannot hold these data.
    """
    for graded in graded_of(data):
        for form in GRADED:
            if name in (one.format(graded.name) for one in form.names):
                made = _made(form, data, graded)
                if made.reason:
                    raise NotFound(f"There is no file for {form.program}: {made.reason}.")
                return made.files[name]
    if name in (DICTIONARY, RECORDS):
        return redcap_files(data)[name]
    return files_for_others(data)[LIST] if name == LIST else None


def names_for_others(data: Dataset) -> list[tuple[str, str]]:
    """Return the names of all files, each with its words; some may say that they cannot be made."""
    graded = [
        (name.format(one.name), f"{form.program}: {data.protocol.question(one.question).text}")
        for one in graded_of(data)
        for form in GRADED
        for name in form.names
    ]
    redcap = [(DICTIONARY, "REDCap: data dictionary"), (RECORDS, "REDCap: records")]
    return [*graded, *redcap, (LIST, "What was written for other programs, and what not")]


def _list(exports: list[Export]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in exports:
        rows = [(name, one.program, one.content, "") for name in one.files]
        writer.writerows(rows or [("", one.program, one.content, one.reason)])
    return out.getvalue().encode()

"""Which examinations belong to one patient, so that no patient trains and is held out at once."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from synthesis.data.subjects import DataError

PATIENTS_FILE = "patients.csv"

_NAMED = (
    re.compile(r"^(?P<patient>sub-[A-Za-z0-9]+)_ses-[A-Za-z0-9]+$"),  # BIDS
    re.compile(r"^(?P<patient>BraTS[A-Za-z0-9-]*-\d{4,})-\d{3}$"),  # BraTS since 2021
)


def patients_of(folder: Path, examinations: Sequence[str]) -> dict[str, str]:
    """Return the patient of each examination (a folder of images).

    Taken from ``patients.csv`` (columns ``examination`` and ``patient``) in the data folder if it
    is there; else from names that say it: ``sub-07_ses-2`` (BIDS), ``BraTS-GLI-00012-001``. Any
    other folder is a patient of its own.

    Raises
    ------
    DataError
        If the table lacks a column or an examination, or names one twice.
    """
    table = folder / PATIENTS_FILE
    if not table.exists():
        return {name: _patient_in(name) for name in examinations}
    listed = _read(table)
    missing = [name for name in examinations if name not in listed]
    if missing:
        raise DataError(f"{PATIENTS_FILE} has no line for {', '.join(missing[:5])}. Add it.")
    return {name: listed[name] for name in examinations}


def _patient_in(name: str) -> str:
    for pattern in _NAMED:
        if found := pattern.match(name):
            return found["patient"]
    return name


def _read(table: Path) -> dict[str, str]:
    with table.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not {"examination", "patient"} <= set(reader.fieldnames or ()):
            raise DataError(f"{PATIENTS_FILE} needs the columns examination and patient.")
        listed: dict[str, str] = {}
        for line in reader:
            name, patient = (line["examination"] or "").strip(), (line["patient"] or "").strip()
            if name in listed or not patient:
                raise DataError(f"{PATIENTS_FILE} names {name!r} twice or without a patient.")
            listed[name] = patient
    return listed

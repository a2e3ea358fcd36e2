"""The export of a dry run as a file to take away, with codes of its own.

The cases of a dry run are those of the study, and its export holds their origin. Read beside the
list of cases it would unblind the study, so cases, subjects and items get new codes by lot, points
keep no patient coordinates, and the certificate, which names items, is left out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from readerstudy.analysis import export, running
from readerstudy.analysis.carrying_out import entries_of
from readerstudy.analysis.facts import Dataset, Item, Read
from readerstudy.analysis.writing.packing import to_zip
from readerstudy.cases import storage
from readerstudy.rehearsal.models import Rehearsal

# What names the cases of the study, or where they lie in the scanner.
LEFT_OUT = ("allocation_certificate.json", "protocol", "SHA256SUMS", "dicom_sr")
README = """SIMULATED DATA. Nobody read anything: these answers were drawn by a program.

Dry run {number} of “{name}” with {readers} virtual readers, seed {seed}. The codes of cases,
subjects and items are new ones, drawn by lot, and belong to no list of the study.
simulated.json holds what was assumed, what was planted and what was recovered.
"""


def store(rehearsal: Rehearsal, data: Dataset, result: dict[str, Any]) -> str:
    """Store the archive of a dry run; return its name in the object store."""
    return storage.put(to_zip(files(rehearsal, data, result)))


def files(rehearsal: Rehearsal, data: Dataset, result: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of the archive by name."""
    renamed = with_new_codes(data)
    found = running.compute(renamed, entries_of(renamed.protocol.plan))
    content = export.files(renamed, found)
    kept = {name: blob for name, blob in content.items() if not name.startswith(LEFT_OUT)}
    told = {"simulated": True, "assumptions": rehearsal.assumptions, "result": result}
    readme = README.format(
        number=rehearsal.number,
        name=rehearsal.study.name,
        readers=rehearsal.readers,
        seed=rehearsal.seed,
    )
    return {
        **{f"simulated_{name}": blob for name, blob in kept.items()},
        "simulated.json": json.dumps(told, indent=1, ensure_ascii=False).encode(),
        "README.txt": readme.encode(),
    }


def with_new_codes(data: Dataset) -> Dataset:
    """Return the data set under codes that cannot be traced to the cases of the study."""
    held = data.items.values()
    cases = _drawn("C", _case_codes(data))
    subjects = _drawn("S", (one.subject for one in (*data.reads, *held)))
    items = {cases[one.code]: _renamed_item(one, cases, subjects) for one in held}
    settled = {
        question: [replace(one, item=cases[one.item]) for one in rows]
        for question, rows in data.settled.items()
    }
    reads = [_renamed(read, cases, subjects) for read in data.reads]
    return replace(data, reads=reads, items=items, settled=settled)


def _case_codes(data: Dataset) -> Iterable[str]:
    """Yield every code of a case or item, as often as it comes."""
    for read in data.reads:
        yield from (read.case, read.item)
    for one in data.items.values():
        yield from (one.code, *one.cases)
    yield from (one.item for rows in data.settled.values() for one in rows)


def _renamed_item(one: Item, cases: dict[str, str], subjects: dict[str, str]) -> Item:
    return replace(
        one,
        code=cases[one.code],
        cases=tuple(cases[code] for code in one.cases),
        subject=subjects[one.subject],
    )


def _drawn(letter: str, codes: Iterable[str]) -> dict[str, str]:
    known = sorted(set(codes))
    secrets.SystemRandom().shuffle(known)
    return {code: f"{letter}{number:04d}" for number, code in enumerate(known, start=1)}


def _renamed(read: Read, cases: dict[str, str], subjects: dict[str, str]) -> Read:
    answers = {
        code: {**value, "points_lps_mm": None} if isinstance(value, dict) else value
        for code, value in read.answers.items()
    }
    return replace(
        read,
        case=cases[read.case],
        item=cases[read.item],
        subject=subjects[read.subject],
        answers=answers,
    )

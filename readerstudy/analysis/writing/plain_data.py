"""The data of a study as plain tables: what the scripts of the archive read, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from readerstudy.analysis.document import EXPLORATORY, PLANNED
from readerstudy.analysis.endpoints.after_consensus import is_not_evaluable
from readerstudy.analysis.endpoints.given import label_of, levels_of
from readerstudy.analysis.facts import Dataset, Read
from readerstudy.analysis.writing.table_csv import to_csv
from readerstudy.core.cells import safe_cell
from readerstudy.studies.analysis_plan import Plan

SEPARATOR = "|"
NOT_EVALUABLE = "not_evaluable"
SETTLED_COLUMNS = ("question", "arm", "item", "value", "how", "given")
READ_COLUMNS = (
    "reader",
    "arm",
    "period",
    "position",
    "stage",
    "repeat",
    "item",
    "case",
    "subject",
    "origin",
    "generator",
    "question",
    "value",
    "not_evaluable",
)
COLUMN_TEXTS = {
    "items.csv": {
        "item": "Code of what was shown: the case, or the first of several beside each other",
        "cases": "Codes of the cases in their order, separated by a vertical bar",
        "subject": "Pseudonym of the person; items of one subject are not independent",
        "stratum": "Stratum of the case",
        "origin": "Truth of each case: real, synthetic or unknown, separated by a vertical bar",
        "generator": "Generator of each case, empty for a real one",
        "reference_*": "Reference standard, one column for each endpoint",
        "right_*": "Right answer, one column for each question; of images beside each other the "
        "number of the right one, from 0; empty where it is not known",
    },
    "readers.csv": {
        "reader": "Code of the reader in this study",
        "years": "Years of experience, empty if not stated",
        "subspecialty": "As stated by the reader",
        "planned": "Readings that were planned for this reader",
        "withdrawn": "1 if the reader left the study",
        "replaces": "Code of the reader whose cases were taken over",
    },
    "questions.csv": {
        "question": "Code of the question",
        "text": "Its words",
        "kind": "As in the codebook",
        "bound_to": "Of a confidence: the question it speaks of",
        "truth_source": "What the right answer follows from: origin, reference, or nothing",
        "level": "Code of a level; one row for each, empty where there are none; of a "
        "choice between images their numbers from 0, and equal",
        "place": "Place of the level in the protocol, from 0",
        "score": "What the level counts",
        "label": "Its words",
    },
    "arms.csv": {"arm": "Code of the arm", "name": "Its words", "place": "Place, from 0"},
    "settled.csv": {
        "question": "Code of the question; only those that were laid before a panel",
        "arm": "Code of the arm",
        "item": "Code of what was shown",
        "value": "The answer that holds, empty where none does",
        "how": "agreed by all readers, consensus of a panel, no_majority, or not_laid before one",
        "given": "What the readers answered, separated by a vertical bar",
    },
    "plan.csv": {
        "tag": "planned before the data, or exploratory",
        "*": "Fields of the plan; lists are separated by a vertical bar",
    },
}


def data_files(data: Dataset, later: Plan = ()) -> dict[str, str]:
    """Return the tables by file name; ``later`` is what was asked for after unblinding."""
    return {
        "items.csv": _table(_items(data)),
        "readers.csv": _table(_readers(data)),
        "questions.csv": _table(_questions(data)),
        "arms.csv": _table(_arms(data)),
        "settled.csv": to_csv(SETTLED_COLUMNS, _settled(data)),
        "plan.csv": _table(_plan(data.protocol.plan, later)),
    }


def reads_csv(data: Dataset) -> str:
    """Return one row per reading and question answered, of data that were collected elsewhere."""
    return to_csv(READ_COLUMNS, (row for read in data.reads for row in _read_rows(read)))


def _read_rows(read: Read) -> Iterator[list[str]]:
    names = [name for name in READ_COLUMNS if name not in ("question", "value", "not_evaluable")]
    common = [safe_cell(str(getattr(read, name))) for name in names]
    for question, value in read.answers.items():
        yield [*common, question, _text(value), "0"]
    for question in sorted(read.not_evaluable - set(read.answers)):
        yield [*common, question, "", "1"]


def _text(value: Any) -> str:
    if isinstance(value, dict) and "members" in value:
        return SEPARATOR.join(map(str, value["members"])) or "equal"
    if isinstance(value, list | tuple):
        return SEPARATOR.join(map(str, value))
    if isinstance(value, float):
        return repr(value)
    return safe_cell(str(value)) if isinstance(value, str) else str(value)


def _table(rows: Iterable[dict[str, Any]]) -> str:
    listed = list(rows)
    heads = list(dict.fromkeys(name for row in listed for name in row))
    return to_csv(heads, [[_cell(row.get(head, "")) for head in heads] for row in listed])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return safe_cell(value) if isinstance(value, str) else str(value)


def _items(data: Dataset) -> Iterator[dict[str, Any]]:
    endpoints = sorted({name for item in data.items.values() for name in item.references})
    questions = [one.code for one in data.protocol.questions if one.truth]
    known = {code for item in data.items.values() for code in item.right}
    asked = [*questions, *sorted(known - set(questions))]
    for item in data.items.values():
        yield {
            "item": item.code,
            "cases": SEPARATOR.join(item.cases),
            "subject": item.subject,
            "stratum": item.stratum,
            "origin": SEPARATOR.join(item.origins),
            "generator": SEPARATOR.join(item.generators),
            **{f"reference_{name}": item.references.get(name, "") for name in endpoints},
            **{f"right_{code}": _right(item.right.get(code)) for code in asked},
        }


def _right(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["member"])
    return "" if value is None else _text(value)


def _readers(data: Dataset) -> Iterator[dict[str, Any]]:
    for one in data.readers:
        yield {
            "reader": one.code,
            "years": one.years,
            "subspecialty": one.subspecialty,
            "planned": one.planned,
            "withdrawn": one.withdrawn,
            "replaces": one.replaces,
        }


def _questions(data: Dataset) -> Iterator[dict[str, Any]]:
    for one in data.protocol.questions:
        common = {
            "question": one.code,
            "text": one.text,
            "kind": one.kind,
            "bound_to": one.bound_to,
            "truth_source": str(one.truth.get("source", "")),
        }
        levels = levels_of(data.protocol, one)
        if not levels:
            yield {**common, "level": "", "place": "", "score": "", "label": ""}
        for place, level in enumerate(levels if not one.options else ()):
            words = label_of(one, level)
            yield {**common, "level": level, "place": place, "score": "", "label": words}
        for place, option in enumerate(one.options):
            score = one.scores[option.code]
            yield {
                **common,
                "level": option.code,
                "place": place,
                "score": f"{score:g}",
                "label": option.label,
            }


def _arms(data: Dataset) -> Iterator[dict[str, Any]]:
    for place, code in enumerate(data.protocol.arm_codes):
        yield {"arm": code, "name": data.protocol.arm_name(code), "place": place}


def _settled(data: Dataset) -> Iterator[list[str]]:
    for question, settled in sorted(data.settled.items()):
        for one in settled:
            given = SEPARATOR.join(map(_held, one.given))
            yield [question, one.arm, one.item, _held(one.value), one.how, given]


def _held(value: Any) -> str:
    if is_not_evaluable(value):
        return NOT_EVALUABLE
    return "" if value is None else _text(value)


def _plan(planned: Plan, later: Plan) -> Iterator[dict[str, Any]]:
    tagged = [(PLANNED, one) for one in planned] + [(EXPLORATORY, one) for one in later]
    for tag, entry in tagged:
        fields = {name: _joined(value) for name, value in asdict(entry).items()}
        yield {"tag": tag, **fields}


def _joined(value: Any) -> Any:
    return SEPARATOR.join(map(str, value)) if isinstance(value, tuple | list) else value

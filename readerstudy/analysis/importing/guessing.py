"""A first guess of what the columns of a table mean, for the user to correct."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from readerstudy.analysis.importing.cell_values import Unfit, number_of
from readerstudy.analysis.importing.mapping import (
    LONG,
    MISSING,
    NOT_EVALUABLE,
    ORIGIN_WORDS,
    READERS,
    WIDE,
)
from readerstudy.core.tables import Table

NAMES = {
    "reader": "reader rater readerid raterid observer radiologist reader_id leser befunder",
    "case": "case caseid case_id image imageid image_id exam scan item fall case_code study",
    "subject": "subject patient patientid patient_id subject_id subjectid pid",
    "arm": "arm modality treatment test condition modalität",
    "period": "period session round sitzung",
    "order": "order position sequence_number place rank_in_session reihenfolge",
    "repeat": "repeat repetition replicate",
    "stratum": "stratum group_of_case",
    "origin": "origin real_synthetic class source realfake real_fake",
    "generator": "generator network model gan",
    "years": "years experience years_of_experience",
    "question": "question item_question variable feature frage",
    "value": "value answer rating_value response antwort",
}  # fmt: skip
REFERENCES = re.compile(
    r"(?:ref|reference|true|gold)[ _:-]+(?P<named>[\w -]+)"
    r"|(?P<known>truth|gold(?:[ _-]?standard)?|reference|diagnosis|disease|age|sex|time|event|"
    r"survival[\w ]*|dead|death|status|follow[ _-]?up[\w ]*)",
    re.IGNORECASE,
)
A_READER = re.compile(r"(r|reader|rater|observer|radiologist)[ _-]?([0-9]{1,3}|[a-z])", re.I)
CONFIDENCE = re.compile(r"(confidence|certainty|sure(ness)?|konfidenz)", re.IGNORECASE)
MOST_LEVELS = 12
NEARLY_ALL = 0.8


def knows(header: str) -> bool:
    """Is this the name of a column that a table of ratings may have? Finds the separator."""
    return bool(_role(header) or REFERENCES.fullmatch(header.strip()) or A_READER.fullmatch(header))


def _plain(header: str) -> str:
    return re.sub(r"[\s_-]+", "_", header.strip().lower())


def _role(header: str) -> str:
    plain = _plain(header)
    spellings = {plain, plain.replace("_", "")}
    names = ((role, {role, *known.split()}) for role, known in NAMES.items())
    return next((role for role, known in names if spellings & known), "")


def guess(table: Table, cases: Table | None = None, *, name: str = "") -> dict[str, Any]:
    """Return a mapping document; it need not be complete."""
    headers = list(dict.fromkeys([*table.header, *(cases.header if cases else [])]))
    columns: dict[str, str] = {}
    for header in headers:
        role = _role(header)
        if role and role not in columns:
            columns[role] = header
    taken = set(columns.values())
    references = _references(cases.header if cases else table.header, taken)
    used = taken | set(references.values())
    rest = [header for header in table.header if header and header not in used]
    form = LONG if {"question", "value"} <= set(columns) else WIDE
    readers = {h: _reader_code(h) for h in rest if A_READER.fullmatch(h.strip())}
    if "reader" not in columns and readers:
        form, columns = READERS, {k: v for k, v in columns.items() if k in OF_CASES}
    if form == WIDE and "origin" not in columns and (truth := _told_of_cases(table, columns, rest)):
        columns["origin"] = truth
        rest.remove(truth)
    decimal = _decimal(table)
    return {
        "name": name,
        "form": form,
        "columns": columns,
        "references": references,
        "readers": readers if form == READERS else {},
        "decimal": decimal,
        "questions": questions_in(table, form, columns, rest, decimal=decimal),
    }


OF_CASES = ("case", "subject", "stratum", "origin", "generator")


def _told_of_cases(table: Table, columns: dict[str, str], rest: list[str]) -> str:
    """Return the one column of real and synthetic that says the same in all rows of a case."""
    if columns.get("case") not in table.header:
        return ""
    case = table.header.index(columns["case"])
    both = [header for header in rest if _of_origin(_values(table, header))]

    def is_constant(header: str) -> bool:
        place = table.header.index(header)
        pairs = {(line.cells[case], line.cells[place]) for line in table.lines}
        return len(pairs) == len({one for one, _ in pairs})

    constant = [header for header in both if is_constant(header)]
    return constant[0] if len(constant) == 1 and len(both) > 1 else ""


def _references(headers: Iterable[str], taken: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for header in headers:
        match = REFERENCES.fullmatch(header.strip())
        if match and header not in taken:
            found.setdefault(code_of(match["named"] or match["known"]), header)
    return found


def _reader_code(header: str) -> str:
    match = A_READER.fullmatch(header.strip())
    return f"R{match[2].upper()}" if match else header


def code_of(header: str) -> str:
    """Return a code for a column: letters, digits and _, at most 32."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", header).strip("_").lower()
    return plain[:32].strip("_") or "question"


def _values(table: Table, header: str) -> list[str]:
    place = table.header.index(header)
    texts = (line.cells[place].strip() for line in table.lines)
    skipped = {*MISSING, *NOT_EVALUABLE}
    return [text for text in texts if text.casefold() not in skipped]


def _decimal(table: Table) -> str:
    cells = [cell for line in table.lines[:500] for cell in line.cells]
    commas = sum(bool(re.fullmatch(r"-?\d+,\d+", cell)) for cell in cells)
    points = sum(bool(re.fullmatch(r"-?\d+\.\d+", cell)) for cell in cells)
    return "," if commas > points else "."


def questions_in(
    table: Table,
    form: str,
    columns: dict[str, str],
    rest: list[str],
    *,
    decimal: str,
    chosen: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return a definition of each question that the columns ``rest``, or the rows, answer.

    Free text becomes a question only where its column is among ``chosen``: it may hold names.
    """
    if form == READERS:
        cells = [text for h in rest if A_READER.fullmatch(h.strip()) for text in _values(table, h)]
        return [{"code": "answer", "text": "Answer", **_scale(cells, decimal), "source": "answer"}]
    if form == WIDE:
        made = [_question(header, _values(table, header), decimal) for header in rest]
        made = [one for one in made if one["kind"] != "text" or one["source"] in chosen]
    else:
        asked, value = (table.header.index(columns[role]) for role in ("question", "value"))
        answers: dict[str, list[str]] = {}
        for line in table.lines:
            answers.setdefault(line.cells[asked].strip(), []).append(line.cells[value].strip())
        made = [_question(name, cells, decimal) for name, cells in answers.items() if name]
    return _bound(_apart(made))


def _apart(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each question a code of its own."""
    taken: set[str] = set()
    for one in questions:
        code, number = one["code"], 1
        while one["code"] in taken:
            number += 1
            one["code"] = f"{code[:28]}_{number}"
        taken.add(one["code"])
    return questions


def _bound(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bind each confidence to the question before it."""
    before = ""
    for one in questions:
        if before and CONFIDENCE.search(one["text"]) and one["kind"] in ("ordinal", "number"):
            one |= {"kind": "confidence", "bound_to": before}
            if not one["levels"]:
                one |= {"minimum": 0.0, "maximum": 100.0}
        else:
            before = one["code"]
    return questions


def _question(name: str, cells: Iterable[str], decimal: str) -> dict[str, Any]:
    texts = [text for text in cells if text.casefold() not in {*MISSING, *NOT_EVALUABLE}]
    truth = _of_origin(texts)
    return {"code": code_of(name), "text": name, "source": name, **_scale(texts, decimal), **truth}


def _of_origin(texts: list[str]) -> dict[str, Any]:
    """Is it asked whether an image is real? Then the right answer follows from the origin."""
    seen = {text.casefold() for text in texts}
    known = {origin: {word for word in words if word in seen}
             for origin, words in ORIGIN_WORDS.items()}  # fmt: skip
    if not seen or not all(known.values()) or seen - set().union(*known.values()):
        return {}
    levels = [{"code": origin, "label": origin, "values": sorted(words)}
              for origin, words in known.items()]  # fmt: skip
    truth = {"source": "origin", "real": "real", "synthetic": "synthetic"}
    return {"kind": "single", "levels": levels, "truth": truth}


def _scale(texts: list[str], decimal: str) -> dict[str, Any]:
    numbers = [_number(text, decimal) for text in texts]
    known = [number for number in numbers if number is not None]
    distinct = list(dict.fromkeys(texts))
    if known and len(known) >= NEARLY_ALL * len(texts):
        whole = all(number == int(number) for number in known)
        if whole and len(set(known)) <= MOST_LEVELS:
            steps = range(int(min(known)), int(max(known)) + 1)
            if 2 <= len(steps) <= MOST_LEVELS:
                return {"kind": "ordinal", "levels": [_level(str(step)) for step in steps]}
        return {"kind": "number", "levels": []}
    if 2 <= len(distinct) <= MOST_LEVELS:
        kind = "multi" if any(";" in text or "|" in text for text in distinct) else "single"
        if kind == "multi":
            distinct = list(dict.fromkeys(p.strip() for t in distinct for p in re.split("[;|]", t)))
        return {"kind": kind, "levels": [_level(text) for text in sorted(distinct)]}
    return {"kind": "text", "levels": []}


def _level(text: str) -> dict[str, Any]:
    return {"code": text, "label": text, "values": []}


def _number(text: str, decimal: str) -> float | None:
    try:
        return number_of(text, decimal)
    except Unfit:
        return None

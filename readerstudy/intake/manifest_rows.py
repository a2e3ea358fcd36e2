"""What a manifest says, row by row, and everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from openpyxl.utils import get_column_letter

from readerstudy.cases.labelling import clean_day, clean_stratum, clean_tags, clean_unit
from readerstudy.cases.models import Series
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.frames import PLANES, Plane
from readerstudy.imaging.sequences import LABELS, names_only_a_role, role_of
from readerstudy.intake.manifest_tables import Line, Problem, Table
from readerstudy.truth.recording_reference import Statement, clean_statement
from readerstudy.truth.register import GeneratedElsewhere, clean_generated

COLUMNS: dict[str, str] = {
    "path": "File or DICOM series folder, relative to the folder of the import",
    "series_uid": "SeriesInstanceUID of a DICOM series, in place of the path",
    "case": "Name of the case at the source; not kept, only a keyed digest of it",
    "case_code": "Code of a case that is stored already, in place of its name; for labels only",
    "subject": "Name of the person at the source, if one person has several cases",
    "sequence": "Role of the series, such as t1c; empty: as the names and headers tell",
    "stratum": "Group for stratified draws; never shown to readers",
    "day": "Days since the first examination of the subject, for courses over time; no date",
    "tags": "Words to find the case by, separated by semicolons",
    "plane": "Plane of a PNG picture: axial, coronal or sagittal; empty: as chosen for the import",
    "unit": "Unit of a quantitative map, such as mL/100 g",
    "origin": "real or synthetic; empty: not declared",
    "generator": "Name of the generator of a synthetic case",
    "run": "Name of the generation run, as it is called where it was made",
    "record_sha256": "SHA-256 of the generation record",
    "notes": "For your own notes; not read",
}
ALIASES = {
    "file": "path",
    "folder": "path",
    "role": "sequence",
    "patient": "subject",
    "tag": "tags",
    "seriesinstanceuid": "series_uid",
    "series_instance_uid": "series_uid",
    "group": "stratum",
    "generation_run": "run",
    "note": "notes",
    "comment": "notes",
}
REFERENCE = "ref:"
METHOD = ":method"
ORIGINS = ("real", "synthetic")
MADE = ("generator", "run", "record_sha256")
NAMES = ("path", "case", "case_code", "subject")  # a spreadsheet must not make dates of these
MAX_NAME = 200
MAX_ROLE = Series._meta.get_field("role").max_length or 0
T = TypeVar("T")
_ROLE = re.compile(r"[a-z0-9][a-z0-9-]*")
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True)
class Row:
    """What one row says. An empty cell says nothing and changes nothing."""

    number: int
    path: str = ""
    series_uid: str = ""
    case: str = ""
    case_code: str = ""
    subject: str = ""
    sequence: str = ""
    stratum: str = ""
    day: int | None = None
    tags: tuple[str, ...] = ()
    plane: Plane | None = None
    unit: str = ""
    origin: str = ""
    generated: GeneratedElsewhere | None = None
    references: tuple[Statement, ...] = ()

    @property
    def names_images(self) -> bool:
        return bool(self.path or self.series_uid)

    @property
    def case_key(self) -> tuple[str, str, str]:
        """What tells one case from another within the manifest."""
        subject = self.subject or self.case
        return self.case_code, subject.lower(), self.case.lower()

    @property
    def image_name(self) -> str:
        return self.path or self.series_uid


@dataclass(frozen=True)
class Manifest:
    """The rows of a manifest that is well-formed, and what its reader should know."""

    rows: tuple[Row, ...]
    endpoints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Reader:
    """Collects rows and problems."""

    names: list[str]
    problems: list[Problem] = field(default_factory=list)

    def fault(self, row: int, column: str, text: str, cell: str = "") -> None:
        self.problems.append(Problem(row, column, text, cell))


def column_name(text: str) -> str:
    """Return the name under which a column is known; the text itself if it is none."""
    name = re.sub(r"\s*:\s*", ":", text.strip().lower())
    name = name if name.startswith(REFERENCE) else re.sub(r"[\s-]+", "_", name)
    return ALIASES.get(name, name)


def knows(text: str) -> bool:
    """Is this the name of a column?"""
    name = column_name(text)
    return name in COLUMNS or name.startswith(REFERENCE)


def rows_of(table: Table) -> tuple[Manifest, list[Problem]]:
    """Return what a table says, with all that is wrong with it."""
    reader = _Reader([column_name(text) for text in table.header])
    reader.problems += table.problems
    _check_header(table, reader)
    if reader.problems and not _usable(reader.names):
        return Manifest(()), reader.problems
    rows = tuple(_row(line, table, reader) for line in table.lines)
    if not rows and not reader.problems:
        reader.fault(0, "", "The manifest names columns, but has no row below them.")
    reader.problems += _across(rows)
    endpoints = tuple(name.split(":")[1] for name in reader.names if _is_value(name))
    return Manifest(rows, endpoints, tuple(table.notes)), reader.problems


def _usable(names: list[str]) -> bool:
    return bool({"case", "case_code"} & set(names))


def _is_value(name: str) -> bool:
    return name.startswith(REFERENCE) and not name.endswith(METHOD)


def _check_header(table: Table, reader: _Reader) -> None:
    for index, (text, name) in enumerate(zip(table.header, reader.names, strict=True), start=1):
        letter = get_column_letter(index)
        if not text:
            reader.fault(1, letter, "a column has no name")
        elif name.startswith(REFERENCE):
            _check_reference_column(letter, name, reader)
        elif name not in COLUMNS:
            known = ", ".join(COLUMNS)
            said = f"there is no such column; the columns are {known}, ref:…"
            reader.fault(1, letter, said, text)
        if name and reader.names.count(name) > 1:
            reader.fault(1, letter, "the column stands there more than once", text)
    if not _usable(reader.names):
        reader.fault(0, "", "A manifest needs a column “case” or “case_code”.")


def _check_reference_column(letter: str, name: str, reader: _Reader) -> None:
    value_name = name.removesuffix(METHOD)
    if name.endswith(METHOD) and value_name not in reader.names:
        reader.fault(1, letter, "a method needs a column with the values before it", name)
    try:
        clean_statement(endpoint=value_name.removeprefix(REFERENCE), value="1", method="")
    except ReaderStudyError as error:
        reader.fault(1, letter, error.message, name)


@dataclass(frozen=True)
class _Cells:
    """The cells of one row by column, and where its problems go."""

    number: int
    texts: dict[str, str]
    reader: _Reader

    def get(self, name: str) -> str:
        return self.texts.get(name, "")

    def fault(self, column: str, text: str) -> None:
        self.reader.fault(self.number, column, text, self.get(column))

    def cleaned(self, column: str, clean: Callable[[], T], otherwise: T) -> T:
        """Return a value as it is stored, or note why it cannot be."""
        try:
            return clean()
        except ReaderStudyError as error:
            self.fault(column, error.message)
            return otherwise


def _row(line: Line, table: Table, reader: _Reader) -> Row:
    texts = {name: text for name, text in zip(reader.names, line.cells, strict=True) if name}
    cells = _Cells(line.number, texts, reader)
    for index, name in enumerate(reader.names):
        if name in NAMES and (line.number, index) in table.dated:
            cells.fault(name, "the spreadsheet made a date of this name; format it as text")
    _check_names(cells)
    return Row(
        number=line.number,
        path=_path(cells),
        series_uid=cells.get("series_uid"),
        case=cells.get("case"),
        case_code=cells.get("case_code"),
        subject=cells.get("subject"),
        sequence=_role(cells),
        stratum=cells.cleaned("stratum", lambda: clean_stratum(cells.get("stratum")), ""),
        day=cells.cleaned("day", lambda: clean_day(cells.get("day")), None),
        tags=_tags(cells),
        plane=_plane(cells),
        unit=cells.cleaned("unit", lambda: clean_unit(cells.get("unit")), ""),
        origin=_origin(cells),
        generated=_generated(cells),
        references=tuple(_references(cells)),
    )


def _check_names(cells: _Cells) -> None:
    uid, code = cells.get("series_uid"), cells.get("case_code")
    if bool(cells.get("case")) == bool(code):
        cells.fault("case", "give either the case's name at the source or its case_code")
    if cells.get("path") and uid:
        cells.fault("path", "give either a path or a series_uid")
    if code and any(cells.get(name) for name in ("path", "series_uid", "subject", "sequence")):
        text = "a code stands for a stored case, to label it; name the case to import images"
        cells.fault("case_code", text)
    if uid and (not _UID.fullmatch(uid) or len(uid) > 64):
        cells.fault("series_uid", "a UID is digits and points, at most 64 characters")
    if cells.get("unit") and not (cells.get("path") or uid):
        cells.fault("unit", "a unit belongs to images; give their path or series_uid")
    for name in NAMES:
        if len(cells.get(name)) > MAX_NAME:
            cells.fault(name, f"a name has at most {MAX_NAME} characters")


def _path(cells: _Cells) -> str:
    text = cells.get("path")
    parts = [part for part in text.replace("\\", "/").split("/") if part != "."]
    if text and (parts[:1] == [""] or ".." in parts or re.match(r"[A-Za-z]:", text)):
        cells.fault("path", "give the path relative to the folder of the import")
    return "/".join(part for part in parts if part)


def _role(cells: _Cells) -> str:
    text = cells.get("sequence")
    role = text.lower()
    if role in LABELS or not role:
        return role
    if names_only_a_role(text) and (known := role_of(text)):
        return known
    if _ROLE.fullmatch(role) and len(role) <= MAX_ROLE:
        return role
    cells.fault(
        "sequence",
        f"this is no role; use {', '.join(LABELS)}, or another short name of at most {MAX_ROLE} "
        "letters, digits and hyphens",
    )
    return ""


def _plane(cells: _Cells) -> Plane | None:
    said = cells.get("plane").lower()
    known = next((plane for plane in PLANES if plane == said), None)
    if said and known is None:
        cells.fault("plane", f"the plane is one of {', '.join(PLANES)}, or empty")
    if said and not (cells.get("path") or cells.get("series_uid")):
        cells.fault("plane", "a plane belongs to images; give their path")
    return known


def _tags(cells: _Cells) -> tuple[str, ...]:
    names = [name for name in re.split(r"[;,|]", cells.get("tags")) if name.strip()]
    return cells.cleaned("tags", lambda: tuple(clean_tags(names)), ()) if names else ()


def _origin(cells: _Cells) -> str:
    origin = cells.get("origin").lower()
    if origin and origin not in ORIGINS:
        cells.fault("origin", "the origin is real or synthetic, or empty")
        return ""
    made = [name for name in MADE if cells.get(name)]
    if origin != "synthetic" and made:
        cells.fault(made[0], "this is said of synthetic cases only; set the origin")
    return origin


def _generated(cells: _Cells) -> GeneratedElsewhere | None:
    if cells.get("origin").lower() != "synthetic":
        return None
    said = GeneratedElsewhere(*(cells.get(name) for name in MADE))
    return cells.cleaned("generator", lambda: clean_generated(said), None)


def _references(cells: _Cells) -> Iterator[Statement]:
    for name, value in cells.texts.items():
        if not _is_value(name):
            continue
        if value:
            yield from _reference(cells, name)
        elif cells.get(name + METHOD):
            cells.fault(name, "there is a method, but no value")


def _reference(cells: _Cells, name: str) -> list[Statement]:
    endpoint, method = name.removeprefix(REFERENCE), cells.get(name + METHOD)
    value = cells.get(name)
    return cells.cleaned(
        name, lambda: [clean_statement(endpoint=endpoint, value=value, method=method)], []
    )


def _across(rows: tuple[Row, ...]) -> Iterator[Problem]:
    """Yield what rows say against one another."""
    yield from _images_once(rows)
    cases: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.case or row.case_code:
            cases.setdefault(row.case_key, []).append(row)
    for members in cases.values():
        yield from _agreement(members)
        yield from _roles_once(members)
    yield from _subjects_named(rows)


def _images_once(rows: tuple[Row, ...]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row in rows:
        if not row.names_images:
            continue
        seen = first.setdefault(row.image_name, row.number)
        if seen != row.number:
            column = "path" if row.path else "series_uid"
            yield Problem(row.number, column, f"the same images stand in row {seen} already")


def _roles_once(members: list[Row]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row in members:
        if row.names_images and row.sequence:
            seen = first.setdefault(row.sequence, row.number)
            if seen != row.number:
                text = f"row {seen} names the {row.sequence} of this case already"
                yield Problem(row.number, "sequence", text)


def _agreement(members: list[Row]) -> Iterator[Problem]:
    """What is said of a case may stand in one of its rows or in all, but must agree."""
    said: dict[str, tuple[Any, int]] = {}
    for row in members:
        for column, value in case_facts(row).items():
            known, number = said.setdefault(column, (value, row.number))
            if known != value:
                yield Problem(row.number, column, f"row {number} says otherwise of the same case")


def case_facts(row: Row) -> dict[str, Any]:
    """Return what a row says of its case as a whole, by column."""
    facts: dict[str, Any] = {
        "stratum": row.stratum,
        "day": "" if row.day is None else str(row.day),
        "origin": row.origin,
        "generator": row.generated,
        **{f"{REFERENCE}{one.endpoint}": one for one in row.references},
    }
    return {column: value for column, value in facts.items() if value}


def _subjects_named(rows: tuple[Row, ...]) -> Iterator[Problem]:
    """A case named with and without its subject would become two."""
    named = {row.case.lower(): row.number for row in rows if row.case and row.subject}
    for row in rows:
        other = named.get(row.case.lower())
        if row.case and not row.subject and other:
            text = f"row {other} names a subject for the same case, this one none"
            yield Problem(row.number, "subject", text, row.case)

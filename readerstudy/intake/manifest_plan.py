"""What a manifest would change, row by row, before anything is changed.

What is hidden from a blinded coordinator stays hidden here too: origin and reference standard of
a case in a blinded study are not compared, so that guesses cannot be checked against them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from readerstudy.cases.ingest import Load, Source, existing_case
from readerstudy.cases.labelling import tags_of
from readerstudy.cases.models import Case, Series
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.streams import sha256_of_all
from readerstudy.imaging.volumes import FoundSeries, find_series, load
from readerstudy.intake.manifest_matching import Find, Match, case_of_labels, match
from readerstudy.intake.manifest_rows import REFERENCE, Manifest, Row
from readerstudy.truth.models import Origin
from readerstudy.truth.recording_reference import Statement, current_reference, is_correction
from readerstudy.truth.register import GeneratedElsewhere
from readerstudy.truth.visibility import is_blinded, may_see_truth

NEW_CASE, NEW_SERIES, SAME = "new case", "new series", "already there"
LABEL, REFERENCE_NEW, CORRECTION = "label", "new reference", "correction"
HIDDEN, MISSING, UNNAMED, CONFLICT = "hidden", "missing", "not named", "conflict"
FAULTS = (MISSING, CONFLICT)
NOT_SHOWN = "not compared here: a study with this case is blinded"


@dataclass(frozen=True)
class RowChange:
    """One difference between a manifest and what is stored. Row 0: images that no row names."""

    row: int
    kind: str
    says: str
    column: str = ""
    path: str = ""
    case: str = ""
    code: str = ""
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Plan:
    """All differences, in the order of the rows."""

    changes: tuple[RowChange, ...]
    rows: int
    needs_reason: bool
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(change.kind for change in self.changes))

    @property
    def has_faults(self) -> bool:
        return any(change.kind in FAULTS for change in self.changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {
            "rows": self.rows,
            "needs_reason": self.needs_reason,
            "counts": self.counts,
            "notes": list(self.notes),
            "changes": [asdict(change) for change in self.changes],
        }


def plan(
    manifest: Manifest,
    folder: Path,
    *,
    actor: Any,
    source: Source | None = None,
    find: Find = find_series,
    load: Load = load,
) -> Plan:
    """Compare a manifest with the images of a folder and with what is stored.

    ``load`` reads a series where its checksum cannot be told from its files alone.

    Raises
    ------
    ReaderStudyError
        If the folder cannot be read.
    """
    matching = match(manifest, images_below(folder, find), root=folder)
    view = _View(actor, source or Source(), load)
    changes = [change for one in matching.matches for change in view.changes_of(one)]
    changes += [
        RowChange(0, UNNAMED, "no row names these images; they stay out", path=one.name)
        for one in matching.unnamed
    ]
    needs = any(one.kind == CORRECTION or _is_hidden_reference(one) for one in changes)
    return Plan(tuple(changes), len(manifest.rows), needs, manifest.notes)


def _is_hidden_reference(change: RowChange) -> bool:
    return change.kind == HIDDEN and change.column.startswith(REFERENCE)


def images_below(folder: Path, find: Find) -> list[FoundSeries]:
    """List the images of a folder; none if it is empty, since a manifest may only set labels."""
    try:
        return find(folder)
    except ImageError as error:
        raise ReaderStudyError(str(error)) from error


@dataclass
class _View:
    """What one person may see of what is stored, and what rows before have said."""

    actor: Any
    source: Source
    load: Load
    said: set[tuple[Any, str]] = field(default_factory=set)
    new_cases: set[tuple[str, str, str]] = field(default_factory=set)
    visible: dict[Any, bool] = field(default_factory=dict)
    digests: dict[Any, str] = field(default_factory=dict)

    def changes_of(self, one: Match) -> Iterator[RowChange]:
        if one.fault:
            kind = CONFLICT if one.row.path and "already" in one.fault else MISSING
            yield self._change(one.row, None, kind, one.fault, column=_image_column(one.row))
            return
        case = stored_case(one, self.source)
        if one.found is not None:
            yield from self._images(one.row, one.found, case)
        elif case is None and one.row.case_key not in self.new_cases:
            text = "no case is stored under this name, and no row before brings its images"
            yield self._change(one.row, None, CONFLICT, text, column="case")
            return
        yield from self._labels(one.row, case)
        yield from self._truth(one.row, case)
        if one.found is not None and one.row.unit:
            yield from self._unit(one.row, one.found, case)

    def _change(self, row: Row, case: Case | None, kind: str, says: str, **more: str) -> RowChange:
        code = case.code if case is not None and not self._is_blind(case) else ""
        names = {"path": row.image_name, "case": row.case or row.case_code, "code": code}
        return RowChange(row.number, kind, says, **{**names, **more})

    def _is_blind(self, case: Case) -> bool:
        """May this person not know what is on record of a case?"""
        if case.pk not in self.visible:
            self.visible[case.pk] = (
                not is_blinded(case) if self.actor is None else may_see_truth(self.actor, case)
            )
        return not self.visible[case.pk]

    def _images(self, row: Row, found: FoundSeries, case: Case | None) -> Iterator[RowChange]:
        role = found.role or "role not told by name or header"
        if case is None and row.case_key not in self.new_cases:
            self.new_cases.add(row.case_key)
            yield self._change(row, None, NEW_CASE, f"a case is made, with {role}", new=role)
            return
        known = self._stored_series(found, case)
        if known is None:
            yield self._change(row, case, NEW_SERIES, f"{role} is added", new=role)
        elif self._is_of(known, found):
            yield self._change(row, case, SAME, f"{role}: the same file, by its checksum")
        else:
            text = f"the case has another {role} already; give these images another sequence"
            yield self._change(row, case, CONFLICT, text, column="sequence")

    def _stored_series(self, found: FoundSeries, case: Case | None) -> Series | None:
        """Return the series that stands where a found one would."""
        if case is None:
            return None
        if found.role:
            return case.series.filter(role=found.role).first()
        return next((one for one in case.series.all() if self._is_of(one, found)), None)

    def _is_of(self, known: Series, found: FoundSeries) -> bool:
        """Was a stored series made from these files?"""
        key = (found.name, found.paths)
        if key not in self.digests:
            self.digests[key] = sha256_of_all(list(found.paths))
        if known.source_sha256 == self.digests[key]:
            return True
        try:  # a part of the files, or a pair of them, has a checksum of its own
            return known.source_sha256 == self.load(found).source_sha256
        except ImageError:
            return False

    def _labels(self, row: Row, case: Case | None) -> Iterator[RowChange]:
        old = case.stratum if case else ""
        if row.stratum and row.stratum != old and self._first(row, "stratum"):
            if case is not None and is_blinded(case):
                text = "the stratum stands still while a study with the case is blinded"
                yield self._change(row, case, CONFLICT, text, column="stratum")
            else:
                yield self._label(row, case, "stratum", old, row.stratum)
        day = case.day if case else None
        if row.day is not None and row.day != day and self._first(row, "day"):
            yield self._label(row, case, "day", "" if day is None else str(day), str(row.day))
        have = set(tags_of(case)) if case else set()
        lacking = [name for name in row.tags if name not in have and self._first(row, f"#{name}")]
        if lacking:
            yield self._label(row, case, "tags", ", ".join(sorted(have)), f"+ {', '.join(lacking)}")

    def _label(self, row: Row, case: Case | None, column: str, old: str, new: str) -> RowChange:
        done = "are added" if column == "tags" else "changes" if old else "is set"
        says = f"{column} {done}"
        return self._change(row, case, LABEL, says, column=column, old=old, new=new)

    def _unit(self, row: Row, found: FoundSeries, case: Case | None) -> Iterator[RowChange]:
        known = self._stored_series(found, case)
        if known is None or known.unit == row.unit:
            return
        if is_blinded(known.case):
            text = "the unit stands still while a study with the case is blinded"
            yield self._change(row, case, CONFLICT, text, column="unit")
        else:
            yield self._label(row, case, "unit", known.unit, row.unit)

    def _truth(self, row: Row, case: Case | None) -> Iterator[RowChange]:
        if row.origin and self._first(row, "origin"):
            yield from self._origin(row, case)
        for statement in row.references:
            column = f"{REFERENCE}{statement.endpoint}"
            if self._first(row, column):
                yield from self._reference(row, case, statement, column)

    def _origin(self, row: Row, case: Case | None) -> Iterator[RowChange]:
        new = origin_text(row.origin, row.generated)
        stored = Origin.objects.filter(case=case).first() if case else None
        if case is not None and self._is_blind(case):
            yield self._change(row, case, HIDDEN, f"the origin is {NOT_SHOWN}", column="origin")
        elif stored is None:
            yield self._change(row, case, LABEL, "origin is declared", column="origin", new=new)
        elif not says_the_same(row, stored):
            old = stored_text(stored)
            text = "another origin is on record, and an origin is never changed"
            yield self._change(row, case, CONFLICT, text, column="origin", old=old, new=new)

    def _reference(
        self, row: Row, case: Case | None, said: Statement, column: str
    ) -> Iterator[RowChange]:
        new = _with_method(said.value, said.method)
        if case is not None and self._is_blind(case):
            text = f"the reference standard is recorded, but {NOT_SHOWN}"
            yield self._change(row, case, HIDDEN, text, column=column, new=new)
            return
        known = current_reference(case, said.endpoint) if case else None
        if known is None:
            text = "the reference standard is recorded"
            yield self._change(row, case, REFERENCE_NEW, text, column=column, new=new)
        elif is_correction(known, said):
            old = _with_method(known.value, known.method)
            text = "the reference standard is corrected; state the reason"
            yield self._change(row, case, CORRECTION, text, column=column, old=old, new=new)

    def _first(self, row: Row, what: str) -> bool:
        """Is this the first row that says this of its case?"""
        key = (row.case_key, what)
        if key in self.said:
            return False
        self.said.add(key)
        return True


def _image_column(row: Row) -> str:
    return "path" if row.path else "series_uid"


def stored_case(one: Match, source: Source) -> Case | None:
    """Return the case of a row, if it is stored."""
    if one.row.case_code:
        return Case.objects.filter(code=one.row.case_code).first()
    return existing_case(one.found or case_of_labels(one.row), source)


def origin_text(kind: str, generated: GeneratedElsewhere | None) -> str:
    """Return an origin in words."""
    if generated is None:
        return kind
    return f"{kind}, by {generated.generator}" + (f", run {generated.run}" if generated.run else "")


def stored_text(origin: Origin) -> str:
    """Return a stored origin in words."""
    run = origin.external_run or (str(origin.generation_run) if origin.generation_run else "")
    made = GeneratedElsewhere(origin.generator, run) if origin.generator else None
    return origin_text(origin.kind, made)


def says_the_same(row: Row, stored: Origin) -> bool:
    """Does a row state the origin that is on record?"""
    made = row.generated or GeneratedElsewhere("")
    said = (row.origin, made.generator, made.run)
    return said == (stored.kind, stored.generator, stored.external_run or _run_of(stored))


def _run_of(stored: Origin) -> str:
    return str(stored.generation_run) if stored.generation_run else ""


def _with_method(value: str, method: str) -> str:
    return f"{value} ({method})" if method else value

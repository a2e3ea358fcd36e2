"""Apply a manifest: each row in one transaction, each row's refusal its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from readerstudy.cases.ingest import ERROR, OK, Load, Outcome, Progress, Source, import_series
from readerstudy.cases.labelling import add_tags, set_day, set_stratum, set_unit
from readerstudy.cases.models import Case, Series
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.volumes import FoundSeries, find_series, load
from readerstudy.intake.manifest_matching import Find, Match, match
from readerstudy.intake.manifest_plan import images_below, plan, says_the_same, stored_case
from readerstudy.intake.manifest_rows import Manifest, Row
from readerstudy.truth import register
from readerstudy.truth.models import Origin
from readerstudy.truth.recording_reference import record_reference
from readerstudy.truth.visibility import is_blinded


@dataclass(frozen=True)
class RowResult:
    """What became of one row."""

    row: int
    outcome: Outcome

    def to_dict(self) -> dict[str, Any]:
        """Return the entry that ``import_cases --json`` prints, with the number of the row."""
        return {"row": self.row, **self.outcome.to_dict()}


def apply(
    manifest: Manifest,
    folder: Path,
    *,
    actor: Any,
    reason: str = "",
    source: Source | None = None,
    find: Find = find_series,
    load: Load = load,
    progress: Progress | None = None,
) -> list[RowResult]:
    """Bring the images of a manifest in and write what it says of them.

    ``find`` and ``load`` read the files; a `Guard` has both. Applying again changes nothing.

    Raises
    ------
    ReaderStudyError
        If the folder cannot be read, or reference standards are corrected without a reason.
    """
    source = source or Source()
    listed = images_below(folder, find)
    if not reason.strip() and _needs_reason(
        manifest, folder, listed=listed, actor=actor, source=source, load=load
    ):
        raise ReaderStudyError(
            "The manifest corrects reference standards, or sets them for cases of a blinded "
            "study. State the reason; it is kept with each of them."
        )
    writer = _Writer(actor, reason, source, load)
    matches = match(manifest, listed, root=folder).matches
    results = []
    for number, one in enumerate(matches, start=1):
        results.append(RowResult(one.row.number, writer.write(one)))
        if progress:
            progress(number, len(matches), f"{number} of {len(matches)} rows")
    return results


def _needs_reason(
    manifest: Manifest, folder: Path, *, listed: list[FoundSeries], **given: Any
) -> bool:
    def find(_: Path) -> list[FoundSeries]:
        return listed

    return plan(manifest, folder, find=find, **given).needs_reason


@dataclass(frozen=True)
class _Writer:
    """Writes what rows say."""

    actor: Any
    reason: str
    source: Source
    load: Load

    def write(self, one: Match) -> Outcome:
        name = one.row.image_name or one.row.case or one.row.case_code
        if one.fault:
            return Outcome(path=name, status=ERROR, reason=f"{one.fault.rstrip('.')}.")
        try:
            return self._told(
                self._images(one.row, one.found) if one.found else self._labels(one, name)
            )
        except ReaderStudyError as error:
            return Outcome(path=name, status=ERROR, reason=error.message)

    def _told(self, outcome: Outcome) -> Outcome:
        """Leave the code of a blinded case out: it would join a name of the source to it."""
        case = Case.objects.filter(code=outcome.case).first() if outcome.case else None
        if self.actor is None or case is None or not is_blinded(case):
            return outcome
        return replace(outcome, case=None, reason=outcome.reason.replace(case.code, "hidden"))

    def _images(self, row: Row, found: FoundSeries) -> Outcome:
        written: list[Series] = []

        def along(series: Series) -> None:
            self._write_all(row, series.case, series)
            written.append(series)

        outcome = import_series(
            found, source=self.source, actor=self.actor, load=self.load, along=along
        )
        if outcome.status == OK and not written:  # the series was there already
            case = Case.objects.get(code=outcome.case)
            self._write_all(row, case, case.series.get(role=outcome.series))
        return outcome

    def _labels(self, one: Match, name: str) -> Outcome:
        case = stored_case(one, self.source)
        if case is None:
            raise ReaderStudyError("There is no stored case of this name.")
        self._write_all(one.row, case, None)
        return Outcome(path=name, status=OK, case=case.code)

    def _write_all(self, row: Row, case: Case, series: Series | None) -> None:
        with write_transaction():
            if row.stratum:
                set_stratum(cases=[case], stratum=row.stratum, actor=self.actor, reason=self.reason)
            if row.day is not None:
                set_day(case=case, day=row.day, actor=self.actor, reason=self.reason)
            if row.tags:
                add_tags(cases=[case], tags=row.tags, actor=self.actor)
            if row.unit and series is not None:
                set_unit(series=series, unit=row.unit, actor=self.actor)
            self._declare(row, case)
            for said in row.references:
                record_reference(
                    case=case,
                    endpoint=said.endpoint,
                    value=said.value,
                    method=said.method,
                    actor=self.actor,
                    reason=self.reason,
                )

    def _declare(self, row: Row, case: Case) -> None:
        if is_blinded(case) and Origin.objects.filter(case=case).exists():
            return  # a refusal would tell a blinded person what is on record
        if row.origin == "real":
            register.declare_real(cases=[case], actor=self.actor)
        elif row.generated is not None and not self._is_on_record(row, case):
            register.declare_made_elsewhere(case=case, generated=row.generated, actor=self.actor)

    def _is_on_record(self, row: Row, case: Case) -> bool:
        """Was the case made here, by the run that the row names?"""
        stored = Origin.objects.filter(case=case, generation_run__isnull=False).first()
        return stored is not None and says_the_same(row, stored)


def faults(results: list[RowResult]) -> Iterator[RowResult]:
    """Yield the rows that could not be applied."""
    return (one for one in results if one.outcome.status == ERROR)

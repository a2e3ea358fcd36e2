"""Carry an import out: find its series, bring them in one after another, state their origin."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from readerstudy.cases.ingest import (
    AGAIN,
    ERROR,
    OK,
    SKIPPED,
    Outcome,
    Progress,
    Source,
    existing_case,
    import_series,
)
from readerstudy.cases.untrusted import image_guard
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.guarded import Guard
from readerstudy.imaging.streams import sha256_of_all
from readerstudy.imaging.volumes import FoundSeries
from readerstudy.intake import (
    collecting,
    finding,
    folders,
    manifest,
    manifest_apply,
    manifest_plan,
    origins,
)
from readerstudy.intake.folders import Place
from readerstudy.intake.journal import Journal
from readerstudy.intake.manifest import Manifest
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options

Find = Callable[[Path], list[FoundSeries]]


@dataclass(frozen=True)
class Planned:
    """One series and what importing it would do, as far as names and checksums tell."""

    found: FoundSeries
    status: str
    says: str
    case: str | None = None

    def outcome(self) -> Outcome:
        """Return the line that a dry run prints."""
        role = self.found.role if self.status == OK else None
        return Outcome(self.found.name, self.status, self.says, self.case, role)


@dataclass(frozen=True)
class Work:
    """One import in hand: where it lies, how its images are read and taken."""

    batch: Import
    place: Place
    root: Path
    options: Options
    guard: Guard

    @property
    def source(self) -> Source:
        """What holds for all series of this import."""
        loose = self.root.name if self.batch.kind == Import.Kind.UPLOAD else ""
        return Source(label=self.options.label, loose=loose, faces=self.options.faces)

    def find(self, folder: Path) -> list[FoundSeries]:
        """List the series of the import, also those in archives."""
        found = finding.find(folder, place=self.place, finder=self.guard.find_series)
        return [replace(one, plane=self.options.plane) for one in found]


def run(batch: Import, *, progress: Progress | None = None) -> list[Outcome]:
    """Carry an import out. What came in before is passed over; one fault stops nothing else.

    Raises
    ------
    ReaderStudyError
        If the folder cannot be read or holds no files, or the manifest cannot be used.
    """
    with work_on(batch) as work:
        if (path := manifest_path(work)) is not None:
            return _by_manifest(work, manifest.read(path), progress)
        outcomes = apply(found_series(work), work=work, progress=progress)
        return origins.declare(outcomes, options=work.options, actor=batch.created_by)


def check(batch: Import) -> list[Outcome]:
    """Say what an import would do; change nothing."""
    with work_on(batch) as work:
        if (path := manifest_path(work)) is None:
            return [one.outcome() for one in plan(found_series(work), source=work.source)]
        compared = manifest.plan(
            manifest.read(path),
            work.root,
            actor=batch.created_by,
            source=work.source,
            find=work.find,
            load=work.guard.load,
        )
        return [_of_change(change) for change in compared.changes]


def _of_change(change: manifest.RowChange) -> Outcome:
    where = change.path or f"row {change.row}"
    status = ERROR if change.kind in manifest_plan.FAULTS else OK
    values = f" ({change.old or 'none'} → {change.new})" if change.new and change.old else ""
    return Outcome(where, status, f"{change.kind}: {change.says}{values}", change.code or None)


@contextmanager
def work_on(batch: Import) -> Iterator[Work]:
    """Have the files of an import at hand, with a reading process of their own."""
    place = folders.place_of(batch)
    if place.unpacked.exists():  # left by a worker that was stopped
        shutil.rmtree(place.unpacked)
    root = collecting.root_of(batch)
    with image_guard(place.root) as guard:
        yield Work(batch, place, root, Options.of(batch.options), guard)


def manifest_path(work: Work) -> Path | None:
    """Return the manifest that was handed in with the import, or lies at its top."""
    if given := work.place.manifest:
        return given
    return manifest.find_manifest(work.root) if work.root.is_dir() else None


def found_series(work: Work) -> list[FoundSeries]:
    """List the series of an import.

    Raises
    ------
    ReaderStudyError
        If there are none to list. No name of the source is in its words.
    """
    try:
        found = work.find(work.root)
    except ImageError as error:
        raise ReaderStudyError(f"The folder cannot be used: {error.reason}. {error.advice}") from (
            None
        )
    if not found:
        raise ReaderStudyError("There are no files in this folder.")
    return found


def plan(found: Sequence[FoundSeries], *, source: Source) -> list[Planned]:
    """Say of each series what importing it would do."""
    new: set[tuple[str, str]] = set()
    return [_planned(one, source, new) for one in found]


def _planned(found: FoundSeries, source: Source, new: set[tuple[str, str]]) -> Planned:
    if found.status != OK:
        said = ". ".join(part for part in (found.reason, found.advice) if part)
        return Planned(found, found.status, found.reason if found.status == SKIPPED else said)
    case = existing_case(found, source)
    if case is None:
        first = (found.subject, found.case) not in new
        new.add((found.subject, found.case))
        return Planned(found, OK, "would make a new case" if first else "would join the new case")
    known = case.series.filter(role=found.role).first() if found.role else None
    if known is None:
        return Planned(found, OK, f"would join case {case.code}", case.code)
    if known.source_sha256 == sha256_of_all(list(found.paths)):
        return Planned(found, OK, AGAIN, case.code)
    said = f"case {case.code} has a {known.role} series already; it is taken only if it is the same"
    return Planned(found, OK, said, case.code)


def apply(
    found: Sequence[FoundSeries], *, work: Work, progress: Progress | None = None
) -> list[Outcome]:
    """Bring series in, one after another; those that the journal knows are passed over."""
    journal = Journal(work.place.journal, work.source)
    outcomes = []
    for number, one in enumerate(found, start=1):
        outcomes.append(_bring_in(one, work, journal))
        if progress:
            progress(number, len(found), f"{number} of {len(found)} files and series")
    return outcomes


def _bring_in(found: FoundSeries, work: Work, journal: Journal) -> Outcome:
    if found.status == OK and (known := journal.outcome_of(found)):
        return known
    outcome = import_series(
        found, source=work.source, actor=work.batch.created_by, load=work.guard.load
    )
    journal.remember(found, outcome)
    return outcome


def _by_manifest(work: Work, read: Manifest, progress: Progress | None) -> list[Outcome]:
    results = manifest_apply.apply(
        read,
        work.root,
        actor=work.batch.created_by,
        reason=str(work.batch.options.get("reason", "")),
        source=work.source,
        find=work.find,
        load=work.guard.load,
        progress=progress,
    )
    return [result.outcome for result in results]


def cases_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the codes of the cases that came in, each once."""
    return sorted({one.case for one in outcomes if one.case and one.status == OK})


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many files and series had which outcome."""
    counts: dict[str, int] = {}
    for one in outcomes:
        counts[one.status] = counts.get(one.status, 0) + 1
    return counts

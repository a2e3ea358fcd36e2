"""Bring images in: a folder of NIfTI files and DICOM series becomes cases with one series each.

A case is what one folder holds; its name at the source is not kept, only a keyed digest of it,
so that importing the same folder again finds the same case. Each file that cannot be used is
reported with its reason, and the others still come in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.orientation import axis_letters, to_lps
from readerstudy.imaging.volumes import FoundSeries, find_series, load

OK, ERROR, SKIPPED = "ok", "error", "skipped"
UNNAMED_ROLE = "other"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one file or series."""

    path: str
    status: str
    reason: str = ""
    case: str | None = None
    series: str | None = None
    shape: list[int] | None = None
    spacing_mm: list[float] | None = None
    orientation: str | None = None
    sha256: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry that ``import_cases --json`` prints."""
        return asdict(self)


def import_folder(
    folder: Path, *, actor: Any = None, progress: Progress | None = None
) -> list[Outcome]:
    """Import every series below a folder. Progress is told without names of the source.

    Raises
    ------
    ReaderStudyError
        If the folder itself cannot be read.
    """
    try:
        found = find_series(folder)
    except ImageError as error:
        raise ReaderStudyError(str(error)) from error
    if not found:
        raise ReaderStudyError(f"{folder.name}: there are no files in this folder.")
    outcomes = []
    for number, one in enumerate(found, start=1):
        outcomes.append(import_series(one, actor=actor))
        if progress:
            progress(number, len(found), f"{number} of {len(found)} files and series")
    return outcomes


def import_series(found: FoundSeries, *, actor: Any = None) -> Outcome:
    """Import one series; an error becomes its outcome and leaves nothing behind."""
    if found.status == SKIPPED:
        return Outcome(path=found.name, status=SKIPPED, reason=found.reason)
    try:
        return _import(found, load(found), actor)
    except ImageError as error:
        return Outcome(path=found.name, status=ERROR, reason=f"{error.reason}. {error.advice}")


def _import(found: FoundSeries, volume: Volume, actor: Any) -> Outcome:
    if known := _known(found, volume):
        return _compare(found, volume, known)
    columns = canonical.store_volume(to_lps(volume))
    with write_transaction():
        if known := _known(found, volume):  # another import was faster
            return _compare(found, volume, known)
        case = _case_of(found.case)
        series = Series.objects.create(
            case=case,
            role=found.role or _role_without_name(case),
            source_orientation=axis_letters(volume),
            **columns,
        )
        audit.record(
            actor=actor,
            action="case.import",
            target=f"case {case.pk}",
            new={"role": series.role, "sha256": series.sha256},
        )
    return _came_in(found, series)


def _known(found: FoundSeries, volume: Volume) -> Series | None:
    """Return the stored series that stands where this one would."""
    subject = Subject.objects.filter(source_key=source_key(found.case)).first()
    if subject is None:
        return None
    stored = subject.cases.earliest("created_at").series
    if found.role:
        return stored.filter(role=found.role).first()
    return stored.filter(source_sha256=volume.source_sha256).first()


def _compare(found: FoundSeries, volume: Volume, known: Series) -> Outcome:
    if known.source_sha256 == volume.source_sha256:
        return _came_in(found, known, "already imported")
    return Outcome(
        path=found.name,
        status=ERROR,
        case=known.case.code,
        reason=f"case {known.case.code} has another {known.role} series already. "
        "Put this file into a folder of its own.",
    )


def _came_in(found: FoundSeries, series: Series, reason: str = "") -> Outcome:
    return Outcome(
        path=found.name,
        status=OK,
        reason=reason,
        case=series.case.code,
        series=series.role,
        shape=series.shape,
        spacing_mm=series.spacing_mm,
        orientation=series.source_orientation,
        sha256=series.sha256,
    )


def _role_without_name(case: Case) -> str:
    """Return the role of a series whose sequence nothing tells: other, other-2, …"""
    others = case.series.filter(role__startswith=UNNAMED_ROLE).count()
    return UNNAMED_ROLE if others == 0 else f"{UNNAMED_ROLE}-{others + 1}"


def source_key(name: str) -> str:
    """Return the keyed digest under which a subject's name at the source is remembered."""
    key = settings.SECRET_KEY.encode()
    # Folders may be named in another character set; Python marks such bytes as surrogates.
    spelled = name.strip().lower().encode(errors="surrogateescape")
    return hmac.new(key, spelled, hashlib.sha256).hexdigest()


def _case_of(name: str) -> Case:
    """Return the imported case of a folder, made on first sight."""
    key = source_key(name)
    subject, new = Subject.objects.get_or_create(
        source_key=key, defaults={"code": _free_code(Subject, "S-")}
    )
    if not new:
        return subject.cases.earliest("created_at")
    return new_case(subject)


def new_case(subject: Subject) -> Case:
    """Create a case under a random free code, so that the code tells nothing."""
    return Case.objects.create(subject=subject, code=_free_code(Case, ""))


def _free_code(model: type[Case] | type[Subject], prefix: str) -> str:
    digits = 4
    while True:
        for _ in range(50):
            code = f"{prefix}{secrets.randbelow(10**digits):0{digits}d}"
            if not model.objects.filter(code=code).exists():
                return code
        digits += 1

"""Bring images in: a folder of NIfTI files and DICOM series becomes cases with one series each.

A case is what one folder holds (or one visit of a person); its name at the source is not kept,
only a keyed digest of it, so that importing the same folder again finds the same case. Each file
that cannot be used is reported with its reason, and the others still come in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cases import canonical, quality
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.cases.untrusted import image_guard
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.guarded import Guard
from readerstudy.imaging.orientation import axis_letters, to_lps
from readerstudy.imaging.volumes import FoundSeries, load

OK, ERROR, SKIPPED = "ok", "error", "skipped"
AGAIN = "already imported"
UNNAMED_ROLE = "other"
Progress = Callable[[int, int, str], None]
Load = Callable[[FoundSeries], Volume]
Along = Callable[[Series], object]


@dataclass(frozen=True)
class Source:
    """What holds for all series of one import.

    Attributes
    ----------
    label : str
        Names the place the images are from, so that equal folder names of two places stay apart.
    loose : str
        Name of the folder that stands for files without a folder of their own; what lies there
        is found again by its checksum alone.
    faces : {"brain-only", "keep"}
        What is to happen to whole heads.
    """

    label: str = ""
    loose: str = ""
    faces: str = quality.BRAIN_ONLY

    def is_loose(self, case: str) -> bool:
        """Is a case named after no folder of its own?"""
        return bool(self.loose) and re.split(r"[/~]", case)[0] == self.loose


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
    folder: Path,
    *,
    source: Source | None = None,
    actor: Any = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Import every series below a folder. Progress is told without names of the source.

    Raises
    ------
    ReaderStudyError
        If the folder itself cannot be read.
    """
    outcomes = []
    with image_guard(Path(settings.WORK_ROOT)) as guard:
        found = _found(guard, folder)
        for number, one in enumerate(found, start=1):
            outcomes.append(
                import_series(one, source=source or Source(), actor=actor, load=guard.load)
            )
            if progress:
                progress(number, len(found), f"{number} of {len(found)} files and series")
    return outcomes


def _found(guard: Guard, folder: Path) -> list[FoundSeries]:
    try:
        found = guard.find_series(folder)
    except ImageError as error:
        raise ReaderStudyError(str(error)) from error
    if not found:
        raise ReaderStudyError(f"{folder.name}: there are no files in this folder.")
    return found


def import_series(
    found: FoundSeries,
    *,
    source: Source,
    actor: Any = None,
    load: Load = load,
    along: Along | None = None,
) -> Outcome:
    """Import one series; an error becomes its outcome and leaves nothing behind.

    ``along`` writes more about a new series in the same transaction; its refusal refuses the
    series.
    """
    if found.status == SKIPPED:
        return Outcome(path=found.name, status=SKIPPED, reason=found.reason)
    try:
        return _import(found, load(found), source, actor, along)
    except ImageError as error:
        return Outcome(path=found.name, status=ERROR, reason=f"{error.reason}. {error.advice}")


def _import(
    found: FoundSeries, volume: Volume, source: Source, actor: Any, along: Along | None
) -> Outcome:
    if known := _known(found, volume, source):
        return _compare(found, volume, known, source, actor)
    flags = quality.flags_at_import(volume, role=found.role or UNNAMED_ROLE, faces=source.faces)
    columns = canonical.store_volume(to_lps(volume))
    with write_transaction():
        if known := _known(found, volume, source):  # another import was faster
            return _compare(found, volume, known, source, actor)
        case = _case_of(found, source)
        series = Series.objects.create(
            case=case,
            role=found.role or _role_without_name(case),
            source_orientation=axis_letters(volume),
            source_kind=volume.kind,
            flags=flags,
            **columns,
        )
        audit.record(
            actor=actor,
            action="case.import",
            target=f"case {case.pk}",
            new={"role": series.role, "sha256": series.sha256},
        )
        if along:
            along(series)
    return _came_in(found, series)


def _known(found: FoundSeries, volume: Volume, source: Source) -> Series | None:
    """Return the stored series that stands where this one would."""
    same = Series.objects.filter(source_sha256=volume.source_sha256)
    if source.is_loose(found.case) and (known := same.exclude(case__source_key="").first()):
        return known
    case = existing_case(found, source)
    if case is None:
        return None
    if found.role:
        return case.series.filter(role=found.role).first()
    return same.filter(case=case).first()


def _compare(
    found: FoundSeries, volume: Volume, known: Series, source: Source, actor: Any
) -> Outcome:
    if known.source_sha256 == volume.source_sha256:
        if source.faces == quality.KEEP and quality.FACE in known.flags:
            _keep_face(known, actor)
        return _came_in(found, known, AGAIN)
    return Outcome(
        path=found.name,
        status=ERROR,
        case=known.case.code,
        reason=f"case {known.case.code} has another {known.role} series already. "
        "Put this file into a folder of its own.",
    )


def _keep_face(series: Series, actor: Any) -> None:
    """Put on record that the head of a stored series may be shown."""
    old = series.flags
    with write_transaction():
        series.flags = sorted({*old, quality.FACE_KEPT} - {quality.FACE})
        series.save(update_fields=["flags"])
        audit.record(
            actor=actor,
            action="case.keep_face",
            target=f"case {series.case_id}",
            old={"role": series.role, "flags": old},
            new={"role": series.role, "flags": series.flags},
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


def source_key(name: str, label: str = "") -> str:
    """Return the keyed digest under which a name at the source is remembered."""
    key = settings.SECRET_KEY.encode()
    text = "\0".join(part.strip().lower() for part in (label, name) if part.strip())
    # Folders may be named in another character set; Python marks such bytes as surrogates.
    return hmac.new(key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def case_key(found: FoundSeries, source: Source) -> str:
    """Return the keyed digest that stands for a case: its own name, and whose it is."""
    one_visit = found.subject == found.case
    name = found.case if one_visit else f"{found.subject}\0{found.case}"
    return source_key(name, source.label)


def existing_case(found: FoundSeries, source: Source) -> Case | None:
    """Return the case that this series belongs to, if it was imported before."""
    return Case.objects.filter(source_key=case_key(found, source)).first()


def _case_of(found: FoundSeries, source: Source) -> Case:
    """Return the case of a series, made on first sight, under the subject it is of."""
    if case := existing_case(found, source):
        return case
    subject, _ = Subject.objects.get_or_create(
        source_key=source_key(found.subject, source.label),
        defaults={"code": _free_code(Subject, "S-")},
    )
    return new_case(subject, source_key=case_key(found, source))


def new_subject(name: str) -> Subject:
    """Create a subject under a random free code; ``name`` is a name that no other has."""
    return Subject.objects.create(source_key=source_key(name), code=_free_code(Subject, "S-"))


def new_case(subject: Subject, *, source_key: str = "") -> Case:
    """Create a case under a random free code, so that the code tells nothing."""
    return Case.objects.create(subject=subject, code=_free_code(Case, ""), source_key=source_key)


def _free_code(model: type[Case] | type[Subject], prefix: str) -> str:
    digits = 4
    while True:
        for _ in range(50):
            code = f"{prefix}{secrets.randbelow(10**digits):0{digits}d}"
            if not model.objects.filter(code=code).exists():
                return code
        digits += 1

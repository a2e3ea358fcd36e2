"""Sorting DICOM files into series, and series into stacks that can be read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from readerstudy.imaging.dicom import HEADER_TAGS
from readerstudy.imaging.dicom_files import check_image, looks_like_dicom, read_header
from readerstudy.imaging.dicom_frames import Frame, frames_of
from readerstudy.imaging.errors import ImageError, NotAnImageError, explained
from readerstudy.imaging.facts import has_contrast_agent
from readerstudy.imaging.found import MOST_PARTS, TOO_MANY_ADVICE, Entry, name_below, unusable
from readerstudy.imaging.sequences import Role, role_of, role_of_echo, role_of_series
from readerstudy.imaging.splitting import Part, split
from readerstudy.imaging.streams import sha256_of
from readerstudy.imaging.traits import kind_name, kinds

SUFFIXES = (".dcm", ".ima", ".dicom")
_TAGS = (
    *HEADER_TAGS,
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "StudyInstanceUID",
    "PatientID",
)
_LEAST_DWI_B = 500.0
_ROLES_OF_KINDS: dict[str, Role] = {"ADC": "adc", "FA": "fa", "trace": "dwi", "SWI": "swi"}


@dataclass(frozen=True)
class DicomFile:
    """What grouping needs to know of one DICOM file."""

    file: Path
    uid: str
    instance: str
    exam: str
    number: int
    description: str
    role: Role | None
    frames: list[Frame] = field(repr=False)
    fault: ImageError | None = None


def is_dicom(file: Path) -> bool:
    """Whether a file is DICOM by its content, or claims to be by its name."""
    return file.name.lower().endswith(SUFFIXES) or looks_like_dicom(file)


def dicom_file(file: Path) -> DicomFile:
    """Facts of a DICOM file; what is wrong with its image stays in `fault`.

    Raises
    ------
    ImageError
        It cannot be read, or holds no picture at all.
    """
    with explained(file, "DICOM file"):
        header = read_header(file, _TAGS)
        fault, frames = _frames(file, header)
        description = str(header.get("SeriesDescription") or header.get("ProtocolName") or "")
        patient, study = (str(header.get(key) or "") for key in ("PatientID", "StudyInstanceUID"))
        return DicomFile(
            file=file,
            uid=str(
                header.get("SeriesInstanceUID") or f"{file.parent} {header.get('SeriesNumber')}"
            ),
            instance=str(header.get("SOPInstanceUID") or file),
            exam=f"{patient}\n{study}" if study else "",
            number=int(header.get("SeriesNumber") or 0),
            description=description,
            role=_role(header, description),
            frames=frames,
            fault=fault,
        )


def _frames(file: Path, header: Any) -> tuple[ImageError | None, list[Frame]]:
    try:
        check_image(file, header)
        return None, frames_of(file, header)
    except NotAnImageError:
        raise
    except ImageError as error:
        return error, []


def _role(header: Any, description: str) -> Role | None:
    if header.get("SegmentSequence"):
        return "mask"
    return role_of_series(description, " ".join(kinds([header])), has_contrast_agent(header))


def dicom_entries(root: Path, files: list[DicomFile]) -> Iterator[Entry]:
    """One entry for each stack, each faulty group of files, and each copy."""
    series: dict[str, list[DicomFile]] = {}
    for one in files:
        series.setdefault(one.uid, []).append(one)
    by_folder: dict[Path, list[list[DicomFile]]] = {}
    for members in series.values():
        for group in _by_copy(members):
            kept, copies = _once(group)
            yield from (_copy(root, one, of) for one, of in copies)
            folder = Path(os.path.commonpath([one.file.parent for one in kept]))
            by_folder.setdefault(folder, []).append(kept)
    for folder, groups in by_folder.items():
        groups.sort(key=lambda group: (group[0].number, group[0].file))
        for number, group in enumerate(groups, start=1):
            suffix = f"#{number}" if len(groups) > 1 else ""
            yield from _entries(root, folder, suffix, group)


def _by_copy(group: list[DicomFile]) -> list[list[DicomFile]]:
    """One series may be spread over folders; but a series copied to two folders is two."""
    if len({one.instance for one in group}) == len(group):
        return [group]
    folders: dict[Path, list[DicomFile]] = {}
    for one in group:
        folders.setdefault(one.file.parent, []).append(one)
    return list(folders.values())


def _once(group: list[DicomFile]) -> tuple[list[DicomFile], list[tuple[DicomFile, DicomFile]]]:
    """The files without byte-for-byte copies, and the copies with what they are copies of."""
    seen: dict[str, list[DicomFile]] = {}
    kept, copies = [], []
    for one in group:
        alike = seen.setdefault(one.instance, [])
        original = next((other for other in alike if _same_bytes(one.file, other.file)), None)
        if original is None:
            alike.append(one)
            kept.append(one)
        else:
            copies.append((one, original))
    return kept, copies


def _same_bytes(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and sha256_of(one) == sha256_of(other)


def _copy(root: Path, one: DicomFile, of: DicomFile) -> Entry:
    return unusable(root, one.file, "skipped", f"a copy of {of.file.name}")


def _entries(root: Path, folder: Path, suffix: str, group: list[DicomFile]) -> Iterator[Entry]:
    sound = [one for one in group if one.fault is None]
    faulty: dict[str, list[DicomFile]] = {}
    for one in group:
        if one.fault is not None:
            faulty.setdefault(one.fault.reason, []).append(one)
    for number, members in enumerate(faulty.values()):
        label = f" (not usable {number + 1})" if sound or number else ""
        yield _faulty(root, folder, suffix + label, members)
    if sound:
        yield from _stacks(root, folder, suffix, sound)


def _faulty(root: Path, folder: Path, suffix: str, members: list[DicomFile]) -> Entry:
    fault = members[0].fault
    return Entry(
        kind="dicom",
        paths=tuple(one.file for one in members),
        anchor=folder,
        name=name_below(root, folder) + suffix,
        role=members[0].role,
        status="error",
        reason=fault.reason if fault else "",
        advice=fault.advice if fault else "",
        exam=members[0].exam,
    )


def _stacks(root: Path, folder: Path, suffix: str, group: list[DicomFile]) -> Iterator[Entry]:
    frames = [frame for one in group for frame in one.frames]
    with explained(folder, "DICOM series"):
        parts = split(frames)
    base = (None if suffix else role_of(folder.name)) or group[0].role
    name = name_below(root, folder) + suffix
    if len(parts) > MOST_PARTS:
        yield _too_many(name, folder, group, len(parts))
        return
    roles = part_roles(base, group[0].description, parts)
    for part, role in zip(parts, roles, strict=True):
        paths = tuple(sorted({frame.path for frame in part.frames}))
        chosen = tuple((paths.index(frame.path), frame.index) for frame in part.frames)
        yield Entry(
            kind="dicom",
            paths=paths,
            anchor=folder,
            name=f"{name} ({part.label})" if part.label else name,
            role=role,
            frames=() if _all_of(group, part) else tuple(sorted(chosen)),
            exam=group[0].exam,
            planes=len(part.frames),
        )


def _all_of(group: list[DicomFile], part: Part) -> bool:
    """Whether a part holds every frame of each of its files."""
    files = {frame.path for frame in part.frames}
    return len(part.frames) == sum(len(one.frames) for one in group if one.file in files)


def _too_many(name: str, folder: Path, group: list[DicomFile], count: int) -> Entry:
    return Entry(
        kind="dicom",
        paths=tuple(one.file for one in group),
        anchor=folder,
        name=name,
        status="error",
        reason=f"it holds {count} volumes (time points, directions, echoes or phases), more than "
        f"the {MOST_PARTS} that are taken apart",
        advice=TOO_MANY_ADVICE,
        exam=group[0].exam,
    )


def part_roles(base: Role | None, description: str, parts: list[Part]) -> list[Role | None]:
    """Role of each stack of one series: only what is beyond doubt, and no role twice.

    Parameters
    ----------
    base : Role or None
        Role of the series as a whole.
    description : str
        SeriesDescription, for dual-echo series.
    parts : list of Part
    """
    if len(parts) == 1:
        return [base]
    echoes = [part.traits.get("echo") for part in parts]
    weightings = [part.traits["b"] for part in parts if part.traits.get("b") is not None]
    roles = [
        _part_role(base, part.traits, max(weightings, default=0.0))
        or role_of_echo(description, echoes, place)
        for place, part in enumerate(parts)
    ]
    return [role if roles.count(role) == 1 else None for role in roles]


def _part_role(base: Role | None, traits: dict[str, Any], highest_b: float) -> Role | None:
    kind = kind_name(traits.get("kind") or ())
    if kind in _ROLES_OF_KINDS:
        return _ROLES_OF_KINDS[kind]
    if "b" in traits:
        weighted = traits["b"] is not None and traits["b"] == highest_b >= _LEAST_DWI_B
        return "dwi" if weighted and "direction" not in traits else None
    return base if set(traits) == {"kind"} and kind == "magnitude" else None

"""Finding the image series below a folder, and saying why the other files are none."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from readerstudy.imaging.dicom import (
    check_image,
    load_dicom_series,
    looks_like_dicom,
    read_header,
)
from readerstudy.imaging.errors import (
    ImageError,
    NotAnImageError,
    UnreadableError,
    explained,
)
from readerstudy.imaging.facts import has_contrast_agent
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.nifti import load_nifti
from readerstudy.imaging.sequences import Role, names_only_a_role, role_of, role_of_series

Status = Literal["ok", "skipped", "error"]

_DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")
_OTHER_IMAGES = (".hdr", ".img", ".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd", ".mnc")
_KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "ImageType",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
)


@dataclass(frozen=True)
class FoundSeries:
    """One image series, or one file that is none.

    Attributes
    ----------
    kind : {"nifti", "dicom", "png", "other"}
    paths : tuple of Path
        The file, or the files of a DICOM series.
    name : str
        Path below the searched folder, to show to coordinators; never to readers.
    case : str
        Name of the folder that stands for the patient or case.
    role : Role or None
        Sequence, where the names or the header tell.
    status : {"ok", "skipped", "error"}
        "ok": worth loading; "skipped": not an image; "error": an image that cannot be used.
    reason : str
        Why it was skipped or is unusable; empty for "ok".
    advice : str
        What to do about it; empty for "ok".
    subject : str
        Name of the patient, who may have several cases (visits); the case unless a layout tells.
    """

    kind: Literal["nifti", "dicom", "png", "other"]
    paths: tuple[Path, ...]
    name: str
    case: str
    role: Role | None
    status: Status = "ok"
    reason: str = ""
    advice: str = ""
    subject: str = ""

    def __post_init__(self) -> None:
        if not self.subject:
            object.__setattr__(self, "subject", self.case)


def find_series(folder: str | PathLike[str]) -> list[FoundSeries]:
    """List the NIfTI files and DICOM series in a folder and all folders below it.

    Parameters
    ----------
    folder : str or PathLike
        A folder, or a single file. Links are not followed.

    Returns
    -------
    list of FoundSeries
        Sorted by name. DICOM files are grouped by SeriesInstanceUID, also across folders; files
        that are no images, and folders below that cannot be read, are listed with the reason.

    Raises
    ------
    ImageError
        The folder does not exist or cannot be read.
    """
    root = Path(folder)
    with explained(root, "folder"):
        if root.is_file():
            return _sort_out(root.parent, [root])
        closed: dict[Path, ImageError] = {}
        found = _sort_out(root, list(_files(root, closed)))
        found += [
            _unusable(root, path, "error", error.reason, error.advice)
            for path, error in closed.items()
        ]
        return sorted(found, key=_by_name)


def _by_name(one: FoundSeries) -> tuple[str, tuple[Path, ...]]:
    return one.name, one.paths


def load(found: FoundSeries) -> Volume:
    """Read a series that `find_series` listed.

    Raises
    ------
    ImageError
        The series was listed with a reason, or cannot be read.
    """
    if found.status != "ok":
        raise UnreadableError(found.paths[0], found.reason, found.advice)
    empty_allowed = found.role == "mask"
    if found.kind == "nifti":
        return load_nifti(found.paths[0], allow_constant=empty_allowed)
    return load_dicom_series(found.paths, allow_constant=empty_allowed)


def _files(folder: Path, closed: dict[Path, ImageError]) -> Iterator[Path]:
    """Yield the files of a folder and of those below; folders that stay shut go to `closed`."""
    with explained(folder, "folder"), os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = folder / entry.name
        if not entry.is_dir(follow_symlinks=False):
            yield path
            continue
        try:
            yield from _files(path, closed)
        except ImageError as error:
            closed[path] = error


@dataclass(frozen=True)
class _Header:
    """What grouping needs to know of one DICOM file."""

    file: Path
    uid: str
    instance: str
    number: int
    role: Role | None
    fault: tuple[str, str]


def _sort_out(root: Path, files: list[Path]) -> list[FoundSeries]:
    found: list[FoundSeries] = []
    groups: dict[str, list[_Header]] = {}
    for file in files:
        try:
            header = _dicom_header(file)
        except ImageError as error:
            status: Status = "skipped" if isinstance(error, NotAnImageError) else "error"
            found.append(_unusable(root, file, status, error.reason, error.advice))
            continue
        if header is None:
            found.append(_not_dicom(root, file))
        else:
            groups.setdefault(header.uid, []).append(header)
    found.extend(_series(root, groups))
    return sorted(found, key=_by_name)


def _dicom_header(file: Path) -> _Header | None:
    """Facts of a DICOM file, or None where the file is something else."""
    if file.is_symlink() or not file.is_file() or file.name.upper() == "DICOMDIR":
        return None
    with explained(file, "DICOM file"):
        known = file.name.lower().endswith(_DICOM_SUFFIXES)
        if not known and (_is_nifti(file) or not looks_like_dicom(file)):
            return None
        header = read_header(file, _KEYWORDS)
        return _Header(
            file=file,
            uid=str(header.get("SeriesInstanceUID") or file.parent),
            instance=str(header.get("SOPInstanceUID") or file),
            number=int(header.get("SeriesNumber") or 0),
            role=_role_from_header(header),
            fault=_fault(file, header),
        )


def _fault(file: Path, header: Any) -> tuple[str, str]:
    try:
        check_image(file, header)
    except NotAnImageError:
        raise
    except ImageError as error:
        return error.reason, error.advice
    return "", ""


def _is_nifti(file: Path) -> bool:
    return file.name.lower().endswith((".nii", ".nii.gz"))


def _not_dicom(root: Path, file: Path) -> FoundSeries:
    if not file.is_symlink() and file.is_file() and _is_nifti(file):
        role = role_of(file.name) or role_of(file.parent.name)
        return FoundSeries("nifti", (file,), _name(root, file), _case(root, file.parent), role)
    return _unusable(root, file, "skipped", _why_skipped(file))


def _why_skipped(file: Path) -> str:
    if file.is_symlink():
        return "a link; links are not followed"
    if not file.is_file():
        return "not a plain file"
    if file.name.upper() == "DICOMDIR":
        return "an index of DICOM files; the files themselves are read"
    if file.name.lower().endswith(_OTHER_IMAGES):
        return "an image format that is not read; convert it to .nii.gz"
    return "not a NIfTI or DICOM image"


def _unusable(
    root: Path, file: Path, status: Status, reason: str, advice: str = "Leave it out."
) -> FoundSeries:
    name, case = _name(root, file), _case(root, file.parent)
    return FoundSeries("other", (file,), name, case, None, status, reason, advice)


def _series(root: Path, groups: dict[str, list[_Header]]) -> Iterator[FoundSeries]:
    by_folder: dict[Path, list[list[_Header]]] = {}
    for group in groups.values():
        for part in _without_copies(group):
            folder = Path(os.path.commonpath([header.file.parent for header in part]))
            by_folder.setdefault(folder, []).append(part)
    for folder, members in by_folder.items():
        members.sort(key=lambda group: (group[0].number, group[0].file))
        for number, group in enumerate(members, start=1):
            suffix = f"#{number}" if len(members) > 1 else ""
            yield _one_series(root, folder, suffix, group)


def _without_copies(group: list[_Header]) -> list[list[_Header]]:
    """One series may be spread over folders; but a series copied to two folders is two."""
    if len({header.instance for header in group}) == len(group):
        return [group]
    folders: dict[Path, list[_Header]] = {}
    for header in group:
        folders.setdefault(header.file.parent, []).append(header)
    return list(folders.values())


def _one_series(root: Path, folder: Path, suffix: str, group: list[_Header]) -> FoundSeries:
    role = None if suffix else role_of(folder.name)
    reason, advice = next((header.fault for header in group if header.fault[0]), ("", ""))
    return FoundSeries(
        kind="dicom",
        paths=tuple(header.file for header in group),
        name=_name(root, folder) + suffix,
        case=_case(root, folder),
        role=role or group[0].role,
        status="error" if reason else "ok",
        reason=reason,
        advice=advice,
    )


def _role_from_header(header: Any) -> Role | None:
    image_type = header.get("ImageType") or []
    joined = image_type if isinstance(image_type, str) else " ".join(map(str, image_type))
    description = str(header.get("SeriesDescription") or "")
    return role_of_series(description, joined, has_contrast_agent(header))


def _name(root: Path, path: Path) -> str:
    name = path.relative_to(root).as_posix()
    return root.name if name == "." else name


def _case(root: Path, folder: Path) -> str:
    while folder != root and names_only_a_role(folder.name):
        folder = folder.parent
    return folder.name

"""What a search for images gives: one entry for each series, and for each file that is none."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from readerstudy.imaging.frames import Plane
from readerstudy.imaging.sequences import Role

Status = Literal["ok", "skipped", "error"]
FoundKind = Literal["nifti", "dicom", "mgh", "png", "other"]

MOST_PARTS = 32
TOO_MANY_ADVICE = "Export the volume or the map to be shown as a series of its own."


@dataclass(frozen=True)
class FoundSeries:
    """One image series, or one file that is none.

    Attributes
    ----------
    kind : {"nifti", "dicom", "mgh", "png", "other"}
    paths : tuple of Path
        The file, or the files of a DICOM series.
    name : str
        Path below the searched folder, to show to coordinators; never to readers.
    case : str
        Name of the folder (or of the part of a file name) that stands for the patient or case.
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
    frames : tuple of (int, int)
        Where only a part of the files is meant: number of the file in `paths` and of the frame in
        it, from 0. Empty for all.
    plane : {"axial", "coronal", "sagittal"}
        Of a PNG picture, which cannot tell itself.
    """

    kind: FoundKind
    paths: tuple[Path, ...]
    name: str
    case: str
    role: Role | None
    status: Status = "ok"
    reason: str = ""
    advice: str = ""
    subject: str = ""
    frames: tuple[tuple[int, int], ...] = ()
    plane: Plane = "axial"

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", self.subject or self.case)
        object.__setattr__(self, "frames", tuple((file, index) for file, index in self.frames))


@dataclass(frozen=True)
class Entry:
    """A series before the folders around it have told which case it belongs to.

    `anchor` is the folder that holds it; `exam` tells the examinations of DICOM files apart;
    `planes` is the number of slices of a DICOM stack.
    """

    kind: FoundKind
    paths: tuple[Path, ...]
    anchor: Path
    name: str
    role: Role | None = None
    status: Status = "ok"
    reason: str = ""
    advice: str = ""
    frames: tuple[tuple[int, int], ...] = ()
    exam: str = ""
    planes: int = 0

    def of_case(self, case: str, subject: str = "") -> FoundSeries:
        """The entry as a found series of a case."""
        return FoundSeries(
            kind=self.kind,
            paths=self.paths,
            name=self.name,
            case=case,
            role=self.role,
            status=self.status,
            reason=self.reason,
            advice=self.advice,
            subject=subject,
            frames=self.frames,
        )


def name_below(root: Path, path: Path) -> str:
    """Path below the searched folder; the folder's own name for the folder itself."""
    name = path.relative_to(root).as_posix()
    return root.name if name == "." else name


def unusable(
    root: Path, file: Path, status: Status, reason: str, advice: str = "Leave it out."
) -> Entry:
    """Entry of a file that is no image or cannot be used."""
    return Entry(
        kind="other",
        paths=(file,),
        anchor=file.parent,
        name=name_below(root, file),
        status=status,
        reason=reason,
        advice=advice,
    )

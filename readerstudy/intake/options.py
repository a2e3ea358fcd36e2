"""What a person chooses for one import. Nothing here names a patient."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from readerstudy.cases.quality import BRAIN_ONLY, KEEP
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.frames import PLANES, Plane

REAL, SYNTHETIC, UNKNOWN = "real", "synthetic", "unknown"
ORIGINS = {
    REAL: "Real: acquired on a scanner",
    SYNTHETIC: "Synthetic: made by a generator elsewhere",
    UNKNOWN: "Not stated: to be put on record later",
}
FACES = {
    BRAIN_ONLY: "Brain only: whole heads are reduced to the brain before anybody reads them",
    KEEP: "Keep faces",
}
FACES_WARNING = (
    "People can be recognised from a head scan: in a published test 97 % of 157 persons were "
    "matched with their photographs. Keep faces only where ethics and data protection allow it."
)
LABEL_LENGTH, GENERATOR_LENGTH = 60, 120


@dataclass(frozen=True)
class Options:
    """How the images of one import are to be taken.

    Attributes
    ----------
    label : str
        Name of the source, so that equal folder names of two sources stay apart.
    origin : {"real", "synthetic", "unknown"}
        What goes on record of each case.
    generator : str
        Name of the generator of synthetic cases.
    faces : {"brain-only", "keep"}
        What happens to whole heads.
    plane : {"axial", "coronal", "sagittal"}
        Of PNG pictures, which cannot tell it; a manifest may say otherwise of each.
    """

    label: str = ""
    origin: str = REAL
    generator: str = ""
    faces: str = BRAIN_ONLY
    plane: Plane = "axial"

    def __post_init__(self) -> None:
        if self.plane not in PLANES:
            raise ReaderStudyError(f"The plane of pictures is one of {', '.join(PLANES)}.")
        if self.origin not in ORIGINS:
            raise ReaderStudyError(f"The origin is one of {', '.join(ORIGINS)}.")
        if self.faces not in FACES:
            raise ReaderStudyError(f"Faces is one of {', '.join(FACES)}.")
        if len(self.label) > LABEL_LENGTH:
            raise ReaderStudyError(f"The name of the source has at most {LABEL_LENGTH} letters.")
        if (self.origin == SYNTHETIC) != bool(self.generator.strip()):
            raise ReaderStudyError("Name the generator of synthetic images, and only of those.")

    def to_dict(self) -> dict[str, Any]:
        """Return the options as they are stored with the import."""
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Options:
        """Return the options that were stored; absent ones have their defaults."""
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in stored.items() if name in names})

"""Folders as they come from archives, with the faults that they come with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from django.conf import settings

from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core.models import AuditRecord
from readerstudy.truth.models import Origin
from tests.imaging.factories import (
    SeriesOptions,
    brain_like,
    write_nifti,
    write_series,
    write_structured_report,
)

SHAPE = (5, 14, 12)
UPSIDE = np.array([[1.0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def image(folder: Path, name: str = "t1.nii.gz", seed: int = 7) -> Path:
    """A sound NIfTI file in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_nifti(folder / name, brain_like(SHAPE, seed).T)


def series(folder: Path, seed: int = 7, **options: object) -> list[Path]:
    """A sound DICOM series, unless the options say otherwise."""
    return write_series(folder, brain_like(SHAPE, seed), SeriesOptions(**options))


def objects() -> dict[str, int]:
    """Everything in the object store, also what should not be there: name and time."""
    folder = Path(settings.MEDIA_ROOT)
    return {p.name: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def rows() -> dict[str, int]:
    """How many rows the import has written."""
    models = (Subject, Case, Series, Origin, AuditRecord)
    return {model.__name__: model.objects.count() for model in models}


def _truncated(folder: Path) -> None:
    path = image(folder)
    path.write_bytes(path.read_bytes()[:-200])


def _text(folder: Path) -> None:
    folder.mkdir()
    (folder / "t1.nii.gz").write_text("This is a letter, not an image.\n")


def _text_as_dicom(folder: Path) -> None:
    folder.mkdir()
    (folder / "t1.dcm").write_bytes(b"This is a letter, not an image." * 20)


def _of_value(value: float) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        folder.mkdir()
        array = brain_like(SHAPE).astype("float32")
        array[2, 7, 6] = value
        write_nifti(folder / "t1.nii.gz", array.T)

    return write


def _constant(folder: Path) -> None:
    folder.mkdir()
    write_nifti(folder / "t1.nii.gz", np.full(SHAPE, 7, "int16"))


def _time_series(folder: Path) -> None:
    folder.mkdir()
    write_nifti(folder / "t1.nii.gz", np.stack([brain_like(SHAPE).T] * 3, axis=-1))


def _crooked(folder: Path) -> None:
    path = image(folder, "t1.nii")
    content = bytearray(path.read_bytes())
    content[280:328] = UPSIDE[:3].astype("<f4").tobytes()
    path.write_bytes(content)


def _damaged_dicom(folder: Path) -> None:
    paths = series(folder / "T1")
    for path in paths:
        path.write_bytes(path.read_bytes()[:-60])


# What is written, the path that the error must name, words that its reason must hold.
FAULTS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "truncated": (_truncated, "bad/t1.nii.gz", "damaged|shorter"),
    "text named .nii.gz": (_text, "bad/t1.nii.gz", "does not begin with a NIfTI header"),
    "text named .dcm": (_text_as_dicom, "bad/t1.dcm", "not a DICOM file"),
    "NaN": (_of_value(np.nan), "bad/t1.nii.gz", "1 of 840 voxels are not numbers"),
    "infinite": (_of_value(np.inf), "bad/t1.nii.gz", "not numbers"),
    "constant": (_constant, "bad/t1.nii.gz", "same value"),
    "4-D": (_time_series, "bad/t1.nii.gz", "it holds 3 volumes"),
    "wrong orientation matrix": (_crooked, "bad/t1.nii", "wrong orientation matrix"),
    "missing slices": (
        lambda folder: series(folder / "T1", missing=(2,)),
        "bad/T1",
        "1 slice is missing",
    ),
    "uneven slices": (
        lambda folder: series(folder / "T1", uneven_mm=0.8),
        "bad/T1",
        "uneven distances",
    ),
    "two stacks in one series": (
        lambda folder: series(folder / "T1", tilted=(1, 3)),
        "bad/T1",
        "slices at different angles",
    ),
    "repeated slices": (
        lambda folder: series(folder / "T1", duplicate=(1, 2)),
        "bad/T1",
        "2 slices repeat the position",
    ),
    "truncated DICOM": (_damaged_dicom, "bad/T1", "cannot be read"),
    "mosaic": (
        lambda folder: series(folder / "T1", image_type=("ORIGINAL", "PRIMARY", "MOSAIC")),
        "bad/T1",
        "mosaic",
    ),
}


def beside(folder: Path) -> None:
    """What lies beside images in archives and is none."""
    (folder / "README.md").write_text("Licence: CC BY 4.0")
    (folder / "MANIFEST.json").write_text("{}")
    write_structured_report(folder / "report.dcm")

"""Where segmentations come from: a folder of label maps, or the operator's own program.

The program is named by who runs this installation (READERSTUDY_SEGMENTATION_COMMAND), never by a
web user. It is started without a shell, for a limited time, on a folder that holds one NIfTI file
per sequence.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.preparation import external
from readerstudy.imaging.preparation.records import PreparationError
from synthesis.data.hashing import file_sha256
from synthesis.data.subjects import DataError, load_volume

Array = npt.NDArray[Any]
COMMAND = "command"
_SUFFIXES = (".nii.gz", ".nii")


class Segmenter(ABC):
    """Gives label maps of a case, of the acquired images and with the synthetic one in place."""

    name: str

    @abstractmethod
    def labels(self, case_code: str, images: Mapping[str, Array], affine: Array) -> Array | None:
        """Return the label map (z, y, x) of images by sequence; None if there is none."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what a record says of it."""


class MaskFolder(Segmenter):
    """Label maps made elsewhere: ``<case code>.nii.gz``, of source and of synthetic cases."""

    name = "uploaded"

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ReaderStudyError(f"There is no folder {folder.name!r} of label maps.")
        self.folder = folder
        self.used: dict[str, str] = {}

    def labels(self, case_code: str, images: Mapping[str, Array], affine: Array) -> Array | None:
        """Read the file of a case."""
        del affine
        for suffix in _SUFFIXES:
            path = self.folder / f"{case_code}{suffix}"
            if path.exists():
                return self._read(path, next(iter(images.values())).shape)
        return None

    def _read(self, path: Path, shape: tuple[int, ...]) -> Array:
        try:
            values = load_volume(path).values
        except DataError as error:
            raise ReaderStudyError(str(error)) from error
        if values.shape != shape:
            raise ReaderStudyError(
                f"{path.name} is of {values.shape} voxels, its case of {shape}. Bring it to the "
                "grid of the case first."
            )
        self.used[path.name] = file_sha256(path)
        return np.rint(values).astype(np.int32)

    def describe(self) -> dict[str, Any]:
        """Name the files used with their fingerprints."""
        return {"source": self.name, "files": dict(sorted(self.used.items()))}


class CommandSegmenter(Segmenter):
    """The operator's own program."""

    name = COMMAND

    def __init__(self, command: str, seconds: float) -> None:
        self.command, self.seconds = command, seconds

    def labels(self, case_code: str, images: Mapping[str, Array], affine: Array) -> Array:
        """Run the program on ``{input}``, a folder with t1.nii.gz and so on."""
        with tempfile.TemporaryDirectory(prefix="readerstudy-") as name:
            folder = Path(name) / "images"
            folder.mkdir()
            for role, values in images.items():
                external.write_nifti(_volume(values, affine), folder / f"{role}.nii.gz")
            try:
                found = external.run_on_folder(
                    self.command,
                    folder,
                    like=_volume(next(iter(images.values())), affine),
                    timeout_s=self.seconds,
                )
            except PreparationError as error:
                raise ReaderStudyError(f"Segmenting case {case_code}: {error}") from error
        return np.rint(_turned(found.array)).astype(np.int32)

    def describe(self) -> dict[str, Any]:
        """Tell the command as it was configured."""
        return {"source": self.name, "command": self.command, "seconds": self.seconds}


def _turned(values: Array) -> Array:
    """Turn RAS to LPS, or back."""
    return np.ascontiguousarray(values[:, ::-1, ::-1])


def _volume(values: Array, affine: Array) -> Volume:
    return Volume(
        array=_turned(values), affine_lps=affine, kind="nifti", facts={}, source_sha256=""
    )


def segmenter_of(source: str) -> Segmenter | None:
    """Return the segmenter called ``source``: "", "command" or a folder of label maps.

    Raises
    ------
    ReaderStudyError
        If there is none.
    """
    if not source:
        return None
    if source != COMMAND:
        return MaskFolder(Path(source))
    if not settings.SEGMENTATION_COMMAND:
        raise ReaderStudyError(
            "No program for segmentations is set up. Set READERSTUDY_SEGMENTATION_COMMAND, or "
            "give a folder of label maps."
        )
    return CommandSegmenter(settings.SEGMENTATION_COMMAND, settings.SEGMENTATION_SECONDS)

"""Where segmentations come from: label maps made elsewhere, the operator's program, our network.

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

from readerstudy.cases.models import Case
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.preparation import external
from readerstudy.imaging.preparation.records import PreparationError
from synthesis.data.hashing import file_sha256
from synthesis.data.subjects import DataError, load_volume
from synthesis.finding import find_checkpoint
from synthesis.folders import label_maps_folder, run_folder
from synthesis.metrics.regions import SCHEMES, LabelScheme
from synthesis.models import Checkpoint
from synthesis.segment import SegmentationModel, load_segmenter
from synthesis.segmenters import COMMAND, NETWORK, UPLOADED, segments
from synthesis.training.checkpoints import CheckpointError

Array = npt.NDArray[Any]
_SUFFIXES = (".nii.gz", ".nii")


class NotSegmentedError(Exception):
    """A case has no label map; the message says why."""


class Segmenter(ABC):
    """Gives label maps of a case, of the acquired images and with the synthetic one in place.

    Attributes
    ----------
    name : str
        Part of the name under which its scores are kept: two segmenters are never mixed.
    scheme : LabelScheme or None
        What its numbers mean, where that is known.
    """

    name: str
    scheme: LabelScheme | None = None

    def check(self, role: str) -> None:
        """Refuse a run whose images it would not look at.

        Raises
        ------
        ReaderStudyError
        """
        del role

    def check_case(self, source: Case) -> None:
        """Refuse a case that it must not judge.

        Raises
        ------
        NotSegmentedError
        """
        del source

    @abstractmethod
    def labels(self, case_code: str, images: Mapping[str, Array], affine: Array) -> Array:
        """Return the label map (z, y, x) of images by sequence.

        Raises
        ------
        NotSegmentedError
            If there is none.
        ReaderStudyError
            If something is wrong that stops the scoring.
        """

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

    def labels(self, case_code: str, images: Mapping[str, Array], affine: Array) -> Array:
        """Read the file of a case."""
        del affine
        for suffix in _SUFFIXES:
            path = self.folder / f"{case_code}{suffix}"
            if path.exists():
                return self._read(path, next(iter(images.values())).shape)
        raise NotSegmentedError(f"there is no label map {case_code}.nii.gz")

    def _read(self, path: Path, shape: tuple[int, ...]) -> Array:
        try:
            values = load_volume(path, may_be_empty=True).values
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


class NetworkSegmenter(Segmenter):
    """A segmentation network trained here."""

    scheme = SCHEMES["brats2023"]

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.model = _load(checkpoint)
        self.name = f"{NETWORK} {checkpoint.weights_sha256[:8]}"

    def check(self, role: str) -> None:
        """Refuse a run of a sequence that the network does not look at."""
        if role not in self.model.config.inputs:
            raise ReaderStudyError(
                f"The segmentation network looks at {', '.join(self.model.config.inputs)}, not at "
                f"{role}: it would find the same in both images. Train one with {role} among its "
                "inputs."
            )

    def check_case(self, source: Case) -> None:
        """Refuse a case whose patient trained the network."""
        if self.checkpoint.training_subjects.filter(source_key=source.subject.source_key).exists():
            raise NotSegmentedError("the patient trained the segmentation network")

    def labels(self, case_code: str, images: Mapping[str, Array], affine: Array) -> Array:
        """Run the network over a case."""
        del case_code
        missing = [role for role in self.model.config.inputs if role not in images]
        if missing:
            raise NotSegmentedError(f"the case has no {', '.join(missing)} on the same grid")
        dx, dy, dz = np.linalg.norm(affine[:3, :3], axis=0)
        return self.model.labels(images, (dz, dy, dx)).astype(np.int32)

    def describe(self) -> dict[str, Any]:
        """Name the checkpoint with its fingerprint and the voxel size it was trained at."""
        return {
            "source": self.name,
            "checkpoint": str(self.checkpoint.pk),
            "run": self.checkpoint.run_folder,
            "weights_sha256": self.checkpoint.weights_sha256,
            "trained_at_mm": list(self.model.trained_mm),
        }


def _load(checkpoint: Checkpoint) -> SegmentationModel:
    if not segments(checkpoint):
        raise ReaderStudyError(
            f"{checkpoint.run_folder} is a run of {checkpoint.preset}, which makes images. Name a "
            "segmentation network: manage.py train segment-3d"
        )
    try:
        model = load_segmenter(run_folder(checkpoint.run_folder))
    except CheckpointError as error:
        raise ReaderStudyError(str(error)) from error
    if model.weights_sha256 != checkpoint.weights_sha256:
        raise Conflict("The weights on disk are not those on record. Restore them from a backup.")
    return model


def segmenter_of(source: str) -> Segmenter | None:
    """Return the segmenter of an order, or None.

    Parameters
    ----------
    source : str
        "" for none, "command", "network:" and a checkpoint, "uploaded:" and the name of label maps
        uploaded on the staff pages, or a folder of label maps.

    Raises
    ------
    ReaderStudyError
        If there is none of that name.
    """
    kind, _, name = source.partition(":")
    if not source:
        return None
    if kind == NETWORK:
        return NetworkSegmenter(find_checkpoint(name))
    if source == COMMAND:
        return _command()
    return MaskFolder(label_maps_folder() / name if kind == UPLOADED else Path(source))


def _command() -> CommandSegmenter:
    if not settings.SEGMENTATION_COMMAND:
        raise ReaderStudyError(
            "No program for segmentations is set up. Set READERSTUDY_SEGMENTATION_COMMAND, or "
            "give a folder of label maps."
        )
    return CommandSegmenter(settings.SEGMENTATION_COMMAND, settings.SEGMENTATION_SECONDS)

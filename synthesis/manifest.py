"""The record of a generation: what is needed to make the same image again, and to prove it.

A record names the network by the sha256 of its weights, the inputs by the sha256 of their values
and the result by the sha256 of its pixels. It holds no file path and no name of a patient.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from synthesis.data.hashing import content_sha256
from synthesis.data.sealed import Sealed

Pixels = npt.NDArray[np.int16]
Inputs = Mapping[str, npt.NDArray[Any]]


class RecordError(ValueError):
    """A record is damaged, or the generator or inputs at hand are not those it names."""


class VolumeSource(Protocol):
    """What can make a volume: `synthesis.generate.Generator`, or a stand-in."""

    @property
    def weights_sha256(self) -> str:
        """Fingerprint of the weights file."""

    def volume(self, inputs: Inputs, *, seed: int) -> Pixels:
        """Make the volume that belongs to these inputs and this seed."""


@dataclass(frozen=True)
class ImageRecord:
    """One generated image.

    Attributes
    ----------
    uuid : str
        Random, says nothing about the source.
    sources : dict of str to str
        sha256 of the values of each input (`content_sha256`), by sequence.
    sources_seen_as : str
        "train" or "validation" if the network has seen one of these inputs so, else "unseen".
    seed : int
    shape : list of int
        (z, y, x).
    pixel_sha256 : str
        `content_sha256` of the int16 result.
    """

    uuid: str
    sources: dict[str, str]
    sources_seen_as: str
    seed: int
    shape: list[int]
    pixel_sha256: str


class Named(Protocol):
    """The record of one image."""

    @property
    def uuid(self) -> str:
        """Random, says nothing about the source."""


Image = TypeVar("Image", bound=Named)


class ImageSet(Sealed, Generic[Image]):
    """The record of a set of images, made by one generator on one machine."""

    refusal = RecordError
    images: tuple[Image, ...]

    def image(self, image_uuid: str) -> Image:
        """Return the record of one image.

        Raises
        ------
        RecordError
            If there is none of that uuid.
        """
        for image in self.images:
            if image.uuid == image_uuid:
                return image
        raise RecordError(f"The record holds no image {image_uuid}.")


@dataclass(frozen=True)
class GenerationRecord(ImageSet[ImageRecord]):
    """A batch of generated images with the generator and the machine that made them.

    Attributes
    ----------
    generator : dict
        preset, network settings, weights_sha256, output_mapping.
    environment : dict
        See `environment`.
    images : tuple of ImageRecord
    """

    schema = "readerstudy-generation/1"

    generator: dict[str, Any]
    environment: dict[str, Any]
    images: tuple[ImageRecord, ...]

    def facts(self) -> dict[str, Any]:
        """Return what is recorded."""
        return {
            "generator": self.generator,
            "environment": self.environment,
            "images": [asdict(image) for image in self.images],
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> GenerationRecord:
        """Make the record of its `facts`."""
        images = tuple(ImageRecord(**image) for image in facts["images"])
        return cls(facts["generator"], facts["environment"], images)


@dataclass(frozen=True)
class Verification:
    """Whether a record gave its image again.

    Attributes
    ----------
    reproduced : bool
        The largest difference is within the tolerance.
    exact : bool
        The pixels are equal: their sha256 is that of the record.
    max_difference : int or None
        Largest difference in grey levels to the image at hand; None if none was given and the
        pixels are not equal.
    """

    reproduced: bool
    exact: bool
    max_difference: int | None


def image_record(
    inputs: Inputs,
    pixels: Pixels,
    *,
    seed: int,
    seen: Mapping[str, str] | None = None,
    image_uuid: str | None = None,
) -> ImageRecord:
    """Describe one generated image.

    Parameters
    ----------
    inputs : mapping of str to ndarray (z, y, x)
        Exactly the arrays the generator was given.
    pixels : int16 ndarray (z, y, x)
        What it made.
    seed : int
    seen : mapping of str to str, optional
        `content_sha256` to "train" or "validation": what the network has met before.
    image_uuid : str, optional
        Drawn at random if not given.
    """
    sources = {role: content_sha256(values) for role, values in sorted(inputs.items())}
    met = {(seen or {}).get(digest, "unseen") for digest in sources.values()}
    return ImageRecord(
        uuid=image_uuid or str(uuid.uuid4()),
        sources=sources,
        sources_seen_as=next(p for p in ("train", "validation", "unseen") if p in met),
        seed=seed,
        shape=list(pixels.shape),
        pixel_sha256=content_sha256(pixels),
    )


def regenerate(
    record: GenerationRecord, image_uuid: str, generator: VolumeSource, inputs: Inputs
) -> Pixels:
    """Make an image of a record again, after checking that generator and inputs are the same.

    Parameters
    ----------
    record : GenerationRecord
    image_uuid : str
    generator : VolumeSource
        Loaded from the weights the record names.
    inputs : mapping of str to ndarray (z, y, x)
        The source images.

    Raises
    ------
    RecordError
        If the weights or an input are not those of the record.
    """
    image = record.image(image_uuid)
    if generator.weights_sha256 != record.generator["weights_sha256"]:
        raise RecordError("The generator at hand has other weights than the record names.")
    for role, digest in image.sources.items():
        if role not in inputs:
            raise RecordError(f"The input {role} is missing.")
        if content_sha256(inputs[role]) != digest:
            raise RecordError(f"The input {role} is not the image the record names.")
    return generator.volume({role: inputs[role] for role in image.sources}, seed=image.seed)


def verify(
    record: GenerationRecord,
    image_uuid: str,
    generator: VolumeSource,
    inputs: Inputs,
    *,
    pixels: Pixels | None = None,
    tolerance: int = 0,
) -> Verification:
    """Prove that a record gives its image again.

    Parameters
    ----------
    record, image_uuid, generator, inputs
        As for `regenerate`.
    pixels : int16 ndarray (z, y, x), optional
        The stored image, needed to measure a difference. It must be the one of the record.
    tolerance : int
        Grey levels by which voxels may differ. 0 on the machine and PyTorch build of the record;
        another one rounds differently and may differ by 1.

    Raises
    ------
    RecordError
        If generator, inputs or ``pixels`` are not those of the record.
    """
    again = regenerate(record, image_uuid, generator, inputs)
    return judged(again, record.image(image_uuid).pixel_sha256, pixels, tolerance)


def judged(again: Pixels, wanted: str, pixels: Pixels | None, tolerance: int) -> Verification:
    """Compare an image made again with the fingerprint of its record; see `verify`."""
    if content_sha256(again) == wanted:
        return Verification(reproduced=True, exact=True, max_difference=0)
    if pixels is None:
        return Verification(reproduced=False, exact=False, max_difference=None)
    if content_sha256(pixels) != wanted:
        raise RecordError("The image at hand is not the one the record describes.")
    difference = int(np.abs(again.astype(np.int32) - pixels).max())
    return Verification(difference <= tolerance, exact=False, max_difference=difference)


def environment(device: str) -> dict[str, Any]:
    """Return what beside weights and inputs can change the last bit of a result."""
    on_gpu = torch.device(device).type == "cuda"
    return {
        "code_version": code_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if on_gpu else platform.machine(),
        "device_type": torch.device(device).type,
        "threads": torch.get_num_threads(),
    }


def code_version() -> str:
    """Return the git commit of the source (with "+" if changed since), else the version."""
    here = Path(__file__).resolve().parent
    git = shutil.which("git")
    if git and (here.parent / ".git").exists():
        commit = _git(git, here, "rev-parse", "--short=12", "HEAD")
        if commit:
            return commit + ("+" if _git(git, here, "status", "--porcelain", "-uno", ".") else "")
    try:
        return importlib.metadata.version("readerstudy")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _git(git: str, folder: Path, *arguments: str) -> str:
    """Return what a git command prints, empty if it fails."""
    command = [git, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else ""

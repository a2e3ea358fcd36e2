"""Slices of subjects as images of one size and one grey scale, held in memory for training.

A slice is turned so that it can be looked at: axial with anterior on top and the patient's right
on the left, coronal with superior on top and the patient's right on the left, sagittal with
superior on top and anterior on the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.data.layout import bounding_box
from synthesis.data.subjects import DataError, FloatVolume, Subject

Fit = Literal["stretch", "pad", "field"]
FITS: tuple[Fit, ...] = ("stretch", "pad", "field")
Images = npt.NDArray[np.float16]

_AXIS = {"axial": 0, "coronal": 1, "sagittal": 2}


@dataclass(frozen=True, kw_only=True)
class SliceRule:
    """How slices are cut, fitted and brought to one grey scale.

    Attributes
    ----------
    plane : str
        "axial", "coronal" or "sagittal".
    size : int
        Height and width of the images.
    first, last : float
        Slices from ``round(first n)`` up to, not including, ``round(last n)`` of n are used.
    fit : {"stretch", "pad", "field"}
        "stretch": the whole plane becomes size x size, whatever its aspect. "pad": the plane is
        padded with background to a square first. "field": a square of ``field_mm`` around the
        brain is cropped or padded first, so that all subjects have one scale.
    field_mm : float
    white_percentile : float
        Percentile of the non-zero voxels of a volume that becomes white.
    least_brain : float
        Share of the plane that must be brain, else a slice is left out.
    """

    plane: str
    size: int
    first: float = 0.0
    last: float = 1.0
    fit: Fit = "pad"
    field_mm: float = 224.0
    white_percentile: float = 99.8
    least_brain: float = 0.0


@dataclass(frozen=True, eq=False)
class SubjectSlices:
    """Slices of one subject.

    Attributes
    ----------
    name : str
    images : float16 ndarray (n, roles, size, size)
        -1 background to 1 white.
    numbers : tuple of int
        Slice number of each along its axis of the RAS grid.
    pixel_mm : (float, float)
        Height and width of a pixel.
    """

    name: str
    images: Images
    numbers: tuple[int, ...]
    pixel_mm: tuple[float, float]


def cut_slices(subject: Subject, roles: Sequence[str], rule: SliceRule) -> SubjectSlices:
    """Cut the slices of a subject.

    Grey scale of a volume, with w its ``white_percentile``: ``2 clip(v / w, 0, 1) - 1``; the
    background, exactly 0, becomes exactly -1.

    Parameters
    ----------
    subject : Subject
    roles : sequence of str
        Order of the channels.
    rule : SliceRule

    Raises
    ------
    DataError
        If no slice is left, or a sequence is empty.
    """
    axis = _AXIS[rule.plane]
    numbers = _chosen(subject.mask, axis, rule)
    if not numbers:
        raise DataError(
            f"No {rule.plane} slice of subject {subject.name} lies between first={rule.first:g} "
            f"and last={rule.last:g} and is brain by {rule.least_brain:g}. Widen the range."
        )
    shown = [_shown(_greys(subject, role, rule), axis)[list(numbers)] for role in roles]
    spacing = [mm for n, mm in enumerate(subject.spacing_mm) if n != axis]
    box = _box(_shown(subject.mask, axis), spacing, rule)
    planes = np.stack([_windowed(planes, box) for planes in shown], axis=1)
    height, width = planes.shape[-2:]
    return SubjectSlices(
        name=subject.name,
        images=_resized(planes, rule.size),
        numbers=numbers,
        pixel_mm=(height * spacing[0] / rule.size, width * spacing[1] / rule.size),
    )


def _chosen(mask: npt.NDArray[np.bool_], axis: int, rule: SliceRule) -> tuple[int, ...]:
    n = mask.shape[axis]
    brain = np.moveaxis(mask, axis, 0).reshape(n, -1).mean(axis=1)
    wanted = range(round(rule.first * n), round(rule.last * n))
    return tuple(i for i in wanted if brain[i] >= rule.least_brain and brain[i] > 0)


def _greys(subject: Subject, role: str, rule: SliceRule) -> FloatVolume:
    """Return a volume from 0 to 1."""
    raw = subject.raw[role]
    inside = raw[raw != 0]
    white = float(np.percentile(inside, rule.white_percentile)) if inside.size else 0.0
    if white <= 0:
        raise DataError(f"Subject {subject.name}: {role} has no bright voxels to scale by.")
    return np.clip(raw / white, 0.0, 1.0).astype(np.float32)


def _shown(volume: npt.NDArray[np.generic], axis: int) -> npt.NDArray[np.generic]:
    """Put the slice axis first and turn the planes as they are looked at."""
    return np.moveaxis(volume, axis, 0)[:, ::-1, ::-1]


Window = tuple[tuple[int, int], tuple[int, int]]


def _box(mask: npt.NDArray[np.generic], spacing: Sequence[float], rule: SliceRule) -> Window:
    """Return start and stop in rows and columns; they may lie beyond the plane."""
    shape = mask.shape[1:]
    if rule.fit == "stretch":
        return (0, shape[0]), (0, shape[1])
    if rule.fit == "pad":
        side = max(n * mm for n, mm in zip(shape, spacing, strict=True))
        centres = [n / 2 for n in shape]
    else:
        side = rule.field_mm
        box = bounding_box(np.any(mask, axis=0))
        centres = [(edge.start + edge.stop) / 2 for edge in box]
    rows, columns = (
        _interval(centre, side / mm) for centre, mm in zip(centres, spacing, strict=True)
    )
    return rows, columns


def _interval(centre: float, length: float) -> tuple[int, int]:
    start = round(centre - length / 2)
    return start, start + max(1, round(length))


def _windowed(planes: npt.NDArray[np.generic], box: Window) -> FloatVolume:
    """Cut a window out of planes (n, h, w); what lies beyond is background."""
    out = np.zeros((len(planes), *(stop - start for start, stop in box)), dtype=np.float32)
    source, place = [], []
    for (start, stop), available in zip(box, planes.shape[1:], strict=True):
        source.append(slice(max(start, 0), min(stop, available)))
        place.append(slice(max(-start, 0), max(-start, 0) + min(stop, available) - max(start, 0)))
    out[:, place[0], place[1]] = planes[:, source[0], source[1]]
    return out


def _resized(planes: FloatVolume, size: int) -> Images:
    """Resample (n, roles, h, w) from 0 to 1 to images from -1 to 1; linear, against aliasing."""
    images = F.interpolate(
        torch.from_numpy(planes), size=(size, size), mode="bilinear", antialias=True
    )
    return (2 * images.clamp(0, 1) - 1).numpy().astype(np.float16)


class SliceStore:
    """Slices of all training subjects on one device, drawn from by step number.

    Parameters
    ----------
    subjects : sequence of SubjectSlices
    pooled : bool
        Make every sequence an image of its own.
    empty_channels : int
        Further channels of background.
    device : torch.device

    Attributes
    ----------
    images : float16 Tensor (n, channels, size, size)
    """

    def __init__(
        self,
        subjects: Sequence[SubjectSlices],
        *,
        pooled: bool,
        empty_channels: int,
        device: torch.device,
    ) -> None:
        images = stacked(subjects, pooled=pooled)
        self.images = torch.from_numpy(images).to(device)
        self.empty_channels = empty_channels

    def draw(self, batch: int, numbers: Sequence[int]) -> torch.Tensor:
        """Return ``batch`` images, float32, drawn evenly; a pure function of ``numbers``."""
        rng = np.random.default_rng(list(numbers))
        chosen = torch.from_numpy(rng.integers(len(self.images), size=batch))
        return self.complete(self.images[chosen.to(self.images.device)].float())

    def complete(self, images: torch.Tensor) -> torch.Tensor:
        """Append the empty channels."""
        return F.pad(images, (0, 0, 0, 0, 0, self.empty_channels), value=-1.0)


def stacked(subjects: Sequence[SubjectSlices], *, pooled: bool) -> Images:
    """Return all slices as one array (n, channels, size, size).

    Raises
    ------
    DataError
        If there is no subject.
    """
    if not subjects:
        raise DataError("There are no slices to train on.")
    images = np.concatenate([subject.images for subject in subjects])
    return images.reshape(-1, 1, *images.shape[2:]) if pooled else images

"""Sets of slices, ready to be compared: grey levels in [0, 1], each with its patient and name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthesis.metrics.paired import UndefinedMetricError

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
LEAST_BRAIN = 0.1
PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Slices of one kind.

    Attributes
    ----------
    images : float32 ndarray (n, side, side)
        In [0, 1], background 0.
    patients : tuple of str
        Patient of each slice; an image without one is a patient of its own.
    names : tuple of str
        What to call each slice, such as "C-0007 slice 61".
    """

    images: FloatArray
    patients: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def part(self, rows: npt.NDArray[np.intp]) -> ImageSet:
        """Return some of the slices."""
        return ImageSet(
            self.images[rows],
            tuple(self.patients[row] for row in rows),
            tuple(self.names[row] for row in rows),
        )

    def at_most(self, count: int, *, seed: int) -> ImageSet:
        """Return a random part of ``count`` slices, in their order; all of them if fewer."""
        if len(self) <= count:
            return self
        picked = np.random.default_rng(seed).choice(len(self), count, replace=False)
        return self.part(np.sort(picked))


@dataclass(frozen=True)
class Levels:
    """Grey levels that become 0 and 1."""

    low: float
    high: float

    def apply(self, values: npt.NDArray[np.generic]) -> FloatArray:
        """Return values in [0, 1], clipped."""
        scaled = (values.astype(np.float32) - self.low) / (self.high - self.low)
        return np.clip(scaled, 0.0, 1.0, out=scaled)


@dataclass(frozen=True, eq=False)
class NamedVolume:
    """A volume (z, y, x), background 0, with its patient and its name; one slice is a volume."""

    values: npt.NDArray[np.generic]
    patient: str
    name: str


def levels_of(volumes: Iterable[NamedVolume]) -> Levels:
    """Take the 0.5 and 99.5 percentiles of what is not background, pooled over real volumes.

    The same levels must then serve the synthetic volumes.

    Raises
    ------
    UndefinedMetricError
        If there is nothing but background or one level.
    """
    parts = [volume.values[volume.values != 0].ravel()[::7] for volume in volumes]
    voxels = np.concatenate(parts) if parts else np.zeros(0)
    if not voxels.size or np.ptp(voxels) == 0:
        raise UndefinedMetricError("the real images are of one grey level: nothing to compare")
    low, high = np.percentile(voxels, PERCENTILES)
    return Levels(float(low), float(high))


def slices_of(
    volumes: Iterable[NamedVolume], levels: Levels, *, every: int = 1, side: int | None = None
) -> ImageSet:
    """Cut volumes into axial slices and pad them to squares.

    Parameters
    ----------
    volumes : iterable of NamedVolume
    levels : Levels
    every : int
        Take every such slice; neighbours are almost copies of each other.
    side : int, optional
        Of the squares; without it the longest side found.

    Raises
    ------
    UndefinedMetricError
        If no slice shows brain on a tenth of its area.
    """
    found: list[tuple[FloatArray, str, str]] = []
    for volume in volumes:
        kept = _with_brain(volume.values, every)
        scaled = levels.apply(volume.values[kept])
        scaled[volume.values[kept] == 0] = 0.0
        found += [
            (image, volume.patient, _name(volume, z)) for z, image in zip(kept, scaled, strict=True)
        ]
    if not found:
        raise UndefinedMetricError("no slice shows brain on a tenth of its area")
    longest = side or max(max(image.shape) for image, _, _ in found)
    images = np.stack([_square(image, longest) for image, _, _ in found])
    return ImageSet(
        images, tuple(patient for _, patient, _ in found), tuple(name for _, _, name in found)
    )


def _name(volume: NamedVolume, slice_number: int) -> str:
    """Name a slice; a volume of one slice has its own name."""
    return volume.name if len(volume.values) == 1 else f"{volume.name} slice {slice_number + 1}"


def _with_brain(values: npt.NDArray[np.generic], every: int) -> npt.NDArray[np.intp]:
    share = (values != 0).mean(axis=(1, 2))
    (kept,) = np.nonzero(share >= LEAST_BRAIN)
    return kept[::every]


def _square(image: FloatArray, side: int) -> FloatArray:
    """Centre an image on black, or cut it about its middle."""
    out = np.zeros((side, side), dtype=np.float32)
    source, place = [], []
    for length in image.shape:
        take = min(length, side)
        source.append(slice((length - take) // 2, (length - take) // 2 + take))
        place.append(slice((side - take) // 2, (side - take) // 2 + take))
    out[tuple(place)] = image[tuple(source)]
    return out


def joined(sets: Sequence[ImageSet]) -> ImageSet:
    """Return several sets as one."""
    return ImageSet(
        np.concatenate([one.images for one in sets]),
        tuple(p for one in sets for p in one.patients),
        tuple(n for one in sets for n in one.names),
    )

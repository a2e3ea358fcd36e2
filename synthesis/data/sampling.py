"""Random crops of axial slices, from subjects held in memory.

What batch number ``step`` holds depends only on (seed, step), so the position of the sampler is
the step number and a resumed run draws what the uninterrupted one would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthesis.data.layout import bounding_box, slice_channels
from synthesis.data.subjects import DataError, Mask, Subject

HalfVolume = npt.NDArray[np.float16]
Centres = npt.NDArray[np.int16]

_CENTRES_KEPT = 20_000


@dataclass(frozen=True)
class Batch:
    """Crops of one batch, float32.

    Attributes
    ----------
    inputs : ndarray (batch, roles x (2 neighbours + 1), height, width)
        z-scores; the channels of one role lie together, from inferior to superior.
    truth : ndarray (batch, 1, height, width)
        z-scores of the target in the middle slice.
    mask : ndarray (batch, 1, height, width)
        1 inside the brain, else 0.
    """

    inputs: npt.NDArray[np.float32]
    truth: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeldSubject:
    """One subject as the sampler keeps it: cropped to its brain, half precision.

    ``inputs`` (roles, z, y, x) and ``target`` (z, y, x) are z-scores. ``brain`` and ``focus``
    list voxels (n, 3) on which a crop may be centred: any in the brain, and those where the
    target is far brighter than the reference input.
    """

    inputs: HalfVolume
    target: HalfVolume
    mask: Mask
    brain: Centres
    focus: Centres


def hold(
    subject: Subject,
    *,
    inputs: Sequence[str],
    target: str,
    reference: str | None,
    focus_threshold: float,
) -> HeldSubject:
    """Normalise a subject, crop it to its brain and note where crops may be centred.

    Parameters
    ----------
    subject : Subject
    inputs, target : str
        Roles; the order of ``inputs`` is the order of the channels.
    reference : str or None
        Input with which the target is compared to find the voxels of ``focus``.
    focus_threshold : float
        By how many standard deviations the target must exceed the reference.
    """
    box = bounding_box(subject.mask)
    mask = np.ascontiguousarray(subject.mask[box])
    z = {role: subject.normalised(role).z[box] for role in {*inputs, target}}
    brighter = (
        mask & (z[target] - z[reference] > focus_threshold)
        if reference is not None
        else np.zeros_like(mask)
    )
    return HeldSubject(
        inputs=np.stack([z[role] for role in inputs]).astype(np.float16),
        target=z[target].astype(np.float16),
        mask=mask,
        brain=_centres(mask),
        focus=_centres(brighter),
    )


def _centres(mask: Mask) -> Centres:
    where = np.argwhere(mask).astype(np.int16)
    stride = -(-len(where) // _CENTRES_KEPT) or 1
    return where[::stride]


class SliceSampler:
    """Draws batches of random axial crops.

    Parameters
    ----------
    subjects : sequence of HeldSubject
    batch, crop : int, (int, int)
        Crops per batch; their height and width in voxels.
    neighbours : int
        Slices on either side given as further channels.
    focus : float
        Share of crops centred on a voxel of ``HeldSubject.focus``, in [0, 1].
    mirror : bool
        Swap left and right in half of the crops.
    seed : int

    Notes
    -----
    A subject is drawn evenly, then a centre, then the place of that centre in the crop; the crop
    is moved to stay within the brain's box where it fits. Where the box is smaller than the crop,
    the rest is filled with zeros, which is what the background is.
    """

    def __init__(
        self,
        subjects: Sequence[HeldSubject],
        *,
        batch: int,
        crop: tuple[int, int],
        neighbours: int,
        focus: float,
        mirror: bool,
        seed: int,
    ) -> None:
        if not subjects:
            raise DataError("The sampler needs at least one training subject.")
        self.subjects = list(subjects)
        self.batch = batch
        self.crop = crop
        self.neighbours = neighbours
        self.focus = focus
        self.mirror = mirror
        self.seed = seed

    def draw(self, step: int) -> Batch:
        """Return batch number ``step``; the same step gives the same batch."""
        rng = np.random.default_rng([self.seed, step])
        crops = [self._crop(rng) for _ in range(self.batch)]
        inputs, truth, mask = (np.stack(parts) for parts in zip(*crops, strict=True))
        return Batch(inputs, truth[:, None], mask[:, None])

    def _crop(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.float32], ...]:
        subject = self.subjects[rng.integers(len(self.subjects))]
        focused = rng.random() < self.focus and len(subject.focus) > 0
        centres = subject.focus if focused else subject.brain
        z, y, x = (int(v) for v in centres[rng.integers(len(centres))])
        corner = self._corner(rng, (y, x), subject.mask.shape[1:])
        flip = self.mirror and rng.random() < 0.5
        channels = slice_channels(subject.inputs, z, self.neighbours)
        layers = (channels, subject.target[z], subject.mask[z])
        return tuple(_window(layer, corner, self.crop, flip=flip) for layer in layers)

    def _corner(
        self, rng: np.random.Generator, centre: tuple[int, int], shape: tuple[int, ...]
    ) -> tuple[int, int]:
        corner = []
        for position, length, available in zip(centre, self.crop, shape, strict=True):
            slack = available - length
            start = position - int(rng.integers(length))
            corner.append(min(max(start, min(slack, 0)), max(slack, 0)))
        return corner[0], corner[1]


def _window(
    image: npt.NDArray[np.generic], corner: tuple[int, int], size: tuple[int, int], *, flip: bool
) -> npt.NDArray[np.float32]:
    """Cut a window that may reach beyond the image; what lies beyond is zero."""
    out = np.zeros((*image.shape[:-2], *size), dtype=np.float32)
    source, place = [], []
    for start, length, available in zip(corner, size, image.shape[-2:], strict=True):
        first, last = max(start, 0), min(start + length, available)
        source.append(slice(first, last))
        place.append(slice(first - start, last - start))
    rows, columns = source
    out[..., place[0], place[1]] = image[..., rows, columns]
    return np.ascontiguousarray(out[..., ::-1]) if flip else out

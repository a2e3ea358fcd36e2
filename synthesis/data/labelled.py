"""Cubes of images with tumour labels: about half of them centred on a voxel of tumour.

What sample k of a run is depends only on (seed, k), so a resumed run draws what the
uninterrupted one would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthesis.data.layout import bounding_box
from synthesis.data.patches import (
    Augmentation,
    HeldVolume,
    Sizes,
    cut,
    filled_up,
    rotated,
    rotation_matrix,
)
from synthesis.data.subjects import DataError, FloatVolume, Mask
from synthesis.metrics.regions import CORE, ENHANCING, SCHEMES, TUMOUR, LabelScheme, parse_scheme

AUTO = LabelScheme("auto", (1,), (2,), (3, 4))
"""Enhancing tumour as 3 or as 4: a map holds one of them."""
_MOST_PLACES = 20_000
_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class LabelledVolume(HeldVolume):
    """One subject as the sampler keeps it; layers are the inputs, then the regions.

    Attributes
    ----------
    corners : int ndarray (n, 3)
        Centres of patches in the brain.
    tumour : int ndarray (m, 3)
        Centres of patches in the tumour; none where there is no tumour.
    """

    tumour: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelledBatch:
    """Patches of a batch: inputs (B, roles, z, y, x), regions (B, 3, z, y, x) of 0 and 1."""

    inputs: Tensor
    regions: Tensor

    def to(self, device: torch.device) -> LabelledBatch:
        """Return the batch on a device."""
        return LabelledBatch(
            self.inputs.to(device, non_blocking=True), self.regions.to(device, non_blocking=True)
        )


def find_scheme(name: str) -> LabelScheme:
    """Return the scheme of that name, or as written out; "auto" takes 3 and 4 as enhancing.

    Raises
    ------
    ValueError
    """
    if name == AUTO.name:
        return AUTO
    return SCHEMES.get(name) or parse_scheme(name)


def regions_of(labels: npt.NDArray[np.generic], scheme: LabelScheme, *, name: str) -> Mask:
    """Return the regions tumour, core and enhancing (3, z, y, x) of a label map.

    Raises
    ------
    DataError
        If it holds a number that the scheme does not know, or, under "auto", both 3 and 4.
    """
    found = {int(number) for number in np.unique(np.rint(labels))} - {0}
    unknown = found - set(scheme.known)
    if unknown or (scheme is AUTO and {3, 4} <= found):
        raise DataError(
            f"Subject {name}: the segmentation holds the labels {sorted(found)}. Name what they "
            'mean: labels="necrosis=1 oedema=2 enhancing=4".'
        )
    whole = np.rint(labels)
    return np.stack([np.isin(whole, scheme.numbers(part)) for part in (TUMOUR, CORE, ENHANCING)])


def hold_labelled(
    inputs: Sequence[FloatVolume],
    regions: Mask,
    mask: Mask,
    *,
    spacing_mm: tuple[float, float, float],
) -> LabelledVolume:
    """Keep a subject for sampling, cropped to its brain, half precision.

    Parameters
    ----------
    inputs : sequence of float32 ndarray (z, y, x)
    regions : bool ndarray (3, z, y, x)
    mask : bool ndarray (z, y, x)
    spacing_mm : (float, float, float)
    """
    box = bounding_box(mask)
    parts = [*(volume[box] for volume in inputs), *(part[box] for part in regions)]
    layers = np.stack([part.astype(np.float16) for part in parts])
    return LabelledVolume(
        torch.from_numpy(layers), _places(mask[box]), spacing_mm, _places(regions[0][box])
    )


def _places(wanted: Mask) -> npt.NDArray[np.int64]:
    """Return voxels of a mask, evenly thinned where they are many."""
    found = np.argwhere(wanted)
    return found[:: max(1, len(found) // _MOST_PLACES)].astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class LabelAugmentation:
    """How patches are changed.

    Attributes
    ----------
    turning : Augmentation
        Rotations.
    mirror : bool
        Left and right are exchanged in half of them.
    gain, shift : float
        Each sequence is multiplied by 1 + gain * n and moved by shift * m, n and m normal: z-scores
        are not the same from one scanner to the next, nor from an acquired to a synthetic image.
    """

    turning: Augmentation
    mirror: bool = True
    gain: float = 0.1
    shift: float = 0.1


class LabelledSampler:
    """Draws batches of patches; every subject once per epoch, at a place drawn for it.

    Parameters
    ----------
    subjects : sequence of LabelledVolume
    patch : (int, int, int) or None
        Sizes; None gives whole volumes, filled up to ``multiples``, one at a time.
    batch : int
    focus : float
        Share of patches centred on a voxel of tumour.
    augmentation : LabelAugmentation
    multiples : (int, int, int)
    seed : int
    """

    def __init__(
        self,
        subjects: Sequence[LabelledVolume],
        *,
        patch: Sizes | None,
        batch: int,
        focus: float,
        augmentation: LabelAugmentation,
        multiples: Sizes,
        seed: int,
    ) -> None:
        if not subjects:
            raise DataError("The sampler needs at least one training subject.")
        if patch is None and batch != 1:
            raise DataError("Whole volumes differ in size: train on them with batch=1.")
        self.subjects = list(subjects)
        self.patch, self.batch, self.focus = patch, batch, focus
        self.augmentation, self.multiples, self.seed = augmentation, multiples, seed
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def draw(self, step: int, share: slice = _ALL) -> LabelledBatch:
        """Return batch number ``step``, or a share of it; the same step gives the same batch."""
        first = step * self.batch
        numbers = range(first, first + self.batch)[share]
        drawn = torch.stack([self._sample(k) for k in numbers])
        return LabelledBatch(drawn[:, :-3], (drawn[:, -3:] > 0.5).float())

    def _shuffled(self, epoch: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.subjects))

    def _sample(self, k: int) -> Tensor:
        epoch, place = divmod(k, len(self.subjects))
        held = self.subjects[self._order(epoch)[place]]
        rng = np.random.default_rng([self.seed, 1, k])
        drawn = self._cut(held, rng)
        if self.augmentation.mirror and rng.random() < 0.5:
            drawn = drawn.flip(-1)
        return self._shaded(drawn, rng)

    def _cut(self, held: LabelledVolume, rng: np.random.Generator) -> Tensor:
        shape = held.layers.shape[1:]
        if self.patch is None:
            return cut(held.layers, (0, 0, 0), filled_up(shape, self.multiples))
        places = held.tumour if len(held.tumour) and rng.random() < self.focus else held.corners
        corner = _corner(places[rng.integers(len(places))], self.patch, shape)
        turn = rotation_matrix(self.augmentation.turning, rng)
        if turn is None:
            return cut(held.layers, tuple(int(c) for c in corner), self.patch)
        return rotated(held, corner, self.patch, turn)

    def _shaded(self, drawn: Tensor, rng: np.random.Generator) -> Tensor:
        roles = drawn.shape[0] - 3
        gain, shift = rng.normal(size=(2, roles, 1, 1, 1))
        inside = drawn[:roles] != 0
        factor = torch.as_tensor(1 + self.augmentation.gain * gain, dtype=torch.float32)
        moved = drawn[:roles] * factor.to(drawn) + torch.as_tensor(
            self.augmentation.shift * shift, dtype=torch.float32
        ).to(drawn)
        return torch.cat([torch.where(inside, moved, drawn[:roles]), drawn[roles:]])


def _corner(
    centre: npt.NDArray[np.int64], patch: Sizes, shape: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Return the first voxel of a patch round a voxel, moved to lie inside where it fits."""
    spare = np.maximum(np.array(shape) - np.array(patch), 0)
    return np.clip(centre - np.array(patch) // 2, 0, spare)

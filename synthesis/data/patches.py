"""Cubes cut out of volumes on a regular grid, turned at random, from subjects held in memory.

The grid, the rule which cubes count and the region they come from are those of Calabrese 2021;
docs/algorithms/calabrese-unet.md has them. Where the published code loses a subject whose region
is thinner than a cube, here the region is moved or the cube reaches over the edge into zeros:
every subject gives at least one.

What sample k of a run is depends only on (seed, k), so a resumed run draws what the
uninterrupted one would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.data.layout import bounding_box
from synthesis.data.subjects import DataError, FloatVolume, Mask

Sizes = tuple[int, int, int]
Box = tuple[slice, ...]
Rotation = Literal["none", "in-plane", "three-axis"]

_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class HeldVolume:
    """One subject as the sampler keeps it: cropped to its brain, half precision.

    Attributes
    ----------
    layers : float16 Tensor (roles + 2, z, y, x)
        Inputs, target, mask.
    corners : int ndarray (n, 3)
        First voxel (z, y, x) of each patch; may lie before the volume or reach beyond it.
    spacing_mm : (float, float, float)
    """

    layers: Tensor
    corners: npt.NDArray[np.int64]
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class VolumeBatch:
    """Patches of a batch: inputs (B, roles, z, y, x), truth and mask (B, 1, z, y, x), float32."""

    inputs: Tensor
    truth: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> VolumeBatch:
        """Return the batch on a device."""
        parts = (self.inputs, self.truth, self.mask)
        inputs, truth, mask = (part.to(device, non_blocking=True) for part in parts)
        return VolumeBatch(inputs, truth, mask)


def region_of(
    wanted: Mask, image: tuple[int, ...], *, least: Sizes | None = None
) -> tuple[slice, ...]:
    """Return the box round the wanted voxels, grown to ``least`` and moved to stay in the image.

    Parameters
    ----------
    wanted : bool ndarray (z, y, x)
    image : tuple of int
        Shape of the image.
    least : (int, int, int), optional
        Sizes the box shall have at least, as far as the image has them.
    """
    sides = []
    for side, size, needed in zip(bounding_box(wanted), image, least or (1, 1, 1), strict=True):
        length = min(max(needed, side.stop - side.start), size)
        start = (side.start + side.stop - length) // 2
        start = min(max(start, 0), size - length)
        sides.append(slice(start, start + length))
    return tuple(sides)


def patch_corners(
    label: npt.NDArray[np.generic],
    region: tuple[slice, ...],
    *,
    patch: Sizes,
    stride: Sizes,
    least_filled: float,
) -> npt.NDArray[np.int64]:
    """Return the first voxels of the patches of a region that hold enough of the label.

    Along each axis patches start every ``stride`` voxels as long as they end inside the region;
    a region shorter than a patch gives one that is centred on it. A patch counts if more than
    ``least_filled`` of its voxels are not zero in ``label``. If none does, the fullest counts.

    Parameters
    ----------
    label : ndarray (z, y, x)
        The target image.
    region : three slices
    patch, stride : (int, int, int)
    least_filled : float
        In [0, 1).

    Returns
    -------
    int ndarray (n, 3), n >= 1
    """
    starts = [
        _starts(side, size, step) for side, size, step in zip(region, patch, stride, strict=True)
    ]
    corners = np.array(np.meshgrid(*starts, indexing="ij"), dtype=np.int64).reshape(3, -1).T
    filled = _counts(np.asarray(label) != 0, corners, patch) / np.prod(patch)
    counted = filled > least_filled
    return corners[counted] if counted.any() else corners[[int(filled.argmax())]]


def _starts(side: slice, size: int, step: int) -> npt.NDArray[np.int64]:
    length = side.stop - side.start
    if length < size:
        return np.array([side.start + (length - size) // 2], dtype=np.int64)
    return np.arange(side.start, side.stop - size + 1, step, dtype=np.int64)


def _counts(present: Mask, corners: npt.NDArray[np.int64], patch: Sizes) -> npt.NDArray[np.int64]:
    """Count true voxels of each patch by a table of sums over all boxes from the first voxel."""
    sums = np.pad(present.astype(np.int64), ((1, 0),) * 3).cumsum(0).cumsum(1).cumsum(2)
    limits = np.array(present.shape)
    low = np.clip(corners, 0, limits)
    high = np.clip(corners + np.array(patch), 0, limits)
    total = np.zeros(len(corners), dtype=np.int64)
    for choice in np.ndindex(2, 2, 2):
        z, y, x = (np.where(c, high[:, a], low[:, a]) for a, c in enumerate(choice))
        total += (-1) ** (3 - sum(choice)) * sums[z, y, x]
    return total


def hold_volume(
    inputs: Sequence[FloatVolume],
    target: FloatVolume,
    mask: Mask,
    *,
    corners: npt.NDArray[np.int64] | None,
    spacing_mm: tuple[float, float, float],
) -> HeldVolume:
    """Keep a subject for sampling, cropped to its brain.

    Parameters
    ----------
    inputs, target, mask : arrays (z, y, x)
    corners : int ndarray (n, 3), optional
        Of the patches, in voxels of the whole image; without them the sampler gives whole volumes.
    spacing_mm : (float, float, float)
    """
    box = bounding_box(mask)
    layers = np.stack([volume[box] for volume in (*inputs, target, mask.astype(np.float32))])
    first = np.array([side.start for side in box])
    moved = np.zeros((1, 3), dtype=np.int64) if corners is None else corners - first
    return HeldVolume(torch.from_numpy(layers.astype(np.float16)), moved, spacing_mm)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How patches are turned: random rotations up to ``degrees``, and exchanged axes.

    "in-plane" turns about the z axis, "three-axis" about all three, each by an angle drawn evenly
    from -degrees to degrees. ``swap_axes`` permutes axes that have one size and one spacing.
    """

    rotation: Rotation = "none"
    degrees: float = 30.0
    swap_axes: bool = False


class PatchSampler:
    """Draws batches of patches; every patch of every subject once per epoch.

    Parameters
    ----------
    subjects : sequence of HeldVolume
    patch : (int, int, int) or None
        Sizes; None gives whole volumes, filled up to ``multiples``, one at a time.
    batch : int
    augmentation : Augmentation
    multiples : (int, int, int)
    seed : int
    """

    def __init__(
        self,
        subjects: Sequence[HeldVolume],
        *,
        patch: Sizes | None,
        batch: int,
        augmentation: Augmentation,
        multiples: Sizes,
        seed: int,
    ) -> None:
        if not subjects:
            raise DataError("The sampler needs at least one training subject.")
        if patch is None and batch != 1:
            raise DataError("Whole volumes differ in size: train on them with batch=1.")
        self.subjects = list(subjects)
        self.patch = patch
        self.batch = batch
        self.augmentation = augmentation
        self.multiples = multiples
        self.seed = seed
        self.index = [(s, c) for s, held in enumerate(subjects) for c in range(len(held.corners))]
        self._order = lru_cache(maxsize=2)(self._shuffled)

    @property
    def patches(self) -> int:
        """Patches of an epoch."""
        return len(self.index)

    def draw(self, step: int, share: slice = _ALL) -> VolumeBatch:
        """Return batch number ``step``, or a share of it; the same step gives the same batch."""
        first = step * self.batch
        numbers = range(first, first + self.batch)[share]
        drawn = torch.stack([self._sample(k) for k in numbers])
        return VolumeBatch(drawn[:, :-2], drawn[:, -2:-1], (drawn[:, -1:] > 0.5).float())

    def _shuffled(self, epoch: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.seed, 0, epoch]).permutation(self.patches)

    def _sample(self, k: int) -> Tensor:
        epoch, place = divmod(k, self.patches)
        subject, corner = self.index[self._order(epoch)[place]]
        held = self.subjects[subject]
        if self.patch is None:
            return cut(held.layers, (0, 0, 0), filled_up(held.layers.shape[1:], self.multiples))
        rng = np.random.default_rng([self.seed, 1, k])
        return self._turned(held, held.corners[corner], rng, self.patch)

    def _turned(
        self,
        held: HeldVolume,
        corner: npt.NDArray[np.int64],
        rng: np.random.Generator,
        patch: Sizes,
    ) -> Tensor:
        turn = rotation_matrix(self.augmentation, rng)
        if turn is None:
            drawn = cut(held.layers, tuple(int(c) for c in corner), patch)
        else:
            drawn = rotated(held, corner, patch, turn)
        if self.augmentation.swap_axes:
            axes = swapped_axes(patch, held.spacing_mm, rng)
            drawn = drawn.permute(0, *(a + 1 for a in axes)).contiguous()
        return drawn


def filled_up(shape: Sequence[int], multiples: Sizes) -> Sizes:
    """Return sizes rounded up to multiples."""
    z, y, x = (-(-size // m) * m for size, m in zip(shape, multiples, strict=True))
    return z, y, x


def cut(layers: Tensor, corner: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Cut a box that may reach beyond the volume; what lies beyond is zero. Returns float32."""
    out = layers.new_zeros((layers.shape[0], *sizes), dtype=torch.float32)
    source, place = [], []
    for start, length, available in zip(corner, sizes, layers.shape[1:], strict=True):
        first, last = max(start, 0), min(start + length, available)
        if first >= last:
            return out
        source.append(slice(first, last))
        place.append(slice(first - start, last - start))
    out[(slice(None), *place)] = layers[(slice(None), *source)].float()
    return out


def rotation_matrix(
    augmentation: Augmentation, rng: np.random.Generator
) -> npt.NDArray[np.float64] | None:
    """Draw a rotation (3, 3) of (z, y, x); None for none."""
    if augmentation.rotation == "none":
        return None
    angles = np.radians(rng.uniform(-augmentation.degrees, augmentation.degrees, 3))
    if augmentation.rotation == "in-plane":
        return _about(0, angles[0])
    return _about(0, angles[0]) @ _about(1, angles[1]) @ _about(2, angles[2])


def _about(axis: int, angle: float) -> npt.NDArray[np.float64]:
    first, second = (a for a in range(3) if a != axis)
    turn = np.eye(3)
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    return turn


def swapped_axes(
    patch: Sizes, spacing_mm: tuple[float, float, float], rng: np.random.Generator
) -> tuple[int, ...]:
    """Draw a permutation of the axes that leaves sizes and spacing as they are."""
    alike = [(size, round(mm, 3)) for size, mm in zip(patch, spacing_mm, strict=True)]
    orders = [order for order in permutations(range(3)) if [alike[a] for a in order] == alike]
    return orders[rng.integers(len(orders))]


def rotated(
    held: HeldVolume,
    corner: npt.NDArray[np.int64],
    patch: Sizes,
    turn: npt.NDArray[np.float64],
) -> Tensor:
    """Sample a patch turned about its centre, in millimetres, linearly between voxels.

    What the turned patch covers is read from the volume, so that no corner of it is empty unless
    the volume ends there.
    """
    spacing = np.array(held.spacing_mm)
    in_voxels = np.diag(1 / spacing) @ turn @ np.diag(spacing)
    centre = corner + (np.array(patch) - 1) / 2
    reach = np.abs(in_voxels) @ ((np.array(patch) - 1) / 2)
    low = np.floor(centre - reach).astype(int)
    high = np.ceil(centre + reach).astype(int)
    block = cut(held.layers, low.tolist(), (high - low + 1).tolist())
    return F.grid_sample(
        block[None],
        _grid(in_voxels, centre - low, patch, block)[None],
        mode="bilinear",
        padding_mode="zeros",
        align_corners=True,
    )[0]


def _grid(
    in_voxels: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    patch: Sizes,
    block: Tensor,
) -> Tensor:
    """Return where each voxel of a patch lies in a block, (z, y, x, 3), for `grid_sample`."""

    def here(values: npt.ArrayLike) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=block.device)

    axes = [here(np.arange(n) - (n - 1) / 2) for n in patch]
    offsets = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    places = offsets @ here(in_voxels).T + here(centre)
    return (2 * places / here([max(n - 1, 1) for n in block.shape[1:]]) - 1).flip(-1)

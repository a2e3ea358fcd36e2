"""Whole volumes through a 3-D network: in one pass, or tile by tile with the same result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthesis.networks.translation import spatial_format

FloatVolume = npt.NDArray[np.float32]
Place = tuple[tuple[slice, ...], tuple[slice, ...], tuple[slice, ...]]


def by_volume(
    network: nn.Module, config: Any, stack: FloatVolume, _rng: torch.Generator
) -> FloatVolume:
    """Predict (z, y, x) from inputs (roles, z, y, x) in one pass."""
    shape = stack.shape[1:]
    x = as_batch(padded(stack, config.multiples), network)
    return _cut(network(x)[0, 0], shape)


def by_tiles(
    network: nn.Module, config: Any, stack: FloatVolume, _rng: torch.Generator
) -> FloatVolume:
    """Predict (z, y, x) in cubes of ``config.tile``, each computed with ``context`` round it.

    With the context of the receptive radius (the default) every voxel of the result sees just
    what it sees in one pass, so the two are equal; with less, memory falls and voxels near the
    faces of tiles are only alike.
    """
    shape = stack.shape[1:]
    filled = padded(stack, config.multiples)
    out = np.zeros(filled.shape[1:], dtype=np.float32)
    radius = config.receptive_radius if config.context is None else config.context
    for seen, kept, place in tiles(filled.shape[1:], config.tile, radius, config.multiples):
        predicted = network(as_batch(filled[(slice(None), *seen)], network))[0, 0]
        out[place] = predicted[kept].float().cpu().numpy()
    return out[tuple(slice(0, size) for size in shape)]


def tiles(
    shape: tuple[int, ...], tile: int, context: int, multiples: tuple[int, ...]
) -> Iterator[Place]:
    """Yield (what a tile sees, what of that is kept, where that belongs), all on the coarse grid.

    Parameters
    ----------
    shape : tuple of int
        Of the volume, multiples of ``multiples``.
    tile, context : int
        Rounded up to multiples, so that the levels of a network fall on the same voxels in every
        tile.
    """
    axes = []
    for size, multiple in zip(shape, multiples, strict=True):
        core, margin = _rounded_up(tile, multiple), _rounded_up(context, multiple)
        axes.append([_along(start, core, margin, size) for start in range(0, size, core)])
    for z in axes[0]:
        for y in axes[1]:
            for x in axes[2]:
                yield tuple(zip(z, y, x, strict=True))  # type: ignore[misc]


def _along(start: int, core: int, margin: int, size: int) -> tuple[slice, slice, slice]:
    stop = min(start + core, size)
    low, high = max(start - margin, 0), min(stop + margin, size)
    return slice(low, high), slice(start - low, stop - low), slice(start, stop)


def _rounded_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def padded(stack: npt.NDArray[Any], multiples: tuple[int, ...]) -> npt.NDArray[Any]:
    """Append zeros to the last axes until their sizes are multiples."""
    leading = stack.ndim - len(multiples)
    after = [(0, 0)] * leading
    after += [(0, -n % m) for n, m in zip(stack.shape[leading:], multiples, strict=True)]
    return np.pad(stack, after)


def as_batch(stack: FloatVolume, network: nn.Module) -> Tensor:
    """Return (1, roles, z, y, x) on the network's device."""
    device = next(network.parameters()).device
    batch = torch.from_numpy(np.ascontiguousarray(stack))[None]
    return batch.to(device, memory_format=spatial_format(stack.ndim - 1))


def _cut(predicted: Tensor, shape: tuple[int, ...]) -> FloatVolume:
    z, y, x = shape
    cut: FloatVolume = predicted[:z, :y, :x].float().cpu().numpy()
    return cut

"""Distances between two sets of slices that need no other network: quick marks while training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

PRESET = "slices/1"
_GRID, _DIRECTIONS, _QUANTILES = 16, 128, 512


def block_means(images: Tensor) -> Tensor:
    """Return the means over a 16 x 16 grid of blocks, flat: (n, C x 256)."""
    side = min(_GRID, images.shape[-1])
    return F.adaptive_avg_pool2d(images.float(), side).flatten(1)


def sliced_distance(one: Tensor, other: Tensor) -> float:
    """Return the sliced Wasserstein-1 distance of block means.

    The mean over 128 fixed directions t of ``integral |F^-1(u) - G^-1(u)| du``, F and G the
    distributions of ``t x`` in the two sets (Rabin 2011; Karras 2018 uses it to score GANs). One
    unit is one unit of grey (the range is 2) in every block times |cos| of a random angle, summed
    in quadrature; what counts is the comparison with two sets of real slices.

    Parameters
    ----------
    one, other : Tensor (n, C, H, W), (m, C, H, W)
    """
    a, b = block_means(one), block_means(other)
    rng = torch.Generator().manual_seed(0)
    directions = torch.randn(_DIRECTIONS, a.shape[1], generator=rng).to(a)
    directions = directions / directions.norm(dim=1, keepdim=True)
    return _quantile_distance(a @ directions.T, b @ directions.T)


def grey_distance(one: Tensor, other: Tensor) -> float:
    """Return the Wasserstein-1 distance of grey levels inside the head, in units of grey.

    Inside the head: above 5 % of white.
    """
    first, second = (_inside(images)[:, None] for images in (one, other))
    if not len(first) or not len(second):
        return float("nan")
    return _quantile_distance(first, second)


def diversity(one: Tensor, other: Tensor) -> float:
    """Return the mean distance between two images of a set, divided by that of the other set.

    1 where the sets vary as much; towards 0 where the generator makes one image only.
    """
    return (_spread(one) / _spread(other)).item()


def _quantile_distance(a: Tensor, b: Tensor) -> float:
    """Return the mean over columns of the distance between two samples of numbers."""
    levels = (torch.arange(_QUANTILES, dtype=torch.float64) + 0.5) / _QUANTILES
    first, second = (_quantiles(values.double(), levels.to(a.device)) for values in (a, b))
    return (first - second).abs().mean().item()


def _quantiles(values: Tensor, levels: Tensor) -> Tensor:
    """Return the quantiles of each column; not `torch.quantile`, which refuses many values."""
    ordered = values.sort(dim=0).values
    return ordered[(levels * len(ordered)).long().clamp(max=len(ordered) - 1)]


def _inside(images: Tensor) -> Tensor:
    return images[images > -0.9].float()


def _spread(images: Tensor) -> Tensor:
    return F.pdist(block_means(images)).mean()

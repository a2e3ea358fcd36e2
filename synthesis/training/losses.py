"""Losses."""

from __future__ import annotations

import torch
from torch import Tensor

from synthesis.training import parallel

_CONTRAST_CEILING = 3.0


def voxel_weights(
    mask: Tensor, *, brain_weight: float, contrast: Tensor | None, contrast_weight: float
) -> Tensor:
    """Return how much each voxel counts: 1 outside the brain, more inside.

    ``w = 1`` where ``mask`` is 0, else ``brain_weight (1 + contrast_weight min(|contrast|, 3))``.

    Parameters
    ----------
    mask : Tensor (B, 1, H, W)
        1 inside the brain, else 0.
    brain_weight, contrast_weight : float
    contrast : Tensor (B, 1, H, W) or None
        Target minus reference in standard deviations; None counts every brain voxel alike.
    """
    inside = torch.full_like(mask, brain_weight)
    if contrast is not None and contrast_weight > 0:
        inside = inside * (1 + contrast_weight * contrast.abs().clamp(max=_CONTRAST_CEILING))
    return torch.where(mask > 0, inside, torch.ones_like(mask))


def weighted_mae(prediction: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return ``sum(w |p - t|) / sum(w)``: the mean absolute error with weights, a scalar.

    Of several processes each returns its part of the sum, divided by the weights of all: the
    parts add up to the value over the whole batch.
    """
    return (weights * (prediction - truth).abs()).sum() / parallel.total(weights.sum())

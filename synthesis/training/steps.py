"""One step of an optimiser, shared by several processes or not, and the precision of a run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthesis.training import parallel
from synthesis.training.config import TrainingConfig


def descend(
    optimiser: torch.optim.Optimizer, part: Tensor, *, rate: float, clip_norm: float
) -> float:
    """Take one step of an optimiser; return the length of the gradient before clipping.

    Parameters
    ----------
    optimiser : Optimizer
    part : Tensor
        What this process has of the loss: the parts of all processes add up to it.
    rate : float
        Learning rate.
    clip_norm : float
        Longest gradient allowed.
    """
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(part)
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    parallel.add_gradients(weights)
    length = nn.utils.clip_grad_norm_(weights, clip_norm)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    return float(length)


def reduced(config: TrainingConfig) -> torch.autocast:
    """Compute in the precision of a run, for the length of a block."""
    wanted = config.precision == "bfloat16"
    return torch.autocast(torch.device(config.device).type, torch.bfloat16, enabled=wanted)

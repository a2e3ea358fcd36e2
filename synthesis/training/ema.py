"""Exponential moving average of weights: what is scored and released."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

_RAMP = 0.1


class Ema:
    """A running average of a network's weights.

    ``average <- d average + (1 - d) weights`` with ``d = 0.5^(1 / h)``. The half-life h grows
    with the steps done, up to ``half_life``, so that the first weights are forgotten soon.

    Parameters
    ----------
    network : Module
        Copied; its own weights are not touched.
    half_life : float
        Steps after which a weight's share has halved.
    """

    def __init__(self, network: nn.Module, half_life: float) -> None:
        self.half_life = half_life
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    def decay(self, steps_done: int) -> float:
        """Return d after that many steps: 0 at the start, then towards ``0.5^(1/half_life)``."""
        half_life = min(self.half_life, _RAMP * steps_done)
        return 0.5 ** (1.0 / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, network: nn.Module, steps_done: int) -> None:
        """Take in the weights after step number ``steps_done`` (from 1); buffers are copied."""
        mine: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(mine, theirs, 1.0 - self.decay(steps_done))
        for own, other in zip(self.network.buffers(), network.buffers(), strict=True):
            own.copy_(other)

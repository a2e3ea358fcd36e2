"""The objective "flow": learn the velocity of straight paths from noise to the target.

With y the target (less ``residual_to``, if set), e normal noise of deviation ``noise`` and t drawn
evenly in [0, 1]::

    x_t = (1 - t) y + t e        loss = mean |v(x_t, t, inputs) - (y - e)|^2
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.data.patches import VolumeBatch
from synthesis.networks.flow import TIMES, rectified_flow
from synthesis.training import parallel
from synthesis.training.translation import TranslationLearner


class FlowLearner(TranslationLearner):
    """Trains one network to tell the velocity."""

    @cached_property
    def scheduler(self) -> Any:
        """MONAI's rectified flow."""
        return rectified_flow()

    def learn(self, batch: VolumeBatch, step: int, rate: float) -> dict[str, float]:
        """Take one Adam step on paths drawn for this step."""
        inputs, target = self._arranged(batch)
        noise, t = (part.to(self.device) for part in self._drawn(target.shape, step))
        noise = noise * self.shape.noise
        moved = self.scheduler.add_noise(target, noise, t * TIMES)
        with self.reduced():
            velocity = self.forward(moved, t, inputs)
        loss = F.mse_loss(velocity.float(), target - noise)
        length = self.descend(loss, self.generator, self.optimiser, rate)
        return {"loss": self.told(loss), "gradient": length}

    def _arranged(self, batch: VolumeBatch) -> tuple[Tensor, Tensor]:
        """Return inputs and target of the path; slices as samples of their own in 2-D."""
        start = self.shape.residual(batch.inputs)
        target = batch.truth if start is None else batch.truth - start
        if self.shape.dims == 3:
            return batch.inputs, target
        return tuple(part.transpose(1, 2).flatten(0, 1) for part in (batch.inputs, target))  # type: ignore[return-value]

    def _drawn(self, shape: torch.Size, step: int) -> tuple[Tensor, Tensor]:
        """Draw noise and times, the same for the same step whatever was drawn before."""
        (seed,) = np.random.SeedSequence(
            [self.config.seed, 2, step, parallel.rank()]
        ).generate_state(1, np.uint64)
        rng = torch.Generator().manual_seed(int(seed >> np.uint64(1)))
        return torch.randn(shape, generator=rng), torch.rand(shape[0], generator=rng)

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
from synthesis.training.steps import reduced
from synthesis.training.translation import TranslationLearner


class FlowLearner(TranslationLearner):
    """Trains one network to tell the velocity."""

    @cached_property
    def scheduler(self) -> Any:
        """MONAI's rectified flow."""
        return rectified_flow()

    def learn(self, batch: VolumeBatch, step: int, rate: float) -> dict[str, float]:
        """Take one Adam step on paths drawn for this step."""
        loss = self.loss(batch, step)
        length = self.descend(loss, self.optimiser, rate)
        return {"loss": parallel.mean(loss), "gradient": length}

    def loss(self, batch: VolumeBatch, step: int) -> Tensor:
        """Return the mean squared error of the velocity at times and noise of this step."""
        start = self.shape.residual(batch.inputs)
        target = batch.truth if start is None else batch.truth - start
        noise, t = self._drawn(target.shape, step)
        inputs, target, noise = (
            self._as_samples(part) for part in (batch.inputs, target, noise.to(self.device))
        )
        t = t.flatten().to(self.device)
        moved = self.scheduler.add_noise(target, noise, t * TIMES)
        with reduced(self.config):
            velocity = self.forward(moved, t, inputs)
        return F.mse_loss(velocity.float(), target - noise)

    def _as_samples(self, part: Tensor) -> Tensor:
        """Make slices samples of their own where the network works on slices."""
        return part if self.shape.dims == 3 else part.transpose(1, 2).flatten(0, 1)

    def _drawn(self, shape: torch.Size, step: int) -> tuple[Tensor, Tensor]:
        """Draw noise and a time for every sample, the same for the same step.

        Drawn for the whole batch, of which each process takes its share: so several processes
        walk the paths that one would have walked.
        """
        seeds = np.random.SeedSequence([self.config.seed, 2, step])
        rng = torch.Generator().manual_seed(int(seeds.generate_state(1)[0]))
        whole = (self.config.batch, *shape[1:])
        samples = 1 if self.shape.dims == 3 else shape[2]
        mine = parallel.share(self.config.batch)
        noise = torch.randn(whole, generator=rng)[mine] * self.shape.noise
        return noise, torch.rand((self.config.batch, samples), generator=rng)[mine]

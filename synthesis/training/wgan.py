"""The objective "wgan": the critic estimates the Wasserstein distance, the generator lowers it."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from synthesis.training import parallel
from synthesis.training.adversarial import wasserstein_critic, wasserstein_generator
from synthesis.training.config import TrainingConfig
from synthesis.training.gan import GanLearner, held_fixed
from synthesis.training.penalties import gradient_penalty
from synthesis.training.speed import accelerated
from synthesis.training.steps import reduced

_SHARE = 3


class WganLearner(GanLearner):
    """One step is ``critic_steps`` of the critic on fresh batches, then one of the generator."""

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.penalise = accelerated(partial(gradient_penalty, self.discriminator), config)

    @property
    def images_per_step(self) -> int:
        """Real images that the critic sees in a step."""
        return self.config.batch * int(self.settings.critic_steps)

    def optimisers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """Return RMSprop or Adam twice."""
        rate = self.config.learning_rate
        made: list[torch.optim.Optimizer] = []
        for network in (self.generator, self.discriminator):
            weights = [weight for weight in network.parameters() if weight.requires_grad]
            if self.settings.optimiser == "adam":
                made.append(torch.optim.Adam(weights, lr=rate, betas=(0.0, 0.9)))
            else:
                made.append(torch.optim.RMSprop(weights, lr=rate))
        return made[0], made[1]

    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take the steps of the critic and one of the generator."""
        peak = self.config.learning_rate
        for part in range(self.settings.critic_steps):
            distance = self._criticise(step, part, rate)
        with held_fixed(self.discriminator), reduced(self.config):
            fake = self.make(self.latents(step, self.settings.critic_steps))
            loss = wasserstein_generator(self.judge(fake).float())
        length = self.descend(self.generator_optimiser, loss, rate=rate, peak=peak)
        self.ema.update(self.generator, step + 1)
        told = parallel.mean(loss)
        return {"generator_loss": told, "wasserstein": distance, "gradient": length}

    def _criticise(self, step: int, part: int, rate: float) -> float:
        """Take a step of the critic; return the distance it sees."""
        real = self.real_batch(step, part)
        with reduced(self.config):
            with torch.no_grad():
                fake = self.make(self.latents(step, part))
            judged = self.judge(real), self.judge(fake)
        loss = wasserstein_critic(judged[0].float(), judged[1].float())
        total = loss + self._penalty(real, fake.float(), step, part)
        self.descend(self.discriminator_optimiser, total, rate=rate, peak=self.config.learning_rate)
        if not self.settings.penalty:
            self._clip()
        return -parallel.mean(loss)

    def _penalty(self, real: Tensor, fake: Tensor, step: int, part: int) -> Tensor:
        if not self.settings.penalty:
            return torch.zeros((), device=self.device)
        rng, whole = self.rng(_SHARE, step, part), self.config.batch
        share = torch.rand(whole, generator=rng, device=self.device)[parallel.share(whole)]
        penalty = self.penalise(real, fake, share)
        return float(self.settings.penalty) * penalty

    @torch.no_grad()
    def _clip(self) -> None:
        bound = self.settings.clip
        for weight in self.discriminator.parameters():
            weight.clamp_(-bound, bound)

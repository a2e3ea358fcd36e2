"""The objective "dcgan": generator against discriminator by the logistic loss (Han 2018)."""

from __future__ import annotations

import torch

from synthesis.training import parallel
from synthesis.training.adversarial import logistic_discriminator, logistic_generator
from synthesis.training.gan import GanLearner, held_fixed
from synthesis.training.steps import reduced


class DcganLearner(GanLearner):
    """One step is one of the discriminator, then one of the generator, on the same fakes."""

    def optimisers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """Return Adam twice."""
        generator, discriminator = (
            torch.optim.Adam(
                [weight for weight in network.parameters() if weight.requires_grad],
                lr=self.config.learning_rate,
                betas=(self.settings.beta1, self.settings.beta2),
            )
            for network in (self.generator, self.discriminator)
        )
        return generator, discriminator

    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take a step of both networks."""
        peak = self.config.learning_rate
        real = self.real_batch(step)
        with reduced(self.config):
            fake = self.make(self.latents(step))
            judged = self.judge(real), self.judge(fake.detach())
        loss = logistic_discriminator(judged[0].float(), judged[1].float())
        self.descend(self.discriminator_optimiser, loss, rate=rate, peak=peak)
        with held_fixed(self.discriminator), reduced(self.config):
            fooled = logistic_generator(self.judge(fake).float())
        length = self.descend(self.generator_optimiser, fooled, rate=rate, peak=peak)
        self.ema.update(self.generator, step + 1)
        return {
            "generator_loss": parallel.mean(fooled),
            "discriminator_loss": parallel.mean(loss),
            "gradient": length,
        }

"""The objective "stylegan2": logistic or relativistic loss, lazy penalties, augmentation.

One step is, in this order: the generator; every ``path_every`` steps its path length penalty; the
discriminator; every ``r1_every`` steps its R1 (and R2) penalty. Each is a step of Adam of its own.
A penalty computed every k steps is multiplied by k, and Adam gets ``lr c, beta^c`` with
``c = k / (k + 1)``, as it then takes (k + 1) / k steps where it took one (Karras 2020, app. B).
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from synthesis.networks.stylegan2 import StyleGan2Generator
from synthesis.training import parallel
from synthesis.training.adversarial import (
    logistic_discriminator,
    logistic_generator,
    relativistic_discriminator,
    relativistic_generator,
)
from synthesis.training.augmentation import AdaptiveProbability, augment
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.gan import GanLearner, held_fixed
from synthesis.training.penalties import path_lengths, squared_gradient
from synthesis.training.speed import accelerated
from synthesis.training.steps import reduced

_FOR_GENERATOR, _FOR_DISCRIMINATOR, _FOR_PATH, _FOR_PENALTY = range(4)
_MIXING, _AUGMENT, _DIRECTION = 4, 5, 6


def lazy_factor(every: int) -> float:
    """Return c = k / (k + 1), by which a penalty every k steps changes rate and betas."""
    return every / (every + 1)


class StyleGan2Learner(GanLearner):
    """StyleGAN2 with its penalties."""

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self._check_share()
        self.squared_slope = accelerated(partial(squared_gradient, self.discriminator), config)
        self.lengths = accelerated(partial(path_lengths, self.generator), config)
        self.path_mean = torch.zeros((), device=self.device)
        self.path_length = 0.0
        self.probability = AdaptiveProbability(
            self.settings.augment_probability,
            target=self.settings.augment_target,
            speed=self.settings.augment_speed,
            every=self.settings.augment_every,
            device=self.device,
        )

    def _check_share(self) -> None:
        """Refuse batches that several processes cannot share without changing a group of images."""
        processes, group = parallel.size(), self._g.config.group
        part = max(1, self.config.batch // self.settings.path_shrink)
        if processes > 1 and (self.config.batch % (processes * group) or part % processes):
            raise ConfigError(
                f"{processes} processes need a batch that is a multiple of {processes * group}, "
                f"and of {processes} after path_shrink; got {self.config.batch}."
            )

    @property
    def _g(self) -> StyleGan2Generator:
        return cast(StyleGan2Generator, self.generator)

    @property
    def _factors(self) -> tuple[float, float]:
        """The lazy factors of generator and discriminator; 1 where there is no lazy penalty."""
        paths, penalties = self.settings.path_weight, self.settings.r1 or self.settings.r2
        return (
            lazy_factor(self.settings.path_every) if paths else 1.0,
            lazy_factor(self.settings.r1_every) if penalties and not self._joined else 1.0,
        )

    @property
    def _joined(self) -> bool:
        """Is the penalty part of every step of the discriminator?"""
        return bool(self.settings.r1_every == 1)

    def optimisers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """Return Adam twice, corrected for lazy penalties."""
        made = []
        for network, c in zip((self.generator, self.discriminator), self._factors, strict=True):
            weights = [weight for weight in network.parameters() if weight.requires_grad]
            betas = (self.settings.beta1**c, self.settings.beta2**c)
            made.append(
                torch.optim.Adam(weights, lr=c * self.config.learning_rate, betas=betas, eps=1e-8)
            )
        return made[0], made[1]

    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take the steps named above."""
        losses = {"generator_loss": self._generator_step(step, rate)}
        if self.settings.path_weight and step % self.settings.path_every == 0:
            self._path_step(step, rate)
        losses["discriminator_loss"] = self._discriminator_step(step, rate)
        due = step % self.settings.r1_every == 0 and not self._joined
        if due and (self.settings.r1 or self.settings.r2):
            self._penalty_step(step, rate)
        self.ema.update(self.generator, step + 1)
        if self.settings.path_weight:
            losses["path_length"] = self.path_length
        if self.settings.augment != "none":
            losses["augment_probability"] = self.probability.value.item()
        return losses

    def _generator_step(self, step: int, rate: float) -> float:
        with held_fixed(self.discriminator), reduced(self.config):
            ws = self._styles(step, _FOR_GENERATOR)
            fake = self.make(ws, self.noises(step, _FOR_GENERATOR))
            judged = self._judge(fake, step, 0)
            if self.settings.loss == "relativistic":
                real = self._judge(self.real_batch(step, _FOR_GENERATOR), step, 1)
                loss = relativistic_generator(real, judged)
            else:
                loss = logistic_generator(judged)
        self._descend(0, loss, rate)
        self._follow_styles(ws)
        return parallel.mean(loss)

    def _path_step(self, step: int, rate: float) -> None:
        batch = max(1, self.config.batch // self.settings.path_shrink)
        ws = self._styles(step, _FOR_PATH, batch)
        noise = self.noises(step, _FOR_PATH, batch)
        size, channels = self.shape.size, self.shape.channels
        direction = torch.randn(
            (batch, channels, size, size),
            generator=self.rng(_DIRECTION, step),
            device=self.device,
        )
        lengths = self.lengths(ws, noise, direction[parallel.share(batch)])
        with torch.no_grad():
            mean = parallel.total(lengths.sum()) / batch
            self.path_mean.lerp_(mean, self.settings.path_decay)
            self.path_length = mean.item()
        penalty = (lengths - self.path_mean).square().mean()
        self._descend(0, self.settings.path_every * self.settings.path_weight * penalty, rate)

    def _discriminator_step(self, step: int, rate: float) -> float:
        real, fake = self._seen(step, _FOR_DISCRIMINATOR)
        with reduced(self.config):
            judged = self.judge(real).float(), self.judge(fake).float()
        relativistic = self.settings.loss == "relativistic"
        loss = (relativistic_discriminator if relativistic else logistic_discriminator)(*judged)
        total = loss + self._penalty(real, fake) if self._joined else loss
        self._descend(1, total, rate)
        if self.settings.augment == "adaptive":
            self.probability.see(judged[0], step)
        return parallel.mean(loss)

    def _penalty_step(self, step: int, rate: float) -> None:
        penalty = self._penalty(*self._seen(step, _FOR_PENALTY))
        self._descend(1, self.settings.r1_every * penalty, rate)

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        total = torch.zeros((), device=self.device)
        for weight, images in ((self.settings.r1, real), (self.settings.r2, fake)):
            if weight:
                total = total + weight / 2 * self.squared_slope(images)
        return total

    def _seen(self, step: int, purpose: int) -> tuple[Tensor, Tensor]:
        """Return real and generated images as the discriminator gets them, detached."""
        with torch.no_grad(), reduced(self.config):
            ws = self._styles(step, purpose)
            fake = self.make(ws, self.noises(step, purpose)).float()
            real = self.real_batch(step, purpose)
            return self._augmented(real, step, 2 * purpose), self._augmented(
                fake, step, 2 * purpose + 1
            )

    def _judge(self, images: Tensor, step: int, part: int) -> Tensor:
        logits: Tensor = self.judge(self._augmented(images, step, part))
        return logits.float()

    def _augmented(self, images: Tensor, step: int, part: int) -> Tensor:
        if self.settings.augment == "none":
            return images
        rng = self.rng(_AUGMENT, step, part)
        return augment(images, self.probability.value, rng, mirror=self.settings.mirror)

    def _styles(self, step: int, purpose: int, batch: int | None = None) -> Tensor:
        """Return the styles of a batch, some of them mixed from two latents."""
        z, other = (self.latents(step, 2 * purpose + one, batch) for one in (0, 1))
        if not self.settings.mixing:
            return self._g.styles(z)
        rng = self.rng(_MIXING, step, purpose)
        layers = self._g.config.styles
        whole = batch or self.config.batch
        cut = torch.randint(1, layers, (whole,), generator=rng, device=self.device)
        mixed = torch.rand(whole, generator=rng, device=self.device) < self.settings.mixing
        mine = parallel.share(whole)
        return self._g.styles(z, other, torch.where(mixed, cut, layers)[mine])

    @torch.no_grad()
    def _follow_styles(self, ws: Tensor) -> None:
        mean = parallel.total(ws[:, 0].float().mean(dim=0)) / parallel.size()
        self._g.mean_style.lerp_(mean, 1 - self.settings.style_decay)

    def _descend(self, which: int, loss: Tensor, rate: float) -> None:
        optimiser = (self.generator_optimiser, self.discriminator_optimiser)[which]
        self.descend(
            optimiser, loss, rate=rate, peak=self.config.learning_rate * self._factors[which]
        )

    def state(self) -> dict[str, Any]:
        """Return also the mean path length and the probability of augmentation."""
        return {
            **super().state(),
            "path_mean": self.path_mean,
            "path_length": self.path_length,
            "probability": self.probability.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        super().restore(state)
        self.path_mean.copy_(state["path_mean"])
        self.path_length = state["path_length"]
        self.probability.restore(state["probability"])

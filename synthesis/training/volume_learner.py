"""What all ways of training on volumes share: what is held, and a step on a batch of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from synthesis.training import parallel
from synthesis.training.averaged import AveragedLearner
from synthesis.training.config import TrainingConfig
from synthesis.training.steps import descend

_SHARE_FOR_IMAGES = 0.5


class VolumeLearner(AveragedLearner):
    """Holds volumes and takes steps on batches of them; what a step learns, the subclasses know.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        At least ``"generator"``.
    """

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.held: list[Any] = []  # HeldVolume, or what the sampler of a subclass takes

    @property
    def held_bytes(self) -> int:
        """Memory taken by the training images."""
        return sum(held.layers.nbytes for held in self.held)

    def prepare(self) -> None:
        """Bring the images to the device if they fit."""
        if self._fits_on_device():
            self.held = [replace(one, layers=one.layers.to(self.device)) for one in self.held]
        super().prepare()

    def _fits_on_device(self) -> bool:
        if self.device.type != "cuda":
            return False
        return self.held_bytes < _SHARE_FOR_IMAGES * torch.cuda.mem_get_info(self.device)[0]

    @property
    @abstractmethod
    def sampler(self) -> Any:
        """The source of batches over all training subjects: has ``draw(step, share)``."""

    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take a step on batch number ``step`` and update the average."""
        mine = self.sampler.draw(step, parallel.share(self.config.batch))
        losses = self.learn(mine.to(self.device), step, rate * self.config.learning_rate)
        self.ema.update(self.generator, step + 1)
        return losses

    @abstractmethod
    def learn(self, batch: Any, step: int, rate: float) -> dict[str, float]:
        """Change the networks by one batch at this learning rate; return the losses by name."""

    def adam(self, parameters: Iterable[Tensor]) -> torch.optim.AdamW:
        """Return the optimiser of a network."""
        return torch.optim.AdamW(
            parameters,
            lr=self.config.learning_rate,
            betas=(self.settings.beta1, self.settings.beta2),
            eps=self.settings.epsilon,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    def descend(self, loss: Tensor, optimiser: torch.optim.Optimizer, rate: float) -> float:
        """Take one step down a mean over this process's share; return the gradient's length."""
        part = loss / parallel.size()
        return descend(optimiser, part, rate=rate, clip_norm=self.config.clip_norm)

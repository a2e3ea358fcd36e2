"""What all ways of training share that train one network and release its average."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from synthesis.data.subjects import Subject
from synthesis.generate import on_device
from synthesis.training.config import TrainingConfig
from synthesis.training.ema import Ema
from synthesis.training.learner import Learner
from synthesis.training.speed import accelerated


class AveragedLearner(Learner):
    """Holds a network with its average and optimiser, and the held-out subjects.

    Which images are held for training, and what a step is, the subclasses know.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        At least ``"generator"``.
    """

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        self.config = config
        self.shape = config.network_config()
        self.settings = config.objective_settings()
        self.device = torch.device(config.device)
        self.generator = on_device(networks["generator"], self.device)
        self.forward = accelerated(self.generator, config)
        self.ema = Ema(self.generator, config.ema_half_life)
        self.optimiser = self.adam(self.generator.parameters())
        self.validation: list[Subject] = []

    def adam(self, parameters: Iterable[Tensor]) -> torch.optim.AdamW:
        """Return the optimiser of a network."""
        return torch.optim.AdamW(
            parameters,
            lr=self.config.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    def hold_out(self, subject: Subject) -> None:
        """Keep a held-out subject, unless there are enough."""
        if len(self.validation) < self.config.validation_limit:
            self.validation.append(subject)

    def prepare(self) -> None:
        """Nothing is needed."""

    def released(self) -> nn.Module:
        """Return the averaged network."""
        return self.ema.network

    def state(self) -> dict[str, Any]:
        """Return weights, average and optimiser."""
        return {
            "generator": self.generator.state_dict(),
            "average": self.ema.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        self.generator.load_state_dict(state["generator"])
        self.ema.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])

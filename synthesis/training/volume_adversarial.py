"""The objective "volume-adversarial": a generator against a discriminator, with the truth known.

Least-squares form (Mao 2017, arXiv 1611.04076). With G(x) the prediction, y the truth, D the
verdicts and f_k the features of layer k of the discriminator::

    discriminator  1/2 mean (D(y) - 1)^2 + 1/2 mean D(G(x))^2
    generator      a mean (D(G(x)) - 1)^2 + f sum_k mean |f_k(y) - f_k(G(x))| + v mean |y - G(x)|

a, f and v are the settings adversarial_weight, feature_weight (Wang's feature consistency) and
voxel_weight. A conditional discriminator sees x beside y or G(x).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.data.patches import VolumeBatch
from synthesis.generate import on_device
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.steps import reduced
from synthesis.training.translation import TranslationLearner


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """Return ``1/2 mean (real - 1)^2 + 1/2 mean made^2`` of verdicts of any shape."""
    return 0.5 * (real - 1).square().mean() + 0.5 * made.square().mean()


def adversarial_loss(made: Tensor) -> Tensor:
    """Return ``mean (made - 1)^2`` of the verdicts on predictions."""
    return (made - 1).square().mean()


def feature_distance(real: list[Tensor], made: list[Tensor]) -> Tensor:
    """Return the sum over layers of the mean absolute difference of their features."""
    differences = [F.l1_loss(m.float(), r.float()) for r, m in zip(real, made, strict=True)]
    return torch.stack(differences).sum()


class VolumeAdversarialLearner(TranslationLearner):
    """Trains generator and discriminator in turn, both on the same batch."""

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.judge = on_device(networks["discriminator"], self.device)
        self.judge_optimiser = self.adam(self.judge.parameters())

    def learn(self, batch: VolumeBatch, step: int, rate: float) -> dict[str, float]:
        """Take one Adam step of the discriminator, then one of the generator."""
        del step
        with reduced(self.config):
            predicted = self.forward(batch.inputs).float()
        judged = self._teach_judge(batch, predicted.detach(), rate)
        return {**self._teach_generator(batch, predicted, rate), "discriminator": judged}

    def _teach_judge(self, batch: VolumeBatch, predicted: Tensor, rate: float) -> float:
        real = self._features(batch, batch.truth)[-1]
        made = self._features(batch, predicted)[-1]
        loss = discriminator_loss(real.float(), made.float())
        rate *= self.settings.discriminator_rate
        self.descend(loss, self.judge_optimiser, rate)
        return parallel.mean(loss)

    def _teach_generator(
        self, batch: VolumeBatch, predicted: Tensor, rate: float
    ) -> dict[str, float]:
        self.judge.requires_grad_(False)
        made = self._features(batch, predicted)
        parts = {
            "adversarial": adversarial_loss(made[-1].float()),
            "features": self._feature_part(batch, made),
            "voxels": F.l1_loss(predicted, batch.truth),
        }
        weights = (
            self.settings.adversarial_weight,
            self.settings.feature_weight,
            self.settings.voxel_weight,
        )
        loss = torch.stack([w * part for w, part in zip(weights, parts.values(), strict=True)])
        length = self.descend(loss.sum(), self.optimiser, rate)
        self.judge.requires_grad_(True)
        told = {name: parallel.mean(part) for name, part in parts.items()}
        return {"loss": told.pop("voxels"), **told, "gradient": length}

    def _feature_part(self, batch: VolumeBatch, made: list[Tensor]) -> Tensor:
        if self.settings.feature_weight == 0:
            return made[-1].new_zeros((), dtype=torch.float32)
        with torch.no_grad():
            real = self._features(batch, batch.truth)
        return feature_distance(real, made)

    def _features(self, batch: VolumeBatch, shown: Tensor) -> list[Tensor]:
        seen = torch.cat([batch.inputs, shown], dim=1) if self.shape.conditional else shown
        with reduced(self.config):
            features: list[Tensor] = self.judge(seen)
        return features

    def state(self) -> dict[str, Any]:
        """Return weights, average and optimisers."""
        return {
            **super().state(),
            "discriminator": self.judge.state_dict(),
            "discriminator_optimiser": self.judge_optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        super().restore(state)
        self.judge.load_state_dict(state["discriminator"])
        self.judge_optimiser.load_state_dict(state["discriminator_optimiser"])

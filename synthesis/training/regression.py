"""The objective "regression": predict the target slice, weighted mean absolute error."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn

from synthesis.data.sampling import Batch, HeldSubject, SliceSampler, hold
from synthesis.data.splits import Part
from synthesis.data.subjects import Subject
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.losses import voxel_weights, weighted_mae
from synthesis.training.paired import PairedLearner
from synthesis.training.steps import descend, reduced

_CHANNELS_LAST = torch.channels_last


class RegressionLearner(PairedLearner):
    """Trains one generator to predict the target from the inputs.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        ``{"generator": ...}`` mapping (B, channels, H, W) to (B, 1, H, W).
    """

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.held: list[HeldSubject] = []

    @property
    def reference(self) -> str:
        """The input to which the output is added, or the first one."""
        return str(self.shape.residual_to or self.shape.inputs[0])

    def take(self, subject: Subject, part: Part) -> None:
        """Keep a training subject as a source of crops, a held-out one whole."""
        if part == "train":
            self.held.append(
                hold(
                    subject,
                    inputs=self.shape.inputs,
                    target=self.shape.target,
                    reference=self.reference,
                    focus_threshold=self.settings.focus_threshold,
                )
            )
        else:
            self.hold_out(subject)

    @property
    def held_bytes(self) -> int:
        """Memory taken by the training images."""
        return sum(held.inputs.nbytes + held.target.nbytes + held.mask.nbytes for held in self.held)

    @cached_property
    def sampler(self) -> SliceSampler:
        """The source of batches over all training subjects."""
        return SliceSampler(
            self.held,
            batch=self.config.batch,
            crop=self.settings.crop,
            neighbours=self.shape.neighbours,
            focus=self.settings.focus,
            mirror=self.settings.mirror,
            seed=self.config.seed,
        )

    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take one AdamW step on batch number ``step`` and update the average."""
        loss = self._loss(self.sampler.draw(step))
        peak, clip_norm = self.config.learning_rate, self.config.clip_norm
        length = descend(self.optimiser, loss, rate=peak * rate, clip_norm=clip_norm)
        self.ema.update(self.generator, step + 1)
        return {"loss": parallel.total(loss).item(), "gradient": length}

    def _loss(self, batch: Batch) -> Tensor:
        mine = parallel.share(self.config.batch)
        inputs = torch.from_numpy(batch.inputs[mine]).to(self.device, memory_format=_CHANNELS_LAST)
        truth = torch.from_numpy(batch.truth[mine]).to(self.device)
        mask = torch.from_numpy(batch.mask[mine]).to(self.device)
        reference = inputs[:, self.shape.channel_of(self.reference)][:, None]
        with reduced(self.config):
            prediction = self.forward(inputs)
        weights = voxel_weights(
            mask,
            brain_weight=self.settings.brain_weight,
            contrast=truth - reference,
            contrast_weight=self.settings.contrast_weight,
        )
        return weighted_mae(prediction.float(), truth, weights)

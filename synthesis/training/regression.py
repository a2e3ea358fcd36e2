"""The objective "regression": predict the target slice, weighted mean absolute error."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthesis.data.sampling import Batch, HeldSubject, SliceSampler, hold
from synthesis.data.splits import Part
from synthesis.data.subjects import FloatVolume, Mask, Subject
from synthesis.generate import ZSCORE_MAPPING, on_device, predict
from synthesis.metrics.presets import compare_with_reasons
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.ema import Ema
from synthesis.training.learner import Learner, Score, Validation
from synthesis.training.losses import voxel_weights, weighted_mae
from synthesis.training.sheet import Example, sample_sheet
from synthesis.training.speed import accelerated

_CHANNELS_LAST = torch.channels_last
_SHEET_SUBJECTS = 2
_SCORES = (
    ("mae", "plain/1", "brain", "standard deviations of the true image"),
    ("contrast_mae", "plain/1", "contrast", "standard deviations of the true image"),
    ("ssim", "brasyn/1", "brain", ""),
    ("psnr", "brasyn/1", "brain", "dB"),
)


class RegressionLearner(Learner):
    """Trains one generator to predict the target from the inputs.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        ``{"generator": ...}`` mapping (B, channels, H, W) to (B, 1, H, W).
    """

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        self.config = config
        self.shape = config.network_config()
        self.settings = config.objective_settings()
        self.device = torch.device(config.device)
        self.generator = on_device(networks["generator"], self.device)
        self.forward = accelerated(self.generator, config)
        self.ema = Ema(self.generator, config.ema_half_life)
        self.optimiser = torch.optim.AdamW(
            self.generator.parameters(),
            lr=config.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )
        self.reference = self.shape.residual_to or self.shape.inputs[0]
        self.held: list[HeldSubject] = []
        self.validation: list[Subject] = []
        self.do_nothing: dict[str, dict[str, float]] = {}

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
        elif len(self.validation) < self.config.validation_limit:
            self.validation.append(subject)

    @property
    def held_bytes(self) -> int:
        """Memory taken by the training images."""
        return sum(held.inputs.nbytes + held.target.nbytes + held.mask.nbytes for held in self.held)

    def prepare(self) -> None:
        """Score the reference input passed off as the target."""
        for subject in self.validation:
            nothing = subject.normalised(self.reference).z
            self.do_nothing[subject.name] = self._scores(subject, nothing)

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
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        parallel.add_gradients(self.generator.parameters())
        length = nn.utils.clip_grad_norm_(self.generator.parameters(), self.config.clip_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * rate
        self.optimiser.step()
        self.ema.update(self.generator, step + 1)
        return {"loss": parallel.total(loss).item(), "gradient": float(length)}

    def _loss(self, batch: Batch) -> Tensor:
        mine = parallel.share(self.config.batch)
        inputs = torch.from_numpy(batch.inputs[mine]).to(self.device, memory_format=_CHANNELS_LAST)
        truth = torch.from_numpy(batch.truth[mine]).to(self.device)
        mask = torch.from_numpy(batch.mask[mine]).to(self.device)
        reference = inputs[:, self.shape.channel_of(self.reference)][:, None]
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16"
        ):
            prediction = self.forward(inputs)
        weights = voxel_weights(
            mask,
            brain_weight=self.settings.brain_weight,
            contrast=truth - reference,
            contrast_weight=self.settings.contrast_weight,
        )
        return weighted_mae(prediction.float(), truth, weights)

    def validate(self) -> Validation:
        """Score the averaged generator beside the do-nothing prediction."""
        predicted = {s.name: self._scores(s, self._predict(s)) for s in self.validation}
        scores = []
        for metric, preset, region, unit in _SCORES:
            value, nothing = _mean(predicted, metric), _mean(self.do_nothing, metric)
            scores.append(Score(metric, preset, region, unit, value, nothing))
        return Validation(tuple(scores), predicted)

    def sheet(self) -> bytes:
        """Draw the first held-out subjects with their predictions."""
        examples = [
            Example(
                name=subject.name,
                inputs={role: subject.normalised(role).z for role in self.shape.inputs},
                truth=subject.normalised(self.shape.target).z,
                prediction=self._predict(subject),
                mask=subject.mask,
            )
            for subject in self.validation[:_SHEET_SUBJECTS]
        ]
        return sample_sheet(examples, target=self.shape.target)

    def released(self) -> nn.Module:
        """Return the averaged generator."""
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

    def _predict(self, subject: Subject) -> FloatVolume:
        z = {role: subject.normalised(role).z for role in self.shape.inputs}
        return predict(self.ema.network, self.shape, z, subject.mask)

    def _scores(self, subject: Subject, prediction: FloatVolume) -> dict[str, float]:
        truth = subject.normalised(self.shape.target).z
        mask = subject.mask
        shown, real = (ZSCORE_MAPPING.apply(z, mask) for z in (prediction, truth))
        plain = compare_with_reasons(prediction, truth, mask, preset="plain/1").values
        similarity = compare_with_reasons(shown, real, mask, preset="brasyn/1").values
        return {
            "mae": plain["mae"],
            "contrast_mae": self._contrast_mae(subject, prediction, truth),
            "ssim": similarity["ssim"],
            "psnr": similarity["psnr"],
        }

    def _contrast_mae(self, subject: Subject, prediction: FloatVolume, truth: FloatVolume) -> float:
        reference = subject.normalised(self.reference).z
        region: Mask = subject.mask & (truth - reference > self.settings.focus_threshold)
        if not region.any():
            return float("nan")
        return compare_with_reasons(prediction, truth, region, preset="plain/1").values["mae"]


def _mean(scores: dict[str, dict[str, float]], metric: str) -> float:
    values = np.array([subject[metric] for subject in scores.values()])
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")

"""What the ways of training volume translation share: data, optimiser, average, scores, sheet."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from synthesis.data.layout import bounding_box
from synthesis.data.patches import (
    Augmentation,
    HeldVolume,
    PatchSampler,
    VolumeBatch,
    hold_volume,
    patch_corners,
    region_of,
)
from synthesis.data.splits import Part
from synthesis.data.subjects import DataError, FloatVolume, Mask, Subject
from synthesis.generate import on_device, output_mapping, predict
from synthesis.metrics.presets import compare_with_reasons
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.ema import Ema
from synthesis.training.learner import Learner, Score, Validation
from synthesis.training.sheet import Example, sample_sheet
from synthesis.training.speed import accelerated

_SHEET_SUBJECTS = 2
_SHARE_FOR_IMAGES = 0.5
_SEED = 0
_SCORES = (
    ("mae", "plain/1", "brain"),
    ("contrast_mae", "plain/1", "contrast"),
    ("ssim", "brasyn/1", "brain"),
    ("psnr", "brasyn/1", "brain"),
)
_OWN_SCORES = {"wang2023": ("ssim_wang", "wang2023/1", "brain")}
_UNITS = {"psnr": "dB", "ssim_wang": "%"}


class TranslationLearner(Learner):
    """Holds volumes, scores and draws predictions; what a step is, the subclasses know.

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
        self.optimiser = self._adam(self.generator.parameters())
        self.held: list[HeldVolume] = []
        self.validation: list[Subject] = []
        self.do_nothing: dict[str, dict[str, float]] = {}
        self.moments = np.zeros(3)

    def take(self, subject: Subject, part: Part) -> None:
        """Keep a training subject as a source of patches, a held-out one whole."""
        if part == "train":
            self.held.append(self._hold(subject))
            values = self._truth(subject)[subject.mask].astype(np.float64)
            self.moments += (values.size, values.sum(), np.square(values).sum())
        elif len(self.validation) < self.config.validation_limit:
            self.validation.append(subject)

    def _hold(self, subject: Subject) -> HeldVolume:
        truth = self._truth(subject)
        self._check_unit(subject, truth)
        corners = None
        if self.settings.patch is not None:
            corners = patch_corners(
                subject.raw[self.shape.target],
                self._region(subject),
                patch=self.settings.patch,
                stride=self.settings.stride,
                least_filled=self.settings.least_filled,
            )
        inputs = [subject.normalised(role).z for role in self.shape.inputs]
        return hold_volume(
            inputs, truth, subject.mask, corners=corners, spacing_mm=subject.spacing_mm
        )

    def _check_unit(self, subject: Subject, truth: FloatVolume) -> None:
        mapping = output_mapping(self.shape)
        brightest = float(np.percentile(truth[subject.mask], 99.5))
        if mapping.offset + mapping.scale * brightest > mapping.high:
            raise DataError(
                f"Subject {subject.name}: {self.shape.target} is too large to be kept in "
                f"hundredths of its unit. Give it in mL/100 g, or set target_scale=null to "
                "predict it without a unit."
            )

    def _region(self, subject: Subject) -> tuple[slice, ...]:
        if self.settings.region == "brain":
            return bounding_box(subject.mask)
        tumour = np.isin(subject.raw["mask"], self.settings.tumour_labels)
        if not tumour.any():
            raise DataError(
                f"Subject {subject.name} has no tumour core (labels "
                f"{', '.join(map(str, self.settings.tumour_labels))}) in its segmentation. Leave "
                "it out, name other tumour_labels, or train with region=brain."
            )
        return region_of(tumour, tumour.shape, least=self.settings.region_size)

    @property
    def held_bytes(self) -> int:
        """Memory taken by the training images."""
        return sum(held.layers.nbytes for held in self.held)

    def prepare(self) -> None:
        """Bring the images to the device if they fit, and score the do-nothing prediction."""
        if self._fits_on_device():
            self.held = [
                HeldVolume(held.layers.to(self.device), held.corners, held.spacing_mm)
                for held in self.held
            ]
        for subject in self.validation:
            self.do_nothing[subject.name] = self._scores(subject, self._baseline(subject))

    def _fits_on_device(self) -> bool:
        if self.device.type != "cuda":
            return False
        return self.held_bytes < _SHARE_FOR_IMAGES * torch.cuda.mem_get_info(self.device)[0]

    @cached_property
    def sampler(self) -> PatchSampler:
        """The source of batches over all training subjects."""
        return PatchSampler(
            self.held,
            patch=self.settings.patch,
            batch=self.config.batch,
            augmentation=Augmentation(
                rotation=self.settings.rotation,
                degrees=self.settings.degrees,
                swap_axes=self.settings.swap_axes,
            ),
            multiples=self.shape.multiples,
            seed=self.config.seed,
        )

    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take a step on batch number ``step`` and update the average."""
        mine = self.sampler.draw(step, parallel.share(self.config.batch))
        losses = self.learn(mine.to(self.device), step, rate * self.config.learning_rate)
        self.ema.update(self.generator, step + 1)
        return losses

    @abstractmethod
    def learn(self, batch: VolumeBatch, step: int, rate: float) -> dict[str, float]:
        """Change the networks by one batch at this learning rate; return the losses by name."""

    def validate(self) -> Validation:
        """Score the averaged generator beside the do-nothing prediction."""
        predicted = {s.name: self._scores(s, self._predict(s)) for s in self.validation}
        scores = []
        for metric, preset, region in (*_SCORES, *self._own_scores):
            unit = self._unit if preset == "plain/1" else _UNITS.get(metric, "")
            value, nothing = _mean(predicted, metric), _mean(self.do_nothing, metric)
            better: Literal["lower", "higher"] = "lower" if preset == "plain/1" else "higher"
            scores.append(Score(metric, preset, region, unit, value, nothing, better))
        return Validation(tuple(scores), predicted)

    def sheet(self) -> bytes:
        """Draw the first held-out subjects with their predictions."""
        examples = [
            Example(
                name=subject.name,
                inputs={role: subject.normalised(role).z for role in self.shape.inputs},
                truth=self._truth(subject),
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

    def _adam(self, parameters: Iterable[Tensor]) -> torch.optim.AdamW:
        return torch.optim.AdamW(
            parameters,
            lr=self.config.learning_rate,
            betas=(self.settings.beta1, self.settings.beta2),
            eps=self.settings.epsilon,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    def descend(
        self, loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer, rate: float
    ) -> float:
        """Take one optimiser step down a mean loss; return the length of the gradient before."""
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss / parallel.size())
        parallel.add_gradients(network.parameters())
        length = nn.utils.clip_grad_norm_(network.parameters(), self.config.clip_norm)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        return float(length)

    @staticmethod
    def told(loss: Tensor) -> float:
        """Return the mean of a loss over all processes."""
        return parallel.total(loss).item() / parallel.size()

    def reduced(self) -> torch.autocast:
        """Compute in the precision of the run."""
        wanted = self.config.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted)

    @property
    def _unit(self) -> str:
        if self.shape.target_scale is None:
            return "standard deviations of the true image"
        return f"{self.shape.target_scale:g} units of the true image"

    def _truth(self, subject: Subject) -> FloatVolume:
        """Return the target as the network predicts it: z-scores, or in units of its scale."""
        if self.shape.target_scale is None:
            return subject.normalised(self.shape.target).z
        scaled: FloatVolume = subject.raw[self.shape.target] / np.float32(self.shape.target_scale)
        return scaled

    def _baseline(self, subject: Subject) -> FloatVolume:
        """Return the do-nothing prediction, of the training targets' mean and spread if scaled."""
        z = subject.normalised(self.shape.baseline).z
        if self.shape.target_scale is None:
            return z
        number, total, squares = self.moments
        mean = total / number
        spread = np.sqrt(max(squares / number - mean**2, 0.0))
        return np.where(subject.mask, mean + spread * z, 0.0).astype(np.float32)

    def _predict(self, subject: Subject) -> FloatVolume:
        z = {role: subject.normalised(role).z for role in self.shape.inputs}
        return predict(self.ema.network, self.shape, z, subject.mask, seed=_SEED)

    def _scores(self, subject: Subject, prediction: FloatVolume) -> dict[str, float]:
        truth, mask = self._truth(subject), subject.mask
        mapping = output_mapping(self.shape)
        shown, real = (mapping.apply(values, mask) for values in (prediction, truth))
        similarity = compare_with_reasons(shown, real, mask, preset="brasyn/1").values
        own = {
            metric: compare_with_reasons(shown, real, mask, preset=preset).values["ssim"]
            for metric, preset, _ in self._own_scores
        }
        return {
            **own,
            "mae": _mae(prediction, truth, mask),
            "contrast_mae": _mae(prediction, truth, self._contrast(subject)),
            "ssim": similarity["ssim"],
            "psnr": similarity["psnr"],
        }

    @property
    def _own_scores(self) -> list[tuple[str, str, str]]:
        return [_OWN_SCORES[name] for name in self.shape.own_scores]

    def _contrast(self, subject: Subject) -> Mask:
        """Return where the target, as z-scores, is far brighter than the baseline."""
        target, baseline = (
            subject.normalised(role).z for role in (self.shape.target, self.shape.baseline)
        )
        brighter: Mask = subject.mask & (target - baseline > self.settings.focus_threshold)
        return brighter


def _mae(prediction: FloatVolume, truth: FloatVolume, region: Mask) -> float:
    if not region.any():
        return float("nan")
    return compare_with_reasons(prediction, truth, region, preset="plain/1").values["mae"]


def _mean(scores: dict[str, dict[str, float]], metric: str) -> float:
    values = np.array([subject[metric] for subject in scores.values()])
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")

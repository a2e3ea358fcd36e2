"""What the ways of training volume translation share: patches, optimiser, and the target's unit."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from torch import nn

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
from synthesis.data.subjects import DataError, FloatVolume, Subject
from synthesis.levels import output_mapping
from synthesis.training.config import TrainingConfig
from synthesis.training.paired import PairedLearner
from synthesis.training.volume_learner import VolumeLearner


class TranslationLearner(VolumeLearner, PairedLearner):
    """Holds volumes and draws patches of them; what a step learns, the subclasses know.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        At least ``"generator"``.
    """

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.moments = np.zeros(3)

    def take(self, subject: Subject, part: Part) -> None:
        """Keep a training subject as a source of patches, a held-out one whole."""
        if part == "train":
            self.held.append(self._hold(subject))
            values = self.truth(subject)[subject.mask].astype(np.float64)
            self.moments += (values.size, values.sum(), np.square(values).sum())
        else:
            self.hold_out(subject)

    def _hold(self, subject: Subject) -> HeldVolume:
        truth = self.truth(subject)
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

    @abstractmethod
    def learn(self, batch: VolumeBatch, step: int, rate: float) -> dict[str, float]:
        """Change the networks by one batch at this learning rate; return the losses by name."""

    @property
    def reference(self) -> str:
        """The baseline of the network."""
        return str(self.shape.baseline)

    @property
    def unit(self) -> str:
        """Standard deviations, or multiples of the unit of the target."""
        if self.shape.target_scale is None:
            return super().unit
        return f"{self.shape.target_scale:g} units of the true image"

    def truth(self, subject: Subject) -> FloatVolume:
        """Return the target as the network predicts it: z-scores, or in units of its scale."""
        if self.shape.target_scale is None:
            return super().truth(subject)
        scaled: FloatVolume = subject.raw[self.shape.target] / np.float32(self.shape.target_scale)
        return scaled

    def nothing(self, subject: Subject) -> FloatVolume:
        """Return the do-nothing prediction, of the training targets' mean and spread if scaled."""
        z = super().nothing(subject)
        if self.shape.target_scale is None:
            return z
        mean, spread = self._mean_and_spread()
        return np.where(subject.mask, mean + spread * z, 0.0).astype(np.float32)

    def _mean_and_spread(self) -> tuple[float, float]:
        """Return those of the training targets' voxels, as the network predicts them."""
        number, total, squares = self.moments
        mean = total / number
        return float(mean), float(np.sqrt(max(squares / number - mean**2, 0.0)))

    def facts(self) -> dict[str, Any]:
        """Return mean and spread of the training targets in their unit, where they have one."""
        scale = self.shape.target_scale
        if scale is None:
            return {}
        mean, spread = self._mean_and_spread()
        return {"target_mean": scale * mean, "target_sd": scale * spread}

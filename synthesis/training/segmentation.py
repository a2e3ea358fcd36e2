"""The objective "segmentation": the regions of a tumour by soft Dice and cross-entropy.

With p the probability and t the truth (0 or 1) of a region in a patch of n voxels::

    loss = dice_weight (1 - (2 sum(p t) + e) / (sum p + sum t + e)) + entropy_weight BCE(p, t)

averaged over regions and patches, e = 1e-5 (MONAI's DiceLoss). Two patches without the region count
as alike.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.data.labelled import (
    LabelAugmentation,
    LabelledBatch,
    LabelledSampler,
    find_scheme,
    hold_labelled,
    regions_of,
)
from synthesis.data.patches import Augmentation
from synthesis.data.splits import Part
from synthesis.data.subjects import Mask, Subject
from synthesis.metrics.regions import ENHANCING
from synthesis.metrics.segmentation import PRESET, dice, millilitres
from synthesis.networks.segmentation import NUMBERS, PARTS
from synthesis.segment import segment
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.label_sheet import LabelExample, label_sheet
from synthesis.training.learner import Purpose, Score, Validation
from synthesis.training.steps import reduced
from synthesis.training.volume_learner import VolumeLearner

_SHEET_SUBJECTS = 3
SEGMENTING = Purpose(
    "Research on synthetic images: finding tumours in acquired and in synthetic images alike, so "
    "that their regions and volumes can be compared.",
    (
        "Not for diagnosis, treatment or any clinical decision.",
        "It knows only scanners, sequences and diseases like those it was trained on, "
        "skull-stripped and registered images with a background of zero.",
        "What it finds in its own training subjects is no evidence of anything.",
    ),
    "an empty label map",
)


class SegmentationLearner(VolumeLearner):
    """Trains one network to tell the regions of a tumour.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        ``{"generator": ...}`` mapping (B, inputs, z, y, x) to logits (B, 3, z, y, x).
    """

    purpose: ClassVar[Purpose] = SEGMENTING

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.scheme = find_scheme(self.settings.labels)
        self.spacings: list[tuple[float, float, float]] = []

    def take(self, subject: Subject, part: Part) -> None:
        """Keep a training subject as a source of patches, a held-out one whole."""
        regions = self._regions(subject)  # also of the held out: a wrong label is told at once
        if part == "train":
            inputs = [subject.normalised(role).z for role in self.shape.inputs]
            self.spacings.append(subject.spacing_mm)
            self.held.append(
                hold_labelled(inputs, regions, subject.mask, spacing_mm=subject.spacing_mm)
            )
        else:
            self.hold_out(subject)

    def _regions(self, subject: Subject) -> Mask:
        return regions_of(subject.raw[self.shape.target], self.scheme, name=subject.name)

    @cached_property
    def sampler(self) -> LabelledSampler:
        """The source of batches over all training subjects."""
        turning = Augmentation(rotation=self.settings.rotation, degrees=self.settings.degrees)
        return LabelledSampler(
            self.held,
            patch=self.settings.patch,
            batch=self.config.batch,
            focus=self.settings.focus,
            augmentation=LabelAugmentation(
                turning=turning,
                mirror=self.settings.mirror,
                gain=self.settings.gain,
                shift=self.settings.shift,
            ),
            multiples=self.shape.multiples,
            seed=self.config.seed,
        )

    @cached_property
    def dice_loss(self) -> nn.Module:
        """MONAI's soft Dice loss, the mean over patches and regions."""
        from monai.losses.dice import DiceLoss

        return DiceLoss(sigmoid=True)

    def learn(self, batch: LabelledBatch, step: int, rate: float) -> dict[str, float]:
        """Take one Adam step."""
        del step
        with reduced(self.config):
            logits = self.forward(batch.inputs)
        loss, parts = self.loss(logits.float(), batch.regions)
        length = self.descend(loss, self.optimiser, rate)
        return {"loss": parallel.mean(loss), **parts, "gradient": length}

    def loss(self, logits: Tensor, regions: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the loss, and its parts for the log."""
        overlap: Tensor = self.dice_loss(logits, regions)
        entropy = F.binary_cross_entropy_with_logits(logits, regions)
        loss = self.settings.dice_weight * overlap + self.settings.entropy_weight * entropy
        return loss, {"dice_loss": parallel.mean(overlap), "entropy": parallel.mean(entropy)}

    def validate(self) -> Validation:
        """Score the averaged network beside an empty label map."""
        found = {s.name: self._scores(s, self._predict(s)) for s in self.validation}
        empty = {s.name: self._scores(s, np.zeros(s.mask.shape, np.uint8)) for s in self.validation}
        scores = [
            Score(name, PRESET, region, unit, _mean(found, name), _mean(empty, name), better)
            for name, region, unit, better in _SCORES
        ]
        return Validation(tuple(scores), found)

    def _scores(self, subject: Subject, labels: Any) -> dict[str, float]:
        true = self._regions(subject)
        made = regions_of(labels, self.scheme_of_network, name=subject.name)
        dices = {f"dice_{name}": dice(a, b) for name, a, b in zip(PARTS, made, true, strict=True)}
        place = PARTS.index(ENHANCING)
        volumes = [millilitres(one[place], subject.spacing_mm) for one in (made, true)]
        return {
            "dice": math.fsum(dices.values()) / len(dices),
            **dices,
            "volume_error_ml": abs(volumes[0] - volumes[1]),
        }

    @property
    def scheme_of_network(self) -> Any:
        """The label scheme in which the network answers."""
        return find_scheme("brats2023")

    def _predict(self, subject: Subject) -> Any:
        return segment(self.ema.network, self.shape, subject.raw)

    def sheet(self) -> bytes:
        """Draw the first held-out subjects with reference and network."""
        examples = [
            LabelExample(
                name=subject.name,
                inputs={role: subject.normalised(role).z for role in self.shape.inputs},
                truth=_numbered(self._regions(subject)),
                found=self._predict(subject),
                mask=subject.mask,
            )
            for subject in self.validation[:_SHEET_SUBJECTS]
        ]
        return label_sheet(examples)

    def facts(self) -> dict[str, Any]:
        """Return the regions, their numbers and the voxel size of the training images."""
        return {
            "labels": {region: NUMBERS[region] for region in PARTS},
            "spacing_mm": np.median(self.spacings, axis=0).round(4).tolist(),
        }


_DICES = tuple((f"dice_{part}", part, "", "higher") for part in PARTS)
_SCORES: tuple[tuple[str, str, str, Any], ...] = (
    ("dice", "mean of three", "", "higher"),
    *_DICES,
    ("volume_error_ml", ENHANCING, "mL, without its sign", "lower"),
)


def _numbered(regions: Mask) -> Any:
    labels = np.zeros(regions.shape[1:], dtype=np.uint8)
    for part, region in zip(PARTS, regions, strict=True):
        labels[region] = NUMBERS[part]
    return labels


def _mean(scores: dict[str, dict[str, float]], metric: str) -> float:
    return float(np.mean([subject[metric] for subject in scores.values()]))

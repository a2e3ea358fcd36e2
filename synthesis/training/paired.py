"""What all ways of training share that predict one image from others: average, scores, sheet."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
from torch import nn

from synthesis.data.subjects import FloatVolume, Mask, Subject
from synthesis.generate import predict
from synthesis.levels import output_mapping
from synthesis.metrics.presets import compare_with_reasons
from synthesis.training.averaged import AveragedLearner
from synthesis.training.config import TrainingConfig
from synthesis.training.learner import Score, Validation
from synthesis.training.sheet import Example, sample_sheet

_SHEET_SUBJECTS = 2
_SEED = 0
_SCORES = (
    ("mae", "plain/1", "brain"),
    ("contrast_mae", "plain/1", "contrast"),
    ("ssim", "brasyn/1", "brain"),
    ("psnr", "brasyn/1", "brain"),
)
_OWN_SCORES = {"wang2023": ("ssim_wang", "wang2023/1", "brain")}
_UNITS = {"psnr": "dB", "ssim_wang": "%"}


class PairedLearner(AveragedLearner):
    """Scores a generator on held-out subjects and draws its predictions.

    Which images are held for training, and what a step is, the subclasses know.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        At least ``"generator"``.
    """

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        super().__init__(config, networks)
        self.do_nothing: dict[str, dict[str, float]] = {}

    @property
    @abstractmethod
    def reference(self) -> str:
        """Input that is passed off as the target when nothing is done."""

    def prepare(self) -> None:
        """Score the do-nothing prediction."""
        for subject in self.validation:
            self.do_nothing[subject.name] = self._scores(subject, self.nothing(subject))

    def validate(self) -> Validation:
        """Score the averaged generator beside the do-nothing prediction."""
        predicted = {s.name: self._scores(s, self._predict(s)) for s in self.validation}
        scores = []
        for metric, preset, region in (*_SCORES, *self._own_scores):
            unit = self.unit if preset == "plain/1" else _UNITS.get(metric, "")
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
                truth=self.truth(subject),
                prediction=self._predict(subject),
                mask=subject.mask,
            )
            for subject in self.validation[:_SHEET_SUBJECTS]
        ]
        return sample_sheet(examples, target=self.shape.target)

    @property
    def unit(self) -> str:
        """What the plain errors are counted in."""
        return "standard deviations of the true image"

    def truth(self, subject: Subject) -> FloatVolume:
        """Return the target as the network predicts it: z-scores."""
        return subject.normalised(self.shape.target).z

    def nothing(self, subject: Subject) -> FloatVolume:
        """Return the do-nothing prediction, in the scale of the target."""
        return subject.normalised(self.reference).z

    def _predict(self, subject: Subject) -> FloatVolume:
        z = {role: subject.normalised(role).z for role in self.shape.inputs}
        return predict(self.ema.network, self.shape, z, subject.mask, seed=_SEED)

    def _scores(self, subject: Subject, prediction: FloatVolume) -> dict[str, float]:
        truth, mask = self.truth(subject), subject.mask
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
        return [_OWN_SCORES[name] for name in getattr(self.shape, "own_scores", ())]

    def _contrast(self, subject: Subject) -> Mask:
        """Return where the target, as z-scores, is far brighter than the reference."""
        target, reference = (
            subject.normalised(role).z for role in (self.shape.target, self.reference)
        )
        brighter: Mask = subject.mask & (target - reference > self.settings.focus_threshold)
        return brighter


def _mae(prediction: FloatVolume, truth: FloatVolume, region: Mask) -> float:
    if not region.any():
        return float("nan")
    return compare_with_reasons(prediction, truth, region, preset="plain/1").values["mae"]


def _mean(scores: dict[str, dict[str, float]], metric: str) -> float:
    values = np.array([subject[metric] for subject in scores.values()])
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")

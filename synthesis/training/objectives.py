"""The ways of training, by the name a preset gives; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from synthesis.training.config import TrainingConfig
from synthesis.training.dcgan import DcganLearner
from synthesis.training.flow import FlowLearner
from synthesis.training.learner import Learner
from synthesis.training.regression import RegressionLearner
from synthesis.training.segmentation import SegmentationLearner
from synthesis.training.stylegan2 import StyleGan2Learner
from synthesis.training.volume_adversarial import VolumeAdversarialLearner
from synthesis.training.volume_regression import VolumeRegressionLearner
from synthesis.training.wgan import WganLearner

OBJECTIVES: dict[str, Callable[[TrainingConfig, dict[str, nn.Module]], Learner]] = {
    "regression": RegressionLearner,
    "volume-regression": VolumeRegressionLearner,
    "dcgan": DcganLearner,
    "wgan": WganLearner,
    "stylegan2": StyleGan2Learner,
    "volume-adversarial": VolumeAdversarialLearner,
    "flow": FlowLearner,
    "segmentation": SegmentationLearner,
}

"""Settings that belong to one way of training, by the name of the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synthesis.training.gan_settings import DcganSettings, StyleGan2Settings, WganSettings
from synthesis.training.segmentation_settings import SegmentationSettings
from synthesis.training.volume_settings import (
    FlowSettings,
    VolumeAdversarialSettings,
    VolumeRegressionSettings,
)


@dataclass(frozen=True, kw_only=True)
class RegressionSettings:
    """Settings of the objective "regression": predict the target of random slice crops.

    Attributes
    ----------
    crop : (int, int)
        Height and width of the crops in voxels.
    focus : float
        Share of crops centred on a voxel where the target outshines the reference: the input
        ``residual_to`` of the network, or its first input.
    focus_threshold : float
        By how many standard deviations it must. The same voxels form the region "contrast" of
        the validation.
    mirror : bool
        Swap left and right in half of the crops.
    brain_weight : float
        Weight in the loss of a voxel inside the brain; outside it is 1.
    contrast_weight : float
        Further weight inside the brain, times |target - reference| up to 3 deviations, so that
        rare bright voxels count more; 0 for none.
    weight_decay : float
        Of AdamW.
    """

    crop: tuple[int, int] = (96, 96)
    focus: float = 0.4
    focus_threshold: float = 1.5
    mirror: bool = True
    brain_weight: float = 5.0
    contrast_weight: float = 1.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "crop", tuple(self.crop))
        if len(self.crop) != 2 or min(self.crop) < 1:
            raise ValueError(f"crop must be two sizes, height and width, got {self.crop}")
        if not 0.0 <= self.focus <= 1.0:
            raise ValueError(f"focus must lie between 0 and 1, got {self.focus}")
        if self.brain_weight <= 0 or self.contrast_weight < 0 or self.weight_decay < 0:
            raise ValueError(
                "brain_weight must be positive, contrast_weight and weight_decay not negative, got "
                f"{self.brain_weight}, {self.contrast_weight} and {self.weight_decay}"
            )

    def check_against(self, network: Any) -> None:
        """Refuse crops that the network cannot take.

        Raises
        ------
        ValueError
        """
        if any(side % network.multiple for side in self.crop):
            raise ValueError(f"crop must be multiples of {network.multiple}, got {self.crop}")


OBJECTIVE_SETTINGS: dict[str, type[Any]] = {
    "regression": RegressionSettings,
    "volume-regression": VolumeRegressionSettings,
    "dcgan": DcganSettings,
    "wgan": WganSettings,
    "stylegan2": StyleGan2Settings,
    "volume-adversarial": VolumeAdversarialSettings,
    "flow": FlowSettings,
    "segmentation": SegmentationSettings,
}

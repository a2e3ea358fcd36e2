"""Settings of the ways of training that translate volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Sizes = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class VolumeSettings:
    """What all of them have: which patches are drawn, and how the optimiser steps.

    Attributes
    ----------
    patch : (int, int, int) or None
        Sizes (z, y, x) of the patches; None trains on whole volumes, cropped to the brain.
    stride : (int, int, int)
        Steps of the grid on which patches lie.
    least_filled : float
        A patch counts if more than this share of its voxels is not zero in the target.
    region : {"brain", "tumour"}
        Where patches come from: the box round the brain, or round the tumour core of the
        segmentation, grown to ``region_size``.
    region_size : (int, int, int)
    tumour_labels : tuple of int
        Labels of the segmentation that are tumour core (BraTS: 1 necrosis, 3 or 4 enhancing).
    rotation : {"none", "in-plane", "three-axis"}
    degrees : float
        Largest angle of a rotation.
    swap_axes : bool
        Exchange axes of one size and spacing.
    beta1, beta2, epsilon, weight_decay : float
        Of Adam (decoupled weight decay).
    focus_threshold : float
        The region "contrast" of the validation is where the target exceeds the baseline by this
        many standard deviations.
    """

    patch: Sizes | None = (80, 80, 80)
    stride: Sizes = (20, 20, 20)
    least_filled: float = 0.2
    region: Literal["brain", "tumour"] = "brain"
    region_size: Sizes = (80, 232, 232)
    tumour_labels: tuple[int, ...] = (1, 3, 4)
    rotation: Literal["none", "in-plane", "three-axis"] = "none"
    degrees: float = 30.0
    swap_axes: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    focus_threshold: float = 1.5

    def __post_init__(self) -> None:
        for name in ("patch", "stride", "region_size", "tumour_labels"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(value))
        for name in ("patch", "stride", "region_size"):
            value = getattr(self, name)
            if value is not None and (len(value) != 3 or min(value) < 1):
                raise ValueError(f"{name} must be three sizes (z, y, x), at least 1, got {value}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be {' or '.join(choices)}, got {getattr(self, name)}"
                )
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must lie in [{low}, {high}], got {getattr(self, name)}")

    @property
    def further_sequences(self) -> tuple[str, ...]:
        """The segmentation, where patches come from the tumour."""
        return ("mask",) if self.region == "tumour" else ()

    def check_against(self, network: Any) -> None:
        """Refuse patches that the network cannot take.

        Raises
        ------
        ValueError
        """
        if self.patch is None:
            return
        if any(side % m for side, m in zip(self.patch, network.multiples, strict=True)):
            raise ValueError(f"patch must be multiples of {network.multiples}, got {self.patch}")


_CHOICES = {"region": ("brain", "tumour"), "rotation": ("none", "in-plane", "three-axis")}
_RANGES = {
    "least_filled": (0.0, 0.999),
    "degrees": (0.0, 180.0),
    "beta1": (0.0, 0.9999),
    "beta2": (0.0, 0.999999),
    "epsilon": (1e-12, 1.0),
    "weight_decay": (0.0, 1.0),
}


@dataclass(frozen=True, kw_only=True)
class VolumeRegressionSettings(VolumeSettings):
    """Settings of the objective "volume-regression".

    Attributes
    ----------
    loss : {"mse", "mae"}
        Mean squared or mean absolute error over all voxels of the patch, background included.
    """

    loss: Literal["mse", "mae"] = "mse"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in ("mse", "mae"):
            raise ValueError(f"loss must be mse or mae, got {self.loss}")


@dataclass(frozen=True, kw_only=True)
class VolumeAdversarialSettings(VolumeSettings):
    """Settings of the objective "volume-adversarial": a generator against a discriminator.

    Attributes
    ----------
    adversarial_weight, feature_weight, voxel_weight : float
        Weights in the generator's loss of the least-squares adversarial term, of the difference
        of the discriminator's features (per layer) and of the mean absolute error.
    discriminator_rate : float
        Learning rate of the discriminator in multiples of the generator's.
    """

    adversarial_weight: float = 1.0
    feature_weight: float = 0.0
    voxel_weight: float = 100.0
    discriminator_rate: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("adversarial_weight", "feature_weight", "voxel_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.discriminator_rate <= 0:
            raise ValueError(f"discriminator_rate must be positive, got {self.discriminator_rate}")


@dataclass(frozen=True, kw_only=True)
class FlowSettings(VolumeSettings):
    """Settings of the objective "flow": rectified flow from noise to the target."""

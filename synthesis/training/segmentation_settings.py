"""Settings of the way of training that segments tumours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from synthesis.data.labelled import find_scheme

Sizes = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class SegmentationSettings:
    """Settings of the objective "segmentation": soft Dice and cross-entropy of three regions.

    Attributes
    ----------
    labels : str
        What the numbers of the segmentations mean: auto (1 necrosis, 2 oedema, 3 or 4 enhancing),
        brats2012, brats2023, or written out: "necrosis=1 oedema=2 enhancing=4".
    patch : (int, int, int) or None
        Sizes (z, y, x) of the patches; None trains on whole volumes, cropped to the brain.
    focus : float
        Share of patches centred on a voxel of tumour; the others lie anywhere in the brain.
    dice_weight, entropy_weight : float
        Weights of one less the soft Dice coefficient and of the binary cross-entropy.
    mirror : bool
        Exchange left and right in half of the patches.
    gain, shift : float
        Standard deviations of a factor round 1 and of an offset drawn for each sequence.
    rotation : {"none", "in-plane", "three-axis"}
    degrees : float
        Largest angle of a rotation.
    beta1, beta2, epsilon, weight_decay : float
        Of Adam (decoupled weight decay).
    """

    labels: str = "auto"
    patch: Sizes | None = (96, 96, 96)
    focus: float = 0.67
    dice_weight: float = 1.0
    entropy_weight: float = 1.0
    mirror: bool = True
    gain: float = 0.1
    shift: float = 0.1
    rotation: Literal["none", "in-plane", "three-axis"] = "none"
    degrees: float = 15.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        find_scheme(self.labels)
        if self.patch is not None:
            object.__setattr__(self, "patch", tuple(self.patch))
            if len(self.patch) != 3 or min(self.patch) < 1:
                raise ValueError(f"patch must be three sizes (z, y, x), got {self.patch}")
        if self.rotation not in ("none", "in-plane", "three-axis"):
            raise ValueError(f"rotation must be none, in-plane or three-axis, got {self.rotation}")
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must lie in [{low}, {high}], got {getattr(self, name)}")
        if self.dice_weight + self.entropy_weight == 0:
            raise ValueError("dice_weight and entropy_weight cannot both be 0")

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


_RANGES = {
    "focus": (0.0, 1.0),
    "dice_weight": (0.0, 1000.0),
    "entropy_weight": (0.0, 1000.0),
    "gain": (0.0, 1.0),
    "shift": (0.0, 5.0),
    "degrees": (0.0, 180.0),
    "beta1": (0.0, 0.9999),
    "beta2": (0.0, 0.999999),
    "epsilon": (1e-12, 1.0),
    "weight_decay": (0.0, 1.0),
}

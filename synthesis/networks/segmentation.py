"""Tumour segmentation: MONAI's SegResNet or U-Net, one probability for each of three regions.

The regions are nested, as BraTS scores them: enhancing tumour inside the core (with necrosis)
inside the whole tumour (with oedema). Each has a sigmoid of its own, so that a voxel that is surely
tumour need not be surely one of its parts. SegResNet: Myronenko 2018, arXiv 1810.11654; U-Net with
residual units: Kerfoot 2018, doi 10.1007/978-3-030-12029-0_40. docs/algorithms/segmentation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthesis.metrics.regions import CORE, ENHANCING, TUMOUR
from synthesis.networks.preset import Preset
from synthesis.networks.translation import check_volume, known_range
from synthesis.networks.volumes import FloatVolume, as_batch, padded

PARTS = (TUMOUR, CORE, ENHANCING)
"""Channels of the network, the outermost first."""
NUMBERS = {TUMOUR: 2, CORE: 1, ENHANCING: 3}
"""What a voxel is called whose innermost region that is: BraTS 2023 (2 oedema, 1 necrosis)."""
LABELLING = "labels"

_GROUPS = 8
_AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class SegmentationConfig:
    """What a `TumourSegmenter` is made of and how it is run over a volume.

    Attributes
    ----------
    inputs : tuple of str
        Sequences, in the order of the channels.
    architecture : {"segresnet", "unet"}
        The second is several times faster on a processor.
    width : int
        Channels of the first level; each level below doubles them. SegResNet: a multiple of 8.
    levels : int
        Resolutions.
    window : (int, int, int) or None
        Sizes (z, y, x) in which a volume is segmented; None takes it in one pass.
    overlap : float
        Share of a window that the next one covers too; windows are faded into each other.
    threshold : float
        Probability above which a voxel belongs to a region.
    """

    inference: ClassVar[str] = LABELLING

    inputs: tuple[str, ...] = ("t1", "t1c", "t2", "flair")
    architecture: Literal["segresnet", "unet"] = "segresnet"
    width: int = 16
    levels: int = 4
    window: tuple[int, int, int] | None = (96, 96, 96)
    overlap: float = 0.5
    threshold: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        if len(set(self.inputs)) != len(self.inputs) or not self.inputs:
            raise ValueError(f"inputs must be distinct sequences, got {self.inputs}")
        if self.target in self.inputs:
            raise ValueError("the segmentation is what is predicted: it cannot be an input")
        if self.architecture not in _BUILDERS:
            raise ValueError(
                f"architecture must be {' or '.join(_BUILDERS)}, got {self.architecture}"
            )
        known_range(self, width=1, levels=2)
        if self.architecture == "segresnet" and self.width % _GROUPS:
            raise ValueError(f"width must be a multiple of {_GROUPS}, got {self.width}")
        if not 0.0 <= self.overlap < 1.0 or not 0.0 < self.threshold < 1.0:
            raise ValueError("overlap must lie in [0, 1) and threshold between 0 and 1")
        self._check_window()

    def _check_window(self) -> None:
        if self.window is None:
            return
        object.__setattr__(self, "window", tuple(self.window))
        if len(self.window) != 3 or any(
            side < 1 or side % multiple
            for side, multiple in zip(self.window, self.multiples, strict=True)
        ):
            raise ValueError(
                f"window must be three multiples of {self.multiples[0]}, got {self.window}"
            )

    @property
    def target(self) -> str:
        """The role of what is predicted."""
        return "mask"

    @property
    def sequences(self) -> tuple[str, ...]:
        """Sequences a training subject must have."""
        return (*self.inputs, self.target)

    @property
    def mask_from(self) -> tuple[str, ...]:
        """Sequences whose non-zero voxels are the brain."""
        return self.inputs

    @property
    def multiples(self) -> tuple[int, int, int]:
        """Each level below the first halves the size."""
        side = 2 ** (self.levels - 1)
        return (side, side, side)


class TumourSegmenter(nn.Module):
    """Logits of the three regions: (B, inputs, z, y, x) to (B, 3, z, y, x) in order of `PARTS`."""

    def __init__(self, config: SegmentationConfig) -> None:
        super().__init__()
        self.config = config
        self.network: nn.Module = _BUILDERS[config.architecture](config)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        check_volume(x, channels=len(self.config.inputs), multiples=self.config.multiples)
        logits: Tensor = self.network(x)
        return logits


def _segresnet(config: SegmentationConfig) -> nn.Module:
    # here, not above: it takes seconds
    from monai.networks.nets.segresnet import SegResNet

    return SegResNet(
        spatial_dims=3,
        init_filters=config.width,
        in_channels=len(config.inputs),
        out_channels=len(PARTS),
        norm=("GROUP", {"num_groups": _GROUPS}),
        blocks_down=(1, *(2,) * (config.levels - 2), 4),
        blocks_up=(1,) * (config.levels - 1),
    )


def _unet(config: SegmentationConfig) -> nn.Module:
    from monai.networks.nets.unet import UNet

    return UNet(
        spatial_dims=3,
        in_channels=len(config.inputs),
        out_channels=len(PARTS),
        channels=tuple(config.width * 2**level for level in range(config.levels)),
        strides=(2,) * (config.levels - 1),
        num_res_units=2,
        norm="INSTANCE",
    )


_BUILDERS = {"segresnet": _segresnet, "unet": _unet}


def region_probabilities(
    network: nn.Module, config: SegmentationConfig, stack: FloatVolume
) -> FloatVolume:
    """Return the probabilities (3, z, y, x) of the regions given inputs (roles, z, y, x).

    In one pass, or in windows that overlap and are weighted by a Gaussian (MONAI's sliding-window
    inference), where the volume is larger than the window.
    """
    z, y, x = stack.shape[1:]
    batch = as_batch(padded(stack, config.multiples), network)
    window = config.window or batch.shape[2:]
    larger = any(side > most for side, most in zip(batch.shape[2:], window, strict=True))
    logits = _by_windows(network, config, batch) if larger else network(batch)
    found: FloatVolume = torch.sigmoid(logits[0, :, :z, :y, :x].float()).cpu().numpy()
    return found


def _by_windows(network: nn.Module, config: SegmentationConfig, batch: Tensor) -> Tensor:
    from monai.inferers.utils import sliding_window_inference

    logits: Any = sliding_window_inference(
        batch,
        roi_size=config.window or -1,
        sw_batch_size=_AT_ONCE,
        predictor=network,
        overlap=config.overlap,
        mode="gaussian",
    )
    return torch.as_tensor(logits)


def labels_of(
    probabilities: FloatVolume, brain: npt.NDArray[np.bool_], *, threshold: float = 0.5
) -> npt.NDArray[np.uint8]:
    """Return the label map (z, y, x) of region probabilities: the innermost region counts.

    Parameters
    ----------
    probabilities : float32 ndarray (3, z, y, x)
        In the order of `PARTS`.
    brain : bool ndarray (z, y, x)
        Nothing is labelled outside.
    threshold : float
    """
    labels = np.zeros(brain.shape, dtype=np.uint8)
    for part, probability in zip(PARTS, probabilities, strict=True):
        labels[brain & (probability > threshold)] = NUMBERS[part]
    return labels


def build_segmenter(config: SegmentationConfig) -> dict[str, nn.Module]:
    """Return the networks of the preset: one, under the name that all presets have."""
    return {"generator": TumourSegmenter(config)}


SEGMENT_3D = Preset(
    name="segment-3d",
    summary="tumour, core and enhancing part from T1, T1 after contrast, T2 and FLAIR; for scores",
    config=SegmentationConfig,
    build=build_segmenter,
    objective="segmentation",
    training={
        "batch": 2,
        "max_steps": 50_000,
        "learning_rate": 1e-3,
        "clip_norm": 10.0,
        "ema_half_life": 500.0,
        "weight_decay": 1e-5,
        "stop_metric": "dice",
        "stop_patience": 10,
        "validations": 20,
    },
)

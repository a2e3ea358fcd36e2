"""Encoder-decoder of Wang 2023: blood volume maps from T1, T2, T1 after contrast, FLAIR and ADC.

Wang et al., Radiology 2023;308:e222471. One generator, trained by mean absolute error alone
("MAE-ED") or against a discriminator with feature consistency ("fc-GAN"). Rebuilt from the paper;
docs/algorithms/wang-encoder-decoder.md says what it leaves open and what was chosen. The generator
has 490,241 weights at five inputs, the discriminator 174,577.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

from torch import Tensor, nn

from synthesis.networks.judges import PatchJudge
from synthesis.networks.preset import Preset
from synthesis.networks.translation import TranslationConfig, at_rest, check_volume, known_range

INPUTS = ("t1", "t2", "t1c", "flair", "adc")
CBV_SCALE = 4.0  # mL/100 g, about what grey matter has

_KERNEL, _PADDING = (1, 3, 3), (0, 1, 1)
_JUDGE_KERNEL = (1, 4, 4)
_IN_PLANE = (1, 2, 2)


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderConfig(TranslationConfig):
    """What an `EncoderDecoder` and its `PlaneDiscriminator` are made of.

    Attributes
    ----------
    width : int
        Channels after the first convolution; the two after it double them.
    blocks : int
        Residual blocks at the coarsest level.
    judge_width, judge_layers : int
        Channels after the first convolution of the discriminator, and how many convolutions with
        stride 2 it has; a last one with stride 1 follows.
    conditional : bool
        Whether the discriminator sees the inputs beside the target; in Wang 2023 it does not.
    """

    inference: ClassVar[str] = "volume"
    own_scores: ClassVar[tuple[str, ...]] = ("wang2023",)

    inputs: tuple[str, ...] = INPUTS
    target: str = "cbv"
    target_scale: float | None = CBV_SCALE
    width: int = 16
    blocks: int = 6
    judge_width: int = 16
    judge_layers: int = 4
    conditional: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        known_range(self, width=1, blocks=0, judge_width=1, judge_layers=1)

    @property
    def multiples(self) -> tuple[int, int, int]:
        """The two strides halve a slice twice; slices stay."""
        return (1, 4, 4)


class EncoderDecoder(nn.Module):
    """Generator.

    All kernels are 3x3 in the plane of a slice; what joins the slices is the normalisation, whose
    mean and deviation are those of the whole volume (instance norm over all three axes, without
    weights of its own). Shapes with C = width::

        x         (B, inputs, z, y, x)
        encoder   (B, C, z, y, x)          conv, norm, ReLU
                  (B, 2 C, z, y/2, x/2)    stride 2
                  (B, 4 C, z, y/4, x/4)    stride 2
        blocks    (B, 4 C, z, y/4, x/4)    h + norm(conv(relu(norm(conv(h)))))
        decoder   (B, 2 C, z, y/2, x/2)    transposed conv stride 2, norm, ReLU
                  (B, C, z, y, x)
        head      (B, 1, z, y, x)          conv, linear
    """

    def __init__(self, config: EncoderDecoderConfig) -> None:
        super().__init__()
        self.config = config
        c = config.width
        self.encoder = nn.Sequential(
            *_stage(nn.Conv3d(len(config.inputs), c, _KERNEL, padding=_PADDING)),
            *_stage(nn.Conv3d(c, 2 * c, _KERNEL, stride=_IN_PLANE, padding=_PADDING)),
            *_stage(nn.Conv3d(2 * c, 4 * c, _KERNEL, stride=_IN_PLANE, padding=_PADDING)),
        )
        self.blocks = nn.Sequential(*(PlaneBlock(4 * c) for _ in range(config.blocks)))
        self.decoder = nn.Sequential(*_stage(_raise(4 * c, 2 * c)), *_stage(_raise(2 * c, c)))
        self.head = at_rest(nn.Conv3d(c, 1, _KERNEL, padding=_PADDING), config)

    def forward(self, x: Tensor) -> Tensor:
        """Predict the target (B, 1, z, y, x) from z-scores (B, inputs, z, y, x).

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        check_volume(x, channels=len(self.config.inputs), multiples=self.config.multiples)
        predicted: Tensor = self.head(self.decoder(self.blocks(self.encoder(x))))
        start = self.config.residual(x)
        return predicted if start is None else start + predicted


class PlaneBlock(nn.Module):
    """h + norm(conv(relu(norm(conv(h))))), kernels 3x3 in the plane."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (nn.Conv3d(channels, channels, _KERNEL, padding=_PADDING) for _ in range(2))
        self.inner = nn.Sequential(*_stage(first), second, nn.InstanceNorm3d(channels))

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, C, z, y, x) to the same shape."""
        added: Tensor = h + self.inner(h)
        return added


def _stage(conv: nn.Conv3d | nn.ConvTranspose3d) -> tuple[nn.Module, ...]:
    return conv, nn.InstanceNorm3d(conv.out_channels), nn.ReLU()


def _raise(channels_in: int, channels: int) -> nn.ConvTranspose3d:
    return nn.ConvTranspose3d(
        channels_in,
        channels,
        _KERNEL,
        stride=_IN_PLANE,
        padding=_PADDING,
        output_padding=(0, 1, 1),
    )


class PlaneDiscriminator(PatchJudge):
    """Says of every patch of a slice how real it looks: convolutions of 4x4 in the plane.

    Shapes with D = judge_width: (B, channels, z, y, x), then (B, D 2^i, z, y/2^(i+1), ...) for
    i = 0 ... judge_layers - 1, then one channel.
    """

    def __init__(self, config: EncoderDecoderConfig) -> None:
        super().__init__(
            1 + len(config.inputs) * config.conditional,
            config.judge_width,
            config.judge_layers,
            kernel=_JUDGE_KERNEL,
            stride=_IN_PLANE,
            padding=_PADDING,
        )


def input_combinations(inputs: tuple[str, ...] = INPUTS) -> list[tuple[str, ...]]:
    """Return every choice of at least one input, by size and then in the order of the paper."""
    return [chosen for n in range(1, len(inputs) + 1) for chosen in combinations(inputs, n)]


def build_encoder_decoder(config: EncoderDecoderConfig) -> dict[str, nn.Module]:
    """Return generator and discriminator."""
    return {"generator": EncoderDecoder(config), "discriminator": PlaneDiscriminator(config)}


def build_alone(config: EncoderDecoderConfig) -> dict[str, nn.Module]:
    """Return the generator only."""
    return {"generator": EncoderDecoder(config)}


_SCANS = 529
_TRAINING: dict[str, Any] = {
    "patch": None,
    "batch": 1,
    "max_steps": 500 * _SCANS,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup": 0.0,
    "clip_norm": 1e9,
    "ema_half_life": 1e-6,
    "validation_fraction": 0.3,
}

WANG2023_ED = Preset(
    name="wang2023-ed",
    summary="Blood volume map from up to five sequences; Wang's encoder-decoder, error only",
    config=EncoderDecoderConfig,
    build=build_alone,
    objective="volume-regression",
    training={**_TRAINING, "loss": "mae"},
)
WANG2023_FCGAN = Preset(
    name="wang2023-fcgan",
    summary="The same network against a discriminator, with feature consistency",
    config=EncoderDecoderConfig,
    build=build_encoder_decoder,
    objective="volume-adversarial",
    training={**_TRAINING, "adversarial_weight": 1.0, "feature_weight": 1.0, "voxel_weight": 0.0},
)

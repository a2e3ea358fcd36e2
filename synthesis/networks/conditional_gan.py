"""Conditional 3-D GAN after Jayachandran Preetha 2021: T1 after contrast from T1, T2 and FLAIR.

Jayachandran Preetha et al., Lancet Digit Health 2021;3:e784-94, known here through the highlight
in Korean J Radiol 2022;23:500-504. Neither gives layers, so this is the published *form*: a U-Net
generator and a discriminator that judges patches of inputs and target together (pix2pix, Isola
2017, arXiv 1611.07004), in three dimensions. docs/algorithms/conditional-gan.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from synthesis.networks.judges import PatchJudge
from synthesis.networks.preset import Preset
from synthesis.networks.translation import TranslationConfig, at_rest, known_range
from synthesis.networks.u_shaped import UShaped3D

_SLOPE = 0.2
_KERNEL, _STRIDE, _PADDING = 4, 2, 1
_GAIN = 0.02


@dataclass(frozen=True, kw_only=True)
class ConditionalGanConfig(TranslationConfig):
    """What a `PatchUNet3D` and its `PatchDiscriminator3D` are made of.

    Attributes
    ----------
    width : int
        Channels of the first level; each level below doubles them up to ``widest``.
    levels : int
        Resolutions.
    widest : int
    bn_momentum : float
        Weight of a batch in the running statistics.
    judge_width, judge_layers : int
        Channels after the first convolution of the discriminator; convolutions with stride 2.
    conditional : bool
        Whether the discriminator sees the inputs beside the target.
    tile, context : int or None
        As for `ResidualUNet3DConfig`.
    """

    width: int = 32
    levels: int = 4
    widest: int = 256
    bn_momentum: float = 0.1
    judge_width: int = 32
    judge_layers: int = 3
    conditional: bool = True
    tile: int | None = None
    context: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        known_range(self, width=1, levels=1, widest=1, judge_width=1, judge_layers=1)
        if not 0.0 < self.bn_momentum <= 1.0:
            raise ValueError(f"bn_momentum must lie in (0, 1], got {self.bn_momentum}")
        if self.tile is not None:
            known_range(self, tile=self.multiples[0])

    @property
    def inference(self) -> str:
        """Whole volumes in one pass, or in tiles."""
        return "volume" if self.tile is None else "tiles"

    @property
    def multiples(self) -> tuple[int, int, int]:
        """Each level below the first halves the size."""
        side = _STRIDE ** (self.levels - 1)
        return (side, side, side)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level."""
        return tuple(min(self.width * 2**level, self.widest) for level in range(self.levels))

    @property
    def receptive_radius(self) -> int:
        """Voxels on either side on which an output voxel can depend.

        Two convolutions of 3 on each level, down and up again, and three voxels of the finer
        level for each step down and up.
        """
        finer = sum((4 + 3) * _STRIDE**level for level in range(self.levels - 1))
        return finer + 2 * self.multiples[0]


class PatchUNet3D(UShaped3D):
    """Generator.

    Shapes with C_i = widths[i]: level i (B, C_i, z/2^i, y/2^i, x/2^i) of two convolutions 3x3x3,
    each with batch norm and leaky ReLU; 4x4x4 stride 2 down, transposed 4x4x4 stride 2 up,
    concatenated with the skip; 1x1x1 head, linear. Batch norm, because its running statistics
    make a patch and a whole volume the same function.
    """

    def __init__(self, config: ConditionalGanConfig) -> None:
        super().__init__()
        self.config = config
        widths, momentum = config.widths, config.bn_momentum
        entering = (len(config.inputs), *widths[1:])
        self.encoder = nn.ModuleList(
            _double(into, width, momentum) for into, width in zip(entering, widths, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Conv3d(fine, coarse, _KERNEL, stride=_STRIDE, padding=_PADDING)
            for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(coarse, fine, _KERNEL, stride=_STRIDE, padding=_PADDING)
            for fine, coarse in pairwise(widths)
        )
        self.decoder = nn.ModuleList(_double(2 * fine, fine, momentum) for fine in widths[:-1])
        self.head = at_rest(nn.Conv3d(widths[0], 1, 1), config)


def _double(channels_in: int, channels: int, momentum: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for into in (channels_in, channels):
        layers += [
            nn.Conv3d(into, channels, 3, padding=1),
            nn.BatchNorm3d(channels, momentum=momentum),
            nn.LeakyReLU(_SLOPE),
        ]
    return nn.Sequential(*layers)


class PatchDiscriminator3D(PatchJudge):
    """Says of every cube how real it looks, beside the inputs it was made from.

    Kernels of 4x4x4; with three layers a verdict sees 46 voxels each way.
    """

    def __init__(self, config: ConditionalGanConfig) -> None:
        super().__init__(
            1 + len(config.inputs) * config.conditional,
            config.judge_width,
            config.judge_layers,
            kernel=_KERNEL,
            stride=_STRIDE,
            padding=_PADDING,
        )
        self.apply(_small)


def _small(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.normal_(module.weight, std=_GAIN)


def build_conditional_gan(config: ConditionalGanConfig) -> dict[str, nn.Module]:
    """Return generator and discriminator."""
    return {"generator": PatchUNet3D(config), "discriminator": PatchDiscriminator3D(config)}


JAYACHANDRAN2021 = Preset(
    name="jayachandran2021-cgan",
    summary="T1 after contrast from T1, T2 and FLAIR; 3-D U-Net against a patch discriminator",
    config=ConditionalGanConfig,
    build=build_conditional_gan,
    objective="volume-adversarial",
    training={
        "batch": 4,
        "max_steps": 100_000,
        "learning_rate": 2e-4,
        "schedule": "cosine",
        "warmup": 0.0,
        "clip_norm": 1e9,
        "ema_half_life": 1000.0,
        "beta1": 0.5,
        "adversarial_weight": 1.0,
        "feature_weight": 0.0,
        "voxel_weight": 100.0,
        "swap_axes": False,
    },
)

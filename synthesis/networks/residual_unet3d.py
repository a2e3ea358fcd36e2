"""Residual 3-D U-Net of Calabrese 2021: T1 after contrast from eight sequences before it.

Calabrese et al., Radiol Artif Intell 2021;3:e200276. Rebuilt from the paper and from the layer
list of its released code; where the two differ both are presets. docs/algorithms/calabrese-unet.md
has the comparison. With base 32 and layers (3, 4, 5) the network has 835,505 trainable weights
for eight inputs and 835,295 for three, and 4,176 (resp. 4,166) running statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.networks.preset import Preset
from synthesis.networks.translation import TranslationConfig, at_rest, known_range
from synthesis.networks.u_shaped import UShaped3D

ALL_INPUTS = ("t1", "t2", "flair", "dwi", "swi", "asl", "fa", "md")
REDUCED_INPUTS = ("t1", "t2", "flair")

_SLOPE = 0.3
_BN_EPS = 1e-3
_DOWN = 2


@dataclass(frozen=True, kw_only=True)
class ResidualUNet3DConfig(TranslationConfig):
    """What a `ResidualUNet3D` is made of.

    Attributes
    ----------
    inputs : tuple of str
        In the order of the released code.
    base : int
        Channels at the first level, a multiple of 4; each level below doubles them.
    layers : tuple of int
        Residual blocks of each level, from fine to coarse.
    dropout : float
        Share of the values dropped after each block's last convolution, in training.
    bn_momentum : float
        Weight of a batch in the running statistics.
    tile : int or None
        Side of the cubes in which a large volume is computed; None takes it in one pass.
    context : int or None
        Voxels seen round a tile; None takes the receptive radius, and tiles then give exactly
        what one pass gives.
    """

    inputs: tuple[str, ...] = ALL_INPUTS
    base: int = 32
    layers: tuple[int, ...] = (3, 4, 5)
    dropout: float = 0.4
    bn_momentum: float = 0.01
    tile: int | None = None
    context: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers or min(self.layers) < 1:
            raise ValueError(f"layers must be numbers of blocks, at least 1, got {self.layers}")
        if self.base < 4 or self.base % 4:
            raise ValueError(f"base must be a multiple of 4, got {self.base}")
        if not 0.0 <= self.dropout < 1.0 or not 0.0 < self.bn_momentum <= 1.0:
            raise ValueError(
                f"dropout must lie in [0, 1) and bn_momentum in (0, 1], got {self.dropout} and "
                f"{self.bn_momentum}"
            )
        if self.tile is not None:
            known_range(self, tile=self.multiples[0])

    @property
    def inference(self) -> str:
        """Whole volumes in one pass, or in tiles."""
        return "volume" if self.tile is None else "tiles"

    @property
    def multiples(self) -> tuple[int, int, int]:
        """Each level below the first halves the size."""
        side = _DOWN ** (len(self.layers) - 1)
        return (side, side, side)

    @property
    def receptive_radius(self) -> int:
        """Voxels on either side on which an output voxel can depend.

        A block sees one voxel more of its level on either side. Going down and up again between
        two levels adds two voxels of the finer one.
        """
        fine = sum(2 * n * _DOWN**level for level, n in enumerate(self.layers[:-1]))
        coarsest = self.layers[-1] * self.multiples[0]
        steps = sum(_DOWN ** (level + 1) for level in range(len(self.layers) - 1))
        return fine + coarsest + steps


class BottleneckBlock(nn.Module):
    """x or its projection + conv1(conv3(conv1(x))), each convolution after BN and leaky ReLU.

    The middle convolution has a quarter of the channels (He 2016, arXiv 1603.05027).
    """

    def __init__(self, channels_in: int, channels: int, *, dropout: float, momentum: float) -> None:
        super().__init__()
        narrow = channels // 4
        self.first = _activated(channels_in, narrow, 1, momentum)
        self.middle = _activated(narrow, narrow, 3, momentum)
        self.last = _activated(narrow, channels, 1, momentum)
        self.dropout = nn.Dropout(dropout)
        same = channels_in == channels
        self.shortcut = nn.Identity() if same else nn.Conv3d(channels_in, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels_in, z, y, x) to (B, channels, z, y, x)."""
        h = self.dropout(self.last(self.middle(self.first(x))))
        added: Tensor = h + self.shortcut(x)
        return added


def _activated(channels_in: int, channels: int, kernel: int, momentum: float) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm3d(channels_in, eps=_BN_EPS, momentum=momentum),
        nn.LeakyReLU(_SLOPE),
        nn.Conv3d(channels_in, channels, kernel, padding=kernel // 2),
    )


class Down(nn.Module):
    """3x3x3 convolution with stride 2, doubling the channels; zeros are put after the image.

    Padding only after is what TensorFlow does at even sizes; it decides which voxels a coarse
    voxel lies over, and would have to be so for weights of the released code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, 2 * channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, z, y, x) to (B, 2 C, z/2, y/2, x/2)."""
        shrunk: Tensor = self.conv(F.pad(x, (0, 1, 0, 1, 0, 1)))
        return shrunk


class Up(nn.Module):
    """Transposed 3x3x3 convolution with stride 2, halving the channels; the adjoint of `Down`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(channels, channels // 2, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, z, y, x) to (B, C/2, 2 z, 2 y, 2 x)."""
        grown: Tensor = self.conv(x)[..., :-1, :-1, :-1]
        return grown


class ResidualUNet3D(UShaped3D):
    """Residual U-Net.

    Shapes, with C = base, levels i = 0 ... L-1 and n_i = layers[i]::

        x           (B, inputs, z, y, x)
        encoder i   (B, C 2^i, z/2^i, ...)      n_i blocks; no convolution before the first
        down i      (B, C 2^(i+1), z/2^(i+1))   3x3x3 stride 2, bare
        up i        (B, C 2^i, z/2^i, ...)      transposed 3x3x3 stride 2, bare
        decoder i   (B, C 2^i, z/2^i, ...)      concatenate [up, skip], n_i blocks
        head        (B, 1, z, y, x)             1x1x1, linear
    """

    config: ResidualUNet3DConfig

    def __init__(self, config: ResidualUNet3DConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.base * 2**level for level in range(len(config.layers))]
        entering = [len(config.inputs), *widths[1:]]
        self.encoder = nn.ModuleList(
            self._level(into, width, blocks)
            for into, width, blocks in zip(entering, widths, config.layers, strict=True)
        )
        self.down = nn.ModuleList(Down(width) for width in widths[:-1])
        self.up = nn.ModuleList(Up(width) for width in widths[1:])
        self.decoder = nn.ModuleList(
            self._level(2 * width, width, blocks)
            for width, blocks in zip(widths[:-1], config.layers[:-1], strict=True)
        )
        self.head = nn.Conv3d(config.base, 1, 1)
        self.apply(_glorot)
        at_rest(self.head, config)

    def _level(self, channels_in: int, channels: int, blocks: int) -> nn.Sequential:
        return nn.Sequential(
            *(
                BottleneckBlock(
                    channels_in if number == 0 else channels,
                    channels,
                    dropout=self.config.dropout,
                    momentum=self.config.bn_momentum,
                )
                for number in range(blocks)
            )
        )


def _glorot(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def build_residual_unet3d(config: ResidualUNet3DConfig) -> dict[str, nn.Module]:
    """Return the networks of the preset: one generator."""
    return {"generator": ResidualUNet3D(config)}


# 400 patients, nine of ten trained on, give about 32,000 patches an epoch and 25 epochs.
_PATCHES = 25 * 32_000
_TRAINING: dict[str, Any] = {
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup": 0.0,
    "clip_norm": 1e9,
    "ema_half_life": 1e-6,
    "validation_fraction": 0.1,
    "epsilon": 1e-7,
}
_PAPER: dict[str, Any] = {
    **_TRAINING,
    "batch": 16,
    "max_steps": _PATCHES // 16,
    "rotation": "three-axis",
    "swap_axes": True,
}


def _preset(name: str, summary: str, network: dict[str, Any], training: dict[str, Any]) -> Preset:
    return Preset(
        name=name,
        summary=summary,
        config=ResidualUNet3DConfig,
        build=build_residual_unet3d,
        objective="volume-regression",
        network=network,
        training=training,
    )


CALABRESE2021 = _preset(
    "calabrese2021-unet",
    "T1 after contrast from eight sequences; residual 3-D U-Net as the paper of Calabrese says",
    {"dropout": 0.4},
    _PAPER,
)
CALABRESE2021_CODE = _preset(
    "calabrese2021-unet-code",
    "The same with the settings of Calabrese's released code, which differ from the paper",
    {"dropout": 0.3},
    {
        **_TRAINING,
        "batch": 32,
        "max_steps": _PATCHES // 32,
        "rotation": "in-plane",
        "swap_axes": False,
        "region": "tumour",
    },
)
CALABRESE2021_REDUCED = _preset(
    "calabrese2021-unet-reduced",
    "T1 after contrast from T1, T2 and FLAIR; Calabrese's reduced model",
    {"inputs": REDUCED_INPUTS, "dropout": 0.4},
    _PAPER,
)

"""Residual U-Net on axial slices: predicts T1 after contrast from T1, T2 and FLAIR.

Shape of the thing follows Ronneberger 2015 (arXiv 1505.04597) with the residual blocks of He 2016
(arXiv 1603.05027). Three choices make it quick on two processor cores:

* ``patch`` folds p x p neighbouring pixels into channels before the first convolution and back
  after the last (Shi 2016, arXiv 1609.05158), so every convolution sees p^2 times fewer pixels;
* no normalisation layer: statistics over a crop and over a whole slice differ, and they cost up
  to a fifth of a step. Each block starts as the identity instead (its last convolution is zero);
* the network predicts what contrast agent *adds*: ``t1c = t1 + f(t1, t2, flair)``, with f zero
  at the start, so that training begins at the do-nothing prediction and can only leave it for
  something better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.networks.preset import Preset


@dataclass(frozen=True, kw_only=True)
class UNet2DConfig:
    """What a `UNet2D` is made of.

    Attributes
    ----------
    inputs : tuple of str
        Sequences, in the order of the channels.
    target : str
        Sequence predicted.
    residual_to : str or None
        Input to which the output is added; None predicts the target outright.
    neighbours : int
        Slices on either side given as further channels (0: plain 2-D, 1: 2.5-D with three).
    width : int
        Channels at the first level; each level below doubles them.
    levels : int
        Resolutions, at least 1.
    patch : int
        Side of the square of pixels folded into channels; 1 folds nothing.
    """

    inference: ClassVar[str] = "slices"

    inputs: tuple[str, ...] = ("t1", "t2", "flair")
    target: str = "t1c"
    residual_to: str | None = "t1"
    neighbours: int = 0
    width: int = 24
    levels: int = 4
    patch: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        if len(set(self.inputs)) != len(self.inputs) or not self.inputs:
            raise ValueError(f"inputs must be distinct sequences, got {self.inputs}")
        if self.target in self.inputs:
            raise ValueError(f"target {self.target!r} is also an input: nothing to predict")
        if self.residual_to is not None and self.residual_to not in self.inputs:
            raise ValueError(f"residual_to {self.residual_to!r} is not one of inputs {self.inputs}")
        for name, lowest in (("neighbours", 0), ("width", 1), ("levels", 1), ("patch", 1)):
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} must be at least {lowest}, got {getattr(self, name)}")

    @property
    def sequences(self) -> tuple[str, ...]:
        """Sequences a training subject must have."""
        return (*self.inputs, self.target)

    @property
    def mask_from(self) -> tuple[str, ...]:
        """Sequences whose non-zero voxels are the brain: those known when the network is used."""
        return self.inputs

    @property
    def channels_in(self) -> int:
        """Channels of the network's input: roles x slices."""
        return len(self.inputs) * (2 * self.neighbours + 1)

    @property
    def multiple(self) -> int:
        """Height and width of the input must be multiples of this."""
        return int(self.patch * 2 ** (self.levels - 1))

    def channel_of(self, role: str) -> int:
        """Return the channel of the middle slice of an input."""
        return self.inputs.index(role) * (2 * self.neighbours + 1) + self.neighbours


class ResidualBlock(nn.Module):
    """h + conv(silu(conv(silu(h)))), the second convolution zero at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, h: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return h + self.second(F.silu(self.first(F.silu(h))))


class UNet2D(nn.Module):
    """Residual U-Net.

    Shapes, with p = patch, C = width, L = levels, h = H/p, w = W/p::

        x       (B, channels_in, H, W)
        fold    (B, channels_in p^2, h, w)         pixel unshuffle
        stem    (B, C, h, w)                       3x3
        level i (B, C 2^i, h/2^i, w/2^i)           block; down: 2x2 stride 2
        up i    1x1 to C 2^i, nearest x2, concatenate skip, 1x1 to C 2^i, block
        head    (B, p^2, h, w)                     3x3, zero at the start
        unfold  (B, 1, H, W)                       pixel shuffle
        out     x[residual channel] + unfold
    """

    def __init__(self, config: UNet2DConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(config.levels)]
        steps = list(pairwise(widths))
        folded = config.patch**2
        self.stem = nn.Conv2d(config.channels_in * folded, config.width, 3, padding=1)
        self.encoder = nn.ModuleList(ResidualBlock(c) for c in widths)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in steps)
        self.merge = nn.ModuleList(nn.Conv2d(2 * fine, fine, 1) for fine, _ in steps)
        self.decoder = nn.ModuleList(ResidualBlock(fine) for fine, _ in steps)
        self.head = nn.Conv2d(config.width, folded, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Predict the middle slice.

        Parameters
        ----------
        x : Tensor (B, channels_in, H, W)
            z-scores; H and W multiples of ``config.multiple``.

        Returns
        -------
        Tensor (B, 1, H, W)
            z-scores of the target.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        self._check(x.shape)
        h = self.stem(F.pixel_unshuffle(x, self.config.patch))
        h = self._decode(*self._encode(h))
        added = F.pixel_shuffle(self.head(F.silu(h)), self.config.patch)
        if self.config.residual_to is None:
            return added
        channel = self.config.channel_of(self.config.residual_to)
        return x[:, channel : channel + 1] + added

    def _encode(self, h: Tensor) -> tuple[Tensor, list[Tensor]]:
        skips = []
        for block, down in zip(self.encoder, self.down, strict=False):
            h = block(h)
            skips.append(h)
            h = down(h)
        return self.encoder[-1](h), skips

    def _decode(self, h: Tensor, skips: Sequence[Tensor]) -> Tensor:
        for level in reversed(range(len(skips))):
            h = F.interpolate(self.up[level](h), scale_factor=2.0, mode="nearest")
            h = self.merge[level](torch.cat([h, skips[level]], dim=1))
            h = self.decoder[level](h)
        return h

    def _check(self, shape: torch.Size) -> None:
        multiple = self.config.multiple
        fits = len(shape) == 4 and shape[1] == self.config.channels_in
        if not fits or shape[2] % multiple or shape[3] % multiple:
            raise ValueError(
                f"expected (batch, {self.config.channels_in}, height, width) with height and "
                f"width multiples of {multiple}, got {tuple(shape)}"
            )


def build_unet2d(config: UNet2DConfig) -> dict[str, nn.Module]:
    """Return the networks of the preset: one generator."""
    return {"generator": UNet2D(config)}


UNET2D_T1C = Preset(
    name="unet2d-t1c",
    summary="T1 after contrast from T1, T2 and FLAIR; axial slices, trains in minutes on a CPU",
    config=UNet2DConfig,
    build=build_unet2d,
    objective="regression",
)

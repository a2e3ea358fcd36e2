"""StyleGAN2 (Karras 2020, arXiv 1912.04958) for co-registered sequences, as used by Park 2021.

With R = size, c(r) = min(capacity / r, 512) channels at side r, capacity 32768 (full) or 16384
(half)::

    mapping    z / rms(z) -> 8 dense layers of 512, learning rate x 0.01 -> w (B, 512)
    synthesis  constant (c(4), 4, 4); at 4 one styled convolution, at r = 8 ... R two: the first
               doubles the side; each: modulated 3x3, + strength * noise, + bias, activation
               image(r) = double(image(r/2)) + toRGB(r), a modulated 1x1 without demodulation
    D          fromRGB 1x1; per side r = R ... 8: 3x3, 3x3 halving, plus halved 1x1, sum / sqrt(2);
               at 4: minibatch deviation, 3x3, dense 16 c(4) -> c(4), dense -> logit

The two layers of a side and its toRGB take w number 2j, 2j + 1 and 2j + 2 as in the paper: side 4
has w0 and toRGB w1, side 8 w1, w2 and toRGB w3 and so on: ``2 log2(R) - 2`` of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from synthesis.networks.images import ImageConfig, ImageGenerator
from synthesis.networks.preset import Preset
from synthesis.networks.stylegan2_layers import (
    Conv,
    Dense,
    ModulatedConv,
    activate,
    double,
    minibatch_deviation,
)

CAPACITY = {"full": 32768, "half": 16384}


@dataclass(frozen=True, kw_only=True)
class StyleGan2Config(ImageConfig):
    """Settings of StyleGAN2.

    Attributes
    ----------
    capacity : {"full", "half"}
        Config F of Karras 2020, or half its channels at the finer sides.
    widest : int
        Channels at most.
    mapping_layers : int
    group : int
        Images whose spread the discriminator sees together.
    """

    roles: tuple[str, ...] = ("t1c", "flair")
    size: int = 256
    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    latent: int = 512
    capacity: Literal["full", "half"] = "full"
    widest: int = 512
    mapping_layers: int = 8
    group: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.capacity not in CAPACITY:
            raise ValueError(f"capacity must be full or half, got {self.capacity!r}")
        for name in ("widest", "mapping_layers", "group"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def width(self, side: int) -> int:
        """Return the channels at a side."""
        return min(CAPACITY[self.capacity] // side, self.widest)

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the feature maps, from 4 to the image's."""
        return tuple(2**n for n in range(2, self.size.bit_length()))

    @property
    def styles(self) -> int:
        """Vectors w that the synthesis takes."""
        return 2 * len(self.sides)


class Mapping(nn.Module):
    """z to w."""

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__()
        n = config.latent
        self.layers = nn.Sequential(
            *(Dense(n, n, active=True, multiplier=0.01) for _ in range(config.mapping_layers))
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map (B, latent) to (B, latent), in float32."""
        with torch.autocast(z.device.type, enabled=False):
            w: Tensor = self.layers(z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8))
        return w


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, noise, bias, activation."""

    def __init__(self, fan_in: int, fan_out: int, *, style: int, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(fan_in, fan_out, 3, style=style, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(fan_out))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Map features (B, I, H, W), style (B, style) and noise (B, 1, H, W) to features."""
        y = self.conv(x, w) + self.strength * noise
        return activate(y + self.bias[:, None, None])


class ToImage(nn.Module):
    """The paper's toRGB: modulated 1x1 convolution without demodulation."""

    def __init__(self, fan_in: int, channels: int, *, style: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(fan_in, channels, 1, style=style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map features (B, I, H, W) to an image (B, channels, H, W), in float32."""
        return self.conv(x, w).float() + self.bias[:, None, None]


class Synthesis(nn.Module):
    """w and noise to an image."""

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__()
        self.config = config
        style = config.latent
        self.constant = nn.Parameter(torch.randn(config.width(4), 4, 4))
        self.convs = nn.ModuleList([self._conv(4, 4, up=False)])
        self.images = nn.ModuleList([ToImage(config.width(4), config.channels, style=style)])
        for side in config.sides[1:]:
            self.convs.append(self._conv(side // 2, side, up=True))
            self.convs.append(self._conv(side, side, up=False))
            self.images.append(ToImage(config.width(side), config.channels, style=style))

    def _conv(self, side_in: int, side_out: int, *, up: bool) -> StyledConv:
        config = self.config
        return StyledConv(config.width(side_in), config.width(side_out), style=config.latent, up=up)

    def forward(self, ws: Tensor, noise: Tensor) -> Tensor:
        """Make images.

        Parameters
        ----------
        ws : Tensor (B, styles, latent)
        noise : Tensor (B, noise_size(config))

        Returns
        -------
        Tensor (B, channels, size, size)
        """
        maps = self._noise_maps(noise)
        x = self.constant.expand(len(ws), -1, -1, -1)
        x = self.convs[0](x, ws[:, 0], maps[0])
        image = self.images[0](x, ws[:, 1])
        for level in range(1, len(self.images)):
            first = 2 * level - 1
            x = self.convs[first](x, ws[:, first], maps[first])
            x = self.convs[first + 1](x, ws[:, first + 1], maps[first + 1])
            image = double(image) + self.images[level](x, ws[:, first + 2])
        return image

    def _noise_maps(self, noise: Tensor) -> list[Tensor]:
        sides = noise_sides(self.config)
        parts = torch.split(noise, [side**2 for side in sides], dim=1)
        return [part.reshape(-1, 1, side, side) for part, side in zip(parts, sides, strict=True)]


def noise_sides(config: StyleGan2Config) -> list[int]:
    """Return the side of the noise of each styled convolution."""
    return [4] + [side for side in config.sides[1:] for _ in range(2)]


class StyleGan2Generator(ImageGenerator):
    """Mapping, truncation and synthesis.

    ``mean_style`` (latent,) is a running mean of w over training, towards which truncation pulls:
    ``w' = mean + truncation (w - mean)``.
    """

    mean_style: Tensor

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__(config)
        self.config = config
        self.mapping = Mapping(config)
        self.synthesis = Synthesis(config)
        self.register_buffer("mean_style", torch.zeros(config.latent))

    def styles(self, z: Tensor, other: Tensor | None = None, cut: Tensor | None = None) -> Tensor:
        """Return the w of every layer, mixed from two latents if asked.

        Parameters
        ----------
        z, other : Tensor (B, latent)
        cut : Tensor (B,) of integers, optional
            Layers from this number on take their style from ``other``. A tensor, so that a
            compiled step does not depend on its value.

        Returns
        -------
        Tensor (B, styles, latent)
        """
        layers = self.config.styles
        ws = self.mapping(z)[:, None].expand(-1, layers, -1)
        if other is None or cut is None:
            return ws
        late = torch.arange(layers, device=z.device)[None] >= cut[:, None]
        return torch.where(late[:, :, None], self.mapping(other)[:, None], ws)

    def forward(self, ws: Tensor, noise: Tensor) -> Tensor:
        """Make images from the styles of the layers; see `Synthesis.forward`."""
        image: Tensor = self.synthesis(ws, noise)
        return image

    def draw_latent(self, rng: torch.Generator, count: int) -> Tensor:
        """Draw from N(0, 1)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    def draw_noise(self, rng: torch.Generator, count: int) -> Tensor:
        """Draw the noise of all layers from N(0, 1)."""
        size = sum(side**2 for side in noise_sides(self.config))
        return torch.randn(count, size, generator=rng, device=rng.device)

    def render(self, latent: Tensor, noise: Tensor, *, truncation: float) -> Tensor:
        """Make images; see `ImageGenerator.render`."""
        return self(self.truncated(self.styles(latent), truncation), noise)

    def truncated(self, ws: Tensor, truncation: float) -> Tensor:
        """Pull styles towards their mean."""
        return ws if truncation == 1.0 else torch.lerp(self.mean_style, ws, truncation)


class ResidualBlock(nn.Module):
    """One side of the discriminator, (B, I, H, W) to (B, O, H/2, W/2)."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.first = Conv(fan_in, fan_in, 3)
        self.second = Conv(fan_in, fan_out, 3, down=True)
        self.skip = Conv(fan_in, fan_out, 1, down=True, active=False)

    def forward(self, x: Tensor) -> Tensor:
        """Halve the image."""
        inner: Tensor = self.second(self.first(x))
        return (inner + self.skip(x)) / math.sqrt(2.0)


class StyleGan2Discriminator(nn.Module):
    """D of the drawing above; `blocks` runs from the image's side to 8."""

    def __init__(self, config: StyleGan2Config) -> None:
        super().__init__()
        self.config = config
        self.from_image = Conv(config.channels, config.width(config.size), 1)
        self.blocks = nn.ModuleList(
            ResidualBlock(config.width(side), config.width(side // 2))
            for side in reversed(config.sides[1:])
        )
        last = config.width(4)
        self.conv = Conv(last + 1, last, 3)
        self.dense = Dense(16 * last, last, active=True)
        self.out = Dense(last, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, channels, size, size) to logits (B,), large for real."""
        x = self.from_image(image)
        for block in self.blocks:
            x = block(x)
        x = self.conv(minibatch_deviation(x, group=self.config.group)).flatten(1)
        logit: Tensor = self.out(self.dense(x.float()))
        return logit.flatten()


def build_stylegan2(config: StyleGan2Config) -> dict[str, nn.Module]:
    """Return generator and discriminator."""
    return {
        "generator": StyleGan2Generator(config),
        "discriminator": StyleGan2Discriminator(config),
    }


def _park(suffix: str, summary: str, **network: Any) -> Preset:
    return Preset(
        name=f"park2021-stylegan2{suffix}",
        summary=f"StyleGAN2 of Park 2021: T1 after contrast with FLAIR, 256 x 256; {summary}",
        config=StyleGan2Config,
        build=build_stylegan2,
        objective="stylegan2",
        network=network,
        training={
            "batch": 32,
            "learning_rate": 2e-3,
            "schedule": "constant",
            "warmup": 0.0,
            "clip_norm": 1e9,
            "ema_half_life": 10_000 / 32,
            "max_steps": 125_000,
            "validation_fraction": 0.1,
            "report_every": 50,
            "checkpoint_every": 500,
            "snapshots": True,
            "validations": 25,
        },
    )


PARK2021 = (
    _park("", "two channels, full capacity"),
    _park("-half", "two channels, half capacity", capacity="half"),
    _park("-as-published", "full capacity, an empty third channel", empty_channels=1),
)

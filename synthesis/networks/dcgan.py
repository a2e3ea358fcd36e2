"""DCGAN and the networks of WGAN, as in Han 2018 (10.1109/ISBI.2018.8363678).

Han takes the architecture of Radford 2016 (arXiv 1511.06434) with 4x4 filters everywhere, no tanh
at the end of the generator, ELU in the discriminator and half the channels; WGAN (Arjovsky 2017)
has the same two networks, its critic without the sigmoid. For a size of 2^n, w = width, nc =
channels, and m = n - 3 doublings::

    G   z (B, latent) ~ U(-1, 1)                                          (B, latent, 1, 1)
        up 4x4 from 1 to 4           convT(latent -> w 2^m), BN, ReLU      (B, w 2^m, 4, 4)
        m times                      convT(c -> c/2, stride 2), BN, ReLU   (B, w, size/2, size/2)
        last                         convT(w -> nc, stride 2)              (B, nc, size, size)
    D   first                        conv(nc -> w, stride 2), ELU          (B, w, size/2, size/2)
        m times                      conv(c -> 2c, stride 2), BN, ELU      (B, w 2^m, 4, 4)
        last                         conv(w 2^m -> 1, 4x4)                 (B,) logit or value

No convolution has a bias: batch normalisation follows, or a bias would add little at the ends.
Weights start as N(0, 0.02), scales of BN as N(1, 0.02), as in Radford 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from synthesis.networks.images import ImageConfig, ImageGenerator
from synthesis.networks.preset import Preset

HAN_WIDTH, RADFORD_WIDTH = 32, 64
HAN_FIRST, HAN_LAST = 80 / 240, 150 / 240
_SEQUENCES = ("t1", "t1c", "t2", "flair")


@dataclass(frozen=True, kw_only=True)
class DcganConfig(ImageConfig):
    """Settings of DCGAN and of WGAN.

    Attributes
    ----------
    width : int
        Channels next to the image: 32 in Han 2018 (half), 64 in Radford 2016.
    tanh : bool
        End the generator with tanh (Radford), or without (Han).
    critic_activation : {"elu", "leaky_relu"}
        Of the discriminator or critic: Han, or Radford (slope 0.2).
    critic_norm : {"batch", "instance", "none"}
        Normalisation in it. A gradient penalty needs "instance" or "none": with "batch" the value
        of an image depends on the other images of the batch.
    """

    width: int = HAN_WIDTH
    tanh: bool = False
    critic_activation: Literal["elu", "leaky_relu"] = "elu"
    critic_norm: Literal["batch", "instance", "none"] = "batch"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")
        if self.critic_activation not in ("elu", "leaky_relu"):
            raise ValueError(f"critic_activation must be elu or leaky_relu, not {self!r}")
        if self.critic_norm not in ("batch", "instance", "none"):
            raise ValueError(f"critic_norm must be batch, instance or none, not {self!r}")

    @property
    def doublings(self) -> int:
        """Resolutions between 4 and half the size: m in the drawing."""
        return self.size.bit_length() - 4


class DcganGenerator(ImageGenerator):
    """G of the drawing above."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        self.config = config
        widest = config.width * 2**config.doublings
        layers: list[nn.Module] = [_grow(config.latent, widest, stride=1, padding=0)]
        for level in range(config.doublings):
            layers.append(_grow(widest >> level, widest >> level + 1, stride=2, padding=1))
        layers.append(_up(config.width, config.channels, stride=2, padding=1))
        self.layers = nn.Sequential(*layers)
        self.apply(radford_start)

    def forward(self, latent: Tensor) -> Tensor:
        """Map (B, latent) to (B, channels, size, size)."""
        image: Tensor = self.layers(latent[:, :, None, None])
        return torch.tanh(image) if self.config.tanh else image

    def draw_latent(self, rng: torch.Generator, count: int) -> Tensor:
        """Draw from U(-1, 1)."""
        return 2 * torch.rand(count, self.config.latent, generator=rng, device=rng.device) - 1

    def draw_noise(self, rng: torch.Generator, count: int) -> Tensor:
        """Return no numbers: the latent says all."""
        return torch.zeros(count, 0, device=rng.device)

    def between(self, one: Tensor, other: Tensor, share: float) -> Tensor:
        """Return a latent on the straight line, which stays within the prior."""
        return torch.lerp(one, other, share)

    def render(self, latent: Tensor, noise: Tensor, *, truncation: float) -> Tensor:
        """Make images; see `ImageGenerator.render`."""
        del noise
        if truncation != 1.0:
            raise ValueError("DCGAN and WGAN have no truncation: ask for truncation 1.")
        return self(latent)


class DcganCritic(nn.Module):
    """D of the drawing above: logits of a discriminator, or values of a critic."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = [
            _down(config.channels, config.width),
            _activation(config.critic_activation),
        ]
        for level in range(config.doublings):
            fan_in, fan_out = config.width << level, config.width << level + 1
            layers += [_down(fan_in, fan_out), *_norm(config.critic_norm, fan_out)]
            layers.append(_activation(config.critic_activation))
        widest = config.width << config.doublings
        layers.append(nn.Conv2d(widest, 1, 4, bias=False))
        self.layers = nn.Sequential(*layers)
        self.apply(radford_start)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, channels, size, size) to (B,)."""
        value: Tensor = self.layers(image)
        return value.flatten()


def _up(fan_in: int, fan_out: int, *, stride: int, padding: int) -> nn.Module:
    return nn.ConvTranspose2d(fan_in, fan_out, 4, stride=stride, padding=padding, bias=False)


def _grow(fan_in: int, fan_out: int, *, stride: int, padding: int) -> nn.Module:
    up = _up(fan_in, fan_out, stride=stride, padding=padding)
    return nn.Sequential(up, nn.BatchNorm2d(fan_out), nn.ReLU(inplace=True))


def _down(fan_in: int, fan_out: int) -> nn.Module:
    return nn.Conv2d(fan_in, fan_out, 4, stride=2, padding=1, bias=False)


def _norm(kind: str, channels: int) -> list[nn.Module]:
    if kind == "batch":
        return [nn.BatchNorm2d(channels)]
    return [nn.InstanceNorm2d(channels, affine=True)] if kind == "instance" else []


def _activation(kind: str) -> nn.Module:
    return nn.ELU() if kind == "elu" else nn.LeakyReLU(0.2)


def radford_start(module: nn.Module) -> None:
    """Give a layer its first weights: N(0, 0.02) for convolutions, N(1, 0.02) for scales."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def build_dcgan(config: DcganConfig) -> dict[str, nn.Module]:
    """Return generator and discriminator (or critic)."""
    return {"generator": DcganGenerator(config), "discriminator": DcganCritic(config)}


def _han(objective: str, roles: tuple[str, ...], size: int, rate: float) -> Preset:
    data = "concat" if len(roles) > 1 else roles[0]
    network: dict[str, Any] = {"roles": roles, "pooled": len(roles) > 1, "size": size}
    what = "any of four sequences" if len(roles) > 1 else roles[0].upper().replace("T1C", "T1c")
    return Preset(
        name=f"han2018-{objective}-{data}-{size}",
        summary=f"{objective.upper()} of Han 2018: sagittal slices, {what}, {size} x {size}",
        config=DcganConfig,
        build=build_dcgan,
        objective=objective,
        network=network,
        training=_training(rate),
    )


def _training(rate: float) -> dict[str, Any]:
    """Settings of the run: constant rate, no clipping of gradients, no average of weights."""
    return {
        "batch": 64,
        "learning_rate": rate,
        "schedule": "constant",
        "warmup": 0.0,
        "clip_norm": 1e9,
        "ema_half_life": 1e-3,
        "max_steps": 24_000,
        "validation_fraction": 0.1,
        "first": HAN_FIRST,
        "last": HAN_LAST,
        "fit": "stretch",
        "report_every": 50,
        "checkpoint_every": 1000,
        "snapshots": True,
        "validations": 12,
    }


_DATA_SETS = [((role,), 128) for role in _SEQUENCES] + [(_SEQUENCES, 128), (_SEQUENCES, 64)]
HAN2018 = tuple(
    _han(objective, roles, size, rate)
    for objective, rate in (("dcgan", 2e-4), ("wgan", 5e-5))
    for roles, size in _DATA_SETS
)

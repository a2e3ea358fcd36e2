"""What the generators of single images have in common: their settings and how they are sampled.

Such a generator makes an image from random numbers alone. Its image is a slice in the orientation
in which it is looked at (row 0 at the top), values -1 (background) to 1 (white), one channel per
sequence, or one channel for all sequences together where they were pooled ("Concat" of Han 2018).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

Plane = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
POOLED_ROLE = "other"
BACKGROUND = -1.0


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """Settings that every generator of single images has.

    Attributes
    ----------
    roles : tuple of str
        Sequences of the training subjects.
    pooled : bool
        True: slices of all sequences are one data set of one channel. False: a channel each.
    empty_channels : int
        Further channels that are background everywhere, as in Park 2021 (a third, null one).
    size : int
        Height and width of the image, a power of two from 8.
    plane : {"axial", "coronal", "sagittal"}
        Plane of the slices.
    latent : int
        Random numbers per image.
    """

    inference: ClassVar[str] = "samples"

    roles: tuple[str, ...] = ("t1",)
    pooled: bool = False
    empty_channels: int = 0
    size: int = 128
    plane: Plane = "sagittal"
    latent: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(self.roles))
        if not self.roles or len(set(self.roles)) != len(self.roles):
            raise ValueError(f"roles must be distinct sequences, got {self.roles}")
        if self.size < 8 or self.size & (self.size - 1):
            raise ValueError(f"size must be a power of two from 8, got {self.size}")
        if self.plane not in PLANES:
            raise ValueError(f"plane must be {', '.join(PLANES)}, got {self.plane!r}")
        if self.latent < 1 or self.empty_channels < 0:
            raise ValueError("latent must be at least 1, empty_channels at least 0")

    @property
    def channels(self) -> int:
        """Channels of the image."""
        return (1 if self.pooled else len(self.roles)) + self.empty_channels

    @property
    def outputs(self) -> tuple[str, ...]:
        """Sequence of each channel that is kept; a pooled image is of no one sequence."""
        return (POOLED_ROLE,) if self.pooled else self.roles

    @property
    def sequences(self) -> tuple[str, ...]:
        """Sequences a training subject must have."""
        return self.roles

    @property
    def mask_from(self) -> tuple[str, ...]:
        """Sequences whose non-zero voxels are the brain."""
        return self.roles


class ImageGenerator(nn.Module, ABC):
    """A network that makes images from random numbers.

    The buffer ``pixel_mm`` (2,) holds the height and width of a pixel in millimetres. Training
    sets it from the slices it saw, and it travels with the weights.
    """

    pixel_mm: Tensor

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.settings = config
        self.register_buffer("pixel_mm", torch.ones(2))

    @abstractmethod
    def draw_latent(self, rng: torch.Generator, count: int) -> Tensor:
        """Draw ``count`` latent vectors (count, latent) from the prior, on the device of rng."""

    @abstractmethod
    def draw_noise(self, rng: torch.Generator, count: int) -> Tensor:
        """Draw what varies beside the latent, (count, n) on the device of rng; n may be 0."""

    @abstractmethod
    def render(self, latent: Tensor, noise: Tensor, *, truncation: float) -> Tensor:
        """Make images (B, channels, size, size), each from its own row alone.

        Parameters
        ----------
        latent, noise : Tensor (B, ...)
        truncation : float
            Pull towards the mean image, 1 for none.

        Raises
        ------
        ValueError
            If the network has no truncation and one is asked for.
        """

    def between(self, one: Tensor, other: Tensor, share: float) -> Tensor:
        """Return the latent (latent,) at ``share`` of the way from one to another.

        Along the great circle, as a normal prior has nearly all latents at one distance from 0.
        """
        angle = torch.arccos((one @ other / (one.norm() * other.norm())).clamp(-1, 1))
        if angle < 1e-4:
            return torch.lerp(one, other, share)
        ahead, behind = torch.sin((1 - share) * angle), torch.sin(share * angle)
        return (ahead * one + behind * other) / torch.sin(angle)


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(p.numel() for p in network.parameters())

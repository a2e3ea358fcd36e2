"""Augmentation before the discriminator, for MR slices, with a probability that adapts.

After Karras 2020b (ADA, arXiv 2006.06676): real and generated images pass through the same random
transforms, each used with probability p, and p is steered so that the discriminator does not learn
the few real images by heart. The transforms are those that leave an MR slice an MR slice: small
turns, zooms and shifts, brightness, contrast and gamma of each sequence by itself, noise, and, if
asked, left and right swapped. There is no turn by 90 degrees, no hue and no inversion.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.training import parallel

MAX_TURN = math.radians(15.0)
ZOOM_OCTAVES, MAX_SHIFT = 0.1, 0.05
BRIGHTNESS, CONTRAST_OCTAVES, GAMMA_OCTAVES, MAX_NOISE = 0.1, 0.3, 0.3, 0.05
_DARKEST = 1e-3


def augment(images: Tensor, probability: Tensor, rng: torch.Generator, *, mirror: bool) -> Tensor:
    """Return images after random transforms, each used with ``probability``.

    Parameters
    ----------
    images : Tensor (B, C, H, W)
        -1 background to 1 white.
    probability : Tensor ()
    rng : torch.Generator
        On the device of the images.
    mirror : bool
        Also swap left and right.

    Returns
    -------
    Tensor (B, C, H, W)
        Differentiable once with respect to the images.
    """
    draw = _Draw(rng, probability, images)
    moved = _move(images, draw, mirror=mirror)
    return draw.noise(_shade(moved, draw))


class _Draw:
    """Random numbers that are 0 where the transform is not used."""

    def __init__(self, rng: torch.Generator, probability: Tensor, images: Tensor) -> None:
        self.rng, self.probability, self.images = rng, probability, images
        self.whole, self.channels = len(images) * parallel.size(), images.shape[1]
        self.mine = parallel.share(self.whole)

    def uniform(self, *shape: int) -> Tensor:
        """Draw from U(-1, 1), or 0, for each image."""
        return (2 * self._rand(shape) - 1) * self.used(*shape)

    def normal(self, *shape: int) -> Tensor:
        """Draw from N(0, 1), or 0, for each image."""
        return self._randn(shape) * self.used(*shape)

    def used(self, *shape: int) -> Tensor:
        """Draw 1 with the probability of a transform, else 0, for each image."""
        return (self._rand(shape) < self.probability).float()

    def noise(self, images: Tensor) -> Tensor:
        """Add noise of a random level."""
        level = MAX_NOISE * self.normal(1, 1, 1).abs()
        return images + level * self._randn(images.shape[1:])

    def _rand(self, shape: tuple[int, ...]) -> Tensor:
        whole = (self.whole, *shape)
        return torch.rand(whole, generator=self.rng, device=self.rng.device)[self.mine]

    def _randn(self, shape: tuple[int, ...]) -> Tensor:
        whole = (self.whole, *shape)
        return torch.randn(whole, generator=self.rng, device=self.rng.device)[self.mine]


def _move(images: Tensor, draw: _Draw, *, mirror: bool) -> Tensor:
    """Turn, zoom, shift and mirror; what comes in from outside is background."""
    turn = MAX_TURN * draw.uniform()
    zoom = torch.exp2(ZOOM_OCTAVES * draw.normal())
    shift = 2 * MAX_SHIFT * draw.uniform(2)
    flip = 1 - 2 * (draw.used() * (draw.normal() > 0)) if mirror else 1.0
    cosine, sine = zoom * torch.cos(turn), zoom * torch.sin(turn)
    rows = [
        torch.stack([flip * cosine, -sine, shift[:, 0]], dim=1),
        torch.stack([flip * sine, cosine, shift[:, 1]], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    moved = F.grid_sample(images.float() + 1, grid, mode="bilinear", align_corners=False)
    return moved - 1


def _shade(images: Tensor, draw: _Draw) -> Tensor:
    """Change brightness, contrast and gamma of each channel by itself."""
    shape = (draw.channels, 1, 1)
    level = (images + 1) / 2
    positive = level.clamp(min=_DARKEST)
    gamma = torch.exp2(GAMMA_OCTAVES * draw.normal(*shape))
    curved = positive**gamma + (level - positive)
    contrast = torch.exp2(CONTRAST_OCTAVES * draw.normal(*shape))
    return (2 * curved - 1) * contrast + BRIGHTNESS * draw.normal(*shape)


class AdaptiveProbability:
    """Steers p so that the mean sign of the discriminator at real images stays at a target.

    Every ``every`` steps: ``p <- clip(p + sign(r - target) every batch / (1000 speed), 0, 1)``, r
    the mean of sign(D(real)) since the last change. r is near 1 where D knows the real images and
    0 where it does not.

    Attributes
    ----------
    value : Tensor ()
        p; a tensor, so that no step waits for its value.
    """

    def __init__(
        self, start: float, *, target: float, speed: float, every: int, device: torch.device
    ) -> None:
        self.target, self.speed, self.every = target, speed, every
        self.value = torch.tensor(start, device=device)
        self.signs = torch.zeros((), device=device)
        self.images = torch.zeros((), device=device)

    @torch.no_grad()
    def see(self, real: Tensor, step: int) -> None:
        """Take in the logits of the real images of step number ``step`` (from 0)."""
        self.signs += parallel.total(real.float().sign().sum())
        self.images += real.numel() * parallel.size()
        if (step + 1) % self.every == 0:
            direction = (self.signs / self.images - self.target).sign()
            self.value.add_(direction * self.images / (1000 * self.speed)).clamp_(0.0, 1.0)
            self.signs.zero_()
            self.images.zero_()

    def state(self) -> dict[str, Tensor]:
        """Return p and what was counted since its last change."""
        return {"value": self.value, "signs": self.signs, "images": self.images}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to a `state`."""
        for name, value in state.items():
            getattr(self, name).copy_(value)

"""A small encoder of the study's own images: features without anybody else's weights.

Trained to tell that two altered views of one slice belong together and those of other slices do
not (SimCLR, Chen 2020). Its features know the anatomy and contrast of these images; a distance
made from them compares generators of one study, never numbers of different studies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.metrics.paired import UndefinedMetricError

SIDE, DIMENSION = 64, 128
FEWEST = 16
Progress = Callable[[int, int, float], None]


class Encoder(nn.Module):
    """Four strided stages, mean over the map.

    Shapes: (B, 1, 64, 64) to (B, 32, 32, 32), (B, 64, 16, 16), (B, 96, 8, 8), (B, 128, 4, 4),
    (B, 128).
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 32, 64, 96, DIMENSION)
        stages: list[nn.Module] = []
        for channels, out in pairwise(widths):
            stages += [
                nn.Conv2d(channels, out, 3, 2, 1), nn.GroupNorm(8, out), nn.SiLU(),
                nn.Conv2d(out, out, 3, 1, 1), nn.GroupNorm(8, out), nn.SiLU(),
            ]  # fmt: skip
        self.stages = nn.Sequential(*stages)
        self.dimension = DIMENSION

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 1, H, W) to (B, 128)."""
        features: Tensor = self.stages(x).mean(dim=(2, 3))
        return features


@dataclass(frozen=True)
class EncoderSettings:
    """How the encoder is trained."""

    steps: int = 400
    batch: int = 64
    rate: float = 1e-3
    temperature: float = 0.2
    seed: int = 0


def train_encoder(
    images: npt.NDArray[np.float32],
    settings: EncoderSettings = EncoderSettings(),
    *,
    progress: Progress | None = None,
) -> tuple[Encoder, float]:
    """Train on real slices; return the encoder and its mean loss over the last tenth.

    Parameters
    ----------
    images : float32 ndarray (n, y, x)
        In [0, 1], real ones that trained the generator; never synthetic or held-out ones.
    settings : EncoderSettings
    progress : callable, optional
        Called with (step, of, loss).

    Raises
    ------
    UndefinedMetricError
        With fewer than 16 images.
    """
    if len(images) < FEWEST:
        raise UndefinedMetricError(f"{len(images)} images are too few to learn from; give {FEWEST}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        encoder, head = (
            Encoder(),
            nn.Sequential(nn.Linear(DIMENSION, DIMENSION), nn.SiLU(), nn.Linear(DIMENSION, 64)),
        )
    draw = torch.Generator().manual_seed(settings.seed)
    stack = resized(torch.from_numpy(np.ascontiguousarray(images))[:, None], SIDE)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=settings.rate)
    batch, losses = min(settings.batch, len(stack)), []
    for step in range(settings.steps):
        rows = torch.randperm(len(stack), generator=draw)[:batch]
        views = torch.cat([altered(stack[rows], draw) for _ in range(2)])
        loss = contrast_loss(head(encoder(views)), settings.temperature)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
        if progress:
            progress(step + 1, settings.steps, losses[-1])
    return encoder.eval(), float(np.mean(losses[-max(1, settings.steps // 10) :]))


def resized(images: Tensor, side: int) -> Tensor:
    """Bring (B, C, H, W) to side x side, bilinear with blur before taking fewer pixels."""
    if images.shape[-2:] == (side, side):
        return images
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True)


def altered(images: Tensor, draw: torch.Generator) -> Tensor:
    """Cut, mirror, brighten and blur each image (B, 1, S, S) at random."""
    count, side = len(images), images.shape[-1]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=draw)

    zoom, mirror = uniform(0.6, 1.0), torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = zoom * mirror, zoom
    theta[:, 0, 2] = uniform(-1, 1) * (1 - zoom)
    theta[:, 1, 2] = uniform(-1, 1) * (1 - zoom)
    grid = F.affine_grid(theta, [count, 1, side, side], align_corners=False)
    cut = F.grid_sample(images, grid, align_corners=False)
    gain, gamma = uniform(0.7, 1.3)[:, None, None, None], uniform(0.7, 1.4)[:, None, None, None]
    noise = 0.03 * torch.randn(cut.shape, generator=draw)
    return (cut.clamp(1e-4, 1) ** gamma * gain + noise).clamp(0, 1)


def contrast_loss(projected: Tensor, temperature: float) -> Tensor:
    """NT-Xent over 2 B rows whose halves are views of the same images."""
    unit = F.normalize(projected, dim=1)
    count = len(unit)
    likeness = unit @ unit.T / temperature
    likeness = likeness.masked_fill(torch.eye(count, dtype=torch.bool), float("-inf"))
    partner = torch.arange(count).roll(count // 2)
    return F.cross_entropy(likeness, partner)

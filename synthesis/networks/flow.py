"""Conditional flow matching: the target as the end of a straight path from noise.

Rectified flow (Liu 2022, arXiv 2209.03003; Lipman 2022, arXiv 2210.02747) with MONAI's U-Net for
diffusion and its rectified-flow scheduler. Beyond the papers rebuilt here: Wang 2023 names
diffusion as what it left open. docs/algorithms/flow-matching.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from synthesis.networks.preset import Preset
from synthesis.networks.translation import TranslationConfig, known_range
from synthesis.networks.volumes import FloatVolume, padded

TIMES = 1000  # MONAI counts the time of a path from 1000 (noise) to 0 (target)
_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class FlowConfig(TranslationConfig):
    """What a `FlowTranslator` is made of and how it is sampled.

    Attributes
    ----------
    residual_to : str or None
        Input subtracted from the target first: the path then leads from noise to what contrast
        adds.
    dims : {2, 3}
        Axial slices, or volumes.
    channels : tuple of int
        Of each level, multiples of ``groups``; each level below the first halves the size.
    blocks : int
        Residual blocks per level.
    groups : int
        Of group normalisation.
    heads : int
        Channels per head of the attention at the coarsest level.
    noise : float
        Standard deviation of the start, in the scale of the target.
    steps : int
        Euler steps from noise to target.
    draws : int
        Samples averaged: 1 gives a sample, more approach the mean.
    tile : (int, int, int) or None
        Sizes (z, y, x) in which the network is run, half overlapping and faded into each other;
        None runs it over whole slices or the whole volume.
    """

    inference: ClassVar[str] = "flow"

    residual_to: str | None = "t1"
    dims: int = 2
    channels: tuple[int, ...] = (32, 64, 128)
    blocks: int = 1
    groups: int = 8
    heads: int = 32
    noise: float = 1.0
    steps: int = 8
    draws: int = 1
    tile: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.tile is not None:
            object.__setattr__(self, "tile", tuple(self.tile))
        if self.dims not in (2, 3):
            raise ValueError(f"dims must be 2 or 3, got {self.dims}")
        known_range(self, blocks=1, groups=1, heads=1, steps=1, draws=1, noise=1e-6)
        if self.steps > TIMES:
            raise ValueError(f"steps must be at most {TIMES}, got {self.steps}")
        if not self.channels or any(c % self.groups for c in self.channels):
            raise ValueError(f"channels must be multiples of groups={self.groups}")
        if self.channels[-1] % self.heads:
            raise ValueError(f"the last of channels must be a multiple of heads={self.heads}")
        if self.tile is not None and any(
            side % multiple for side, multiple in zip(self.tile, self.multiples, strict=True)
        ):
            raise ValueError(f"tile must be multiples of {self.multiples}, got {self.tile}")

    @property
    def multiples(self) -> tuple[int, int, int]:
        """Each level below the first halves the size, of slices or of volumes."""
        side = 2 ** (len(self.channels) - 1)
        return (1 if self.dims == 2 else side, side, side)


class FlowTranslator(nn.Module):
    """The velocity v(x_t, t, inputs) by which a sample moves from noise to target.

    Shapes: x_t (B, 1, ...), inputs (B, roles, ...), t (B,) in [0, 1], 1 noise; gives (B, 1, ...).
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        # here, not above: it takes seconds
        from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

        self.config = config
        self.unet: nn.Module = DiffusionModelUNet(
            spatial_dims=config.dims,
            in_channels=1 + len(config.inputs),
            out_channels=1,
            channels=config.channels,
            attention_levels=(False,) * len(config.channels),
            num_res_blocks=config.blocks,
            norm_num_groups=config.groups,
            num_head_channels=config.heads,
        )

    def forward(self, x: Tensor, t: Tensor, inputs: Tensor) -> Tensor:
        """Return the velocity of samples ``x`` at times ``t``."""
        velocity: Tensor = self.unet(torch.cat([x, inputs], dim=1), timesteps=t * TIMES)
        return velocity


def rectified_flow() -> Any:
    """Return MONAI's scheduler for straight paths with times drawn evenly."""
    from monai.networks.schedulers.rectified_flow import RFlowScheduler

    return RFlowScheduler(
        num_train_timesteps=TIMES, use_discrete_timesteps=False, sample_method="uniform"
    )


def by_flow(
    network: nn.Module, config: FlowConfig, stack: FloatVolume, rng: torch.Generator
) -> FloatVolume:
    """Sample (z, y, x) given inputs (roles, z, y, x); the same generator gives the same sample."""
    device = next(network.parameters()).device
    shape = stack.shape[1:]
    inputs = torch.from_numpy(padded(stack, config.multiples)).to(device)
    total = inputs.new_zeros(inputs.shape[1:])
    for _ in range(config.draws):
        start = torch.randn(inputs.shape[1:], generator=rng) * config.noise
        total += _path(network, config, start.to(device), inputs)
    made = total / config.draws
    if config.residual_to is not None:
        made = made + inputs[config.inputs.index(config.residual_to)]
    cut: FloatVolume = made[: shape[0], : shape[1], : shape[2]].cpu().numpy()
    return cut


def _path(network: nn.Module, config: FlowConfig, sample: Tensor, inputs: Tensor) -> Tensor:
    """Follow the velocity in Euler steps from noise (z, y, x) to the target."""
    scheduler = rectified_flow()
    scheduler.set_timesteps(config.steps)
    for number in range(config.steps):
        t = 1.0 - number / config.steps
        velocity = _velocity(network, config, sample, t, inputs)
        sample, _ = scheduler.step(velocity, t * TIMES, sample)
    return sample


def _velocity(
    network: nn.Module, config: FlowConfig, sample: Tensor, t: float, inputs: Tensor
) -> Tensor:
    if config.tile is None:
        return _run(network, config, sample, t, inputs)
    total, weight = torch.zeros_like(sample), torch.zeros_like(sample)
    size = tuple(min(n, side) for n, side in zip(sample.shape, config.tile, strict=True))
    fade = _fading(size).to(sample.device)
    for place in _places(tuple(sample.shape), size):
        part = _run(network, config, sample[place], t, inputs[(slice(None), *place)])
        total[place] += fade * part
        weight[place] += fade
    return total / weight


def _run(
    network: nn.Module, config: FlowConfig, sample: Tensor, t: float, inputs: Tensor
) -> Tensor:
    """Return the velocity (z, y, x) of a box, slice by slice or at once."""
    if config.dims == 3:
        times = sample.new_full((1,), t)
        volume: Tensor = network(sample[None, None], times, inputs[None])[0, 0]
        return volume.float()
    slices, given = sample[:, None], inputs.transpose(0, 1)
    parts = [
        network(x, x.new_full((len(x),), t), c)[:, 0].float()
        for x, c in zip(torch.split(slices, _AT_ONCE), torch.split(given, _AT_ONCE), strict=True)
    ]
    return torch.cat(parts)


def _places(shape: tuple[int, ...], size: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Return boxes of one size that cover the volume, each overlapping the next by half."""
    axes = []
    for length, side in zip(shape, size, strict=True):
        last = length - side
        starts = sorted({*range(0, last, max(side // 2, 1)), last})
        axes.append([slice(start, start + side) for start in starts])
    return [(z, y, x) for z in axes[0] for y in axes[1] for x in axes[2]]


def _fading(size: tuple[int, ...]) -> Tensor:
    """Return weights that fall linearly from the middle of a box to its faces, never to zero."""
    weight = torch.ones(())
    for side in size:
        ramp = torch.arange(side, dtype=torch.float32)
        weight = weight[..., None] * (1 + torch.minimum(ramp, side - 1 - ramp))
    return weight


def build_flow(config: FlowConfig) -> dict[str, nn.Module]:
    """Return the networks of the preset: one generator."""
    return {"generator": FlowTranslator(config)}


FLOW_MATCHING = Preset(
    name="flow-matching",
    summary="T1 after contrast from T1, T2 and FLAIR; rectified flow on slices, few steps",
    config=FlowConfig,
    build=build_flow,
    objective="flow",
    training={
        "patch": (1, 96, 96),
        "stride": (1, 24, 24),
        "batch": 16,
        "max_steps": 100_000,
        "learning_rate": 5e-4,
        "ema_half_life": 1000.0,
    },
)

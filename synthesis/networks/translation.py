"""Settings that every network for translating volumes has: what goes in, what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class TranslationConfig:
    """Sequences of a translation and the scale of its target.

    Attributes
    ----------
    inputs : tuple of str
        Sequences, in the order of the channels.
    target : str
        Sequence predicted.
    residual_to : str or None
        Input to which the output of the network is added; None (as published, everywhere)
        predicts the target outright. The network then starts as doing nothing: see `at_rest`.
    target_scale : float or None
        None: the target is predicted as z-scores. A number: the target has a physical unit (CBV
        in mL/100 g) and is predicted in multiples of it, so that the result keeps its unit.
    """

    own_scores: ClassVar[tuple[str, ...]] = ()  # further presets by which it was published

    inputs: tuple[str, ...] = ("t1", "t2", "flair")
    target: str = "t1c"
    residual_to: str | None = None
    target_scale: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        if len(set(self.inputs)) != len(self.inputs) or not self.inputs:
            raise ValueError(f"inputs must be distinct sequences, got {self.inputs}")
        if self.target in self.inputs:
            raise ValueError(f"target {self.target!r} is also an input: nothing to predict")
        if self.residual_to is not None and self.residual_to not in self.inputs:
            raise ValueError(f"residual_to {self.residual_to!r} is not one of inputs {self.inputs}")
        if self.target_scale is not None and self.target_scale <= 0:
            raise ValueError(f"target_scale must be positive, got {self.target_scale}")
        if self.target_scale is not None and self.residual_to is not None:
            raise ValueError("residual_to needs a target in z-scores: leave target_scale out")

    @property
    def sequences(self) -> tuple[str, ...]:
        """Sequences a training subject must have."""
        return (*self.inputs, self.target)

    @property
    def mask_from(self) -> tuple[str, ...]:
        """Sequences whose non-zero voxels are the brain: those known when the network is used."""
        return self.inputs

    @property
    def multiples(self) -> tuple[int, int, int]:
        """Sizes (z, y, x) of a volume given to the network must be multiples of these."""
        return (1, 1, 1)

    @property
    def baseline(self) -> str:
        """Input with which the target is compared: the do-nothing prediction."""
        if self.residual_to is not None:
            return self.residual_to
        return "t1" if "t1" in self.inputs else self.inputs[0]

    def residual(self, x: Tensor) -> Tensor | None:
        """Return the channel (B, 1, z, y, x) to which the output is added, if any."""
        if self.residual_to is None:
            return None
        channel = self.inputs.index(self.residual_to)
        return x[:, channel : channel + 1]


def at_rest(head: nn.Conv3d, config: TranslationConfig) -> nn.Conv3d:
    """Return the last layer, with weights of zero if its output is added to an input.

    What such a network has to learn is the difference; from random weights it would first have to
    unlearn its own noise.
    """
    if config.residual_to is not None:
        for weights in head.parameters():
            nn.init.zeros_(weights)
    return head


def check_volume(x: Tensor, *, channels: int, multiples: tuple[int, ...]) -> None:
    """Refuse a batch that a network cannot take.

    Raises
    ------
    ValueError
        If it is not (B, channels, z, y, x) with sizes that are multiples.
    """
    fits = x.dim() == 2 + len(multiples) and x.shape[1] == channels
    sizes = zip(x.shape[2:], multiples, strict=True) if fits else ()
    if not fits or any(size % multiple for size, multiple in sizes):
        raise ValueError(
            f"expected (batch, {channels}, z, y, x) with sizes that are multiples of "
            f"{multiples}, got {tuple(x.shape)}"
        )


def known_range(settings: Any, **lowest: float) -> None:
    """Refuse settings below their lowest value.

    Raises
    ------
    ValueError
    """
    for name, low in lowest.items():
        if getattr(settings, name) < low:
            raise ValueError(f"{name} must be at least {low}, got {getattr(settings, name)}")


def spatial_format(dims: int) -> torch.memory_format:
    """Return the memory layout with channels last for images of that many dimensions."""
    return torch.channels_last_3d if dims == 3 else torch.channels_last

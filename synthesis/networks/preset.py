"""What a preset is: a name for a network, its configuration and how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Preset:
    """One entry of the registry.

    Attributes
    ----------
    name : str
        What users type, for example ``"unet2d-t1c"``.
    summary : str
        One line for lists of presets.
    config : type
        Frozen dataclass of the network's settings. Its class attribute ``inference`` names the
        way of `synthesis.generate` in which whole volumes are made with it.
    build : callable
        Takes an instance of ``config``, returns the modules by role, at least ``"generator"``.
    objective : str
        Key of `synthesis.training.objectives.OBJECTIVES`: how it is trained.
    network, training : mapping
        Settings in which this preset differs from the defaults of ``config`` and of
        `synthesis.training.config.TrainingConfig`.
    """

    name: str
    summary: str
    config: type[Any]
    build: Callable[[Any], dict[str, nn.Module]]
    objective: str
    network: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

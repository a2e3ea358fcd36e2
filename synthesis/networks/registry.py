"""The list of presets. A new network is one file beside this one and one line below."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from torch import nn

from synthesis.networks import (
    conditional_gan,
    dcgan,
    encoder_decoder,
    flow,
    residual_unet3d,
    segmentation,
    stylegan2,
    unet2d,
)
from synthesis.networks.preset import Preset

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        unet2d.UNET2D_T1C,
        residual_unet3d.CALABRESE2021,
        residual_unet3d.CALABRESE2021_CODE,
        residual_unet3d.CALABRESE2021_REDUCED,
        *dcgan.HAN2018,
        *stylegan2.PARK2021,
        encoder_decoder.WANG2023_ED,
        encoder_decoder.WANG2023_FCGAN,
        conditional_gan.JAYACHANDRAN2021,
        flow.FLOW_MATCHING,
        segmentation.SEGMENT_3D,
    )
}


def find_preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises
    ------
    ValueError
        If there is none; the message lists those there are.
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset {name!r}. Known presets: {', '.join(sorted(PRESETS))}.")
    return PRESETS[name]


def network_config(preset: str, **overrides: Any) -> Any:
    """Return the network settings of a preset with some of them replaced.

    Raises
    ------
    ValueError
        If the preset or a setting is unknown, or a value is out of range.
    """
    chosen = find_preset(preset)
    known = [field.name for field in fields(chosen.config)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(
            f"{preset} has no setting {', '.join(unknown)}. Its settings: {', '.join(known)}."
        )
    return chosen.config(**{**chosen.network, **overrides})


def build(preset: str, **overrides: Any) -> dict[str, nn.Module]:
    """Return the freshly initialised networks of a preset, by role.

    Parameters
    ----------
    preset : str
        Name in `PRESETS`.
    **overrides
        Network settings that replace those of the preset.

    Raises
    ------
    ValueError
        If the preset or a setting is unknown, or a value is out of range.
    """
    return find_preset(preset).build(network_config(preset, **overrides))

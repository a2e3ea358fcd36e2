"""Networks: shapes, sizes, starting point and refusals."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from synthesis.networks import build
from synthesis.networks.registry import PRESETS, network_config
from synthesis.networks.unet2d import UNet2D, UNet2DConfig
from synthesis.training.objectives import OBJECTIVES
from synthesis.training.settings import OBJECTIVE_SETTINGS


def conv(fan_in: int, fan_out: int, side: int) -> int:
    """Weights and biases of a convolution."""
    return fan_in * fan_out * side * side + fan_out


def parameters_by_hand(channels: int, width: int, levels: int, patch: int) -> int:
    """Count layer by layer from the drawing in docs/algorithms/unet2d.md."""
    widths = [width * 2**i for i in range(levels)]
    total = conv(channels * patch**2, width, 3) + conv(width, patch**2, 3)
    total += sum(2 * conv(c, c, 3) for c in widths)
    for fine, coarse in pairwise(widths):
        total += conv(fine, coarse, 2) + conv(coarse, fine, 1) + conv(2 * fine, fine, 1)
        total += 2 * conv(fine, fine, 3)
    return total


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("neighbours", [0, 1])
@pytest.mark.parametrize("patch", [1, 2])
def test_maps_slices_to_one_slice_of_the_same_size(neighbours: int, patch: int) -> None:
    network = build("unet2d-t1c", width=4, levels=3, patch=patch, neighbours=neighbours)
    x = torch.randn(2, 3 * (2 * neighbours + 1), 24, 16)
    assert network["generator"](x).shape == (2, 1, 24, 16)


def test_parameter_count_is_the_documented_one() -> None:
    assert count(build("unet2d-t1c")["generator"]) == parameters_by_hand(3, 24, 4, 2) == 1_249_372


@pytest.mark.parametrize(("width", "levels", "patch"), [(4, 1, 1), (6, 3, 2), (8, 2, 4)])
def test_parameter_count_follows_the_drawing(width: int, levels: int, patch: int) -> None:
    network = build("unet2d-t1c", width=width, levels=levels, patch=patch)["generator"]
    assert count(network) == parameters_by_hand(3, width, levels, patch)


@pytest.mark.parametrize("neighbours", [0, 1])
def test_starts_as_the_middle_slice_of_t1(neighbours: int) -> None:
    config = UNet2DConfig(inputs=("flair", "t1"), neighbours=neighbours, width=4, levels=2)
    slices = 2 * neighbours + 1
    x = torch.randn(1, 2 * slices, 8, 8)
    assert torch.equal(UNet2D(config)(x)[:, 0], x[:, slices + neighbours])


def test_without_residual_it_starts_at_zero() -> None:
    network = build("unet2d-t1c", residual_to=None, width=4, levels=2)["generator"]
    assert torch.equal(network(torch.randn(1, 3, 8, 8)), torch.zeros(1, 1, 8, 8))


def test_gradient_reaches_every_weight() -> None:
    torch.manual_seed(0)
    network = build("unet2d-t1c", width=4, levels=3)["generator"]
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    network(torch.randn(2, 3, 16, 16)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_sees_the_whole_crop_but_keeps_left_from_right() -> None:
    torch.manual_seed(0)
    network = build("unet2d-t1c", width=4, levels=2)["generator"]
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randn(1, 3, 16, 16)
    assert not torch.allclose(network(x), network(x.flip(-1)).flip(-1), atol=1e-3)


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unet2d-t1c"):
        build("unet3d")


def test_unknown_setting_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no setting depth.*width"):
        build("unet2d-t1c", depth=3)


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"inputs": ("t1", "t1")}, "distinct"),
        ({"target": "t2"}, "also an input"),
        ({"residual_to": "t1c"}, "not one of inputs"),
        ({"levels": 0}, "levels must be at least 1"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        network_config("unet2d-t1c", **setting)


@pytest.mark.parametrize("shape", [(1, 2, 16, 16), (1, 3, 15, 16), (3, 16, 16)])
def test_wrong_input_is_refused(shape: tuple[int, ...]) -> None:
    network = build("unet2d-t1c", width=4, levels=2)["generator"]
    with pytest.raises(ValueError, match="multiples of 4"):
        network(torch.zeros(shape))


def test_every_preset_builds_a_generator_and_has_an_objective() -> None:
    for name, preset in PRESETS.items():
        assert "generator" in build(name)
        assert preset.objective in OBJECTIVES
        assert preset.objective in OBJECTIVE_SETTINGS

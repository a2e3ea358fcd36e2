"""DCGAN and WGAN networks: sizes of the papers, shapes, starting weights, refusals."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from synthesis.networks import build
from synthesis.networks.images import count_parameters
from synthesis.networks.registry import PRESETS, network_config


def on_paper(preset: str, **settings: object) -> dict[str, int]:
    """Parameters of the networks, without making any weights."""
    with torch.device("meta"):
        return {role: count_parameters(net) for role, net in build(preset, **settings).items()}


def generator_by_hand(width: int, size: int, latent: int = 100) -> int:
    """Convolutions without bias of 4 x 4, and scale and shift of each normalisation."""
    widths = [width * size // 8 >> level for level in range(size.bit_length() - 3)]
    assert widths[-1] == width
    total = latent * widths[0] * 16 + width * 16 + 2 * sum(widths)
    return total + sum(16 * a * b for a, b in pairwise(widths))


@pytest.mark.parametrize(
    ("size", "width", "generator", "discriminator"),
    [
        (64, 64, 3.57, 2.76),
        (64, 32, 1.10, 0.69),
        (128, 64, 12.8, 11.2),
        (128, 32, 3.61, 2.80),
    ],
)
def test_parameter_counts_are_those_of_the_research_page(
    size: int, width: int, generator: float, discriminator: float
) -> None:
    count = on_paper("han2018-dcgan-t1-128", size=size, width=width)
    assert count["generator"] / 1e6 == pytest.approx(
        generator, abs=0.05 if size * width > 8000 else 0.005
    )
    assert count["discriminator"] / 1e6 == pytest.approx(
        discriminator, abs=0.05 if size * width > 8000 else 0.005
    )
    assert count["generator"] == generator_by_hand(width, size)


def test_there_is_a_preset_for_each_row_of_hans_table() -> None:
    sets = ("t1-128", "t1c-128", "t2-128", "flair-128", "concat-128", "concat-64")
    wanted = {f"han2018-{kind}-{data}" for kind in ("dcgan", "wgan") for data in sets}
    assert {name for name in PRESETS if name.startswith("han2018")} == wanted


@pytest.mark.parametrize(
    ("name", "rate"), [("han2018-dcgan-concat-64", 2e-4), ("han2018-wgan-t2-128", 5e-5)]
)
def test_presets_have_the_constants_of_the_paper(name: str, rate: float) -> None:
    preset = PRESETS[name]
    config = network_config(name)
    assert preset.training["batch"] == 64
    assert preset.training["learning_rate"] == rate
    assert preset.training["schedule"] == "constant"
    assert not config.tanh
    assert config.critic_activation == "elu"
    assert config.width == 32
    assert config.channels == 1
    assert config.plane == "sagittal"
    assert config.pooled == ("concat" in name)


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("pooled", [False, True])
def test_shapes(size: int, pooled: bool) -> None:
    networks = build(
        "han2018-wgan-t1-128", size=size, width=4, roles=("t1", "t2"), pooled=pooled, latent=7
    )
    rng = torch.Generator().manual_seed(0)
    generator = networks["generator"]
    latent, noise = generator.draw_latent(rng, 3), generator.draw_noise(rng, 3)
    assert latent.shape == (3, 7)
    assert latent.abs().max() <= 1
    image = generator.render(latent, noise, truncation=1.0)
    assert image.shape == (3, 1 if pooled else 2, size, size)
    assert networks["discriminator"](image).shape == (3,)
    with pytest.raises(ValueError, match="no truncation"):
        generator.render(latent, noise, truncation=0.7)


def test_weights_start_as_in_radford_2016() -> None:
    torch.manual_seed(0)
    networks = build("han2018-dcgan-concat-64")
    first = networks["generator"].layers[0][0].weight
    assert first.std().item() == pytest.approx(0.02, rel=0.02)
    assert first.mean().item() == pytest.approx(0.0, abs=1e-4)
    scale = networks["generator"].layers[0][1].weight
    assert scale.mean().item() == pytest.approx(1.0, abs=0.01)
    assert scale.std().item() == pytest.approx(0.02, rel=0.2)


def test_tanh_bounds_the_image_and_is_off_by_default() -> None:
    torch.manual_seed(0)
    z = torch.randn(4, 100)
    free = build("han2018-dcgan-t1-128", size=16, width=4)["generator"]
    bound = build("han2018-dcgan-t1-128", size=16, width=4, tanh=True)["generator"]
    bound.load_state_dict(free.state_dict())
    torch.testing.assert_close(torch.tanh(free(z)), bound(z))


@pytest.mark.parametrize("norm", ["none", "instance"])
def test_without_batch_normalisation_images_are_judged_alone(norm: str) -> None:
    torch.manual_seed(0)
    critic = build("han2018-wgan-t1-128", size=16, width=4, critic_norm=norm)["discriminator"]
    images = torch.randn(3, 1, 16, 16)
    torch.testing.assert_close(critic(images)[:1], critic(images[:1]))
    with_batch = build("han2018-wgan-t1-128", size=16, width=4)["discriminator"]
    assert not torch.allclose(with_batch(images)[:1], with_batch(images[:1]))


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"size": 100}, "power of two"),
        ({"roles": ("t1", "t1")}, "distinct"),
        ({"plane": "oblique"}, "axial, coronal, sagittal"),
        ({"width": 0}, "width must be at least 1"),
        ({"critic_norm": "layer"}, "critic_norm must be"),
        ({"critic_activation": "relu"}, "critic_activation must be"),
        ({"latent": 0}, "latent must be"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        network_config("han2018-dcgan-t1-128", **setting)

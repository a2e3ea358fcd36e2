"""StyleGAN2: sizes, resampling, modulation, mixing and truncation against direct forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from synthesis.networks import build
from synthesis.networks.registry import PRESETS, network_config
from synthesis.networks.stylegan2_layers import (
    Conv,
    Dense,
    ModulatedConv,
    double,
    halve,
    minibatch_deviation,
    smooth,
)

from .test_dcgan import on_paper

TINY = {"size": 16, "widest": 8, "latent": 6, "mapping_layers": 2}


def tiny(**settings: object) -> dict[str, torch.nn.Module]:
    torch.manual_seed(1)
    return build("park2021-stylegan2", **{**TINY, **settings})


def filtered(x: Tensor) -> Tensor:
    """Filter with [1, 3, 3, 1] x [1, 3, 3, 1] / 64 by scipy, the sides growing by 3."""
    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    padded = np.pad(x.double().numpy(), [(0, 0), (0, 0), (3, 3), (3, 3)])
    # The window of scipy begins two samples before its centre where the kernel is even.
    full = ndimage.correlate(padded, kernel[None, None], mode="constant")
    return torch.from_numpy(full[:, :, 2:-1, 2:-1])


def with_zeros(x: Tensor) -> Tensor:
    wide = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    wide[:, :, ::2, ::2] = x
    return wide


@pytest.mark.parametrize(
    ("preset", "generator", "discriminator"),
    [("park2021-stylegan2", 30.0, 28.9), ("park2021-stylegan2-half", 24.8, 24.0)],
)
def test_parameter_counts_are_those_of_the_research_page(
    preset: str, generator: float, discriminator: float
) -> None:
    count = on_paper(preset)
    assert count["generator"] / 1e6 == pytest.approx(generator, abs=0.05)
    assert count["discriminator"] / 1e6 == pytest.approx(discriminator, abs=0.05)


def test_presets_have_the_constants_of_the_paper() -> None:
    for name in (
        "park2021-stylegan2",
        "park2021-stylegan2-half",
        "park2021-stylegan2-as-published",
    ):
        config = network_config(name)
        assert config.roles == ("t1c", "flair")
        assert (config.size, config.latent, config.mapping_layers) == (256, 512, 8)
        assert PRESETS[name].training["batch"] == 32
        assert PRESETS[name].training["learning_rate"] == 2e-3
        images = PRESETS[name].training["max_steps"] * PRESETS[name].training["batch"]
        assert images == 4_000_000
    assert network_config("park2021-stylegan2-as-published").channels == 3


def test_smoothing_is_the_filter() -> None:
    x = torch.randn(2, 3, 9, 7, dtype=torch.float64)
    torch.testing.assert_close(smooth(x, padding=3), filtered(x))
    torch.testing.assert_close(smooth(x, padding=1, gain=2.0), 4 * filtered(x)[:, :, 2:-2, 2:-2])


def test_doubling_is_zeros_between_then_the_filter_with_gain_four() -> None:
    x = torch.randn(2, 3, 6, 5, dtype=torch.float64)
    direct = 4 * filtered(with_zeros(x))
    torch.testing.assert_close(double(x), direct[:, :, 1:-2, 1:-2])


def test_halving_is_the_filter_then_every_second_sample() -> None:
    x = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    torch.testing.assert_close(halve(x), filtered(x)[:, :, 2:-1:2, 2:-1:2])


def test_doubling_and_halving_keep_a_flat_image_flat() -> None:
    flat = torch.ones(1, 1, 8, 8)
    torch.testing.assert_close(double(flat)[:, :, 1:-1, 1:-1], torch.ones(1, 1, 14, 14))
    torch.testing.assert_close(halve(flat)[:, :, 1:-1, 1:-1], torch.ones(1, 1, 2, 2))


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_modulated_convolution_equals_a_weight_per_image(up: bool, demodulate: bool) -> None:
    torch.manual_seed(0)
    layer = ModulatedConv(5, 4, 3, style=6, up=up, demodulate=demodulate)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 6)
    style = layer.affine(w)
    per_image = layer.weight[None] * layer.scale * style[:, None, :, None, None]
    if demodulate:
        norm = per_image.square().sum(dim=(2, 3, 4), keepdim=True)
        per_image = per_image / torch.sqrt(norm + 1e-8)
    if up:
        grouped = per_image.transpose(1, 2).reshape(15, 4, 3, 3)
        wide = F.conv_transpose2d(x.reshape(1, 15, 8, 8), grouped, stride=2, groups=3)
        direct = smooth(wide.reshape(3, 4, 17, 17), padding=1, gain=2.0)
    else:
        grouped = per_image.reshape(12, 5, 3, 3)
        direct = F.conv2d(x.reshape(1, 15, 8, 8), grouped, padding=1, groups=3)
        direct = direct.reshape(3, 4, 8, 8)
    torch.testing.assert_close(layer(x, w), direct, rtol=1e-5, atol=1e-5)


def test_demodulation_leaves_unit_variance() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv(64, 64, 3, style=8)
    y = layer(torch.randn(8, 64, 32, 32), 5 * torch.randn(8, 8))
    assert y[:, :, 2:-2, 2:-2].std().item() == pytest.approx(1.0, abs=0.05)


def test_equalised_layers_keep_unit_variance_at_the_start() -> None:
    torch.manual_seed(0)
    assert Dense(512, 512)(torch.randn(256, 512)).std().item() == pytest.approx(1.0, abs=0.05)
    slow = Dense(512, 512, multiplier=0.01)
    assert slow.weight.std().item() == pytest.approx(100.0, rel=0.02)
    assert slow(torch.randn(256, 512)).std().item() == pytest.approx(1.0, abs=0.05)
    conv = Conv(64, 64, 3, active=False)
    inner = conv(torch.randn(2, 64, 16, 16))[:, :, 1:-1, 1:-1]
    assert inner.std().item() == pytest.approx(1.0, abs=0.05)


def test_halving_convolution_equals_filter_then_stride() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8)
    layer = Conv(3, 4, 3, down=True)
    y = F.conv2d(smooth(x, padding=2), layer.weight / math.sqrt(27), stride=2)
    torch.testing.assert_close(layer(x), F.leaky_relu(y, 0.2) * math.sqrt(2))
    skip = Conv(3, 4, 1, down=True, active=False)
    y = F.conv2d(smooth(x, padding=1), skip.weight / math.sqrt(3), stride=2)
    torch.testing.assert_close(skip(x), y)


def test_minibatch_deviation_by_hand() -> None:
    x = torch.tensor([0.0, 10.0, 4.0, 10.0])[:, None, None, None].expand(4, 2, 3, 3)
    out = minibatch_deviation(x, group=2)
    assert out.shape == (4, 3, 3, 3)
    torch.testing.assert_close(out[:, :2], x)
    # Groups are images (0, 2) and (1, 3): standard deviations 2 and 0.
    torch.testing.assert_close(out[:, 2, 0, 0], torch.tensor([2.0, 1e-4, 2.0, 1e-4]))
    assert minibatch_deviation(x[:3], group=2).shape == (3, 3, 3, 3)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("size", [8, 32])
def test_shapes(channels: int, size: int) -> None:
    networks = tiny(size=size, roles=("t1", "t2", "flair")[:channels])
    rng = torch.Generator().manual_seed(0)
    generator = networks["generator"]
    latent, noise = generator.draw_latent(rng, 5), generator.draw_noise(rng, 5)
    image = generator.render(latent, noise, truncation=0.5)
    assert image.shape == (5, channels, size, size)
    assert networks["discriminator"](image).shape == (5,)
    assert len(generator.synthesis.images) == int(math.log2(size)) - 1
    assert generator.config.styles == 2 * math.log2(size) - 2


def test_an_image_does_not_depend_on_its_batch() -> None:
    generator = tiny()["generator"]
    rng = torch.Generator().manual_seed(0)
    latent, noise = generator.draw_latent(rng, 4), generator.draw_noise(rng, 4)
    whole = generator.render(latent, noise, truncation=1.0)
    torch.testing.assert_close(
        generator.render(latent[2:3], noise[2:3], truncation=1.0), whole[2:3]
    )


def test_mixing_takes_late_styles_from_the_other_latent() -> None:
    generator = tiny()["generator"]
    z, other = torch.randn(3, 6), torch.randn(3, 6)
    layers = generator.config.styles
    ws = generator.styles(z, other, torch.tensor([0, 2, layers]))
    one, two = generator.mapping(z), generator.mapping(other)
    torch.testing.assert_close(ws[0], two[0].expand(layers, -1))
    torch.testing.assert_close(ws[1, :2], one[1].expand(2, -1))
    torch.testing.assert_close(ws[1, 2:], two[1].expand(layers - 2, -1))
    torch.testing.assert_close(ws[2], one[2].expand(layers, -1))


def test_truncation_pulls_towards_the_mean_style() -> None:
    generator = tiny()["generator"]
    generator.mean_style.copy_(torch.arange(6.0))
    z, noise = torch.randn(2, 6), generator.draw_noise(torch.Generator(), 2)
    ws = generator.styles(z)
    torch.testing.assert_close(
        generator.truncated(ws, 0.25), 0.75 * generator.mean_style + 0.25 * ws
    )
    same = generator.render(z, noise[:1].expand(2, -1), truncation=0.0)
    torch.testing.assert_close(same[0], same[1])


def test_mapping_ignores_the_length_of_the_latent() -> None:
    generator = tiny()["generator"]
    z = torch.randn(2, 6)
    torch.testing.assert_close(generator.mapping(z), generator.mapping(7 * z))


def test_noise_acts_through_its_strength_which_starts_at_zero() -> None:
    generator = tiny()["generator"]
    rng = torch.Generator().manual_seed(0)
    latent = generator.draw_latent(rng, 1)
    one, two = generator.draw_noise(rng, 1), generator.draw_noise(rng, 1)
    assert one.shape == (1, 16 + 2 * 64 + 2 * 256)
    before = [generator.render(latent, noise, truncation=1.0) for noise in (one, two)]
    assert torch.equal(*before)
    generator.synthesis.convs[-1].strength.data.fill_(0.5)
    after = [generator.render(latent, noise, truncation=1.0) for noise in (one, two)]
    assert not torch.allclose(*after)


def test_gradient_reaches_every_weight() -> None:
    networks = tiny()
    rng = torch.Generator().manual_seed(0)
    generator = networks["generator"]
    latent, noise = generator.draw_latent(rng, 4), generator.draw_noise(rng, 4)
    networks["discriminator"](generator.render(latent, noise, truncation=1.0)).sum().backward()
    for network in networks.values():
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("setting", "match"),
    [({"capacity": "third"}, "full or half"), ({"group": 0}, "group must"), ({"size": 4}, "power")],
)
def test_impossible_settings_are_refused(setting: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        network_config("park2021-stylegan2", **setting)

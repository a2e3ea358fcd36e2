"""Losses, penalties, augmentation and scores of the adversarial ways, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from synthesis.networks import build
from synthesis.training.adversarial import (
    logistic_discriminator,
    logistic_generator,
    relativistic_discriminator,
    relativistic_generator,
    wasserstein_critic,
    wasserstein_generator,
)
from synthesis.training.augmentation import AdaptiveProbability, augment
from synthesis.training.penalties import (
    gradient_penalty,
    input_gradient,
    path_lengths,
    squared_gradient,
)
from synthesis.training.slice_scores import diversity, grey_distance, sliced_distance
from synthesis.training.stylegan2 import lazy_factor


class Linear(nn.Module):
    """``sum(w x) + b``: its gradient is w everywhere."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum(dim=(1, 2, 3)) + self.bias


class Square(Linear):
    """``(sum w x)^2 / 2``: its gradient is ``(sum w x) w``."""

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum(dim=(1, 2, 3)).square() / 2


class Images(nn.Module):
    """Pixel i is ``sum_l a_il . w_l``: a linear generator with two style layers."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = nn.Parameter(a)

    def forward(self, ws: Tensor, noise: Tensor) -> Tensor:
        return torch.einsum("cild,bld->bci", self.a, ws).reshape(len(ws), -1, 2, 2) + noise.sum()


def test_logistic_losses_are_cross_entropies() -> None:
    real, fake = torch.randn(7), torch.randn(7)
    bce = nn.functional.binary_cross_entropy_with_logits
    expected = bce(real, torch.ones(7)) + bce(fake, torch.zeros(7))
    torch.testing.assert_close(logistic_discriminator(real, fake), expected)
    torch.testing.assert_close(logistic_generator(fake), bce(fake, torch.ones(7)))


def test_wasserstein_and_relativistic_losses_by_hand() -> None:
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([1.0, -1.0])
    assert wasserstein_critic(real, fake).item() == -3.0
    assert wasserstein_generator(fake).item() == 0.0
    pairs = np.array([1.0, 5.0])
    expected = np.log1p(np.exp(-pairs)).mean()
    assert relativistic_discriminator(real, fake).item() == pytest.approx(expected)
    assert relativistic_generator(real, fake).item() == pytest.approx(
        np.log1p(np.exp(pairs)).mean()
    )


def test_penalties_of_a_linear_critic() -> None:
    torch.manual_seed(0)
    critic = Linear(torch.randn(2, 3, 3))
    length = critic.weight.detach().norm().item()
    real, fake = torch.randn(5, 2, 3, 3), torch.randn(5, 2, 3, 3)
    torch.testing.assert_close(
        input_gradient(critic, real), critic.weight.expand(5, -1, -1, -1), check_stride=False
    )
    assert squared_gradient(critic, real).item() == pytest.approx(length**2, rel=1e-5)
    penalty = gradient_penalty(critic, real, fake, torch.rand(5))
    assert penalty.item() == pytest.approx((length - 1) ** 2, rel=1e-5)
    penalty.backward()
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    expected = 2 * (length - 1) * critic.weight.detach() / length
    torch.testing.assert_close(critic.weight.grad, expected)


def test_penalties_of_a_quadratic_critic_depend_on_where() -> None:
    torch.manual_seed(0)
    critic = Square(torch.randn(1, 2, 2))
    x = torch.randn(4, 1, 2, 2)
    inner = (x * critic.weight.detach()).sum(dim=(1, 2, 3))
    energy = critic.weight.detach().square().sum()
    torch.testing.assert_close(
        squared_gradient(critic, x).detach(), (inner.square() * energy).mean()
    )
    share = torch.tensor([1.0, 0.0, 0.25, 0.5])
    other = torch.randn(4, 1, 2, 2)
    between = share[:, None, None, None] * x + (1 - share[:, None, None, None]) * other
    inner = (between * critic.weight.detach()).sum(dim=(1, 2, 3))
    expected = ((inner.abs() * energy.sqrt()) - 1).square().mean()
    torch.testing.assert_close(gradient_penalty(critic, x, other, share).detach(), expected)


def test_gradient_of_r1_reaches_the_weights_as_by_a_second_backward_pass() -> None:
    torch.manual_seed(0)
    network = build("park2021-stylegan2", size=16, widest=8)["discriminator"]
    images = torch.randn(4, 2, 16, 16)
    squared_gradient(network, images).backward()
    ours = [w.grad.clone() for w in network.parameters() if w.grad is not None]
    network.zero_grad()
    x = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    slope.square().sum(dim=(1, 2, 3)).mean().backward()
    others = [w.grad for w in network.parameters() if w.grad is not None and w.grad.any()]
    ours = [grad for grad in ours if grad.any()]
    assert len(ours) == len(others)
    for one, other in zip(ours, others, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_r1_can_be_compiled_whole() -> None:
    torch.manual_seed(0)
    network = build("park2021-stylegan2", size=8, widest=4)["discriminator"]
    images = torch.randn(4, 2, 8, 8)
    eager = squared_gradient(network, images)
    eager.backward()
    wanted = network.blocks[0].first.weight.grad.clone()
    network.zero_grad()
    compiled = torch.compile(
        lambda x: squared_gradient(network, x), fullgraph=True, backend="aot_eager"
    )
    value = compiled(images)
    value.backward()
    torch.testing.assert_close(value, eager)
    torch.testing.assert_close(network.blocks[0].first.weight.grad, wanted, rtol=1e-4, atol=1e-6)


def test_path_length_of_a_linear_generator() -> None:
    torch.manual_seed(0)
    a = torch.randn(3, 4, 2, 5)  # channels, pixels, layers, style
    direction = torch.randn(6, 3, 2, 2)
    lengths = path_lengths(Images(a), torch.randn(6, 2, 5), torch.zeros(6, 1), direction)
    slope = torch.einsum("cild,bci->bld", a, direction.reshape(6, 3, 4)) / math.sqrt(4)
    expected = (slope.square().sum(dim=(1, 2)) / 2).sqrt()
    torch.testing.assert_close(lengths.detach(), expected)


def test_a_scaled_rotation_has_the_same_path_length_everywhere() -> None:
    turn, _ = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))
    network = Images(3.0 * turn.reshape(1, 4, 1, 4)).double()
    directions = torch.randn(2000, 1, 2, 2, dtype=torch.float64)
    ws = torch.randn(2000, 1, 4, dtype=torch.float64)
    lengths = path_lengths(network, ws, torch.zeros(2000, 1), directions)
    # |J^T y| = 3 |y| / 2 with |y| of the chi distribution with four degrees of freedom
    assert lengths.mean().item() == pytest.approx(1.5 * stats.chi(4).mean(), rel=0.03)


def test_lazy_factor() -> None:
    assert lazy_factor(16) == pytest.approx(16 / 17)
    assert lazy_factor(4) == pytest.approx(0.8)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def brains() -> Tensor:
    """Discs of grey on background."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    disc = (x**2 + y**2 < 0.5).float()
    return (disc * (0.8 + 0.1 * x) * 2 - 1).expand(16, 2, 32, 32).clone()


def test_augmentation_with_probability_zero_changes_nothing() -> None:
    images = brains()
    out = augment(images, torch.tensor(0.0), rng(), mirror=True)
    torch.testing.assert_close(out, images, rtol=1e-4, atol=1e-4)


def test_augmentation_changes_the_share_of_images_it_should() -> None:
    images = brains()[:1].expand(400, -1, -1, -1)
    out = augment(images, torch.tensor(0.3), rng(), mirror=False)
    moved = (out[:, :, 0, :] + 1).abs().amax(dim=(1, 2))  # noise or brightness in the background
    changed = (out - images).abs().amax(dim=(1, 2, 3)) > 1e-3
    # Of 5 + 2 x 3 independent draws per image at least one is used with 1 - 0.7^11.
    assert changed.float().mean().item() > 0.9
    assert 0.3 < (moved > 1e-3).float().mean().item() < 1.0


def test_augmented_brains_are_still_brains() -> None:
    images = brains()
    out = augment(images, torch.tensor(1.0), rng(), mirror=False)
    assert out.shape == images.shape
    assert torch.isfinite(out).all()
    # The disc stays in its place and is brighter than what is round it.
    assert (out[:, :, 14:18, 14:18].mean(dim=(2, 3)) > out[:, :, :3, :3].mean(dim=(2, 3))).all()
    assert torch.equal(out, augment(images, torch.tensor(1.0), rng(), mirror=False))


def test_channels_are_shaded_apart_but_moved_together() -> None:
    images = brains()
    out = augment(images, torch.tensor(1.0), rng(3), mirror=False)
    edges = (out - out.amin(dim=(2, 3), keepdim=True)) / (
        out.amax(dim=(2, 3), keepdim=True) - out.amin(dim=(2, 3), keepdim=True)
    ) > 0.5
    agree = (edges[:, 0] == edges[:, 1]).float().mean()
    assert agree > 0.97
    assert not torch.allclose(out[:, 0], out[:, 1], atol=0.05)


def test_mirror_swaps_left_and_right_in_half() -> None:
    images = torch.full((600, 1, 32, 32), -1.0)
    images[:, :, 8:24, 20:30] = 1.0
    out = augment(images, torch.tensor(1.0), rng(), mirror=True)
    left = out[:, 0, :, :16].sum(dim=(1, 2)) > out[:, 0, :, 16:].sum(dim=(1, 2))
    assert left.float().mean().item() == pytest.approx(0.5, abs=0.08)
    never = augment(images, torch.tensor(1.0), rng(), mirror=False)
    left = never[:, 0, :, :16].sum(dim=(1, 2)) > never[:, 0, :, 16:].sum(dim=(1, 2))
    assert not left.any()


def test_gradient_passes_through_the_augmentation() -> None:
    images = brains().requires_grad_()
    augment(images, torch.tensor(1.0), rng(), mirror=True).sum().backward()
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().sum() > 0


def steering(start: float = 0.0) -> AdaptiveProbability:
    return AdaptiveProbability(start, target=0.6, speed=1.0, every=4, device=torch.device("cpu"))


def test_probability_rises_while_the_discriminator_is_too_sure() -> None:
    p = steering()
    sure, unsure = torch.ones(10), torch.tensor([1.0] * 7 + [-1.0] * 3)  # mean signs 1 and 0.4
    for step in range(8):
        assert p.value.item() == pytest.approx(0.04 * (step // 4))
        p.see(sure, step)
    assert p.value.item() == pytest.approx(0.08)
    for step in range(8, 12):
        p.see(unsure, step)
    assert p.value.item() == pytest.approx(0.04)
    for step in range(12, 60):
        p.see(unsure, step)
    assert p.value.item() == 0.0
    for step in range(60, 260):
        p.see(sure, step)
    assert p.value.item() == 1.0


def test_probability_comes_back_between_two_changes() -> None:
    one, other = steering(0.2), steering()
    for step in range(6):
        one.see(torch.ones(10), step)
    other.restore({name: value.clone() for name, value in one.state().items()})
    for step in range(6, 20):
        one.see(torch.ones(10), step)
        other.see(torch.ones(10), step)
    assert torch.equal(one.value, other.value)


def test_sliced_distance_of_a_shift_by_the_formula() -> None:
    torch.manual_seed(0)
    images = torch.randn(400, 1, 16, 16)
    directions = torch.randn(128, 256, generator=torch.Generator().manual_seed(0))
    directions = directions / directions.norm(dim=1, keepdim=True)
    expected = 0.3 * directions.sum(dim=1).abs().mean().item()
    assert sliced_distance(images + 0.3, images) == pytest.approx(expected, rel=1e-4)
    assert sliced_distance(images, images.flip(0)) == pytest.approx(0.0, abs=1e-6)


def test_grey_distance_is_that_of_scipy() -> None:
    torch.manual_seed(0)
    one, other = torch.rand(20, 1, 16, 16) - 0.5, torch.rand(20, 1, 16, 16) ** 2
    expected = stats.wasserstein_distance(one.flatten().numpy(), other.flatten().numpy())
    assert grey_distance(one, other) == pytest.approx(expected, rel=0.02)
    assert math.isnan(grey_distance(torch.full((4, 1, 8, 8), -1.0), one))


def test_diversity_of_one_image_only_is_zero() -> None:
    torch.manual_seed(0)
    real = torch.randn(30, 1, 16, 16)
    assert diversity(real[:1].expand(30, -1, -1, -1), real) == pytest.approx(0.0, abs=1e-4)
    assert diversity(2 * real, real) == pytest.approx(2.0, rel=1e-4)

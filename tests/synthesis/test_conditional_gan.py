"""The conditional 3-D GAN: shapes, receptive radius, tiles, learning, resuming."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthesis.generate import load_generator, predict
from synthesis.networks import build
from synthesis.networks.registry import network_config
from synthesis.training.loop import train

from .test_residual_unet3d import parameters, settled
from .test_training import stop_after
from .volumes import make_volumes, volume_config, write_cohort

PRESET = "jayachandran2021-cgan"
TINY: dict[str, Any] = {
    "width": 8, "levels": 2, "judge_width": 8, "judge_layers": 2,
    "patch": [16, 16, 16], "stride": [8, 8, 8], "batch": 2,
}  # fmt: skip


def weights_by_hand(width: int, levels: int, inputs: int) -> int:
    """Count level by level: convolution k^3 in out + out, batch norm 2 out."""

    def conv(k: int, into: int, out: int) -> int:
        return k**3 * into * out + out

    def double(into: int, out: int) -> int:
        return conv(3, into, out) + conv(3, out, out) + 4 * out

    widths = [width * 2**i for i in range(levels)]
    total = conv(1, width, 1)
    for into, out in zip([inputs, *widths[1:]], widths, strict=True):
        total += double(into, out)
    for fine, coarse in pairwise(widths):
        total += conv(4, fine, coarse) + 4**3 * coarse * fine + fine + double(2 * fine, fine)
    return total


def test_sizes_follow_the_drawing() -> None:
    networks = build(PRESET, width=8, levels=3)
    assert parameters(networks["generator"]) == weights_by_hand(8, 3, 3)
    assert parameters(build(PRESET)["generator"]) == weights_by_hand(32, 4, 3)
    verdict = build(PRESET)["discriminator"](torch.randn(1, 4, 32, 32, 32))[-1]
    assert verdict.shape == (1, 1, 3, 3, 3)


def test_receptive_radius_by_gradients() -> None:
    settings = {"inputs": ["t1"], "width": 4, "levels": 3}
    network = settled(build(PRESET, **settings)["generator"])
    reach = 0
    for place in range(40, 48):
        x = torch.randn(1, 1, 8, 8, 88, requires_grad=True)
        (slope,) = torch.autograd.grad(network(x)[0, 0, 4, 4, place], x)
        seen = slope.abs().sum((0, 1, 2, 3)).nonzero().ravel()
        reach = max(reach, place - int(seen.min()), int(seen.max()) - place)
    assert reach == network_config(PRESET, **settings).receptive_radius


def test_tiles_give_what_one_pass_gives() -> None:
    settings = {"inputs": ["t1"], "width": 4, "levels": 2}
    network = settled(build(PRESET, **settings)["generator"])
    z = {"t1": np.random.default_rng(0).normal(size=(14, 41, 24)).astype(np.float32)}
    mask = np.ones(z["t1"].shape, dtype=bool)
    whole = predict(network, network_config(PRESET, **settings), z, mask)
    tiled = predict(network, network_config(PRESET, **settings, tile=10), z, mask)
    np.testing.assert_allclose(tiled, whole, rtol=1e-4, atol=1e-3)


def test_resumes_and_learns(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b", "c", "d", "e"])
    short = volume_config(PRESET, **TINY)
    whole = train(short, data, tmp_path / "whole", resume=False)
    train(short, data, tmp_path / "run", resume=False, should_stop=stop_after(3))
    torch.randn(10)
    assert train(short, data, tmp_path / "run", resume=True).weights_sha256 == whole.weights_sha256


def test_beats_doing_nothing_on_an_unseen_subject(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b", "c", "d", "e"])
    config = volume_config(
        PRESET, **TINY, max_steps=120, validations=1, checkpoint_every=1000,
        validation_fraction=0.2, learning_rate=5e-3, ema_half_life=10,
    )  # fmt: skip
    result = train(config, data, tmp_path / "run", resume=False)
    assert result.metrics["mae"] < 0.7 * result.do_nothing["mae"]
    assert result.metrics["contrast_mae"] < 0.5 * result.do_nothing["contrast_mae"]
    truth = make_volumes(77)
    made = load_generator(tmp_path / "run").volume(
        {role: truth[role] for role in ("t1", "t2", "flair")}, seed=0
    )
    rest = (truth["t1"] > 0) & (truth["mask"] == 0)
    assert made[truth["mask"] == 3].mean() > made[rest].mean() + 100


def test_the_discriminator_pulls_the_generator(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b"])
    runs = {
        weight: train(
            volume_config(PRESET, **TINY, adversarial_weight=weight),
            data, tmp_path / str(weight), resume=False,
        ).weights_sha256
        for weight in (0.0, 1.0)
    }  # fmt: skip
    assert runs[0.0] != runs[1.0]


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="levels must be at least 1"):
        network_config(PRESET, levels=0)
    with pytest.raises(ValueError, match="must not be negative"):
        volume_config(PRESET, voxel_weight=-1)
    with pytest.raises(ValueError, match="discriminator_rate"):
        volume_config(PRESET, discriminator_rate=0)

"""Flow matching: straight paths, seeds, tiles, learning and resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from synthesis.data.patches import VolumeBatch
from synthesis.generate import load_generator, predict
from synthesis.networks.flow import FlowConfig, by_flow
from synthesis.networks.registry import build, network_config
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.flow import FlowLearner
from synthesis.training.loop import train

from .test_training import stop_after
from .volumes import make_volumes, volume_config, write_cohort

TINY: dict[str, Any] = {
    "channels": [8, 16], "heads": 16, "groups": 4, "patch": [4, 24, 24], "stride": [4, 8, 8],
    "batch": 2, "steps": 4,
}  # fmt: skip


class Oracle(nn.Module):
    """Knows the target: its velocity at x_t on the straight path is (y - x_t) / t."""

    def __init__(self, target: torch.Tensor) -> None:
        super().__init__()
        self.target = nn.Parameter(target)

    def forward(self, x: torch.Tensor, t: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        # inputs carry the target, so that slices and tiles find their own part of it
        return (inputs[:, :1] - x) / t.reshape(-1, *(1,) * (x.dim() - 1))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("steps", [1, 3, 8])
@pytest.mark.parametrize("tile", [None, (4, 8, 8)])
def test_straight_paths_end_at_the_target_in_any_number_of_steps(
    dims: int, steps: int, tile: tuple[int, int, int] | None
) -> None:
    rng = np.random.default_rng(0)
    stack = rng.normal(size=(2, 9, 18, 14)).astype(np.float32)
    config = FlowConfig(
        inputs=("t1", "t2"), residual_to=None, dims=dims, steps=steps, tile=tile,
        channels=(8, 16), heads=8,
    )  # fmt: skip
    oracle = Oracle(torch.zeros(1))
    with torch.no_grad():
        made = by_flow(oracle, config, stack, torch.Generator().manual_seed(1))
    np.testing.assert_allclose(made, stack[0], atol=1e-4)


def test_what_was_subtracted_is_added_again() -> None:
    stack = np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32)
    config = FlowConfig(inputs=("t1", "t2"), residual_to="t2", channels=(8,), heads=8)
    with torch.no_grad():
        made = by_flow(Oracle(torch.zeros(1)), config, stack, torch.Generator())
    np.testing.assert_allclose(made, stack[0] + stack[1], atol=1e-4)


def noisy_network(**settings: Any) -> nn.Module:
    torch.manual_seed(0)
    network = build("flow-matching", **settings)["generator"]
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def test_the_seed_decides_the_sample() -> None:
    settings = {"channels": [8, 16], "heads": 16, "groups": 4, "steps": 2}
    network, config = noisy_network(**settings), network_config("flow-matching", **settings)
    rng = np.random.default_rng(0)
    z = {r: rng.normal(size=(5, 13, 10)).astype(np.float32) for r in config.inputs}
    mask = np.ones((5, 13, 10), dtype=bool)
    one, two, other = (predict(network, config, z, mask, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.1
    many = network_config("flow-matching", **settings, draws=12)
    averaged = [predict(network, many, z, mask, seed=s) for s in (3, 4)]
    assert np.abs(averaged[0] - averaged[1]).mean() < 0.5 * np.abs(one - other).mean()


def test_the_path_of_the_lesson_is_the_path_of_the_sample() -> None:
    config = volume_config("flow-matching", **{**TINY, "residual_to": None})
    learner = FlowLearner(config, build("flow-matching", **config.network))
    target, noise = torch.randn(2, 1, 8, 8), torch.randn(2, 1, 8, 8)
    at_noise = learner.scheduler.add_noise(target, noise, torch.tensor([1000.0, 1000.0]))
    at_target = learner.scheduler.add_noise(target, noise, torch.tensor([0.0, 0.0]))
    half = learner.scheduler.add_noise(target, noise, torch.tensor([500.0, 250.0]))
    torch.testing.assert_close(at_noise, noise)
    torch.testing.assert_close(at_target, target)
    torch.testing.assert_close(half[1], 0.75 * target[1] + 0.25 * noise[1])


@pytest.mark.parametrize("changes", [{}, {"dims": 3}])
def test_two_processes_walk_the_paths_of_one(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**TINY, "patch": [4, 8, 8], "batch": 4, **changes}
    config = volume_config("flow-matching", **settings)
    learner = FlowLearner(config, {"generator": noisy_network(**config.network)})
    batch = VolumeBatch(*(torch.randn(4, n, 4, 8, 8) for n in (3, 1, 1)))
    with torch.no_grad():
        whole = learner.loss(batch, 5)
        shares = []
        for rank in range(2):
            monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
            monkeypatch.setattr(parallel, "size", lambda: 2)
            mine = parallel.share(4)
            part = VolumeBatch(batch.inputs[mine], batch.truth[mine], batch.mask[mine])
            shares.append(learner.loss(part, 5))
    torch.testing.assert_close(torch.stack(shares).mean(), whole)
    assert not torch.equal(shares[0], shares[1])


@pytest.mark.parametrize("changes", [{}, {"dims": 3, "patch": [8, 16, 16], "tile": [8, 16, 16]}])
def test_a_resumed_run_equals_an_uninterrupted_one(changes: dict[str, Any], tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b"], shape=(12, 24, 20))
    settings = {**TINY, "steps": 2, **changes}
    config = volume_config("flow-matching", **settings, validations=1, max_steps=4)
    whole = train(config, data, tmp_path / "whole", resume=False)
    train(config, data, tmp_path / "run", resume=False, should_stop=stop_after(3))
    torch.randn(10)
    resumed = train(config, data, tmp_path / "run", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert resumed.metrics == whole.metrics


def test_beats_doing_nothing_on_an_unseen_subject(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b", "c", "d"], shape=(12, 32, 28))
    config = volume_config(
        "flow-matching",
        **{**TINY, "steps": 3, "channels": [16, 32]},
        noise=0.3, draws=2, max_steps=110, validations=1, checkpoint_every=1000,
        learning_rate=5e-3, ema_half_life=15,
    )  # fmt: skip
    result = train(config, data, tmp_path / "run", resume=False)
    assert result.metrics["mae"] < 0.9 * result.do_nothing["mae"]
    assert result.metrics["contrast_mae"] < 0.6 * result.do_nothing["contrast_mae"]
    truth = make_volumes(77, (12, 32, 28))
    sources = {role: truth[role] for role in ("t1", "t2", "flair")}
    generator = load_generator(tmp_path / "run")
    made = generator.volume(sources, seed=1)
    np.testing.assert_array_equal(made, generator.volume(sources, seed=1))
    assert (made != generator.volume(sources, seed=2)).any()
    rest = (truth["t1"] > 0) & (truth["mask"] == 0)
    assert made[truth["mask"] == 3].mean() > made[rest].mean() + 100


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"dims": 4}, "dims must be 2 or 3"),
        ({"channels": [12]}, "multiples of groups"),
        ({"steps": 1001}, "at most 1000"),
        ({"tile": [3, 9, 8]}, "tile must be multiples"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        network_config("flow-matching", **settings)
    assert TrainingConfig.for_preset("flow-matching").batch == 16

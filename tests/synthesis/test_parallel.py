"""Two gloo processes train as one does, whatever the objective and the normalisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthesis.networks import build
from synthesis.training import parallel
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.journal import Journal
from synthesis.training.loop import train
from synthesis.training.shared_norm import SharedBatchNorm, normalises_batches, share_batch_norm

from .conftest import tiny_config
from .processes import trained_by_two
from .test_conditional_gan import TINY as CGAN
from .test_gan_training import gan_config
from .volumes import volume_config
from .volumes import write_cohort as write_volumes

GAN = ("generator_loss", "discriminator_loss", "gradient")
WGAN = ("generator_loss", "wasserstein", "gradient")
STYLE = ("generator_loss", "discriminator_loss", "path_length", "augment_probability")


def logged(run: Path, names: tuple[str, ...]) -> list[list[float]]:
    lines = [line for line in Journal(run / "metrics.jsonl").lines() if line["kind"] == "train"]
    return [[line[name] for name in names] for line in lines]


def compare(
    config: TrainingConfig, data: Path, folder: Path, names: tuple[str, ...], rtol: float
) -> None:
    train(config, data, folder / "one", resume=False)
    one = logged(folder / "one", names)
    two = logged(trained_by_two(config, data, folder), names)
    assert len(one) == config.max_steps
    np.testing.assert_allclose(two, one, rtol=rtol)


def test_a_run_of_dcgan_by_two_equals_that_of_one_and_starts_from_another(
    cohort: Path, tmp_path: Path
) -> None:
    """Batch normalisation in both networks, over the batch of both processes."""
    begun = gan_config("dcgan", max_steps=2)
    train(begun, cohort, tmp_path / "begun", resume=False)
    config = gan_config("dcgan", max_steps=4, report_every=1)
    one = train(config, cohort, tmp_path / "one", resume=False, start_from=tmp_path / "begun")
    run = trained_by_two(config, cohort, tmp_path, "--start-from", str(tmp_path / "begun"))
    losses = logged(tmp_path / "one", GAN)
    np.testing.assert_allclose(logged(run, GAN), losses, rtol=1e-3)
    assert one.finished
    assert len(losses) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "names", "changes", "rtol"),
    [
        ("wgan", WGAN, {}, 2e-3),
        ("wgan-gp", WGAN, {}, 1e-3),
        ("adaptive", STYLE, {"augment_probability": 0.5, "group": 2}, 2e-3),
    ],
)
def test_two_processes_train_as_one_does(
    cohort: Path,
    tmp_path: Path,
    kind: str,
    names: tuple[str, ...],
    changes: dict[str, Any],
    rtol: float,
) -> None:
    config = gan_config(kind, max_steps=4, report_every=1, batch=8, **changes)
    compare(config, cohort, tmp_path, names, rtol)


@pytest.mark.slow
def test_volumes_are_normalised_over_both_processes(tmp_path: Path) -> None:
    data = write_volumes(tmp_path / "data", ["a", "b", "c"])
    config = volume_config("jayachandran2021-cgan", **CGAN, max_steps=4, report_every=1)
    compare(config, data, tmp_path, ("loss", "adversarial", "discriminator", "gradient"), 1e-3)


def test_normalisation_by_one_process_is_that_of_pytorch() -> None:
    torch.manual_seed(0)
    plain = nn.BatchNorm2d(3, eps=1e-3, momentum=0.2)
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    shared = SharedBatchNorm(nn.BatchNorm2d(3, eps=1e-3, momentum=0.2))
    shared.load_state_dict(plain.state_dict())
    x = 5 + 3 * torch.randn(4, 3, 6, 5)
    slopes = [slope_of(layer, x) for layer in (plain, shared)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-4, atol=1e-5)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(shared.eval()(x), plain.eval()(x), rtol=1e-5, atol=1e-5)


def slope_of(layer: nn.Module, x: Tensor) -> list[Tensor]:
    given = x.clone().requires_grad_()
    made = layer(given)
    weights = torch.linspace(-1, 1, made.numel()).view_as(made)
    slopes = torch.autograd.grad((weights * made.square()).sum(), [given, *layer.parameters()])
    return [made.detach(), *slopes]


def test_every_batch_norm_is_found_and_keeps_its_name() -> None:
    network = build("han2018-dcgan-t1-128", size=16, width=4)["generator"]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    share_batch_norm(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert normalises_batches(network)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not normalises_batches(build("wang2023-ed", width=4)["generator"])


def test_compiled_code_cannot_share_a_normalisation(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "size", lambda: 2)
    config = gan_config("dcgan", compile=True)
    with pytest.raises(ConfigError, match="set compile=false"):
        train(config, cohort, tmp_path / "run", resume=False)


def test_dropout_of_processes_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(parallel, "size", lambda: 2)
    for rank in (0, 1, 0):
        monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
        parallel.part_ways(tiny_config().seed, 3)
        drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])

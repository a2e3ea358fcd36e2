"""Calabrese's network: its size, its inference, its training, and what becomes of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from synthesis.generate import generate_volume, load_generator, predict
from synthesis.networks import build
from synthesis.networks.registry import network_config
from synthesis.networks.residual_unet3d import ALL_INPUTS, Down, Up
from synthesis.training.config import TrainingConfig
from synthesis.training.loop import TrainingResult, train

from .test_training import stop_after, weights_of
from .volumes import make_volumes, volume_config, write_cohort

TINY: dict[str, Any] = {
    "base": 8, "layers": [1, 1], "patch": [16, 16, 16], "stride": [8, 8, 8], "batch": 2,
    "bn_momentum": 0.1,
}  # fmt: skip


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def statistics(network: nn.Module) -> int:
    return sum(b.numel() for name, b in network.named_buffers() if "running" in name)


def settled(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give every weight and statistic a value that matters, and stop training."""
    torch.manual_seed(seed)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    for name, buffer in network.named_buffers():
        if "running_mean" in name:
            nn.init.normal_(buffer, std=0.1)
        if "running_var" in name:
            nn.init.uniform_(buffer, 0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize(
    ("preset", "trainable", "running"),
    [
        ("calabrese2021-unet", 835_505, 4_176),
        ("calabrese2021-unet-code", 835_505, 4_176),
        ("calabrese2021-unet-reduced", 835_295, 4_166),
    ],
)
def test_the_published_number_of_parameters(preset: str, trainable: int, running: int) -> None:
    network = build(preset)["generator"]
    assert parameters(network) == trainable
    assert statistics(network) == running


def test_channels_are_in_the_order_of_the_released_weights() -> None:
    assert ALL_INPUTS == ("t1", "t2", "flair", "dwi", "swi", "asl", "fa", "md")


def test_presets_hold_what_paper_and_code_say() -> None:
    paper = TrainingConfig.for_preset("calabrese2021-unet")
    code = TrainingConfig.for_preset("calabrese2021-unet-code")
    assert (paper.batch, code.batch) == (16, 32)
    assert (paper.network_config().dropout, code.network_config().dropout) == (0.4, 0.3)
    ours, theirs = paper.objective_settings(), code.objective_settings()
    assert (ours.rotation, ours.swap_axes) == ("three-axis", True)
    assert (theirs.rotation, theirs.swap_axes, theirs.degrees) == ("in-plane", False, 30)
    assert ours.patch == theirs.patch == (80, 80, 80)
    assert ours.stride == theirs.stride == (20, 20, 20)
    assert ours.epsilon == theirs.epsilon == 1e-7
    assert paper.max_steps * paper.batch == code.max_steps * code.batch == 25 * 32_000
    assert code.sequences() == (*ALL_INPUTS, "t1c", "mask")


def test_halving_and_doubling_lie_on_the_voxels_of_tensorflow() -> None:
    # SAME at stride 2 and even size pads after only: coarse voxel i is centred on fine 2 i + 1.
    down, up = Down(1), Up(2)
    nn.init.zeros_(down.conv.weight)
    down.conv.weight.data[0, 0, 1, 1, 1] = 1
    nn.init.zeros_(down.conv.bias)
    x = torch.randn(1, 1, 8, 8, 8)
    torch.testing.assert_close(down(x)[0, 0], x[0, 0, 1::2, 1::2, 1::2])
    # and the transposed one puts it back there
    nn.init.zeros_(up.conv.weight)
    nn.init.zeros_(up.conv.bias)
    up.conv.weight.data[0, 0, 1, 1, 1] = 1
    coarse = torch.randn(1, 2, 4, 4, 4)
    raised = up(coarse)
    assert raised.shape == (1, 1, 8, 8, 8)
    torch.testing.assert_close(raised[0, 0, 1::2, 1::2, 1::2], coarse[0, 0])
    assert float(raised.detach().abs().sum()) == pytest.approx(
        float(coarse[0, 0].abs().sum()), rel=1e-5
    )


def test_receptive_radius_by_gradients() -> None:
    config = network_config("calabrese2021-unet", inputs=["t1"], base=4, layers=[2, 1, 1])
    network = settled(
        build("calabrese2021-unet", inputs=["t1"], base=4, layers=[2, 1, 1])["generator"]
    )
    reach = 0
    for place in range(40, 44):
        x = torch.randn(1, 1, 8, 8, 80, requires_grad=True)
        (slope,) = torch.autograd.grad(network(x)[0, 0, 4, 4, place], x)
        seen = slope.abs().sum((0, 1, 2, 3)).nonzero().ravel()
        reach = max(reach, place - int(seen.min()), int(seen.max()) - place)
    assert reach == config.receptive_radius


@pytest.mark.parametrize("shape", [(21, 40, 33), (8, 57, 16)])
def test_tiles_give_what_one_pass_gives(shape: tuple[int, int, int]) -> None:
    settings = {"inputs": ["t1", "t2"], "base": 4, "layers": [1, 1]}
    network = settled(build("calabrese2021-unet", **settings)["generator"])
    rng = np.random.default_rng(0)
    z = {role: rng.normal(size=shape).astype(np.float32) for role in ("t1", "t2")}
    mask = np.ones(shape, dtype=bool)
    whole = predict(network, network_config("calabrese2021-unet", **settings), z, mask)
    tiled = network_config("calabrese2021-unet", **settings, tile=8)
    np.testing.assert_allclose(predict(network, tiled, z, mask), whole, rtol=1e-4, atol=1e-4)
    near = network_config("calabrese2021-unet", **settings, tile=8, context=2)
    assert np.abs(predict(network, near, z, mask) - whole).max() > 0.01


def test_inference_uses_the_running_statistics() -> None:
    network = build("calabrese2021-unet", inputs=["t1"], base=4, layers=[1, 1])["generator"]
    network = settled(network).train()
    config = network_config("calabrese2021-unet", inputs=["t1"], base=4, layers=[1, 1])
    z = {"t1": np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32)}
    mask = np.ones((8, 8, 8), dtype=bool)
    before = {name: b.clone() for name, b in network.named_buffers()}
    first = predict(network, config, z, mask)
    np.testing.assert_array_equal(predict(network, config, z, mask), first)
    for name, buffer in network.named_buffers():
        assert torch.equal(buffer, before[name])
    assert network.training


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"base": 6}, "multiple of 4"),
        ({"layers": []}, "numbers of blocks"),
        ({"dropout": 1.0}, "dropout"),
        ({"tile": 2}, "tile must be at least 4"),
        ({"target": "t1"}, "also an input"),
        ({"target_scale": -1.0}, "target_scale must be positive"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        network_config("calabrese2021-unet", **settings)


def test_wrong_sizes_are_refused() -> None:
    network = build("calabrese2021-unet-reduced", base=4)["generator"]
    with pytest.raises(ValueError, match=r"multiples of \(4, 4, 4\)"):
        network(torch.zeros(1, 3, 8, 8, 9))
    with pytest.raises(ValueError, match="patch must be multiples"):
        TrainingConfig.for_preset("calabrese2021-unet-reduced", patch=[18, 16, 16])


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("volumes"), ["a", "b", "c", "d"])


@pytest.fixture(scope="module")
def finished(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    run = tmp_path_factory.mktemp("runs") / "run"
    return train(volume_config("calabrese2021-unet-reduced", **TINY), cohort, run, resume=False)


def test_a_resumed_run_equals_an_uninterrupted_one(
    cohort: Path, finished: TrainingResult, tmp_path: Path
) -> None:
    config = volume_config("calabrese2021-unet-reduced", **TINY)
    stopped = train(config, cohort, tmp_path / "run", resume=False, should_stop=stop_after(3))
    assert not stopped.finished
    torch.randn(10)
    resumed = train(config, cohort, tmp_path / "run", resume=True)
    assert resumed.weights_sha256 == finished.weights_sha256
    assert resumed.metrics == finished.metrics


def test_the_reduced_model_learns_a_cohort_and_serves_an_unseen_subject(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b", "c", "d", "e"])
    config = volume_config(
        "calabrese2021-unet-reduced",
        **{**TINY, "layers": [1, 1, 1]},
        max_steps=150, validations=1, checkpoint_every=1000, validation_fraction=0.2,
        dropout=0.0, learning_rate=1e-2, schedule="cosine", rotation="none",
    )  # fmt: skip
    result = train(config, data, tmp_path / "run", resume=False)
    assert result.metrics["mae"] < 0.75 * result.do_nothing["mae"]
    assert result.metrics["contrast_mae"] < 0.5 * result.do_nothing["contrast_mae"]
    assert result.metrics["ssim"] > result.do_nothing["ssim"]
    generator = load_generator(tmp_path / "run")
    shown = {r: v for r, v in make_volumes(99).items() if r in generator.config.inputs}
    volume = generator.volume(shown, seed=0)
    np.testing.assert_array_equal(
        volume, generate_volume(generator.network, generator.config, shown)
    )
    truth = make_volumes(99)
    assert (
        volume[truth["mask"] == 3].mean() > volume[(truth["t1"] > 0) & (truth["mask"] == 0)].mean()
    )


def test_patches_from_the_tumour_need_a_segmentation(cohort: Path, tmp_path: Path) -> None:
    config = volume_config(
        "calabrese2021-unet-reduced", **TINY, region="tumour", region_size=[8, 20, 20]
    )
    result = train(config, cohort, tmp_path / "run", resume=False)
    assert result.finished
    card = json.loads((tmp_path / "run" / "model_card.json").read_text())
    assert card["training"]["objective"]["region"] == "tumour"
    bare = write_cohort(tmp_path / "bare", ["a", "b"], roles=("t1", "t2", "flair", "t1c"))
    with pytest.raises(ValueError, match="no mask"):
        train(config, bare, tmp_path / "other", resume=False)


def test_eight_sequences_are_found_by_their_file_names(tmp_path: Path) -> None:
    data = write_cohort(tmp_path / "data", ["a", "b"], roles=(*ALL_INPUTS, "t1c"))
    config = volume_config("calabrese2021-unet", **TINY, rotation="none")
    result = train(config, data, tmp_path / "run", resume=False)
    assert len(load_generator(result.run_dir).config.inputs) == 8
    assert weights_of(result.run_dir)

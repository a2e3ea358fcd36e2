"""Adversarial training at toy size: it learns, resumes to the bit, starts from other runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synthesis.generate import load_generator
from synthesis.networks import build
from synthesis.training.adversarial_transfer import adopt_by_name, copy_matching
from synthesis.training.checkpoints import CheckpointError, load_state, load_weights
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.journal import Journal
from synthesis.training.loop import TrainingResult, train

from .conftest import make_volumes, write_subject

GAN = {
    "threads": 1,
    "size": 16,
    "plane": "axial",
    "latent": 16,
    "batch": 8,
    "first": 0.2,
    "last": 0.8,
    "scored": 32,
    "max_steps": 6,
    "validations": 1,
    "report_every": 2,
    "checkpoint_every": 4,
    "validation_fraction": 0.3,
}
DCGAN = {**GAN, "width": 8, "learning_rate": 1e-3}
WGAN = {**GAN, "width": 8, "learning_rate": 5e-4, "critic_steps": 2}
PENALISED = {**WGAN, "penalty": 10.0, "critic_norm": "instance", "optimiser": "adam"}
STYLE = {
    **GAN,
    "widest": 8,
    "mapping_layers": 2,
    "r1": 1.0,
    "ema_half_life": 5.0,
    "learning_rate": 3e-3,
    "roles": ["t1", "flair"],
}
ADAPTIVE = {**STYLE, "augment": "adaptive", "augment_speed": 0.1, "mirror": True}
RELATIVISTIC = {
    **STYLE,
    "loss": "relativistic",
    "r2": 1.0,
    "r1_every": 1,
    "path_weight": 0.0,
    "empty_channels": 1,
}
CONCAT = {**DCGAN, "roles": ["t1", "flair"], "pooled": True, "plane": "coronal", "fit": "pad"}

KINDS = {
    "dcgan": ("han2018-dcgan-t1-128", DCGAN),
    "concat": ("han2018-dcgan-t1-128", CONCAT),
    "wgan": ("han2018-wgan-t1-128", WGAN),
    "wgan-gp": ("han2018-wgan-t1-128", PENALISED),
    "stylegan2": ("park2021-stylegan2", STYLE),
    "adaptive": ("park2021-stylegan2", ADAPTIVE),
    "relativistic": ("park2021-stylegan2", RELATIVISTIC),
}


def gan_config(kind: str, **changes: object) -> TrainingConfig:
    preset, settings = KINDS[kind]
    return TrainingConfig.for_preset(preset, **{**settings, **changes})


def stop_after(steps: int) -> Callable[[], bool]:
    asked = iter(range(1, 10_000))
    return lambda: next(asked) >= steps


@pytest.fixture(scope="module")
def style_run(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    folder = tmp_path_factory.mktemp("gan") / "style"
    return train(gan_config("stylegan2"), cohort, folder, resume=False)


@pytest.mark.parametrize(
    ("kind", "steps", "share"),
    [("dcgan", 250, 0.7), ("wgan", 150, 0.7), ("wgan-gp", 80, 0.7), ("stylegan2", 120, 0.7)],
)
def test_each_objective_nears_the_data(tmp_path: Path, kind: str, steps: int, share: float) -> None:
    for seed in range(4):
        write_subject(tmp_path / "data" / f"s{seed}", make_volumes(seed))
    more = {"learning_rate": 6e-3} if kind == "stylegan2" else {}
    config = gan_config(
        kind, **more, max_steps=steps, checkpoint_every=1000, report_every=50, scored=64
    )
    result = train(config, tmp_path / "data", tmp_path / "run", resume=False)
    score, untrained = (x["sliced_distance"] for x in (result.metrics, result.do_nothing))
    assert score < share * untrained
    assert result.metrics["sliced_distance_of_real"] < score
    assert 0.2 < result.metrics["diversity"] < 3.0


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_resumed_run_equals_an_uninterrupted_one(cohort: Path, tmp_path: Path, kind: str) -> None:
    config = gan_config(kind)
    whole = train(config, cohort, tmp_path / "whole", resume=False)
    stopped = train(config, cohort, tmp_path / "cut", resume=False, should_stop=stop_after(3))
    assert not stopped.finished
    torch.randn(10)
    resumed = train(config, cohort, tmp_path / "cut", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert resumed.metrics == whole.metrics
    assert resumed.do_nothing == whole.do_nothing
    one, other = (load_state(tmp_path / run / "state.pt")["learner"] for run in ("cut", "whole"))
    equal(one, other)


def equal(one: object, other: object) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name, value in one.items():
            equal(value, other[name])
    elif isinstance(one, list | tuple):
        for mine, theirs in zip(one, other, strict=True):
            equal(mine, theirs)
    else:
        assert one == other


def test_adaptive_probability_is_logged_and_kept(cohort: Path, tmp_path: Path) -> None:
    config = gan_config("adaptive", max_steps=8)
    train(config, cohort, tmp_path / "run", resume=False)
    state = load_state(tmp_path / "run" / "state.pt")["learner"]["probability"]
    lines = Journal(tmp_path / "run" / "metrics.jsonl").lines()
    logged = [line["augment_probability"] for line in lines if line["kind"] == "train"]
    assert logged[-1] == pytest.approx(state["value"].item())
    # p moves by batch x 4 / (1000 x 0.1) at a time and stays in [0, 1].
    assert {round(p, 6) for p in logged} <= {0.0, 0.32, 0.64}


def test_weights_of_the_critic_are_clipped(cohort: Path, tmp_path: Path) -> None:
    train(gan_config("wgan", clip=0.005), cohort, tmp_path / "run", resume=False)
    critic = load_state(tmp_path / "run" / "state.pt")["learner"]["discriminator"]
    weights = [w for name, w in critic.items() if name.endswith("weight")]
    assert max(w.abs().max().item() for w in weights) <= 0.005 + 1e-9


def test_lazy_penalties_change_rate_and_betas(style_run: TrainingResult) -> None:
    state = load_state(style_run.run_dir / "state.pt")["learner"]
    for name, c in (("generator_optimiser", 4 / 5), ("discriminator_optimiser", 16 / 17)):
        (group,) = state[name]["param_groups"]
        assert group["betas"][1] == pytest.approx(0.99**c)
        assert group["lr"] == pytest.approx(3e-3 * c)


def test_released_generator_knows_pixel_and_mean_style(style_run: TrainingResult) -> None:
    weights = load_weights(style_run.run_dir / "weights.safetensors")[0]
    # Axial planes of 36 x 32 millimetres padded to 36 x 36, on 16 pixels.
    np.testing.assert_allclose(weights["pixel_mm"], [36 / 16, 36 / 16])
    assert weights["mean_style"].abs().max() > 0
    assert load_generator(style_run.run_dir).config.roles == ("t1", "flair")


def test_sheet_and_card(style_run: TrainingResult) -> None:
    content = (style_run.run_dir / "samples.png").read_bytes()
    with Image.open(io.BytesIO(content)) as sheet:
        assert "SYNTHETIC" in sheet.info["Description"]
        assert np.asarray(sheet).max() == 255
    text = (style_run.run_dir / "model_card.md").read_text()
    assert "sliced_distance" in text
    assert "StyleGan2Generator" in text


def test_a_run_starts_from_another_by_name(
    cohort: Path, style_run: TrainingResult, tmp_path: Path
) -> None:
    config = gan_config("stylegan2", roles=["t1"], max_steps=1, learning_rate=1e-9)
    result = train(config, cohort, tmp_path / "child", resume=False, start_from=style_run.run_dir)
    mine = load_weights(result.run_dir / "weights.safetensors")[0]
    parents = load_weights(style_run.run_dir / "weights.safetensors")[0]
    torch.testing.assert_close(mine["mapping.layers.0.weight"], parents["mapping.layers.0.weight"])
    assert mine["synthesis.images.0.bias"].shape != parents["synthesis.images.0.bias"].shape
    state = load_state(result.run_dir / "state.pt")["learner"]["discriminator"]
    old = load_state(style_run.run_dir / "state.pt")["learner"]["discriminator"]
    torch.testing.assert_close(state["conv.weight"], old["conv.weight"])


def test_frozen_layers_of_the_discriminator_stay(
    cohort: Path, style_run: TrainingResult, tmp_path: Path
) -> None:
    config = gan_config("stylegan2", freeze=2)
    with pytest.raises(ConfigError, match="name that run"):
        train(config, cohort, tmp_path / "none", resume=False)
    result = train(config, cohort, tmp_path / "child", resume=False, start_from=style_run.run_dir)
    mine = load_state(result.run_dir / "state.pt")["learner"]["discriminator"]
    old = load_state(style_run.run_dir / "state.pt")["learner"]["discriminator"]
    kept = {name for name in mine if torch.equal(mine[name], old[name])}
    frozen = {n for n in mine if n.startswith(("from_image.", "blocks.0."))}
    assert kept == frozen


def test_copying_takes_only_what_fits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    settings = {"size": 16, "width": 4, "latent": 8}
    one = build("han2018-dcgan-t1-128", **settings)["generator"]
    other = build("han2018-dcgan-t1-128", **{**settings, "roles": ("t1", "t2")})["generator"]
    last = f"layers.{len(one.layers) - 1}.weight"
    before = other.state_dict()[last].clone()
    assert copy_matching(other, one.state_dict()) == len(one.state_dict()) - 1
    assert torch.equal(
        other.state_dict()["layers.0.0.weight"], one.state_dict()["layers.0.0.weight"]
    )
    assert torch.equal(other.state_dict()[last], before)


def test_a_run_of_another_family_is_refused(
    finished: TrainingResult, style_run: TrainingResult
) -> None:
    networks = build("park2021-stylegan2", size=8, widest=4)
    with pytest.raises(CheckpointError, match="No layer of unet2d-t1c fits"):
        adopt_by_name(networks, finished.run_dir)


@pytest.mark.parametrize(
    ("preset", "assignment", "match"),
    [
        ("han2018-wgan-t1-128", "penalty=10", "critic_norm=instance"),
        ("han2018-wgan-t1-128", "critic_steps=0", "critic_steps is at least 1"),
        ("han2018-dcgan-t1-128", "first=0.9", "first < last"),
        ("han2018-dcgan-t1-128", "fit=squeeze", "stretch, pad, field"),
        ("park2021-stylegan2", "loss=relativistic", "set r1 and r2"),
        ("park2021-stylegan2", "augment=always", "none, fixed or adaptive"),
        ("park2021-stylegan2", "mixing=2", "mixing must lie between 0 and 1"),
        ("park2021-stylegan2", "path_every=0", "path_every must be at least 1"),
    ],
)
def test_impossible_settings_are_refused(preset: str, assignment: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        TrainingConfig.parse(preset, [assignment])


LOSSES = ("generator_loss", "discriminator_loss", "path_length")


def logged(run: Path, *names: str) -> list[list[float]]:
    lines = [line for line in Journal(run / "metrics.jsonl").lines() if line["kind"] == "train"]
    return [[line[name] for name in names] for line in lines]


@pytest.mark.slow
# The compiler looks at the gradient of tensors that have none, and hides the warning too late.
@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_compiled_steps_train_as_plain_ones_do(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_whole = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda function, **_: compile_whole(function, backend="aot_eager")
    )
    settings = {"max_steps": 2, "report_every": 1, "size": 8, "scored": 8}
    for run, fast in (("plain", False), ("fast", True)):
        config = gan_config("stylegan2", compile=fast, **settings)
        train(config, cohort, tmp_path / run, resume=False)
    plain, fast = (logged(tmp_path / run, *LOSSES) for run in ("plain", "fast"))
    np.testing.assert_allclose(fast, plain, rtol=1e-3)

"""Training: it learns, stops, resumes to the bit, and leaves files that say what was done."""

from __future__ import annotations

import json
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import nn

from synthesis.generate import load_generator
from synthesis.training.checkpoints import (
    CheckpointError,
    load_state,
    load_weights,
    save_state,
    save_weights,
    write_atomically,
)
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.ema import Ema
from synthesis.training.guard import DivergenceGuard
from synthesis.training.journal import Journal
from synthesis.training.learner import TrainingDivergedError
from synthesis.training.loop import TrainingResult, train
from synthesis.training.losses import voxel_weights, weighted_mae
from synthesis.training.schedule import Clock, rate_factor

from .conftest import make_volumes, tiny_config, write_subject


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return load_weights(run / "weights.safetensors")[0]


def stop_after(steps: int) -> Callable[[], bool]:
    """A should_stop that says so when asked for the n-th time."""
    asked = iter(range(1, 10_000))
    return lambda: next(asked) >= steps


def test_learns_contrast_better_than_doing_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_subject(tmp_path / "data" / name, make_volumes(7))
    config = tiny_config(max_steps=150, validations=1, checkpoint_every=1000, report_every=50)
    result = train(config, tmp_path / "data", tmp_path / "run", resume=False)
    assert result.finished
    assert result.metrics["mae"] < 0.6 * result.do_nothing["mae"]
    assert result.metrics["contrast_mae"] < 0.8 * result.do_nothing["contrast_mae"]
    assert result.metrics["ssim"] > result.do_nothing["ssim"] + 0.1


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "bfloat16"},
        {"neighbours": 1},
        {"residual_to": None},
        {"schedule": "constant", "inputs": ["t1", "flair"]},
    ],
)
def test_variants_train_and_release_a_generator(
    cohort: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    result = train(tiny_config(max_steps=3, **changes), cohort, tmp_path / "run", resume=False)
    assert result.finished
    assert all(math.isfinite(value) for value in result.metrics.values())
    assert load_generator(tmp_path / "run").config == tiny_config(**changes).network_config()


def test_a_run_repeats_to_the_bit(cohort: Path, finished: TrainingResult, tmp_path: Path) -> None:
    again = train(tiny_config(), cohort, tmp_path / "run", resume=False)
    assert again.weights_sha256 == finished.weights_sha256
    other = train(tiny_config(seed=1), cohort, tmp_path / "other", resume=False)
    assert other.weights_sha256 != finished.weights_sha256


@pytest.mark.parametrize("stops", [[4], [1, 3]])
def test_a_resumed_run_equals_an_uninterrupted_one(
    cohort: Path, finished: TrainingResult, tmp_path: Path, stops: list[int]
) -> None:
    run = tmp_path / "run"
    for number, steps in enumerate(stops):
        stopped = train(
            tiny_config(), cohort, run, resume=number > 0, should_stop=stop_after(steps)
        )
        assert not stopped.finished
    assert stopped.step == sum(stops)
    torch.randn(100)
    resumed = train(tiny_config(), cohort, run, resume=True)
    assert resumed.finished
    assert resumed.weights_sha256 == finished.weights_sha256
    assert resumed.metrics == finished.metrics
    state, reference = (load_state(path / "state.pt") for path in (run, finished.run_dir))
    assert state["step"] == reference["step"] == 8
    for name, moments in reference["learner"]["optimiser"]["state"].items():
        for key, value in moments.items():
            assert torch.equal(state["learner"]["optimiser"]["state"][name][key], value)


def test_a_crash_after_a_checkpoint_loses_only_the_steps_since(
    cohort: Path, finished: TrainingResult, tmp_path: Path
) -> None:
    def crash(step: int, _of: int, _message: str, _metrics: dict[str, float]) -> None:
        if step >= 5:
            raise KeyboardInterrupt

    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(report_every=1), cohort, run, resume=False, on_progress=crash)
    assert load_state(run / "state.pt")["step"] == 3
    resumed = train(tiny_config(report_every=1), cohort, run, resume=True)
    assert resumed.weights_sha256 == finished.weights_sha256
    steps = [
        line["step"] for line in Journal(run / "metrics.jsonl").lines() if line["kind"] == "train"
    ]
    assert steps == list(range(1, 9))


def test_a_run_may_go_on_longer_but_not_otherwise(cohort: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(tiny_config(max_steps=2), cohort, run, resume=False)
    longer = train(tiny_config(max_steps=4), cohort, run, resume=True)
    assert longer.step == 4
    assert json.loads((run / "config.json").read_text())["max_steps"] == 4
    with pytest.raises(ConfigError, match="learning_rate differ"):
        train(tiny_config(max_steps=4, learning_rate=0.1), cohort, run, resume=True)


def test_a_run_is_never_overwritten(cohort: Path, finished: TrainingResult) -> None:
    with pytest.raises(CheckpointError, match="already holds a run"):
        train(tiny_config(), cohort, finished.run_dir, resume=False)


def test_resuming_on_other_images_is_refused(cohort: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for seed in range(2):
        write_subject(data / f"s{seed}", make_volumes(seed))
    train(tiny_config(max_steps=1), data, tmp_path / "run", resume=False)
    write_subject(data / "s1", make_volumes(9))
    with pytest.raises(CheckpointError, match="images differ"):
        train(tiny_config(max_steps=2), data, tmp_path / "run", resume=True)
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        train(tiny_config(), cohort, tmp_path / "empty", resume=True)


def test_the_clock_bounds_a_run_and_is_remembered(cohort: Path, tmp_path: Path) -> None:
    config = tiny_config(max_steps=10**9, max_minutes=4.0 / 60, validations=1)
    first = train(config, cohort, tmp_path / "run", resume=False, should_stop=stop_after(2))
    second = train(config, cohort, tmp_path / "run", resume=True)
    assert second.finished
    assert 2 < second.step < 10**9
    assert second.seconds > first.seconds


def test_progress_is_reported_with_what_is_left(cohort: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int, str, dict[str, float]]] = []
    train(
        tiny_config(),
        cohort,
        tmp_path / "run",
        resume=False,
        on_progress=lambda *call: calls.append(call),
    )
    assert calls[0][2] == "Reading subject 1 of 3"
    training = [(step, of) for step, of, message, _ in calls if message.startswith("Training")]
    assert training == [(2, 8), (4, 8), (6, 8), (8, 8)]
    assert calls[-1][2] == "Done"
    assert set(calls[-1][3]) == {"mae", "contrast_mae", "ssim", "psnr"}


def test_journal_holds_every_report_and_validation(finished: TrainingResult) -> None:
    lines = Journal(finished.run_dir / "metrics.jsonl").lines()
    assert [(line["kind"], line["step"]) for line in lines] == [
        ("train", 2),
        ("train", 4),
        ("validation", 4),
        ("train", 6),
        ("train", 8),
        ("validation", 8),
    ]
    assert lines[-1]["mae"] == finished.metrics["mae"]
    assert list(lines[-1]["subjects"]) == ["case-0"] or len(lines[-1]["subjects"]) == 1
    assert lines[0]["loss"] > 0


def test_journal_survives_a_torn_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "metrics.jsonl")
    journal.append(step=1, loss=math.nan)
    journal.append(step=2, loss=0.5)
    with journal.path.open("a") as stream:
        stream.write('{"step": 3, "lo')
    assert journal.lines() == [{"step": 1, "loss": None}, {"step": 2, "loss": 0.5}]
    journal.rewind(1)
    assert journal.path.read_text() == '{"step": 1, "loss": null}\n'


def test_model_card_tells_what_was_made_from_what(finished: TrainingResult) -> None:
    run = finished.run_dir
    card = json.loads((run / "model_card.json").read_text())
    split = json.loads((run / "split.json").read_text())
    weights = weights_of(run)
    assert card["architecture"]["parameters"] == sum(w.numel() for w in weights.values())
    assert card["weights_sha256"] == load_weights(run / "weights.safetensors")[2]
    assert card["data"] == {
        "split_sha256": split["sha256"],
        "training_subjects": 2,
        "validation_subjects": 1,
    }
    assert card["training"]["steps"] == 8
    assert card["training"]["seed"] == 0
    assert card["environment"]["torch"] == torch.__version__
    assert {(s["metric"], s["preset"]) for s in card["validation"]["scores"]} == {
        ("mae", "plain/1"),
        ("contrast_mae", "plain/1"),
        ("ssim", "brasyn/1"),
        ("psnr", "brasyn/1"),
    }
    assert "Not for diagnosis" in card["limits"][0]


def test_no_file_for_readers_names_the_machine(finished: TrainingResult, cohort: Path) -> None:
    for name in ("model_card.json", "model_card.md", "config.json", "split.json"):
        text = (finished.run_dir / name).read_text()
        assert str(cohort) not in text
        assert str(finished.run_dir.parent) not in text


def test_sample_sheet_is_marked_as_synthetic(finished: TrainingResult) -> None:
    with Image.open(finished.run_dir / "samples.png") as sheet:
        assert "SYNTHETIC" in sheet.info["Description"]
        assert np.asarray(sheet).max() == 255


def test_validation_subjects_do_not_train(finished: TrainingResult, cohort: Path) -> None:
    split = json.loads((finished.run_dir / "split.json").read_text())
    parts = {s["name"]: s["part"] for s in split["subjects"]}
    assert sorted(parts) == sorted(p.name for p in cohort.iterdir())
    scored = Journal(finished.run_dir / "metrics.jsonl").lines()[-1]["subjects"]
    assert [parts[name] for name in scored] == ["validation"]


def test_diverging_losses_stop_the_run() -> None:
    guard = DivergenceGuard()
    for step in range(30):
        guard.check(step, {"loss": 1.0})
    with pytest.raises(TrainingDivergedError, match=r"step 31: loss is nan.*learning_rate"):
        guard.check(31, {"loss": math.nan})
    with pytest.raises(TrainingDivergedError, match="gradient is inf"):
        guard.check(31, {"loss": 1.0, "gradient": math.inf})
    assert not [step for step in range(32, 34) if guard.check(step, {"loss": 40.0})]
    with pytest.raises(TrainingDivergedError, match="the loss rose"):
        guard.check(34, {"loss": 400.0})


def test_a_run_that_diverges_keeps_its_last_state(cohort: Path, tmp_path: Path) -> None:
    def poison(step: int, _of: int, _message: str, _metrics: dict[str, float]) -> None:
        if step == 6:
            monkey.setattr(torch.nn.functional, "silu", lambda h: torch.full_like(h, math.nan) * h)

    with pytest.MonkeyPatch.context() as monkey, pytest.raises(TrainingDivergedError):
        train(tiny_config(), cohort, tmp_path / "run", resume=False, on_progress=poison)
    assert load_state(tmp_path / "run" / "state.pt")["step"] == 6


def test_too_large_a_cohort_is_refused_while_reading(cohort: Path, tmp_path: Path) -> None:
    config = replace(tiny_config(), memory_gb=1e-3 / 20)
    with pytest.raises(ValueError, match="Raise memory_gb"):
        train(config, cohort, tmp_path / "run", resume=False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")
def test_an_absent_device_is_refused(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No CUDA device"):
        train(tiny_config(device="cuda"), cohort, tmp_path / "run", resume=False)
    with pytest.raises(ConfigError, match="device must be"):
        train(tiny_config(device="abacus"), cohort, tmp_path / "run", resume=False)
    assert not (tmp_path / "run").exists()


def test_weighted_mae_by_hand() -> None:
    mask = torch.tensor([[[[0.0, 1.0, 1.0]]]])
    contrast = torch.tensor([[[[9.0, 1.0, -7.0]]]])
    weights = voxel_weights(mask, brain_weight=5.0, contrast=contrast, contrast_weight=2.0)
    assert weights.flatten().tolist() == [1.0, 15.0, 35.0]
    truth = torch.zeros(1, 1, 1, 3)
    prediction = torch.tensor([[[[2.0, -1.0, 1.0]]]])
    assert weighted_mae(prediction, truth, weights).item() == pytest.approx((2 + 15 + 35) / 51)
    plain = voxel_weights(mask, brain_weight=5.0, contrast=None, contrast_weight=2.0)
    assert plain.flatten().tolist() == [1.0, 5.0, 5.0]


def test_average_halves_in_its_half_life() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    ema = Ema(network, half_life=3.0)
    nn.init.ones_(network.weight)
    for _ in range(3):
        ema.update(network, steps_done=1000)
    assert ema.network.weight.item() == pytest.approx(0.5)
    assert ema.decay(0) == 0.0
    assert ema.decay(10) == pytest.approx(0.5)
    assert not ema.network.weight.requires_grad


def test_rate_rises_then_falls_along_a_cosine() -> None:
    settings = {"schedule": "cosine", "warmup": 0.1}
    assert rate_factor(0.0, **settings) == pytest.approx(0.01)
    assert rate_factor(0.5, **settings) == pytest.approx(0.5)
    assert rate_factor(1.0, **settings) == pytest.approx(0.0)
    assert rate_factor(0.75, schedule="constant", warmup=0.1) == 1.0
    assert rate_factor(0.0, schedule="constant", warmup=0.0) == 1.0


def test_clock_keeps_time_for_the_end() -> None:
    clock = Clock(max_steps=100, max_minutes=1.0, spent=15.0, started=time.monotonic())
    assert clock.progress(10) == pytest.approx(0.25, abs=0.01)
    assert clock.progress(80) == 0.8
    clock.expect_closing(20.0)
    assert clock.progress(10) == pytest.approx(0.5, abs=0.01)
    assert clock.expected_steps(10) == pytest.approx(20, abs=1)
    assert Clock(max_steps=100, max_minutes=None, spent=1e6).progress(50) == 0.5


def test_settings_are_read_from_assignments() -> None:
    config = TrainingConfig.parse(
        "unet2d-t1c",
        ["batch=4", "crop=[64,32]", "width=16", 'inputs=["t1","t2"]', "precision=bfloat16"],
        seed=7,
        max_minutes=None,
    )
    assert config.batch == 4
    assert config.seed == 7
    assert config.precision == "bfloat16"
    assert config.objective_settings().crop == (64, 32)
    assert config.network_config().inputs == ("t1", "t2")
    assert config.network_config().width == 16
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("assignment", "match"),
    [
        ("batch", "key=value"),
        ("batches=4", "no setting 'batches'.*batch"),
        ("batch=0", "batch must lie between"),
        ("batch=many", "batch must lie between.*'many'"),
        ("schedule=linear", "cosine or constant"),
        ("focus=2", "focus must lie between 0 and 1"),
        ("width=0", "width must be at least 1"),
        ("crop=64", "wrong kind"),
        ("crop=[60,64]", "multiples of 16"),
    ],
)
def test_bad_assignments_are_refused(assignment: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        TrainingConfig.parse("unet2d-t1c", [assignment])


def test_weights_are_safetensors_with_their_preset_inside(finished: TrainingResult) -> None:
    content = (finished.run_dir / "weights.safetensors").read_bytes()
    assert set(safetensors.torch.load(content)) == set(weights_of(finished.run_dir))
    _, facts, _ = load_weights(finished.run_dir / "weights.safetensors")
    assert facts["preset"] == "unet2d-t1c"
    assert facts["network"]["width"] == 4


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was executed",))


def test_pickled_weights_are_refused_unopened(tmp_path: Path) -> None:
    as_torch, as_pickle = tmp_path / "a.pt", tmp_path / "b.pkl"
    torch.save({"w": torch.zeros(1)}, as_torch)
    as_pickle.write_bytes(pickle.dumps(Bomb()))
    for path in (as_torch, as_pickle):
        with pytest.raises(CheckpointError, match=r"is a pickle.*refused"):
            load_weights(path)


def test_a_state_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch.save({"learner": Bomb()}, tmp_path / "state.pt")
    with pytest.raises(CheckpointError, match="not a saved state"):
        load_state(tmp_path / "state.pt")


def test_damaged_files_are_named(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", {"w": torch.arange(9.0)}, {})
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((tmp_path / "w.safetensors").read_bytes()[:-4])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors is not a readable"):
        load_weights(cut)
    with pytest.raises(CheckpointError, match="no weights file"):
        load_weights(tmp_path / "none.safetensors")
    (tmp_path / "state.pt").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="not a saved state"):
        load_state(tmp_path / "state.pt")


def test_state_round_trip(tmp_path: Path) -> None:
    state = {"step": 3, "numbers": [1.5, math.inf], "tensor": torch.arange(3), "none": None}
    save_state(tmp_path / "state.pt", state)
    loaded = load_state(tmp_path / "state.pt")
    assert torch.equal(loaded.pop("tensor"), state.pop("tensor"))
    assert loaded == state


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]

"""The engine under hard use: killed, run by two processes, compiled, stopped early, diverging."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from synthesis.training import parallel
from synthesis.training.checkpoints import load_state, load_weights
from synthesis.training.config import ConfigError
from synthesis.training.journal import Journal
from synthesis.training.learner import Score, TrainingDivergedError, Validation
from synthesis.training.loop import TrainingResult, train
from synthesis.training.regression import RegressionLearner
from synthesis.training.runs import RunFolder
from synthesis.training.speed import Pace, accelerated
from synthesis.training.stopping import EarlyStop
from synthesis.training.words import duration

from .conftest import tiny_config
from .processes import ROOT, assignments, attempt, trained_by_two


def lines_of(run: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in Journal(run / "metrics.jsonl").lines() if line["kind"] == kind]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_run_killed_outright_and_resumed_equals_an_uninterrupted_one(
    cohort: Path,
    finished: TrainingResult,
    tmp_path: Path,
    started: list[subprocess.Popen[bytes]],
) -> None:
    """SIGKILL after the state of step 3 is written, while steps beyond it are under way."""
    run = tmp_path / "run"
    slowly = "import time, synthesis.training.regression as r\n"
    slowly += "step = r.RegressionLearner.step\n"
    slowly += "def slow(*a):\n    time.sleep(0.3)\n    return step(*a)\n"
    slowly += "r.RegressionLearner.step = slow\n"
    slowly += "import sys\nfrom synthesis.training.__main__ import main\nsys.exit(main())\n"
    command = [sys.executable, "-c", slowly, "unet2d-t1c", "--data", str(cohort)]
    command += ["--run-dir", str(run), *assignments(tiny_config())]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    started.append(process)
    deadline = time.monotonic() + 120
    while not any(line["step"] >= 4 for line in lines_of(run, "train")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 3 <= load_state(run / "state.pt")["step"] < 8
    assert not (run / "weights.safetensors").exists()

    resumed = train(tiny_config(), cohort, run, resume=True)
    assert resumed.weights_sha256 == finished.weights_sha256
    assert resumed.metrics == finished.metrics
    killed, whole = (load_state(path / "state.pt") for path in (run, finished.run_dir))
    for name, moments in whole["learner"]["optimiser"]["state"].items():
        for key, value in moments.items():
            assert torch.equal(killed["learner"]["optimiser"]["state"][name][key], value)
    losses = [[line["loss"] for line in lines_of(r, "train")] for r in (run, finished.run_dir)]
    assert losses[0] == losses[1]


def test_two_processes_have_the_loss_curve_of_one(
    cohort: Path, finished: TrainingResult, tmp_path: Path
) -> None:
    run = trained_by_two(tiny_config(), cohort, tmp_path)
    mine, theirs = lines_of(run, "train"), lines_of(finished.run_dir, "train")
    assert [line["step"] for line in mine] == [2, 4, 6, 8]
    for one, other in zip(mine, theirs, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert one["gradient"] == pytest.approx(other["gradient"], rel=1e-4)
    ours, whole = (
        load_weights(path / "weights.safetensors")[0] for path in (run, finished.run_dir)
    )
    for name, value in whole.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=1e-5)
    assert json.loads((run / "model_card.json").read_text())["training"]["processes"] == 2


def test_a_batch_that_cannot_be_shared_is_refused_in_words(cohort: Path, tmp_path: Path) -> None:
    done = attempt(tiny_config(batch=3), cohort, tmp_path / "run")
    assert done.returncode != 0
    assert "batch must be a multiple of the 2 processes, got 3" in done.stdout


def test_one_process_alone_shares_nothing() -> None:
    assert (parallel.size(), parallel.rank(), parallel.leads()) == (1, 0, True)
    assert list(range(5))[parallel.share(5)] == [0, 1, 2, 3, 4]
    assert parallel.agreed(0.25) == 0.25
    weight = nn.Parameter(torch.ones(2))
    (weight * 3).sum().backward()
    parallel.add_gradients([weight])
    assert weight.grad is not None
    assert weight.grad.tolist() == [3.0, 3.0]


def test_a_compiled_run_equals_a_plain_one(
    cohort: Path, finished: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traced and differentiated by the compiler; generating C++ would take a minute more."""
    compiler, asked = torch.compile, []

    def traced(function: Any, *, mode: str) -> Any:
        asked.append(mode)
        return compiler(function, backend="aot_eager")

    monkeypatch.setattr(torch, "compile", traced)
    run = tmp_path / "run"
    train(tiny_config(compile=True), cohort, run, resume=False)
    assert asked == ["default"]
    for one, other in zip(lines_of(run, "train"), lines_of(finished.run_dir, "train"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)
    names = load_weights(finished.run_dir / "weights.safetensors")[0].keys()
    assert load_weights(run / "weights.safetensors")[0].keys() == names, "as of the plain network"


def test_cuda_graphs_have_no_effect_on_a_processor() -> None:
    network = nn.Linear(2, 2)
    assert accelerated(network, tiny_config(cuda_graphs=True)) is network
    assert accelerated(network, tiny_config(compile=True), twice=True) is network
    with pytest.raises(ConfigError, match="compile must be true or false, got 'yes'"):
        tiny_config(compile="yes")


SCORES = {2: 1.0, 4: 0.6, 6: 0.8, 8: 0.7, 10: 0.9}


@pytest.fixture
def _scores_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the score of the validations be a course with its best at step 4."""
    honest, step = RegressionLearner.validate, RegressionLearner.step
    now = {"step": 0}

    def count(self: RegressionLearner, number: int, rate: float) -> dict[str, float]:
        now["step"] = number + 1
        return step(self, number, rate)

    def validate(self: RegressionLearner) -> Validation:
        found = honest(self)
        course = SCORES.get(now["step"], 9.0)
        scores = tuple(replace(s, value=course) if s.metric == "mae" else s for s in found.scores)
        return Validation(scores, found.subjects)

    monkeypatch.setattr(RegressionLearner, "step", count)
    monkeypatch.setattr(RegressionLearner, "validate", validate)


@pytest.mark.usefixtures("_scores_by_step")
def test_a_run_that_stands_still_ends_with_its_best_weights(cohort: Path, tmp_path: Path) -> None:
    course = {"max_steps": 20, "validations": 10, "schedule": "constant"}
    watched = tiny_config(**course, stop_metric="mae", stop_patience=2)
    result = train(watched, cohort, tmp_path / "run", resume=False)
    assert (result.finished, result.step) == (True, 8)
    card = json.loads((tmp_path / "run" / "model_card.json").read_text())
    assert card["training"]["stopping"] == {
        "metric": "mae",
        "patience": 2,
        "best": 0.6,
        "best_step": 4,
        "stopped_early": True,
    }
    text = (tmp_path / "run" / "model_card.md").read_text()
    assert "early: mae had not improved in 2 validations; weights released are those of" in text
    until_best = train(
        tiny_config(**{**course, "max_steps": 4}), cohort, tmp_path / "best", resume=False
    )
    assert result.weights_sha256 == until_best.weights_sha256


@pytest.mark.usefixtures("_scores_by_step")
def test_early_stop_is_the_same_in_a_resumed_run(cohort: Path, tmp_path: Path) -> None:
    watched = tiny_config(max_steps=20, validations=10, stop_metric="mae", stop_patience=2)
    whole = train(watched, cohort, tmp_path / "whole", resume=False)
    asked = iter(range(1, 100))
    first = train(
        watched, cohort, tmp_path / "cut", resume=False, should_stop=lambda: next(asked) >= 6
    )
    assert (first.finished, first.step) == (False, 6)
    resumed = train(watched, cohort, tmp_path / "cut", resume=True)
    assert (resumed.step, resumed.weights_sha256) == (whole.step, whole.weights_sha256)
    again = train(watched, cohort, tmp_path / "cut", resume=True)
    assert (again.step, again.weights_sha256) == (whole.step, whole.weights_sha256)


def test_early_stop_follows_the_direction_of_the_score() -> None:
    network = nn.Linear(1, 1)

    def course(metric: str, values: list[float], **more: Any) -> list[bool]:
        early, reached = EarlyStop(metric, 2), []
        for step, value in enumerate(values):
            early.take(step, [Score(metric, "p", "r", "", value, 0.0, **more)], network)
            reached.append(early.reached)
        return reached

    assert course("ssim", [0.5, 0.6, 0.55, 0.59]) == [False, False, False, True]
    assert course("mae", [0.5, 0.4, 0.3, 0.2]) == [False] * 4
    assert course("own", [1.0, 2.0, 3.0], better="higher") == [False] * 3
    assert course("mae", [0.5, float("nan"), float("nan")]) == [False, False, True]


def test_a_score_that_does_not_exist_is_told_with_those_that_do(
    cohort: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="scores of this training: mae, contrast_mae, ssim, psnr"):
        train(tiny_config(stop_metric="fid"), cohort, tmp_path / "run", resume=False)


def test_a_diverging_run_says_so_in_its_log(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = RegressionLearner.step

    def breaks(self: RegressionLearner, number: int, rate: float) -> dict[str, float]:
        losses = step(self, number, rate)
        return {**losses, "loss": float("nan")} if number == 4 else losses

    monkeypatch.setattr(RegressionLearner, "step", breaks)
    with pytest.raises(TrainingDivergedError, match="diverged at step 5: loss is nan"):
        train(tiny_config(), cohort, tmp_path / "run", resume=False)
    (line,) = lines_of(tmp_path / "run", "diverged")
    assert line["step"] == 5
    assert "smaller learning_rate" in line["reason"]
    assert load_state(tmp_path / "run" / "state.pt")["step"] == 3, "the last sound state is kept"


def test_the_log_tells_the_pace_and_the_time_left(finished: TrainingResult) -> None:
    lines = lines_of(finished.run_dir, "train")
    assert all(line["images_per_second"] > 0 for line in lines)
    left = [line["seconds_left"] for line in lines]
    assert left[0] > 0
    card = json.loads(RunFolder(finished.run_dir).card.read_text())
    assert card["training"]["images_per_second"] == pytest.approx(lines[-1]["images_per_second"])


def test_the_pace_is_the_median_of_the_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 1, 1 and 10 s: a median of 1 s a step; four images each."""
    clock = iter([0.0, 0.0, 1.0, 5.0, 6.0, 10.0, 20.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    pace = Pace(4)
    for _ in range(3):
        pace.begin()
        pace.end()
        pace.report()
    assert pace.seconds_per_step == 1.0
    assert pace.images_per_second == 4.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (12.4, "12 s"),
        (120, "2 min"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (187_200, "2 days 4 h"),
    ],
)
def test_durations_are_told_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_sheet_of_samples_is_there_before_the_end(cohort: Path, tmp_path: Path) -> None:
    asked = iter(range(1, 100))
    train(tiny_config(), cohort, tmp_path, resume=False, should_stop=lambda: next(asked) >= 4)
    assert (tmp_path / "samples.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "weights.safetensors").exists()

"""Train by two processes, as torchrun starts them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from synthesis.training.config import TrainingConfig

ROOT = Path(__file__).parents[2]
_APART = {"preset", "network", "objective", "seed", "device", "parent"}


def assignments(config: TrainingConfig) -> list[str]:
    """The settings of a run as typed on a command line."""
    settings = config.to_dict()
    run = {name: value for name, value in settings.items() if name not in _APART}
    merged = {**run, **settings["network"], **settings["objective"]}
    return [f"{name}={json.dumps(value)}" for name, value in merged.items()]


def attempt(
    config: TrainingConfig, data: Path, run: Path, *more: str, processes: int = 2
) -> subprocess.CompletedProcess[str]:
    """Run the engine in processes of its own, once."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    start = [sys.executable, "-W", "ignore", *launcher, "-m", "synthesis.training"]
    places = ["--data", str(data), "--run-dir", str(run), "--seed", str(config.seed)]
    return subprocess.run(
        [*start, config.preset, *places, *more, *assignments(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def trained_by_two(config: TrainingConfig, data: Path, folder: Path, *more: str) -> Path:
    """Train by two; gloo aborts a process once in a while, and the run is then tried again."""
    for number in range(3):
        run = folder / f"run{number}"
        done = attempt(config, data, run, *more)
        if done.returncode == 0 or "(SIGABRT)" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr[-2000:]
    return run

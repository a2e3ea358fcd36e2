"""What the page of a training shows, read from the files of its run. No PyTorch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from readerstudy.core.models import Job
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingRun
from synthesis.training.words import duration

_NOT_LOSSES = {"kind", "step", "seconds", "learning_rate", "images_per_second", "seconds_left"}
_NOT_SCORES = {"kind", "step", "seconds", "subjects"}
_SHOWN_CURVES = 6


@dataclass(frozen=True)
class Best:
    """The best and the last value of a score."""

    metric: str
    value: float
    step: int
    now: float


@dataclass(frozen=True)
class Followed:
    """The state of a run: its lines by kind, and what the page says of it."""

    run: TrainingRun
    train: list[dict[str, Any]]
    validations: list[dict[str, Any]]
    diverged: dict[str, Any] | None
    max_steps: int | None
    checkpoint: Checkpoint | None

    @property
    def last(self) -> dict[str, Any]:
        """The newest line of training; empty before the first."""
        return self.train[-1] if self.train else {}

    @property
    def step(self) -> int:
        lines = [*self.train[-1:], *self.validations[-1:]]
        return max((line["step"] for line in lines), default=0)

    @property
    def is_at_work(self) -> bool:
        return self.run.job is not None and self.run.job.state == Job.State.RUNNING

    @property
    def state(self) -> str:
        """One word or two: what is going on."""
        if self.checkpoint is not None:
            return "Finished"
        job = self.run.job
        if job is None or job.state == Job.State.WAITING:
            return "Waiting for a worker"
        if job.state == Job.State.RUNNING:
            return "Stopping" if self.run.stop_asked_at else "Training"
        if job.state == Job.State.FAILED and self.run.stop_asked_at is None:
            return "Diverged" if self.diverged else "Failed"
        return "Stopped"

    @property
    def may_stop(self) -> bool:
        job = self.run.job
        return job is not None and not job.is_finished and self.run.stop_asked_at is None

    @property
    def may_go_on(self) -> bool:
        job = self.run.job
        return self.checkpoint is None and job is not None and job.is_finished

    @property
    def time_left(self) -> str:
        """In words; empty before the first report."""
        left = self.last.get("seconds_left")
        return "" if left is None else duration(left)

    @property
    def ends_at(self) -> Any:
        """When it is expected to end; None while it is not at work."""
        left = self.last.get("seconds_left")
        if left is None or not self.is_at_work:
            return None
        return timezone.now() + timedelta(seconds=left)

    @property
    def loss_names(self) -> list[str]:
        """The losses that are drawn: numbers of the log that are not of the machine."""
        names = [name for name in self.last if name not in _NOT_LOSSES]
        return [name for name in names if name != "gradient"][:_SHOWN_CURVES]

    @property
    def score_names(self) -> list[str]:
        last = self.validations[-1] if self.validations else {}
        return [name for name in last if name not in _NOT_SCORES][:_SHOWN_CURVES]

    def best(self, *, rising: frozenset[str]) -> Best | None:
        """The best value of the score that is watched, or of the first one."""
        if not self.score_names:
            return None
        watched = [o.partition("=")[2] for o in self.run.overrides if o.startswith("stop_metric=")]
        metric = watched[0] if watched and watched[0] in self.score_names else self.score_names[0]
        lines = [line for line in self.validations if line.get(metric) is not None]
        if not lines:
            return None
        choose = max if metric in rising else min
        line = choose(lines, key=lambda one: one[metric])
        return Best(metric, line[metric], line["step"], lines[-1][metric])


def follow(run: TrainingRun) -> Followed:
    """Read how far a run is."""
    lines = journal(run.name)
    by_kind: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "diverged": []}
    for line in lines:
        by_kind.setdefault(line["kind"], []).append(line)
    return Followed(
        run=run,
        train=by_kind["train"],
        validations=by_kind["validation"],
        diverged=by_kind["diverged"][-1] if by_kind["diverged"] else None,
        max_steps=_config(run.name).get("max_steps"),
        checkpoint=Checkpoint.objects.filter(run_folder=run.name).first(),
    )


def journal(name: str) -> list[dict[str, Any]]:
    """Return the whole lines of a run's log; one that is being written is left out."""
    path = run_folder(name) / "metrics.jsonl"
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _config(name: str) -> dict[str, Any]:
    path = run_folder(name) / "config.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found

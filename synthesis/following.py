"""What the page of a training shows, read from the files of its run. No PyTorch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from readerstudy.core.models import Job
from synthesis.curves import OF_REAL
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingRun
from synthesis.training.words import duration

_NOT_LOSSES = {"kind", "step", "seconds", "learning_rate", "images_per_second", "seconds_left"}
_NOT_SCORES = {"kind", "step", "seconds", "subjects", "about"}
OF_SETS = ("fid", "kid")
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
    config: dict[str, Any]
    checkpoint: Checkpoint | None

    @property
    def max_steps(self) -> int | None:
        return self.config.get("max_steps")

    @property
    def percent(self) -> int | None:
        """How much of its steps is done; None for a run that is bounded by the clock."""
        if not self.max_steps or self.config.get("max_minutes"):
            return None
        return min(100, self.step * 100 // self.max_steps)

    @property
    def first_validation(self) -> int:
        """After how many steps the first one comes; 0 if that is not known."""
        return int((self.max_steps or 0) / (self.config.get("validations") or 1))

    @property
    def took(self) -> str:
        """How long it worked, over all sessions, in words."""
        lines = [*self.train[-1:], *self.validations[-1:]]
        return duration(max((line["seconds"] for line in lines), default=0))

    @property
    def sets(self) -> dict[str, Any]:
        """What FID and KID rest on: extractor and numbers of images; empty if there are none."""
        about = self.validations[-1].get("about") if self.validations else None
        return about or {}

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
    def fid(self) -> Best | None:
        """The best FID of its validations."""
        return self.best_of("fid")

    @property
    def loss_names(self) -> list[str]:
        """The losses that are drawn."""
        return loss_names(self.train)

    @property
    def score_names(self) -> list[str]:
        """The scores that are drawn beside FID."""
        return score_names(self.validations)

    @property
    def table_names(self) -> list[str]:
        """Every score of the last validation, for the table."""
        last = self.validations[-1] if self.validations else {}
        return [name for name in last if name not in _NOT_SCORES]

    def best(self, *, rising: frozenset[str]) -> Best | None:
        """The best value of the score that is watched, or of the first one."""
        if not self.table_names:
            return None
        watched = self.config.get("stop_metric")
        metric = watched if watched in self.table_names else self.table_names[0]
        return self.best_of(metric, rising=metric in rising)

    def best_of(self, metric: str, *, rising: bool = False) -> Best | None:
        """The best value of one score; None where it is undefined throughout."""
        lines = [line for line in self.validations if line.get(metric) is not None]
        if not lines:
            return None
        choose = max if rising else min
        line = choose(lines, key=lambda one: one[metric])
        return Best(metric, line[metric], line["step"], lines[-1][metric])


def loss_names(lines: list[dict[str, Any]]) -> list[str]:
    """Return the losses of a log, which are not numbers of the machine; at most six."""
    last = lines[-1] if lines else {}
    names = [name for name in last if name not in _NOT_LOSSES]
    losses = [name for name in names if name.endswith("loss")]
    return (losses or [name for name in names if name != "gradient"])[:_SHOWN_CURVES]


def score_names(lines: list[dict[str, Any]]) -> list[str]:
    """Return the scores of validations, without those of sets and of real images; at most six."""
    last = lines[-1] if lines else {}
    left_out = {*_NOT_SCORES, *OF_SETS}
    return [n for n in last if n not in left_out and not n.endswith(OF_REAL)][:_SHOWN_CURVES]


def by_kind(lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of a log by what they tell: train, validation, diverged."""
    found: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "diverged": []}
    for line in lines:
        found.setdefault(line["kind"], []).append(line)
    return found


def follow(run: TrainingRun) -> Followed:
    """Read how far a run is."""
    found = by_kind(journal(run.name))
    return Followed(
        run=run,
        train=found["train"],
        validations=found["validation"],
        diverged=found["diverged"][-1] if found["diverged"] else None,
        config=_config(run.name),
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

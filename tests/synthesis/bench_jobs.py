"""Jobs of the bench on tiny data, for the tests of what surrounds the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import jobs
from readerstudy.core.models import Job
from synthesis.models import Checkpoint

OVERRIDES = [
    "width=4",
    "levels=2",
    "batch=2",
    "crop=[24,24]",
    "max_steps=6",
    "validations=1",
    "checkpoint_every=3",
    "validation_fraction=0.3",
    "threads=1",
]


def silent(*_: Any) -> None:
    """Take no notice of progress."""


def codes_of(cases: list[Case]) -> list[str]:
    return [case.code for case in cases]


def run_job(kind: str, **arguments: Any) -> Job:
    job = jobs.enqueue(kind, title=kind, arguments=arguments)
    jobs.work_through("gpu")
    job.refresh_from_db()
    return job


def train_job(cohort: Path, run: str = "toy", **changes: Any) -> Job:
    arguments = {"preset": "unet2d-t1c", "data": str(cohort), "run": run, "seed": 5}
    return run_job("train", **{**arguments, "overrides": OVERRIDES, **changes})


def generate_job(checkpoint: Checkpoint, cases: list[Case], seed: int = 1) -> Job:
    return run_job("generate", checkpoint=str(checkpoint.pk), cases=codes_of(cases), seed=seed)

"""Put a network that a training kept on the way on record, as a generator of its own."""

from __future__ import annotations

from typing import Any

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound
from readerstudy.core.models import Job
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingRun
from synthesis.training.places import snapshot_of


def is_kept(run: TrainingRun, step: int) -> bool:
    """Was the network of this step kept?"""
    return (run_folder(run.name) / snapshot_of(step) / "model_card.json").exists()


def release(*, run: TrainingRun, step: int, actor: Any) -> Job:
    """Queue the registration of the network as it was after a step.

    Raises
    ------
    NotFound
        If it was not kept.
    Conflict
        If it is on record already.
    """
    place = f"{run.name}/{snapshot_of(step)}"
    if not is_kept(run, step):
        raise NotFound("The network of this step was not kept.")
    if Checkpoint.objects.filter(run_folder=place).exists():
        raise Conflict("This network is on record already.")
    with write_transaction():
        audit.record(
            actor=actor,
            action="synthesis.release_snapshot",
            target=f"training {run.pk}",
            new={"step": step},
        )
        return jobs.enqueue(
            "release",
            title=f"Register {run.name} at step {step}",
            arguments={"training": str(run.pk), "step": step},
            actor=actor,
            key=f"release:{run.pk}:{step}",
        )

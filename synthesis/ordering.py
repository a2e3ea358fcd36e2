"""Order a training, stop it, let it go on. What the pages and the command line call."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from django.utils import timezone

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingRun

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be trained, on what.

    Attributes
    ----------
    name : str
        Of the run; its folder below the work folder.
    data : str
        Folder of subjects; empty if imported cases are used.
    cases, sequences : list of str
        Codes of cases, and the series that are taken of each.
    overrides : list of str
        ``"key=value"``, checked already.
    device : {"auto", "cpu", "cuda"}
    processes : int
        More than 1 trains in parallel, one process for each GPU.
    start_from : Checkpoint, optional
        Whose weights the network begins with.
    """

    preset: str
    name: str
    data: str = ""
    cases: list[str] = field(default_factory=list)
    sequences: list[str] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)
    seed: int = 0
    device: str = "auto"
    processes: int = 1
    start_from: Checkpoint | None = None


def free_name(preset: str) -> str:
    """Return a name for the next run of a preset that nothing is called by."""
    numbers = (f"{preset}-{number}" for number in count(1))
    return next(
        name
        for name in numbers
        if not run_folder(name).exists() and not TrainingRun.objects.filter(name=name).exists()
    )


def order_training(*, order: Order, actor: Any) -> TrainingRun:
    """Store an order and queue its job.

    Raises
    ------
    ReaderStudyError
        If the name is taken or cannot be a folder, or there are not exactly one kind of images.
    """
    _check(order)
    with write_transaction():
        if TrainingRun.objects.filter(name=order.name).exists():
            raise Conflict(f"A run is called {order.name} already. Give this one another name.")
        run = TrainingRun.objects.create(**vars(order), created_by=_person(actor))
        run.job = _queue(run, actor)
        run.save(update_fields=("job",))
        audit.record(
            actor=actor,
            action="synthesis.order_training",
            target=f"training {run.pk}",
            new={"preset": run.preset, "name": run.name, "overrides": run.overrides},
        )
    return run


def _check(order: Order) -> None:
    if not NAME.fullmatch(order.name):
        raise ReaderStudyError(
            "The name of a run has letters, digits, points, underscores and hyphens, at most 80."
        )
    if bool(order.data) == bool(order.cases):
        raise ReaderStudyError("Choose a folder of subjects or imported cases, one of the two.")
    if run_folder(order.name).exists():
        raise Conflict(f"A run folder {order.name} exists already. Give this run another name.")


def _queue(run: TrainingRun, actor: Any) -> Job:
    number = Job.objects.filter(key__startswith=f"train:{run.pk}:").count()
    return jobs.enqueue(
        "train",
        title=f"Train {run.preset}: {run.name}",
        arguments=arguments_of(run),
        actor=actor,
        key=f"train:{run.pk}:{number}",
    )


def arguments_of(run: TrainingRun) -> dict[str, Any]:
    """Return what the job of a run is given."""
    return {
        "preset": run.preset,
        "data": run.data,
        "run": run.name,
        "seed": run.seed,
        "overrides": run.overrides,
        "device": run.device,
        "processes": run.processes,
        "start_from": str(run.start_from_id or ""),
    }


def ask_to_stop(*, run: TrainingRun, actor: Any) -> None:
    """Ask a run to save its state and stop after the present step; one that waits stops at once."""
    with write_transaction():
        run = TrainingRun.objects.select_for_update().get(pk=run.pk)
        if run.job is None or run.job.is_finished:
            raise Conflict("This run is not at work.")
        run.stop_asked_at = timezone.now()
        run.save(update_fields=("stop_asked_at",))
        audit.record(
            actor=actor, action="synthesis.stop_training", target=f"training {run.pk}", new={}
        )
    if run.job.state == Job.State.WAITING:
        jobs.take_back(job=run.job)


def go_on(*, run: TrainingRun, actor: Any) -> Job:
    """Let a run that was stopped or failed go on from its last saved state."""
    with write_transaction():
        run = TrainingRun.objects.select_for_update().get(pk=run.pk)
        if run.job is not None and not run.job.is_finished:
            raise Conflict("This run is at work already.")
        if Checkpoint.objects.filter(run_folder=run.name).exists():
            raise Conflict("This run is finished. Start a new one for more steps.")
        run.stop_asked_at = None
        run.job = _queue(run, actor)
        run.save(update_fields=("job", "stop_asked_at"))
        audit.record(
            actor=actor, action="synthesis.resume_training", target=f"training {run.pk}", new={}
        )
    return run.job


def record_of(
    *,
    job: Job,
    preset: str,
    data: str,
    name: str,
    seed: int,
    overrides: list[str],
    device: str,
    processes: int = 1,
) -> TrainingRun:
    """Return the row of a run that a job works on; one begun by a command gets its row here."""
    with write_transaction():
        run, new = TrainingRun.objects.get_or_create(
            name=name,
            defaults={
                "preset": preset,
                "data": data,
                "seed": seed,
                "overrides": overrides,
                "device": device,
                "processes": processes,
                "job": job,
                "created_by": job.created_by,
            },
        )
        if not new and run.job_id != job.pk:
            run.job, run.stop_asked_at = job, None
            run.save(update_fields=("job", "stop_asked_at"))
    return run


def data_folders(roots: list[Path]) -> list[Path]:
    """Return the folders of subjects that a training may take: those directly below the roots."""
    found = (path for root in roots if root.is_dir() for path in sorted(root.iterdir()))
    return [path for path in found if path.is_dir() and any(p.is_dir() for p in path.iterdir())]


def _person(actor: Any) -> Any:
    return actor if getattr(actor, "pk", None) else None

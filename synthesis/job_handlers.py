"""Background work of the generators. Torch is imported inside, so that only workers load it."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.jobs import JobContext, handles
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, GenerationRun, TrainingRun


@handles("make_phantoms")
def make_phantoms(
    context: JobContext, *, folder: str, first_seed: int, count: int, spacing_mm: list[float]
) -> dict[str, Any]:
    """Write a cohort of phantom subjects; those that are complete are left as they are."""
    from synthesis.phantom.writer import write_cohort

    write_cohort(
        Path(folder),
        range(first_seed, first_seed + count),
        workers=1,  # a worker's process may not have children
        spacing_mm=(spacing_mm[0], spacing_mm[1], spacing_mm[2]),
        progress=lambda done, of, _: context.progress(done, of, f"{done} of {of} subjects"),
    )
    return {"folder": folder, "subjects": count}


@handles("train", queue="gpu")
def train(
    context: JobContext,
    *,
    preset: str,
    data: str,
    run: str,
    seed: int,
    overrides: list[str],
    device: str = "cpu",
    processes: int = 1,
    start_from: str = "",
) -> dict[str, Any]:
    """Train a generator; a run that was interrupted goes on from its last saved state."""
    from synthesis import bench, ordering
    from synthesis.case_data import keys_of, write_cases

    record = ordering.record_of(
        job=context.job,
        preset=preset,
        data=data,
        name=run,
        seed=seed,
        overrides=overrides,
        device=device,
        processes=processes,
    )
    folder = write_cases(record.cases, record.sequences) if record.cases else Path(data)
    parent = _weights_of(start_from) if start_from else None
    order = bench.TrainingOrder(
        preset, folder, run, seed, tuple(overrides), device, processes, parent
    )
    with _in_words():
        checkpoint = bench.train_checkpoint(
            order,
            job=context.job,
            progress=context.progress,
            should_stop=StopWatch(record.pk),
            keys=keys_of(record.cases),
        )
    if checkpoint is None:
        return {"stopped": True, "training": str(record.pk)}
    scores = checkpoint.card["validation"]["scores"]
    return {
        "checkpoint": str(checkpoint.pk),
        "training": str(record.pk),
        "metrics": {score["metric"]: score["value"] for score in scores},
    }


@handles("release")
def release(context: JobContext, *, training: str, step: int) -> dict[str, Any]:
    """Put the network that a training kept at a step on record."""
    from synthesis import bench
    from synthesis.case_data import keys_of
    from synthesis.training.places import snapshot_of

    run = TrainingRun.objects.get(pk=training)
    with _in_words():
        stored = bench.store_checkpoint(
            f"{run.name}/{snapshot_of(step)}", job=context.job, keys=keys_of(run.cases)
        )
    return {"checkpoint": str(stored.pk), "training": training}


class StopWatch:
    """Says whether somebody asked a run to stop; looks once a second at most."""

    _SECONDS = 1.0

    def __init__(self, training: Any) -> None:
        self.training = training
        self.looked_at = -math.inf
        self.asked = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self.asked and now - self.looked_at >= self._SECONDS:
            self.looked_at = now
            wanted = TrainingRun.objects.filter(pk=self.training, stop_asked_at__isnull=False)
            self.asked = wanted.exists()
        return self.asked


def _weights_of(checkpoint: str) -> Path:
    stored = Checkpoint.objects.get(pk=checkpoint)
    return run_folder(stored.run_folder)


@handles("generate", queue="gpu")
def generate(
    context: JobContext, *, checkpoint: str, cases: list[str], seed: int
) -> dict[str, Any]:
    """Make synthetic counterparts of cases, in a random order, and register each."""
    from synthesis import bench

    # The order of making must not follow the order of the sources.
    order = random.Random(seed).sample(cases, len(cases))
    with _in_words():
        run = bench.generate_run(
            checkpoint, order, seed=seed, job=context.job, progress=context.progress
        )
    return {"run": str(run.pk), "images": len(run.record["images"])}


@handles("draw", queue="gpu")
def draw(
    context: JobContext,
    *,
    checkpoint: str,
    count: int,
    seed: int,
    truncation: float,
    exclude_copies: bool = False,
) -> dict[str, Any]:
    """Draw images of an unconditional generator and register each as a case."""
    from synthesis import drawing

    order = drawing.DrawOrder(checkpoint, count, seed, truncation, exclude_copies)
    with _in_words():
        run = drawing.draw_run(order, job=context.job, progress=context.progress)
    return {"run": str(run.pk), "images": len(run.record["images"])}


@handles("cut_slices", queue="gpu")
def cut_slices(
    context: JobContext, *, checkpoint: str, cases: list[str], count: int, seed: int
) -> dict[str, Any]:
    """Cut real slices as the training slices of a generator were cut."""
    from synthesis import drawing

    with _in_words():
        made = drawing.cut_real_slices(checkpoint, cases, count=count, seed=seed, job=context.job)
    return {"cases": sorted(case.code for case in made)}


@handles("film", queue="gpu")
def film(
    context: JobContext, *, checkpoint: str, seed: int, stops: int, truncation: float
) -> dict[str, Any]:
    """Film a walk through the latent space of a generator."""
    from synthesis import drawing

    del context
    with _in_words():
        return drawing.film_of(checkpoint, seed=seed, stops=stops, truncation=truncation)


@handles("score")
def score(context: JobContext, *, run: str, order: dict[str, Any]) -> dict[str, Any]:
    """Score a generation run; images that are scored are left."""
    from synthesis import scoring
    from synthesis.score_orders import ScoreOrder

    found = GenerationRun.objects.select_related("checkpoint").get(pk=run)
    done = scoring.score_run(
        found, ScoreOrder.from_dict(order), job=context.job, progress=context.progress
    )
    return {"scoring": str(done.pk), "scores": done.record["scores"]}


@handles("fairness")
def fairness(context: JobContext, *, run: str) -> dict[str, Any]:
    """Judge the pixel cues of a generation run, as the leak check of a study will."""
    from synthesis.fairness import report

    return report(GenerationRun.objects.get(pk=run), tell=context.progress)


@contextmanager
def _in_words() -> Iterator[None]:
    """Show the engine's own errors as the sentences they are."""
    from synthesis.data.subjects import DataError
    from synthesis.training.checkpoints import CheckpointError
    from synthesis.training.config import ConfigError
    from synthesis.training.learner import TrainingDivergedError

    try:
        yield
    except (CheckpointError, ConfigError, DataError, TrainingDivergedError) as error:
        raise ReaderStudyError(str(error)) from error

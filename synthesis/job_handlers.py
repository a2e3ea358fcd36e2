"""Background work of the generators. Torch is imported inside, so that only workers load it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.core.jobs import JobContext, handles


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
) -> dict[str, Any]:
    """Train a generator; a run that was interrupted goes on from its last saved state."""
    from synthesis import bench

    checkpoint = bench.train_checkpoint(
        bench.TrainingOrder(preset, Path(data), run, seed, tuple(overrides), device),
        job=context.job,
        progress=context.progress,
    )
    return {"checkpoint": str(checkpoint.pk), "metrics": checkpoint.card.get("metrics", {})}


@handles("generate", queue="gpu")
def generate(
    context: JobContext, *, checkpoint: str, cases: list[str], seed: int
) -> dict[str, Any]:
    """Make synthetic counterparts of cases, in a random order, and register each."""
    from synthesis import bench

    # The order of making must not follow the order of the sources.
    order = random.Random(seed).sample(cases, len(cases))
    run = bench.generate_run(
        checkpoint, order, seed=seed, job=context.job, progress=context.progress
    )
    return {"run": str(run.pk), "images": len(run.record["images"])}


def run_folder(name: str) -> Path:
    """Return where a training run of this name lies."""
    return Path(settings.WORK_ROOT) / "runs" / name

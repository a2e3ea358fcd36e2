"""What the pages of the generators show."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count

from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.truth.models import Origin
from synthesis.drawing_kinds import draws_images, free_for_slices, has_film
from synthesis.models import Checkpoint, GenerationRun, Score, TrainingRun
from synthesis.segmenters import segments
from synthesis.training.places import SNAPSHOTS

MAKING = ("generate", "draw", "cut_slices", "film")
OF_REAL = "_of_real"


@dataclass(frozen=True)
class Summary:
    """A checkpoint with its held-out scores and the number of images it made."""

    checkpoint: Checkpoint
    scores: list[dict[str, Any]]
    runs: list[GenerationRun]
    images: int
    draws: bool


def of(checkpoint: Checkpoint) -> Summary:
    """Return the summary of a checkpoint."""
    runs = list(checkpoint.runs.all())
    scores = held_out_scores(checkpoint)
    images = sum(len(run.record.get("images", [])) for run in runs)
    return Summary(checkpoint, scores, runs, images, draws_images(checkpoint))


def held_out_scores(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Return the scores of the card, each beside what real slices score where that is known."""
    told = checkpoint.card.get("validation", {}).get("scores", [])
    real = {one["metric"]: one["value"] for one in told}
    return [
        {**one, "of_real": real.get(one["metric"] + OF_REAL)}
        for one in told
        if not one["metric"].endswith(OF_REAL)
    ]


def page_context(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the context of a checkpoint's page."""
    return {
        "summary": of(checkpoint),
        "checkpoint": checkpoint,
        "card": checkpoint.card,
        "scores": mean_scores(checkpoint),
        "free": len(free_sources(checkpoint)),
        "draws": draws_images(checkpoint),
        "segments": segments(checkpoint),
        "training": _training_of(checkpoint),
        "jobs": Job.objects.filter(kind__in=MAKING, arguments__checkpoint=str(checkpoint.pk))[:5],
        **(_of_images(checkpoint) if draws_images(checkpoint) else {}),
    }


def _training_of(checkpoint: Checkpoint) -> TrainingRun | None:
    name = checkpoint.run_folder.partition(f"/{SNAPSHOTS}/")[0]
    return TrainingRun.objects.filter(name=name).first()


def _of_images(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"free_for_slices": len(free_for_slices(checkpoint)), "film": has_film(checkpoint)}


def mean_scores(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Return the mean of each metric over the images made, beside doing nothing."""
    rows = (
        Score.objects.filter(run__checkpoint=checkpoint, value__isnull=False, region="brain")
        .exclude(case_code="")
        .values("preset", "metric", "candidate")
        .annotate(mean=Avg("value"), n=Count("id"))
    )
    table: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        line = table.setdefault((row["preset"], row["metric"]), {"n": row["n"]})
        line[row["candidate"].replace(" ", "_")] = row["mean"]
    return [
        {"preset": preset, "metric": metric, **line}
        for (preset, metric), line in sorted(table.items())
    ]


def free_sources(checkpoint: Checkpoint) -> list[str]:
    """Return codes of real cases that have every input and did not train this checkpoint."""
    if draws_images(checkpoint) or segments(checkpoint):
        return []
    inputs = checkpoint.card["architecture"]["settings"]["inputs"]
    trained = checkpoint.training_subjects.values_list("source_key", flat=True)
    cases = Case.objects.available().exclude(subject__source_key__in=trained)
    for role in inputs:
        cases = cases.with_role(role)
    real = Origin.objects.filter(case__in=cases, kind=Origin.Kind.REAL)
    done = {
        entry["source"]
        for run in checkpoint.runs.all()
        for entry in run.record.get("cases", {}).values()
    }
    return sorted(code for code in real.values_list("case__code", flat=True) if code not in done)


def choose_sources(checkpoint: Checkpoint, count: int, *, seed: int) -> list[str]:
    """Draw source cases by a seed."""
    free = free_sources(checkpoint)
    if count > len(free):
        raise ReaderStudyError(
            f"Only {len(free)} cases have every input, did not train this network and have no "
            "counterpart from it yet."
        )
    return sorted(random.Random(seed).sample(free, count))

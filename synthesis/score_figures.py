"""Figures of scores: a metric over training (Park 2021), and agreement of volumes and CBV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from readerstudy.core.errors import NotFound
from readerstudy.stats.figures import bland_altman, to_svg
from synthesis.models import Checkpoint, GenerationRun, Score
from synthesis.over_training import Course, Point, over_training
from synthesis.score_tables import HIGHER_IS_BETTER, SYNTHETIC, newest_set_scores
from synthesis.sessions import sessions_of


def points_of(checkpoints: Sequence[Checkpoint], metric: str) -> dict[str, list[Point]]:
    """Return the scores of checkpoints of one kind by preset of the score, for one metric."""
    found: dict[str, list[Point]] = {}
    for checkpoint in checkpoints:
        steps = checkpoint.card.get("training", {}).get("steps")
        for (preset, region, name), score in newest_set_scores(checkpoint).items():
            if name == metric and score.value is not None and steps is not None:
                limits = [math.nan if v is None else v for v in (score.low, score.high)]
                point = Point(steps, score.value, *limits, checkpoint.run_folder)
                found.setdefault(f"{checkpoint.preset}, {preset}, {region}", []).append(point)
    return found


def over_training_svg(
    checkpoints: Sequence[Checkpoint], kind: str, metric: str, *, actor: Any
) -> str:
    """Return the figure of one kind (see `points_of`), with what readers said of the checkpoints.

    Raises
    ------
    NotFound
        If nothing of that kind is scored.
    """
    points = points_of(checkpoints, metric).get(kind)
    if not points:
        raise NotFound("No checkpoint has this score.")
    named = {point.name for point in points}
    own = [checkpoint for checkpoint in checkpoints if checkpoint.run_folder in named]
    return over_training(
        Course(
            points,
            metric,
            lowest_is_best=metric not in HIGHER_IS_BETTER,
            sessions=sessions_of(own, actor=actor),
        )
    )


MEASURED = {"volume_ml": "mL", "mean": ""}


def agreement_svg(run: GenerationRun, preset: str, metric: str, region: str) -> str:
    """Return the Bland-Altman figure of what is read from synthetic and acquired images.

    Raises
    ------
    NotFound
        If there are not two pairs.
    """
    rows = Score.objects.filter(
        run=run, preset=preset, metric=metric, region=region, value__isnull=False
    ).exclude(case_code="")
    sides: dict[str, dict[str, float]] = {}
    for score in rows:
        sides.setdefault(score.candidate, {})[score.case_code] = score.value or 0.0
    made, real = sides.get(SYNTHETIC, {}), sides.get("acquired", {})
    both = sorted(set(made) & set(real))
    if metric not in MEASURED or len(both) < 2:
        raise NotFound("Fewer than two images have this score for both kinds.")
    chart = bland_altman(
        [made[code] for code in both],
        [real[code] for code in both],
        unit=MEASURED[metric],
        names="synthetic − acquired",
    )
    return to_svg(chart)

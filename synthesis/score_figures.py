"""Figures of scores: a metric over training (Park 2021), and agreement of volumes and CBV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.core.errors import NotFound
from readerstudy.stats.figures import BLUE, INK, bland_altman, to_svg
from synthesis.models import Checkpoint, GenerationRun, Score
from synthesis.score_tables import SYNTHETIC, newest_set_scores

WIDTH, HEIGHT = 560, 240
_FONT = "Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, sans-serif"
_GRID = "#E6E6E2"


@dataclass(frozen=True)
class Point:
    """A score of a generator after so many training steps; limits may be NaN."""

    steps: int
    value: float
    low: float
    high: float
    name: str


def over_training(points: Sequence[Point], *, metric: str, lowest_is_best: bool = True) -> Any:
    """Draw a score against training steps, log scale, with intervals and the best one ringed.

    Parameters
    ----------
    points : sequence of Point
        Of one preset and extractor; at least one, all above 0 for the log scale.
    metric : str
        Name on the axis.
    lowest_is_best : bool

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    ordered = sorted(points, key=lambda point: point.steps)
    pick = min if lowest_is_best else max
    best = pick(ordered, key=lambda point: point.value)
    log = all(point.value > 0 for point in ordered) and lowest_is_best
    scale = alt.Scale(type="log", nice=True) if log else alt.Scale(zero=False, nice=True)
    x = alt.X(
        "steps:Q", title="Training steps", axis=alt.Axis(format=",d", grid=False, tickCount=6)
    )
    y = alt.Y(
        "value:Q",
        title=metric.upper() if len(metric) < 4 else metric,
        scale=scale,
        axis=alt.Axis(tickCount=4),
    )
    base = alt.Chart(alt.InlineData(values=[_row(point, log=log) for point in ordered]))
    text = f"best {best.value:.3g} at {best.steps:,}"
    ring = alt.Chart(alt.InlineData(values=[{**_row(best, log=log), "text": text}]))
    tips = ["name:N", "steps:Q", alt.Tooltip("value:Q", format=".4g")]
    layers = [
        base.mark_rule(color=BLUE, opacity=0.5).encode(x=x, y=alt.Y("low:Q", scale=scale),
                                                       y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=1.5).encode(x=x, y=y),
        base.mark_point(filled=True, color=BLUE, size=36, opacity=1).encode(x=x, y=y, tooltip=tips),
        ring.mark_point(color=BLUE, size=160, strokeWidth=1.5).encode(x=x, y=y),
        ring.mark_text(dy=-16, color=INK, fontSize=12).encode(x=x, y=y, text="text:N"),
    ]  # fmt: skip
    words = f"{metric} of {len(ordered)} checkpoints against training steps; {text}"
    return (
        alt.layer(*layers)
        .properties(width=WIDTH, height=HEIGHT, description=words)
        .configure(font=_FONT)
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight=400, gridColor=_GRID)
        .configure_view(stroke=None)
    )


def _row(point: Point, *, log: bool) -> dict[str, Any]:
    low, high = (None if math.isnan(v) else v for v in (point.low, point.high))
    if log and low is not None and low <= 0:
        low = point.value  # a log scale has no place for it
    return {"steps": point.steps, "value": point.value, "low": low, "high": high,
            "name": point.name}  # fmt: skip


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


def over_training_svg(checkpoints: Sequence[Checkpoint], kind: str, metric: str) -> str:
    """Return the figure of one kind (see `points_of`).

    Raises
    ------
    NotFound
        If nothing of that kind is scored.
    """
    points = points_of(checkpoints, metric).get(kind)
    if not points:
        raise NotFound("No checkpoint has this score.")
    return to_svg(over_training(points, metric=metric))


MEASURED = {"volume_ml": "mL", "mean": ""}


def agreement_svg(run: GenerationRun, metric: str, region: str) -> str:
    """Return the Bland-Altman figure of what is read from synthetic and acquired images.

    Raises
    ------
    NotFound
        If there are not two pairs.
    """
    rows = Score.objects.filter(run=run, metric=metric, region=region, value__isnull=False).exclude(
        case_code=""
    )
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

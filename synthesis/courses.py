"""FID and KID within trainings: of each validation, and what readers said of the networks."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.core.errors import NotFound
from synthesis import following
from synthesis.curves import OF_REAL
from synthesis.following import OF_SETS, Followed
from synthesis.models import Checkpoint, TrainingRun
from synthesis.over_training import Course, Point, over_training
from synthesis.releasing import is_kept
from synthesis.sessions import checkpoints_of, sessions_of
from synthesis.training.places import snapshot_of

COLUMNS = (
    *("run", "preset", "step", "seconds", "metric", "value", "of_real"),
    *("images", "real_images", "extractor", "extractor_sha256"),
)


@dataclass(frozen=True)
class Stop:
    """One validation of a run: its scores, and the network as it was then."""

    step: int
    line: dict[str, Any]
    checkpoint: Checkpoint | None
    kept: bool
    is_best: bool

    @property
    def may_register(self) -> bool:
        """Can this network be put on record?"""
        return self.kept and self.checkpoint is None


def stops(followed: Followed) -> list[Stop]:
    """Return the validations of a run, newest first."""
    known = {one.run_folder: one for one in checkpoints_of(followed.run.name)}
    best = followed.best_of("fid")
    return [
        Stop(
            line["step"],
            line,
            _checkpoint(followed, line["step"], known),
            is_kept(followed.run, line["step"]),
            best is not None and best.step == line["step"],
        )
        for line in reversed(followed.validations)
    ]


def _checkpoint(followed: Followed, step: int, known: dict[str, Checkpoint]) -> Checkpoint | None:
    final = followed.checkpoint
    if final is not None and _released_step(final) == step:
        return final
    return known.get(f"{followed.run.name}/{snapshot_of(step)}")


def _released_step(checkpoint: Checkpoint) -> int:
    training = checkpoint.card["training"]
    watched = training.get("stopping") or {}
    return int(watched.get("best_step") or training["steps"])


def has_course(followed: Followed, metric: str = "fid") -> bool:
    """Was this score computed while the run trained?"""
    return any(line.get(metric) is not None for line in followed.validations)


def course_svg(followed: Followed, metric: str, *, actor: Any) -> str:
    """Return the figure of a score over one training, with the readers' sessions.

    Raises
    ------
    NotFound
        If the score was not computed.
    """
    lines = [line for line in followed.validations if line.get(metric) is not None]
    if metric not in OF_SETS or not lines:
        raise NotFound("This run has no such score.")
    nan = math.nan
    return over_training(
        Course(
            [Point(line["step"], line[metric], nan, nan, followed.run.name) for line in lines],
            metric,
            of_real=next((v for x in lines if (v := x.get(metric + OF_REAL)) is not None), nan),
            sessions=sessions_of(checkpoints_of(followed.run.name), actor=actor),
            until=followed.max_steps,
        )
    )


def followed_courses() -> list[Followed]:
    """Return the trainings that were scored as they went, newest first."""
    found = (following.follow(run) for run in TrainingRun.objects.select_related("job"))
    return [one for one in found if has_course(one)]


def courses_csv(runs: Iterable[Followed]) -> str:
    """Return FID and KID of every validation: one row per run, step and score."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for followed in runs:
        for line in followed.validations:
            writer.writerows(_rows(followed, line))
    return stream.getvalue()


def _rows(followed: Followed, line: dict[str, Any]) -> Iterable[dict[str, Any]]:
    about = line.get("about") or {}
    extractor, images = about.get("extractor", {}), about.get("images", {})
    for metric in OF_SETS:
        if line.get(metric) is not None:
            yield {
                "run": followed.run.name,
                "preset": followed.run.preset,
                "step": line["step"],
                "seconds": line["seconds"],
                "metric": metric,
                "value": line[metric],
                "of_real": line.get(metric + OF_REAL),
                "images": images.get("made"),
                "real_images": images.get("real"),
                "extractor": extractor.get("name"),
                "extractor_sha256": extractor.get("weights_sha256"),
            }

"""Score a generation run: each image against the acquired one, and all of them as a set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from synthesis import set_scoring
from synthesis.data.hashing import json_sha256
from synthesis.data.subjects import DataError
from synthesis.manifest import environment
from synthesis.metrics.agreement import mean_inside
from synthesis.metrics.presets import find_preset
from synthesis.metrics.regions import (
    DO_NOTHING,
    SYNTHETIC,
    LabelScheme,
    RegionScore,
    region_masks,
    scheme_of,
    score_regions,
)
from synthesis.models import GenerationRun, Score, Scoring
from synthesis.run_images import Array, RunCase, load_case, pairs_of
from synthesis.score_orders import ScoreOrder
from synthesis.score_rows import ACQUIRED, Row
from synthesis.segmentation_scores import segmented
from synthesis.segmenting import Segmenter, segmenter_of

Progress = Callable[[int, int, str], None]
MEAN = "region-mean/1"
QUANTITATIVE = ("cbv", "cbf", "adc", "asl", "fa", "md")
_UNIQUE = ("run", "case_code", "candidate", "region", "preset", "metric")
_UPDATED = ("scoring", "value", "low", "high", "n", "reason")


def score_run(
    run: GenerationRun, order: ScoreOrder, *, job: Job | None, progress: Progress
) -> Scoring:
    """Score a run as ordered; what is scored is left, so that the same order costs nothing twice.

    Parameters
    ----------
    run : GenerationRun
    order : ScoreOrder
    job : Job or None
    progress : callable
        Called with (step, of, message).

    Raises
    ------
    ReaderStudyError
        If the order or the images cannot be used; the message says what to do.
    """
    order = order.checked()
    scoring = _open(run, order, job)
    if scoring.finished_at:
        return scoring
    pairs = pairs_of(run)
    segmenter = segmenter_of(order.segmenter)
    if segmenter:
        segmenter.check(run.role)
    steps = len(pairs) + (1 if order.extractor else 0)
    if not steps:
        raise ReaderStudyError(
            "The images of this run have no sources to be compared with. Name an extractor, to "
            "score them as a set."
        )
    if order.presets or segmenter:
        _score_pairs(run, scoring, order, segmenter, lambda n, t: progress(n, steps, t))
    if order.extractor:
        progress(len(pairs), steps, "Comparing the sets")
        _score_sets(run, scoring, order)
    _finish(scoring, segmenter)
    progress(steps, steps, "Done")
    return scoring


def _open(run: GenerationRun, order: ScoreOrder, job: Job | None) -> Scoring:
    codes = sorted(entry["case"] for entry in run.record.get("cases", {}).values())
    if not codes:
        raise ReaderStudyError("This run has made no image yet: there is nothing to score.")
    settings = {**order.to_dict(), "cases_sha256": json_sha256(codes)}
    with write_transaction():
        scoring, _ = Scoring.objects.get_or_create(
            run=run,
            settings_sha256=json_sha256(settings),
            defaults={"settings": settings, "job": job},
        )
    return scoring


def _finish(scoring: Scoring, segmenter: Segmenter | None) -> None:
    with write_transaction():
        scoring.record = {
            **scoring.record,
            "environment": environment("cpu"),
            "segmenter": segmenter.describe() if segmenter else None,
            "weights_sha256": scoring.run.checkpoint.weights_sha256,
            "scores": scoring.scores.count(),
        }
        scoring.finished_at = timezone.now()
        scoring.save(update_fields=("record", "finished_at"))
        audit.record(
            actor=scoring.job.created_by if scoring.job else None,
            action="synthesis.score",
            target=f"run {scoring.run_id}",
            new={"scoring": str(scoring.pk), "settings_sha256": scoring.settings_sha256},
        )


# Each image against the acquired one


def _score_pairs(
    run: GenerationRun,
    scoring: Scoring,
    order: ScoreOrder,
    segmenter: Segmenter | None,
    tell: Callable[[int, str], None],
) -> None:
    pairs = pairs_of(run)
    done = set(scoring.scores.values_list("case_code", flat=True))
    scheme = order.label_scheme()
    for number, (source, case) in enumerate(pairs):
        tell(number, f"{number} of {len(pairs)} images")
        if case.code in done:
            continue
        loaded = load_case(run, source, case)
        try:
            rows = list(_rows_of(loaded, run, order, segmenter, scheme))
        except (ValueError, DataError) as error:
            raise ReaderStudyError(f"Case {source.code}: {error}") from error
        store(run=run, scoring=scoring, case_code=case.code, rows=rows)


def _rows_of(
    loaded: RunCase,
    run: GenerationRun,
    order: ScoreOrder,
    segmenter: Segmenter | None,
    scheme: LabelScheme | None,
) -> Iterator[Row]:
    if loaded.truth is None:
        reason = "the source has no acquired image of this sequence on the same grid"
        yield from _undefined(order, order.regions, reason, (SYNTHETIC,))
        return
    labels, reason, own = loaded.labels, loaded.no_labels, scheme
    if segmenter:
        found = segmented(loaded, run.role, segmenter, scheme)
        yield from found.rows
        if labels is None and found.acquired is not None:
            labels, own = found.acquired, segmenter.scheme or scheme
    known = own or (scheme_of([labels]) if labels is not None else None)
    masks = region_masks(loaded.brain, labels, order.regions, known)
    yield from _paired_rows(loaded, order, masks)
    if run.role in QUANTITATIVE:
        yield from _means(loaded, masks)
    without = [region for region in order.regions if region not in masks]
    yield from _undefined(order, without, reason, _candidates(loaded))


def _candidates(loaded: RunCase) -> dict[str, Array]:
    images = {SYNTHETIC: loaded.made}
    if loaded.before is not None:
        images[DO_NOTHING] = loaded.before
    return images


def _paired_rows(loaded: RunCase, order: ScoreOrder, masks: dict[str, Any]) -> Iterator[Row]:
    if not order.presets or loaded.truth is None:
        return
    scores = score_regions(_candidates(loaded), loaded.truth, masks, presets=order.presets)
    yield from (_row_of(score) for score in scores)


def _row_of(score: RegionScore) -> Row:
    return Row(
        score.candidate, score.region, score.preset, score.metric,
        score.value, score.reason, score.voxels,
    )  # fmt: skip


def _undefined(
    order: ScoreOrder, regions: Iterable[str], reason: str, candidates: Iterable[str]
) -> Iterator[Row]:
    metrics = [(p, metric) for p in order.presets for metric in find_preset(p).metrics]
    names = list(candidates)
    for region in regions:
        for preset, metric in metrics:
            yield from (Row(name, region, preset, metric, math.nan, reason, 0) for name in names)


def _means(loaded: RunCase, masks: dict[str, Any]) -> Iterator[Row]:
    images = {SYNTHETIC: loaded.made, ACQUIRED: loaded.truth}
    for candidate, image in images.items():
        for region, mask in masks.items():
            value = mean_inside(np.asarray(image), mask)
            reason = "the region is empty in this case" if math.isnan(value) else ""
            yield Row(candidate, region, MEAN, "mean", value, reason, int(mask.sum()))


# The set


def _score_sets(run: GenerationRun, scoring: Scoring, order: ScoreOrder) -> None:
    found = set_scoring.score(run, scoring.pk, order)
    rows = [
        Row(
            candidate, region, preset, one.metric, one.value, one.reason,
            one.images, one.low, one.high,
        )
        for candidate, region, preset, one in found.scores
    ]  # fmt: skip
    told = {"extractor": found.extractor, "copies": found.pairs, "sets": found.sizes}
    scoring.record = {**scoring.record, **told}
    with write_transaction():
        scoring.save(update_fields=("record",))
        _store(run, scoring, "", rows)


def store(*, run: GenerationRun, scoring: Scoring, case_code: str, rows: Iterable[Row]) -> None:
    """Put the scores of one image in place of those stored under the same names."""
    with write_transaction():
        _store(run, scoring, case_code, rows)


def _store(run: GenerationRun, scoring: Scoring, case_code: str, rows: Iterable[Row]) -> None:
    Score.objects.bulk_create(
        [
            Score(
                run=run,
                scoring=scoring,
                case_code=case_code,
                candidate=row.candidate,
                region=row.region,
                preset=row.preset,
                metric=row.metric,
                value=_finite(row.value),
                low=_finite(row.low),
                high=_finite(row.high),
                n=row.n,
                reason=_reason(row),
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=_UNIQUE,
        update_fields=_UPDATED,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _reason(row: Row) -> str:
    return "infinite: the images are equal" if math.isinf(row.value) else row.reason[:200]

"""ROC of real against synthetic from the readers' confidence, where it was asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    NAN,
    Block,
    Column,
    Figure,
    Number,
    Passage,
    Row,
    Table,
    Test,
    count,
    number_of,
)
from readerstudy.analysis.endpoints.reads import Scored, scored
from readerstudy.analysis.endpoints.turing_calls import Calls
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset
from readerstudy.stats.figure_data import ReaderCurve
from readerstudy.stats.figures import roc


def curve_blocks(data: Dataset, calls: Calls) -> tuple[list[Block], list[Test]]:
    """Return areas and curves of each reader; nothing where no confidence was asked."""
    confidence, planned = _confidence(data, calls)
    if not confidence or calls.entry.consensus:
        return [], []
    if calls.is_choice:
        words = "A choice between two images has no real and synthetic case: no ROC curve is drawn."
        return ([Passage(words)] if planned else []), []
    graded = scored(data, calls.question.code, confidence, arms=calls.arms, positive=calls.signal)
    kept = _kept(graded, calls)
    places = []
    for arm in calls.arms:
        of_arm = kept.of(arm=arm)
        places += [_Place(arm, reader, of_arm.of(reader=reader)) for reader in calls.readers]
    blocks: list[Block] = [_table(data, calls, kept, places, planned=planned)]
    blocks += [figure for arm in calls.arms if (figure := _figure(data, places, arm))]
    return blocks, []


@dataclass(frozen=True)
class _Place:
    """The graded calls of one reader in one arm."""

    arm: str
    reader: str
    graded: Scored


def _confidence(data: Dataset, calls: Calls) -> tuple[str, bool]:
    """Return the question of confidence, and whether the plan names it."""
    if calls.entry.confidence:
        return calls.entry.confidence, True
    bound = [
        one.code
        for one in data.protocol.questions
        if one.kind == "confidence" and one.bound_to == calls.question.code
    ]
    return (bound[0] if bound else ""), False


def _kept(graded: Scored, calls: Calls) -> Scored:
    """Return the graded reads that are calls of the endpoint, as the plan counts them."""
    wanted = {(call.reader, call.arm, call.item.code) for call in calls.calls}
    keys = zip(graded.readers, graded.arms, graded.items, strict=True)
    keep = [key in wanted for key in keys]
    columns: dict[str, Any] = {
        name: [one for one, kept in zip(values, keep, strict=True) if kept]
        if isinstance(values, list)
        else values
        for name, values in vars(graded).items()
    }
    return Scored(**columns)


def _table(
    data: Dataset, calls: Calls, graded: Scored, places: list[_Place], *, planned: bool
) -> Table:
    rows = [_row(data, calls, place) for place in places]
    if len(calls.readers) > 1:
        rows += [_all_row(data, calls, arm, graded.of(arm=arm)) for arm in calls.arms]
    arms = (Column("arm", "Arm", "text"),) if len(calls.arms) > 1 else ()
    left = f", {many(graded.n_ungraded, 'read')} without a confidence left out"
    notes = () if planned else ("The plan does not name the confidence: exploratory.",)
    return Table(
        code="confidence_auc",
        title="Real against synthetic, by confidence",
        columns=(
            Column("reader", "Reader", "text"),
            *arms,
            Column("synthetic", "Synthetic reads"),
            Column("real", "Real reads"),
            Column("auc", "Area under the curve"),
            Column("interval", f"{100 * calls.level:g} % interval", "interval", "auc"),
        ),
        rows=tuple(rows),
        method=(
            "Score: the call weighted by its confidence, higher for synthetic. Readers: DeLong "
            "et al. 1988; clustered (Obuchowski 1997) where a cluster has several reads. All: "
            "mean over readers, Obuchowski & Rockette 1995, random readers and cases; with "
            "missing reads the U-statistic (Gallas 2006). 0.5 is guessing."
        ),
        n=f"n = {many(len(graded), 'read')}{left if graded.n_ungraded else ''}",
        notes=notes,
        width="half",
    )


def _row(data: Dataset, calls: Calls, place: _Place) -> Row:
    graded = place.graded
    clusters = graded.subjects if calls.entry.unit == "subject" else graded.items
    if not len(graded):
        area = Number(NAN, "area", reason="no graded call")
    elif len(set(clusters)) < len(clusters):
        found: Any = stats.clustered_auc(graded.truth, graded.scores, clusters, level=calls.level)
        area = number_of(found, "area")
    else:
        area = number_of(stats.auc(graded.truth, graded.scores, level=calls.level), "area")
    return _cells(data, place.reader, place.arm, graded, area)


def _cells(
    data: Dataset, name: str, arm: str, graded: Scored, area: Number, *, strong: bool = False
) -> Row:
    positive = sum(graded.truth)
    return Row(
        {
            "reader": name,
            "arm": data.protocol.arm_name(arm),
            "synthetic": count(positive),
            "real": count(len(graded) - positive),
            "auc": area,
        },
        strong,
    )


def _all_row(data: Dataset, calls: Calls, arm: str, graded: Scored) -> Row:
    area = _mean_area(calls, graded)
    return _cells(data, "All readers", arm, graded, area, strong=True)


def _mean_area(calls: Calls, graded: Scored) -> Number:
    """Return the mean area over the readers, with readers and cases as samples."""
    pairs = set(zip(graded.readers, graded.items, strict=True))
    readers, items = set(graded.readers), set(graded.items)
    if len(readers) < 2:
        return Number(NAN, "area", reason="fewer than two readers gave their confidence")
    complete = len(pairs) == len(readers) * len(items)
    analyse = stats.obuchowski_rockette if complete else stats.u_statistic
    try:
        found = analyse(
            reader=graded.readers,
            test=["all"] * len(graded),
            case=graded.items,
            truth=graded.truth,
            score=graded.scores,
            level=calls.level,
        )
    except ValueError as error:
        return Number(NAN, "area", reason=str(error))
    return number_of(found.means[0], "area")


def _figure(data: Dataset, places: list[_Place], arm: str) -> Figure | None:
    """Return the curves of the readers of an arm who called both classes; None without any."""
    name = data.protocol.arm_name(arm)
    curves = []
    for place in places:
        if place.arm != arm or not 0 < sum(place.graded.truth) < len(place.graded):
            continue
        curve = stats.roc_curve(place.graded.truth, place.graded.scores)
        curves.append(ReaderCurve(place.reader, name, curve.sensitivity, curve.specificity))
    if not curves or any(math.isnan(np.sum(one.sensitivity)) for one in curves):
        return None
    return Figure(
        code=f"confidence_roc_{arm}",
        title=f"ROC of real against synthetic, {name}",
        spec=roc(curves).to_dict(),
        alt=f"ROC curves of {many(len(curves), 'reader')}, with their mean, from the confidence.",
        method="Empirical curves; mean sensitivity at equal specificity, t band over readers.",
        n=many(sum(len(place.graded) for place in places if place.arm == arm), "read"),
    )

"""What decided the calls of real and synthetic: cues that were named, spots that were marked."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import (
    DESCRIPTIVE,
    Block,
    Cell,
    Column,
    Figure,
    Number,
    Row,
    Section,
    Table,
    count,
    undefined,
)
from readerstudy.analysis.endpoints.reads import is_right
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import ORIGINS, Dataset, Item, QuestionFacts, Read
from readerstudy.stats.figures_reading import Spot, spot_map

VERDICTS = ("right", "wrong")
MEASURES = "measures"  # free marks and measures that the page keeps with the answer


@dataclass(frozen=True)
class Judged:
    """One read with the truth of its case and whether the call was right."""

    read: Read
    item: Item
    verdict: str
    points: tuple[Sequence[float], ...] = ()


def described_cues(data: Dataset) -> list[Section]:
    """Return the section of cues and marked spots; nothing where no call can be right."""
    question = called(data)
    if question is None:
        return []
    judged = list(_judged(data, question))
    blocks: list[Block] = [
        _named(one, judged) for one in data.protocol.questions if one.kind == "multi"
    ]
    spots = [spot for one in judged for spot in _spots(one)]
    if spots:
        blocks.append(_marked(judged, spots))
        blocks += list(_maps(spots, data))
    if not blocks:
        return []
    return [
        Section(
            "described_cues",
            "What decided the calls",
            DESCRIPTIVE,
            lead=(f"Described for the question “{question.text}”, not tested.",),
            blocks=tuple(blocks),
        )
    ]


def called(data: Dataset) -> QuestionFacts | None:
    """Return the question of real or synthetic, else the first whose right answer is known."""
    known = {code for item in data.items.values() for code in item.right}
    asked = [one for one in data.protocol.questions if one.code in known]
    by_origin = [one for one in asked if one.truth.get("source") == "origin"]
    return next(iter([*by_origin, *asked]), None)


def _judged(data: Dataset, question: QuestionFacts) -> Iterator[Judged]:
    for read in data.first_reads:
        item = data.items.get(read.item)
        if item is None or question.code not in read.answers:
            continue
        right = is_right(question, item, read.answers[question.code])
        if right is not None:
            verdict = VERDICTS[0] if right else VERDICTS[1]
            yield Judged(read, item, verdict, tuple(points_of(read)))


def _named(cue: QuestionFacts, judged: Sequence[Judged]) -> Table:
    """Return how often each cue was named with right and wrong calls."""
    asked = [one for one in judged if _named_in(one.read, cue)]
    origins = [name for name in ORIGINS if any(one.item.origin == name for one in asked)]
    groups = origins if len(origins) > 1 else []
    columns = [Column("cue", "Cue", "text")]
    for origin in groups:
        columns += [
            Column(f"{origin}_{verdict}", f"{verdict.capitalize()} call", group=origin.capitalize())
            for verdict in VERDICTS
        ]
    columns += [
        Column("reads", "Reads that name it"),
        Column("of", "Of all reads, %"),
        Column("right", "Right call where named, %", "estimate"),
    ]
    rows = [_cue_row(cue, level, judged, groups) for level in cue.levels]
    return Table(
        code=f"cues_{cue.code}",
        title=cue.text,
        columns=tuple(columns),
        rows=tuple(rows),
        method=(
            "Reads that name a cue; several may be named. Share of right calls with 95 % interval "
            "clustered by case (Rao & Scott 1992, Wilson limits). A cue that goes with right "
            "calls may be one that the cases had: no cause is shown."
        ),
        n=f"{many(len(asked), 'read')} of {many(len(judged), 'call')} name a cue",
    )


def _named_in(read: Read, cue: QuestionFacts) -> Sequence[Any]:
    given = read.answers.get(cue.code)
    return given if isinstance(given, list | tuple) else ()


def _cue_row(
    cue: QuestionFacts, level: str, judged: Sequence[Judged], origins: Iterable[str]
) -> Row:
    named = [one for one in judged if level in _named_in(one.read, cue)]
    cells: dict[str, Cell] = {"cue": cue.label_of(level)}
    for origin in origins:
        for verdict in VERDICTS:
            found = [o for o in named if (o.item.origin, o.verdict) == (origin, verdict)]
            cells[f"{origin}_{verdict}"] = count(len(found))
    cells["reads"] = count(len(named), question=cue.code, answer=level)
    cells["of"] = (
        Number(len(named) / len(judged), "percent") if judged else undefined("no call", "percent")
    )
    cells["right"] = _share(named)
    return Row(cells)


def _share(named: Sequence[Judged]) -> Number:
    if not named:
        return undefined("never named", "percent")
    right = [int(one.verdict == VERDICTS[0]) for one in named]
    items = [one.item.code for one in named]
    if len(set(items)) == len(items):
        single = stats.proportion(sum(right), len(right), ci="wilson")
        return Number(single.value, "percent", single.low, single.high)
    found = stats.clustered_proportion(right, items)
    limits = (found.low_wilson, found.high_wilson)
    return Number(found.value, "percent", *limits, reason=found.reason or "")


def points_of(read: Read) -> Iterator[Sequence[float]]:
    """Yield the middle of every place that was marked: region answers and free marks."""
    measures = read.viewer.get(MEASURES)
    given: list[Any] = [one for one in read.answers.values() if isinstance(one, Mapping)]
    free = measures if isinstance(measures, list) else []
    given += [one for one in free if isinstance(one, Mapping) and one.get("kind") == "point"]
    for one in given:
        points = one.get("points_mm")
        if isinstance(points, list) and points and all(_is_point(point) for point in points):
            yield [statistics.fmean(point[axis] for point in points) for axis in range(3)]


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list | tuple)
        and len(point) == 3
        and all(isinstance(n, int | float) and math.isfinite(n) for n in point)
    )


def _spots(one: Judged) -> Iterator[Spot]:
    scale = one.item.head_scale or 1.0
    for x, y, z in one.points:
        yield Spot(
            scale * x,
            scale * y,
            scale * z,
            one.item.origin,
            one.verdict,
            one.read.reader,
            one.item.code,
        )


def _marked(judged: Sequence[Judged], spots: Sequence[Spot]) -> Table:
    """Return how many spots were marked with right and wrong calls of each truth."""
    truths = sorted({one.item.origin for one in judged})
    rows = [_marked_row(judged, spots, truth, verdict) for truth in truths for verdict in VERDICTS]
    return Table(
        code="marks",
        title="Marked spots",
        columns=(
            Column("truth", "Truth", "text"),
            Column("verdict", "Call", "text"),
            Column("calls", "Calls"),
            Column("with", "With a mark"),
            Column("marks", "Marks"),
            Column("distance", "Median distance from the middle, mm"),
        ),
        rows=tuple(rows),
        method="Places marked on the image and answers that are a place; millimetres as below.",
        n=f"{many(len(spots), 'mark')} in {many(len(judged), 'call')}",
        width="half",
    )


def _marked_row(judged: Sequence[Judged], spots: Sequence[Spot], truth: str, verdict: str) -> Row:
    calls = [one for one in judged if (one.item.origin, one.verdict) == (truth, verdict)]
    own = [spot for spot in spots if (spot.truth, spot.verdict) == (truth, verdict)]
    marked = sum(bool(one.points) for one in calls)
    far = [math.hypot(spot.x, spot.y, spot.z) for spot in own]
    cells: dict[str, Cell] = {
        "truth": truth,
        "verdict": verdict,
        "calls": count(len(calls)),
        "with": count(marked),
        "marks": count(len(own)),
        "distance": Number(statistics.median(far)) if far else undefined("no mark"),
    }
    return Row(cells)


def _maps(spots: Sequence[Spot], data: Dataset) -> Iterator[Figure]:
    """Yield the map from above and, where spots lie at several heights, from the side."""
    planes = ["axial"] + (["sagittal"] if len({round(spot.z) for spot in spots}) > 1 else [])
    sized = all(item.head_scale for item in data.items.values())
    scaled = (
        "scaled to the median size of head" if sized else "not scaled: sizes of heads are not known"
    )
    for plane in planes:
        yield Figure(
            code=f"cue_map_{plane}",
            title=f"Where spots were marked, {plane} projection",
            spec=spot_map(spots, plane=plane).to_dict(),
            alt=(
                f"Places of {many(len(spots), 'mark')} in {plane} projection, one panel for each "
                "truth; circles right calls, triangles wrong calls."
            ),
            method=(
                "Positions in the case frame, from the middle of the head along the axes of the "
                f"first series, {scaled}. Many marks are counted in squares of 10 mm."
            ),
            n=many(len(spots), "mark"),
            width="full",
        )

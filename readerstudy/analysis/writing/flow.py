"""The flow of the readings: assigned → read → analysed, and what was left out with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    Column,
    Figure,
    Number,
    Row,
    Section,
    Table,
    count,
)
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

WIDTH, SIDE, GAP = 300, 250, 40
LINE, PAD, SPACE, TIP = 15, 10, 26, 4
INK, LINE_COLOUR, FILL = "#1A1E22", "#7A8188", "#FFFFFF"


@dataclass(frozen=True)
class Step:
    """A box of the flow: how many readings, and what left before the next box.

    ``n`` is None for the box of all endpoints, which says each of them in a line.
    """

    title: str
    n: int | None
    lines: tuple[str, ...] = ()
    left: tuple[tuple[str, int], ...] = ()


def steps_of(data: Dataset) -> tuple[Step, ...]:
    """Return the flow of the readings down to the first reads."""
    planned = sum(reader.planned for reader in data.readers)
    not_made = max(0, planned - len(data.reads))
    gone = {reader.code for reader in data.readers if reader.withdrawn}
    by_gone = sum(
        max(0, reader.planned - len(data.of(reader.code)))
        for reader in data.readers
        if reader.code in gone
    )
    repeats = len(data.reads) - len(data.first_reads)
    late = min(data.late, not_made - by_gone)
    lost = (
        ("reader withdrawn before the reading", by_gone),
        ("answer came after the end of the reading", late),
        ("not read", not_made - by_gone - late),
    )
    return (
        Step(
            "Readings assigned",
            planned + data.withdrawn,
            (f"{many(len(data.readers), 'reader')}, {many(len(data.items), 'case')}",),
            _some(("case withdrawn before the reading", data.withdrawn)),
        ),
        Step("Readings to be made", planned, (), _some(*lost)),
        Step(
            "Readings made",
            len(data.reads),
            (),
            _some(("second presentation of a case (repeat), analysed apart", repeats)),
        ),
        Step("First readings", len(data.first_reads), _by_arm(data)),
    )


def _some(*left: tuple[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((why, number) for why, number in left if number)


def _by_arm(data: Dataset) -> tuple[str, ...]:
    arms = data.protocol.arm_codes
    if len(arms) < 2:
        return ()
    found = Counter(read.arm for read in data.first_reads)
    return tuple(f"{data.protocol.arm_name(arm)}: {found[arm]:,}" for arm in arms)


def analysed(data: Dataset, entry: PlannedAnalysis) -> Step:
    """Return the last box for one endpoint of the plan."""
    arms = entry.arms or data.protocol.arm_codes
    reads = [read for read in data.first_reads if read.arm in arms]
    silent = sum(entry.question in read.not_evaluable for read in reads)
    given = [read for read in reads if entry.question in read.answers]
    needs_truth = entry.endpoint not in ("agreement", "score", "preference")
    unknown = (
        sum(
            (item := data.items.get(read.item)) is None or entry.question not in item.right
            for read in given
        )
        if needs_truth and data.protocol.question(entry.question).truth
        else 0
    )
    counts_silent = entry.not_evaluable == "wrong"
    return Step(
        entry.title,
        len(given) - unknown + (silent if counts_silent else 0),
        (f"not evaluable, counted as wrong: {silent:,}",) if counts_silent and silent else (),
        _some(
            ("other arm", len(data.first_reads) - len(reads)),
            ("question not answered", len(reads) - len(given) - silent),
            ("not evaluable", 0 if counts_silent else silent),
            ("reference standard not known", unknown),
        ),
    )


def flow_table(data: Dataset) -> Table:
    """Return the flow as a table: what the figure shows, for every endpoint of the plan."""
    rows = [_row(step) for step in steps_of(data)]
    rows += [_row(analysed(data, entry)) for entry in data.protocol.plan if _is_asked(data, entry)]
    return Table(
        code="readings",
        title="Flow of the readings",
        columns=(
            Column("step", "Step", "text"),
            Column("n", "Readings"),
            Column("left", "Left out after this step; of an endpoint, before it", "text"),
        ),
        rows=tuple(rows),
        method="Counts of readings; one reading is one case shown once to one reader.",
        n=f"{many(len(data.readers), 'reader')}, {many(len(data.items), 'case')}",
    )


def _is_asked(data: Dataset, entry: PlannedAnalysis) -> bool:
    return any(question.code == entry.question for question in data.protocol.questions)


def _row(step: Step) -> Row:
    left = "; ".join(f"{why}: {number:,}" for why, number in step.left) or "none"
    number: Number | str = "" if step.n is None else count(step.n)
    return Row({"step": step.title, "n": number, "left": left})


def flow_figure(data: Dataset) -> Figure:
    """Return the flow as a figure of boxes, with its words as the text twin."""
    steps = (*steps_of(data), *_endpoints(data))
    return Figure(
        code="diagram",
        title="Flow of the readings",
        spec=_specification(steps),
        alt=in_words(steps),
        method="One reading is one case shown once to one reader.",
        n=f"{many(len(data.readers), 'reader')}, {many(len(data.items), 'case')}",
        width="full",
    )


def _endpoints(data: Dataset) -> tuple[Step, ...]:
    """Return one box with a line for each endpoint of the plan."""
    found = [analysed(data, entry) for entry in data.protocol.plan if _is_asked(data, entry)]
    if not found:
        return ()
    lines = [
        f"{step.title}: {step.n:,}" + "".join(f"; {why} {number:,}" for why, number in step.left)
        for step in found
    ]
    return (Step("Analysed, by endpoint of the plan", None, tuple(lines)),)


def flow_section(data: Dataset) -> Section:
    """Return figure and table as a section."""
    blocks = (flow_figure(data), flow_table(data))
    return Section("flow", "Flow of the readings", DESCRIPTIVE, blocks=blocks)


def in_words(steps: Sequence[Step]) -> str:
    """Return the flow as sentences."""
    said = []
    for step in steps:
        inside = f" ({'; '.join(step.lines)})" if step.lines else ""
        left = ", ".join(f"{why}: {number:,}" for why, number in step.left)
        number = "" if step.n is None else f": {step.n:,}"
        said.append(f"{step.title}{number}{inside}." + (f" Left out: {left}." if left else ""))
    return " ".join(said)


def _specification(steps: Sequence[Step]) -> dict[str, Any]:
    """Return the boxes as a Vega-Lite specification in pixels."""
    boxes, arrows, top = [], [], 0
    for step in steps:
        is_last = step.n is None
        head = step.title if is_last else f"{step.title}\nn = {step.n:,}"
        main = _box(0, top, WIDTH + GAP + SIDE if is_last else WIDTH, head, step.lines)
        left = tuple(f"{why}: {number:,}" for why, number in step.left)
        side = _box(WIDTH + GAP, top + 12, SIDE, "Left out", left) if left else None
        bottom = max(main["y2"], side["y2"] if side else 0)
        boxes += [box for box in (main, side) if box]
        middle = main["y"] + LINE + PAD
        if side:
            arrows.append(_arrow(WIDTH, WIDTH + GAP, middle, middle))
        if step is not steps[-1]:
            arrows.append(_arrow(WIDTH / 2, WIDTH / 2, main["y2"], bottom + SPACE))
        top = bottom + SPACE
    is_wide = any(step.left or step.n is None for step in steps)
    return _layers(boxes, arrows, WIDTH + GAP + SIDE if is_wide else WIDTH, top - SPACE)


def _arrow(x: float, x2: float, y: float, y2: float) -> dict[str, float]:
    """Return a line with the place of its tip, just before its end."""
    return {
        "x": x,
        "x2": x2,
        "y": y,
        "y2": y2,
        "tip_x": x2 - (TIP if x2 > x else 0),
        "tip_y": y2 - (TIP if y2 > y else 0),
    }


def _box(x: float, y: float, width: float, head: str, lines: Sequence[str]) -> dict[str, Any]:
    texts = [wrapped for line in lines for wrapped in _wrapped(line, int(width / 6.2))]
    height = LINE * (len(head.split("\n")) + len(texts)) + 2 * PAD
    return {
        "x": x,
        "x2": x + width,
        "y": y,
        "y2": y + height,
        "head": head,
        "at": x + PAD,
        "head_at": y + PAD,
        "text": "\n".join(texts),
        "text_at": y + PAD + LINE * len(head.split("\n")),
    }


def _wrapped(line: str, width: int) -> list[str]:
    rows, row = [], ""
    for word in line.split():
        if row and len(row) + len(word) + 1 > width:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}".strip()
    return [*rows, row]


def _layers(
    boxes: list[dict[str, Any]], arrows: list[dict[str, Any]], width: float, height: float
) -> dict[str, Any]:
    def at(name: str, size: float) -> dict[str, Any]:
        scale = {"domain": [0, size], "range": [0, size]}
        return {"field": name, "type": "quantitative", "scale": scale, "axis": None}

    x, y = at("x", width), at("y", height)
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    text = {"type": "text", "align": "left", "baseline": "top", "lineBreak": "\n", "color": INK}
    tips = {"type": "point", "shape": "triangle-down", "filled": True, "size": 40, "opacity": 1}
    tips["color"] = LINE_COLOUR
    down = [one for one in arrows if one["x"] == one["x2"]]
    right = [one for one in arrows if one["x"] != one["x2"]]
    words = {"fontSize": 12, "lineHeight": LINE, **text}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": arrows},
            "mark": {"type": "rule", "color": LINE_COLOUR},
            "encoding": {"x": x, "y": y, **ends},
        },
        {
            "data": {"values": down},
            "mark": tips,
            "encoding": {"x": at("tip_x", width), "y": at("tip_y", height)},
        },
        {
            "data": {"values": right},
            "mark": {**tips, "shape": "triangle-right"},
            "encoding": {"x": at("tip_x", width), "y": at("tip_y", height)},
        },
        {
            "data": {"values": boxes},
            "mark": {"type": "rect", "fill": FILL, "stroke": LINE_COLOUR, "cornerRadius": 4},
            "encoding": {"x": x, "y": y, **ends},
        },
        {
            "data": {"values": boxes},
            "mark": {**words, "fontWeight": 600},
            "encoding": {
                "x": at("at", width),
                "y": at("head_at", height),
                "text": {"field": "head"},
            },
        },
        {
            "data": {"values": boxes},
            "mark": words,
            "encoding": {
                "x": at("at", width),
                "y": at("text_at", height),
                "text": {"field": "text"},
            },
        },
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "height": height,
        "layer": layers,
        "config": {"view": {"stroke": None}},
    }

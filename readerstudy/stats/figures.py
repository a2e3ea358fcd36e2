"""Vector figures of reader studies: one function each, arrays in, an Altair chart out.

A chart is one Vega-Lite specification: interactive in a page, and SVG, PDF or PNG through
:func:`save`. Every chart carries its numbers in the specification and a description for readers
who cannot see it. Series a is blue and solid, series b orange and dashed or with another marker,
so a figure survives a grey printer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.figure_data import (
    ForestRow,
    ReaderCurve,
    average_rows,
    roc_rows,
    share_row,
    survival_rows,
)
from readerstudy.stats.validation import as_binary, as_vector, same_length

BLUE, ORANGE = "#24588F", "#BF5A0E"
INK, GREY, GRID = "#1B1F23", "#7A8188", "#E6E6E2"
FONT = "Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, sans-serif"
SIZE = 320
"""Side of a square panel in pixels."""
DASHES: tuple[tuple[int, int], ...] = ((1, 0), (6, 4))
MARKERS = ("circle", "diamond")
FORMATS = ("svg", "pdf", "png")


def roc(curves: Sequence[ReaderCurve], *, level: float = 0.95, title: str = "") -> Any:
    """Draw the curve of each reader (thin) and the average of each arm (thick, with its band).

    The average is the mean sensitivity of the readers at equal specificity; the band is its
    pointwise t interval over readers, clipped to [0, 1] and left out with fewer than two readers.
    It describes readers, not cases; inference belongs to the MRMC analysis.

    Parameters
    ----------
    curves : sequence of ReaderCurve
        At least one, in at most two arms.
    level : float
        Level of the band.
    title : str

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ValueError
        Without curves or with more than two arms.
    """
    import altair as alt

    arms = _two_series([curve.arm for curve in curves], "arms")
    single = [row for curve in curves for row in roc_rows(curve)]
    average = [row for arm in arms for row in average_rows(curves, arm, level)]
    x = alt.X("fpr:Q", title="1 − specificity", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("sensitivity:Q", title="Sensitivity", scale=alt.Scale(domain=[0, 1]))
    colour, dash = _series(alt, "arm", arms)
    detail = alt.Detail("reader:N")
    order = alt.Order("order:Q")
    tips = [alt.Tooltip(f, format=".3f") for f in ("fpr:Q", "sensitivity:Q")]
    chance = _line(alt, [{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    band = (
        alt.Chart(_data(alt, [row for row in average if not math.isnan(row["low"])]))
        .mark_area(opacity=0.12)
        .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
    )
    thin = alt.Chart(_data(alt, single)).mark_line(strokeWidth=1, opacity=0.55)
    thick = alt.Chart(_data(alt, average)).mark_line(strokeWidth=2.5)
    layers = [
        chance,
        band,
        thin.encode(x=x, y=y, color=colour, strokeDash=dash, detail=detail, order=order),
        thick.encode(x=x, y=y, color=colour, strokeDash=dash, order=order, tooltip=tips),
    ]
    words = f"ROC curves of {len(curves)} readings in {len(arms)} arms with their average"
    return _finish(alt.layer(*layers), title=title, description=words)


def forest(
    rows: Sequence[ForestRow],
    *,
    reference: float | None = None,
    band: tuple[float, float] | None = None,
    axis: str = "Estimate",
    title: str = "",
) -> Any:
    """Draw one estimate with limits per row; the overall row is a diamond.

    Parameters
    ----------
    rows : sequence of ForestRow
        In the order drawn. Limits may be NaN: then only the point is drawn.
    reference : float, optional
        Where to draw a vertical line: 0 for differences, 0.5 for guessing.
    band : (float, float), optional
        Limits of a margin to shade behind the rows.
    axis : str
        Name of the quantity.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    if not rows:
        raise ValueError("rows must hold at least one estimate")
    order = [row.label for row in rows]
    data = _data(alt, [vars(row) | {"kind": "all" if row.overall else "one"} for row in rows])
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False))
    x = alt.X("value:Q", title=axis, scale=alt.Scale(zero=False, nice=True))
    tips = [alt.Tooltip("label:N"), *(alt.Tooltip(f"{k}:Q") for k in ("value", "low", "high"))]
    shape = alt.Shape(
        "kind:N", legend=None, scale=alt.Scale(domain=["one", "all"], range=["square", "diamond"])
    )
    interval = alt.Chart(data).mark_rule(color=BLUE, strokeWidth=1.5)
    point = alt.Chart(data).mark_point(filled=True, size=110, color=BLUE, opacity=1)
    layers = [
        interval.encode(x=alt.X("low:Q"), x2="high:Q", y=y),
        point.encode(x=x, y=y, shape=shape, tooltip=tips),
    ]
    if reference is not None:
        rule = alt.Chart(_data(alt, [{"at": reference}])).mark_rule(color=GREY)
        layers.insert(0, rule.encode(x="at:Q"))
    if band is not None:
        shade = alt.Chart(_data(alt, [{"low": band[0], "high": band[1]}]))
        layers.insert(0, shade.mark_rect(color="#EDEDE9").encode(x="low:Q", x2="high:Q"))
    words = f"{axis} of {len(rows)} rows with limits"
    return _finish(
        alt.layer(*layers), title=title, description=words, height=30 * len(rows), width=SIZE + 80
    )


def confusion_matrix(
    table: npt.ArrayLike, *, labels: Sequence[str], title: str = "", rows: str = "Truth"
) -> Any:
    """Draw counts and row percentages of calls against truth.

    Parameters
    ----------
    table : array_like of int, shape (k, k)
        Rows truth, columns calls.
    labels : sequence of str
        Names of the k categories in order.
    title : str
    rows : str
        Name of the rows, such as "Reader 1" for two readers.

    Returns
    -------
    altair.LayerChart
    """
    counts = np.asarray(table, dtype=float)
    if counts.shape != (len(labels), len(labels)):
        raise ValueError(f"table must have shape {(len(labels),) * 2}, got {counts.shape}")
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    cells = [
        {
            "row": labels[i],
            "column": labels[j],
            "value": float(share[i, j]),
            "text": f"{counts[i, j]:g} ({100 * share[i, j]:.0f}%)",
        }
        for i in range(len(labels))
        for j in range(len(labels))
    ]
    words = f"{counts.sum():g} calls in {len(labels)} categories against the truth"
    return _heat_map(cells, labels, title=title, axes=(rows, "Call"), description=words)


def agreement_map(
    matrix: npt.ArrayLike, *, readers: Sequence[str], name: str = "Kappa", title: str = ""
) -> Any:
    """Draw a statistic of agreement for each pair of readers.

    Parameters
    ----------
    matrix : array_like, shape (m, m)
        Symmetric; the diagonal and NaN cells stay empty.
    readers : sequence of str
        Names of the m readers.
    name : str
        Statistic, for the description.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    values = np.asarray(matrix, dtype=float)
    m = len(readers)
    if values.shape != (m, m):
        raise ValueError(f"matrix must have shape {(m, m)}, got {values.shape}")
    cells = [
        {
            "row": readers[i],
            "column": readers[j],
            "value": float(values[i, j]),
            "text": f"{values[i, j]:.2f}",
        }
        for i in range(m)
        for j in range(m)
        if i != j and not math.isnan(values[i, j])
    ]
    words = f"{name} of {m * (m - 1) // 2} pairs of readers"
    return _heat_map(cells, readers, title=title, axes=("Reader", "Reader"), description=words)


def bland_altman(
    a: npt.ArrayLike, b: npt.ArrayLike, *, unit: str = "", names: str = "a − b", title: str = ""
) -> Any:
    """Draw differences against means, with the mean difference and 95 % limits of agreement.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Two measurements of the same things, at least 2.
    unit : str
        Unit of the axes.
    names : str
        What was subtracted from what.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    first, second = as_vector(a, "a"), as_vector(b, "b")
    if same_length(a=first, b=second) < 2:
        raise ValueError("a and b must hold at least two pairs")
    difference, middle = first - second, (first + second) / 2
    mean, half = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    lines = [
        {"at": mean, "text": f"mean {_signed(mean)}", "kind": "mean"},
        {"at": mean + half, "text": f"+1.96 SD {_signed(mean + half)}", "kind": "limit"},
        {"at": mean - half, "text": f"−1.96 SD {_signed(mean - half)}", "kind": "limit"},
    ]
    suffix = f", {unit}" if unit else ""
    pairs = [
        {"mean": float(m), "difference": float(d)} for m, d in zip(middle, difference, strict=True)
    ]
    x = alt.X("mean:Q", title=f"Mean{suffix}", scale=alt.Scale(zero=False, nice=True))
    y = alt.Y("difference:Q", title=f"{names}{suffix}")
    points = alt.Chart(_data(alt, pairs)).mark_point(filled=True, size=36, color=BLUE, opacity=0.6)
    base = alt.Chart(_data(alt, lines))
    dash = alt.StrokeDash(
        "kind:N", legend=None, scale=alt.Scale(domain=["mean", "limit"], range=[[1, 0], [6, 4]])
    )
    rules = base.mark_rule(color=INK).encode(y="at:Q", strokeDash=dash)
    text = base.mark_text(align="right", dy=-6, color=INK).encode(
        x=alt.value(SIZE), y="at:Q", text="text:N"
    )
    words = f"Differences of {difference.size} pairs against their means"
    return _finish(alt.layer(points.encode(x=x, y=y), rules, text), title=title, description=words)


def kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    group: Sequence[str] | None = None,
    unit: str = "months",
    title: str = "",
) -> Any:
    """Draw survival curves with a tick at each censoring and shaded log-log limits.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As for :func:`readerstudy.stats.kaplan_meier`.
    group : sequence of str, optional
        At most two groups.
    unit : str
        Unit of time.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    span, happened = as_vector(time, "time"), as_binary(event, "event")
    labels = np.array(["all"] * span.size if group is None else list(group))
    same_length(time=span, event=happened, group=labels)
    names = _two_series(labels.tolist(), "groups")
    steps, ticks = [], []
    for name in names:
        rows = labels == name
        more, marks = survival_rows(span[rows], happened[rows], str(name))
        steps += more
        ticks += marks
    colour, dash = _series(alt, "group", names)
    x = alt.X("time:Q", title=f"Time, {unit}")
    y = alt.Y("survival:Q", title="Survival", scale=alt.Scale(domain=[0, 1]))
    known = [row for row in steps if not math.isnan(row["low"])]
    band = alt.Chart(_data(alt, known)).mark_area(opacity=0.12, interpolate="step-after")
    line = alt.Chart(_data(alt, steps)).mark_line(strokeWidth=2, interpolate="step-after")
    tick = alt.Chart(_data(alt, ticks)).mark_tick(thickness=1.2, size=9, orient="vertical")
    layers = [
        band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        line.encode(x=x, y=y, color=colour, strokeDash=dash),
        tick.encode(x=x, y=y, color=colour),
    ]
    words = f"Kaplan-Meier survival of {span.size} subjects in {len(names)} groups"
    return _finish(alt.layer(*layers), title=title, description=words, width=SIZE + 120)


def reclassification(
    truth: npt.ArrayLike, p_old: npt.ArrayLike, p_new: npt.ArrayLike, *, title: str = ""
) -> Any:
    """Draw the new prediction against the old one; moves up lie above the diagonal.

    Parameters
    ----------
    truth : array_like of 0/1, shape (n,)
    p_old, p_new : array_like, shape (n,)
        Predicted probabilities.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    labels, old, new = (
        as_binary(truth, "truth"),
        as_vector(p_old, "p_old"),
        as_vector(p_new, "p_new"),
    )
    same_length(truth=labels, p_old=old, p_new=new)
    kinds = ["event", "non-event"]
    rows = [
        {"old": float(o), "new": float(p), "class": kinds[0] if t == 1 else kinds[1]}
        for t, o, p in zip(labels, old, new, strict=True)
    ]
    unit = alt.Scale(domain=[0, 1])
    points = alt.Chart(_data(alt, rows)).mark_point(size=34, opacity=0.7)
    encoded = points.encode(
        x=alt.X("old:Q", title="Predicted, old model", scale=unit),
        y=alt.Y("new:Q", title="Predicted, new model", scale=unit),
        color=alt.Color("class:N", title=None, scale=alt.Scale(domain=kinds, range=[ORANGE, BLUE])),
        shape=alt.Shape(
            "class:N", title=None, scale=alt.Scale(domain=kinds, range=["diamond", "circle"])
        ),
    )
    diagonal = _line(alt, [{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    words = f"Old and new predictions of {labels.size} patients, {int(labels.sum())} with the event"
    return _finish(alt.layer(diagonal, encoded), title=title, description=words)


def calibration(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int = 10, title: str = ""
) -> Any:
    """Draw observed shares with Wilson limits against mean predictions, by equal-sized groups.

    Parameters
    ----------
    truth : array_like of 0/1, shape (n,)
    predicted : array_like of float in [0, 1], shape (n,)
    bins : int
        Groups of about equal size by prediction, at least 2; equal predictions stay together.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    labels, p = as_binary(truth, "truth"), as_vector(predicted, "predicted")
    if same_length(truth=labels, predicted=p) == 0 or bins < 2:
        raise ValueError(f"predicted must hold values and bins be at least 2, got bins = {bins}")
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)))
    member = np.clip(np.searchsorted(edges, p, "right") - 1, 0, max(edges.size - 2, 0))
    rows = [
        {"predicted": float(p[member == g].mean()), **share_row(labels[member == g])}
        for g in np.unique(member)
    ]
    unit = alt.Scale(domain=[0, 1])
    x = alt.X("predicted:Q", title="Mean prediction", scale=unit)
    base = alt.Chart(_data(alt, rows))
    limits = base.mark_rule(color=BLUE).encode(x=x, y=alt.Y("low:Q", scale=unit), y2="high:Q")
    points = base.mark_point(filled=True, size=70, color=BLUE, opacity=1).encode(
        x=x, y=alt.Y("share:Q", title="Observed share", scale=unit), tooltip=["n:Q", "share:Q"]
    )
    diagonal = _line(alt, [{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    words = f"Observed against predicted in {len(rows)} groups of {labels.size} patients"
    return _finish(alt.layer(diagonal, limits, points), title=title, description=words)


def learning_curve(
    correct: npt.ArrayLike,
    *,
    block: int = 10,
    guessing: float | None = None,
    title: str = "",
) -> Any:
    """Draw the share of right answers over the order of reading, in blocks with Wilson limits.

    Parameters
    ----------
    correct : array_like of 0/1, shape (n,)
        Right or wrong, in the order in which one reader read.
    block : int
        Readings per block; a last block of less than half joins the one before.
    guessing : float, optional
        Where to draw a line, such as 0.5.
    title : str

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    answers = as_binary(correct, "correct")
    if block < 1 or answers.size == 0:
        raise ValueError(f"correct must hold readings and block be at least 1, got block = {block}")
    starts = list(range(0, answers.size, block))
    if len(starts) > 1 and answers.size - starts[-1] < block / 2:
        starts.pop()
    ends = [*starts[1:], answers.size]
    rows = [
        {"reading": (a + b + 1) / 2, **share_row(answers[a:b])}
        for a, b in zip(starts, ends, strict=True)
    ]
    x = alt.X("reading:Q", title="Order of reading", scale=alt.Scale(domain=[0, answers.size]))
    unit = alt.Scale(domain=[0, 1])
    y = alt.Y("share:Q", title="Share right", scale=unit)
    base = alt.Chart(_data(alt, rows))
    layers = [
        base.mark_rule(color=BLUE).encode(x=x, y=alt.Y("low:Q", scale=unit), y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y),
        base.mark_point(filled=True, size=60, color=BLUE, opacity=1).encode(x=x, y=y),
    ]
    if guessing is not None:
        rule = alt.Chart(_data(alt, [{"at": guessing}])).mark_rule(color=GREY, strokeDash=[4, 4])
        layers.insert(0, rule.encode(y=alt.Y("at:Q", scale=unit)))
    words = f"Share of right answers over {answers.size} readings in {len(rows)} blocks"
    return _finish(alt.layer(*layers), title=title, description=words, width=SIZE + 120)


def to_svg(chart: Any) -> str:
    """Return a chart as the text of an SVG file."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg


def save(chart: Any, path: str | Path) -> Path:
    """Write a chart as SVG, PDF or PNG (at 200 dots per inch), by the ending of the path.

    Raises
    ------
    ValueError
        For any other ending.
    """
    import vl_convert

    target = Path(path)
    ending = target.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise ValueError(f"path must end in .{', .'.join(FORMATS)}; got {target.name!r}")
    spec = chart.to_dict()
    if ending == "svg":
        target.write_text(to_svg(chart), encoding="utf-8")
    elif ending == "pdf":
        target.write_bytes(vl_convert.vegalite_to_pdf(spec))
    else:
        target.write_bytes(vl_convert.vegalite_to_png(spec, ppi=200))
    return target


def _signed(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _data(alt: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return inline data; NaN, which JSON cannot hold, as null."""
    clean = [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in rows
    ]
    return alt.InlineData(values=clean)


def _finish(
    chart: Any, *, title: str, description: str, width: int = SIZE, height: int = SIZE
) -> Any:
    return (
        chart.properties(title=title, description=description, width=width, height=height)
        .configure(font=FONT)
        .configure_axis(
            labelFontSize=12, titleFontSize=12, titleFontWeight=400, gridColor=GRID, titleColor=INK
        )
        .configure_legend(labelFontSize=12, title=None, orient="bottom", symbolStrokeWidth=2)
        .configure_title(fontSize=14, fontWeight=600, anchor="start", color=INK)
        .configure_view(stroke=None)
    )


def _two_series(names: Sequence[str], what: str) -> list[str]:
    series = list(dict.fromkeys(names))
    if not 1 <= len(series) <= 2:
        raise ValueError(f"a figure shows one or two {what}, got {len(series)}; draw more figures")
    return series


def _series(alt: Any, field: str, names: Sequence[str]) -> tuple[Any, Any]:
    """Return colour and dash of one or two series; no legend for one."""
    legend = (
        alt.Legend(symbolType="stroke", symbolOpacity=1, symbolSize=400) if len(names) > 1 else None
    )
    colours = alt.Scale(domain=list(names), range=[BLUE, ORANGE][: len(names)])
    dashes = alt.Scale(domain=list(names), range=[list(d) for d in DASHES[: len(names)]])
    return (
        alt.Color(f"{field}:N", scale=colours, legend=legend),
        alt.StrokeDash(f"{field}:N", scale=dashes, legend=legend),
    )


def _line(alt: Any, points: Sequence[Mapping[str, float]]) -> Any:
    return (
        alt.Chart(_data(alt, points)).mark_line(color=GREY, strokeWidth=1).encode(x="x:Q", y="y:Q")
    )


def _heat_map(
    cells: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    *,
    title: str,
    axes: tuple[str, str],
    description: str,
) -> Any:
    import altair as alt

    sort = list(labels)
    domain = alt.Scale(domain=sort)
    base = alt.Chart(_data(alt, cells)).encode(
        x=alt.X("column:N", sort=sort, title=axes[1], scale=domain, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("row:N", sort=sort, title=axes[0], scale=domain),
    )
    shade = alt.Scale(domain=[0, 1], range=["#FFFFFF", BLUE], clamp=True, interpolate="rgb")
    boxes = base.mark_rect().encode(color=alt.Color("value:Q", scale=shade, legend=None))
    ink = alt.condition("datum.value > 0.55", alt.value("#FFFFFF"), alt.value(INK))
    text = base.mark_text(fontSize=13).encode(text="text:N", color=ink)
    side = max(72 * len(labels), 160)
    return _finish(
        alt.layer(boxes, text), title=title, description=description, width=side, height=side
    )

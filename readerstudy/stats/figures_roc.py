"""The ROC curves of one arm: readers thin, their average thick, every point with its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from readerstudy.stats.figure_data import ReaderCurve, average_rows, roc_rows
from readerstudy.stats.figures import BLUE, GREY, INK, SIZE, _finish

READER_DASHES = ((1, 0), (6, 3), (1, 3), (7, 3, 1, 3), (10, 4), (3, 3))
NAMED_READERS = 6
MARKED_POINTS = 120
MOST_POINTS = 40


def average_of(curves: Sequence[ReaderCurve], arm: str) -> list[dict[str, float]]:
    """Return the average sensitivity of the readers of an arm at equal specificity."""
    rows = average_rows(curves, arm, 0.95)
    return [{name: row[name] for name in ("fpr", "sensitivity", "order")} for row in rows]


def arm_roc(
    curves: Sequence[ReaderCurve],
    thresholds: Sequence[Sequence[str]],
    *,
    average: Sequence[dict[str, float]],
    compared: Sequence[dict[str, float]] = (),
    note: str = "",
    is_reference: bool = False,
    title: str = "",
) -> dict[str, Any]:
    """Draw the curve of each reader of one arm with its points, and the average of the readers.

    Parameters
    ----------
    curves : sequence of ReaderCurve
        One for each reader.
    thresholds : sequence of sequence of str
        For each curve the words of the threshold of each operating point; "" draws no point.
    average, compared : sequence of dict
        From :func:`average_of`: of this arm, and of the arm it is compared with, drawn grey.
    note : str
        Text in the lower right corner.
    is_reference : bool
        Draw in the dark ink of a reference, not in blue.
    title : str

    Returns
    -------
    dict
        A Vega-Lite specification.

    Raises
    ------
    ValueError
        Without curves.
    """
    if not curves:
        raise ValueError("a figure needs at least one curve")
    points = [
        row
        for curve, words in zip(curves, thresholds, strict=True)
        for row in _points(curve, words)
    ]
    datasets: dict[str, list[Any]] = {
        "chance": [{"x": 0, "y": 0}, {"x": 1, "y": 1}],
        "readers": [row for curve in curves for row in roc_rows(curve)],
        "compared": list(compared),
        "average": list(average),
        "points": points,
        "note": [{"text": note}] if note else [],
    }
    layers = _layers(
        datasets, [curve.reader for curve in curves], colour=INK if is_reference else BLUE
    )
    words = f"ROC curves of {len(curves)} readers with their average{f', {note}' if note else ''}"
    spec: dict[str, Any] = _finish(layers, title=title, description=words).to_dict(validate=False)
    return spec | {"datasets": datasets}  # past altair, which would check and copy every row


def _layers(datasets: Mapping[str, Sequence[Any]], readers: Sequence[str], *, colour: str) -> Any:
    import altair as alt

    unit = alt.Scale(domain=[0, 1])
    ticks = alt.Axis(tickCount=5)
    x = alt.X("fpr:Q", title="1 − specificity", scale=unit, axis=ticks)
    y = alt.Y("sensitivity:Q", title="Sensitivity", scale=unit, axis=ticks)
    order = alt.Order("order:Q")
    data = {name: alt.Chart(alt.NamedData(name=name)) for name in datasets}
    few = len(datasets["points"]) <= MARKED_POINTS
    thin = data["readers"].mark_line(strokeWidth=1, opacity=0.6, color=colour)
    grey = data["compared"].mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1.5)
    thick = data["average"].mark_line(strokeWidth=2.5, color=colour)
    return alt.layer(
        data["chance"].mark_line(color=GREY, strokeWidth=1).encode(x="x:Q", y="y:Q"),
        thin.encode(x=x, y=y, order=order, detail="reader:N", strokeDash=_dash(alt, readers)),
        grey.encode(x=x, y=y, order=order),
        thick.encode(x=x, y=y, order=order),
        _marks(alt, data["points"], few=few, colour=colour).encode(x=x, y=y),
        _note(alt, data["note"]),
    )


def _dash(alt: Any, readers: Sequence[str]) -> Any:
    """Return one dash per reader with a legend, as long as few readers can be told apart."""
    if len(readers) > NAMED_READERS:
        return alt.Undefined
    dashes = [list(READER_DASHES[i]) for i in range(len(readers))]
    legend = alt.Legend(symbolType="stroke", symbolOpacity=1, symbolSize=400)
    return alt.StrokeDash(
        "reader:N", scale=alt.Scale(domain=list(readers), range=dashes), legend=legend
    )


def _points(curve: ReaderCurve, words: Sequence[str]) -> list[dict[str, Any]]:
    """Return the points that have a threshold; of many, some along the whole curve."""
    named = [place for place, word in enumerate(words) if word]
    if len(named) > MOST_POINTS:
        steps = np.linspace(0, len(named) - 1, MOST_POINTS).round().astype(int)
        named = [named[step] for step in steps.tolist()]
    return [
        {
            "reader": curve.reader,
            "threshold": words[place],
            "sensitivity": float(curve.sensitivity[place]),
            "specificity": float(curve.specificity[place]),
            "fpr": 1 - float(curve.specificity[place]),
        }
        for place in named
    ]


def _marks(alt: Any, chart: Any, *, few: bool, colour: str) -> Any:
    tips = [
        alt.Tooltip("reader:N", title="Reader"),
        alt.Tooltip("threshold:N", title="Positive from"),
        alt.Tooltip("sensitivity:Q", title="Sensitivity", format=".3f"),
        alt.Tooltip("specificity:Q", title="Specificity", format=".3f"),
    ]
    # many points would hide the curves, but are still there under the pointer
    marks = chart.mark_point(filled=True, size=22, opacity=0.55 if few else 0.08, color=colour)
    return marks.encode(tooltip=tips)


def _note(alt: Any, chart: Any) -> Any:
    text = chart.mark_text(align="right", baseline="bottom", fontSize=13, fontWeight=600, color=INK)
    return text.encode(x=alt.value(SIZE - 6), y=alt.value(SIZE - 8), text="text:N")

"""Figures of the results: one Vega-Lite specification each, drawn as SVG."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import vl_convert

from readerstudy.analysis.turing import TuringReport

BLUE, BAND, LINE = "#24588F", "#EDEDE9", "#7A8188"
FONT = "Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, sans-serif"


def accuracy_chart(report: TuringReport) -> alt.LayerChart:
    """Return the accuracy of each reader and of all, with intervals, guessing and margin."""
    rows = alt.Data(values=_rows(report))
    order = [row["reader"] for row in _rows(report)]
    y = alt.Y("reader:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False))
    scale = alt.Scale(domain=[0, 100])
    x = alt.X("value:Q", scale=scale, title="Correct, %")
    band = (
        alt.Chart(alt.Data(values=[_band(report.margin)]))
        .mark_rect(color=BAND)
        .encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    )
    guess = alt.Chart(alt.Data(values=[{"guess": 50}])).mark_rule(color=LINE).encode(x="guess:Q")
    interval = (
        alt.Chart(rows)
        .mark_rule(color=BLUE)
        .encode(x=alt.X("low:Q", scale=scale), x2="high:Q", y=y)
    )
    shape = alt.Shape(
        "kind:N",
        legend=None,
        scale=alt.Scale(domain=["reader", "all"], range=["square", "diamond"]),
    )
    points = (
        alt.Chart(rows)
        .mark_point(filled=True, size=90, color=BLUE, opacity=1)
        .encode(x=x, y=y, shape=shape)
    )
    return (
        alt.layer(band, guess, interval, points)
        .properties(width=420, height=34 * len(order))
        .configure(font=FONT)
        .configure_view(stroke=None)
    )


def accuracy_svg(report: TuringReport) -> str:
    """Return the accuracy figure as SVG."""
    svg: str = vl_convert.vegalite_to_svg(accuracy_chart(report).to_dict())
    return svg


def _rows(report: TuringReport) -> list[dict[str, Any]]:
    rows = [
        _row(row.reader.code, "reader", row.accuracy.value, row.accuracy.low, row.accuracy.high)
        for row in report.readers
    ]
    overall = report.overall
    rows.append(_row("All readers", "all", overall.value, overall.low, overall.high))
    return rows


def _row(reader: str, kind: str, *numbers: float) -> dict[str, Any]:
    value, low, high = (None if math.isnan(n) else 100 * n for n in numbers)
    return {"reader": reader, "kind": kind, "value": value, "low": low, "high": high}


def _band(margin: float) -> dict[str, float]:
    return {"low": 50 - 100 * margin, "high": 50 + 100 * margin}

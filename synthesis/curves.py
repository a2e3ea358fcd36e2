"""Curves of a training: losses and scores over steps, as vector figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from readerstudy.stats.figures import to_svg

COLOURS = ("#24588F", "#BF5A0E", "#1A6B50", "#7A5200", "#5B3A8E", "#626A72")
DASHES = ((1, 0), (6, 4), (2, 3), (8, 3, 2, 3), (4, 2), (1, 2))
FONT = "Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, sans-serif"
_WIDTH, _HEIGHT = 520, 220
_MOST_POINTS = 600
_SMOOTHED = 9


def curves_svg(
    lines: Sequence[dict[str, Any]], names: Sequence[str], *, title: str, points: bool
) -> str:
    """Return an SVG of numbers of a log over its steps.

    Thin lines are the values; with many of them a thick line is their running mean over 9 lines.

    Parameters
    ----------
    lines : sequence of dict
        Each with ``step`` and values by name; None leaves a gap.
    names : sequence of str
        At most six.
    title : str
        Of the vertical axis.
    points : bool
        Mark each value, as for a few validations.
    """
    import altair as alt

    rows = [row for name in names for row in _rows(thinned(lines), name)]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("step:Q", title="Step", axis=alt.Axis(format="~s")),
        color=alt.Color(
            "name:N",
            scale=alt.Scale(domain=list(names), range=list(COLOURS[: len(names)])),
            legend=alt.Legend(title=None, orient="top"),
        ),
        strokeDash=alt.StrokeDash(
            "name:N",
            scale=alt.Scale(domain=list(names), range=[list(d) for d in DASHES[: len(names)]]),
            legend=None,
        ),
    )
    value = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    mean = alt.Y("mean:Q", title=title)
    about = {"description": f"{title} over steps"}
    if points:  # each on its own scale: scores have different units
        own = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4))
        colours = alt.Color(
            "name:N", scale=alt.Scale(domain=list(names), range=list(COLOURS)), legend=None
        )
        one = base.mark_line(strokeWidth=2, point=True).encode(y=own, color=colours)
        small = one.properties(width=_WIDTH // 2 - 40, height=_HEIGHT // 2 - 20)
        facet = alt.Facet("name:N", title=None, sort=list(names))
        sized = small.facet(facet, columns=2, **about).resolve_scale(y="independent")
    else:
        thin = base.mark_line(strokeWidth=0.8, opacity=0.45).encode(y=value)
        both = alt.layer(thin, base.mark_line(strokeWidth=2).encode(y=mean))
        sized = both.properties(width=_WIDTH, height=_HEIGHT, **about)
    return to_svg(
        sized.configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(gridColor="#E6E6E2", labelColor="#4E565E", titleColor="#4E565E")
    )


def thinned(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most about 600 lines, evenly taken, the last one among them."""
    stride = max(1, -(-len(lines) // _MOST_POINTS))
    return list(lines[::-1][::stride])[::-1]


def _rows(lines: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    known = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    values = [value for _, value in known]
    return [
        {"step": step, "name": name, "value": value, "mean": _mean_around(values, place)}
        for place, (step, value) in enumerate(known)
    ]


def _mean_around(values: Sequence[float], place: int) -> float:
    half = _SMOOTHED // 2
    window = values[max(0, place - half) : place + half + 1]
    return sum(window) / len(window)

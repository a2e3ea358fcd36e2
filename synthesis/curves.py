"""Curves of a training: losses and scores over steps, as vector figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from readerstudy.stats.figures import to_svg

COLOURS = ("#24588F", "#BF5A0E", "#1A6B50", "#7A5200", "#5B3A8E", "#626A72")
DASHES = ((1, 0), (6, 4), (2, 3), (8, 3, 2, 3), (4, 2), (1, 2))
FONT = "Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, sans-serif"
WIDTH, HEIGHT = 590, 220
OF_REAL = "_of_real"
_SECOND, _GRID, _LINE = "#4E565E", "#E6E6E2", "#9AA0A6"
_MOST_POINTS = 600
_SMOOTHED = 9
Lines = Sequence[dict[str, Any]]


def losses_svg(lines: Lines, names: Sequence[str], *, until: int | None = None) -> str:
    """Return an SVG of losses over steps; thin: each report, thick: the mean of nine around it.

    Parameters
    ----------
    lines : sequence of dict
        Each with ``step`` and values by name; None leaves a gap.
    names : sequence of str
        At most six.
    until : int, optional
        Last step of the axis: that of the whole training.
    """
    import altair as alt

    rows = [row for name in names for row in _rows(thinned(lines), name)]
    words = [in_words(name) for name in names]
    colours = alt.Scale(domain=words, range=list(COLOURS[: len(names)]))
    dashes = alt.Scale(domain=words, range=[list(dash) for dash in DASHES[: len(names)]])
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1, symbolStrokeWidth=2)
    base = alt.Chart(alt.Data(values=rows)).encode(x=steps_axis(until))
    told = {
        "color": alt.Color("name:N", scale=colours, legend=legend),
        "strokeDash": alt.StrokeDash("name:N", scale=dashes, legend=legend),
    }
    axis = alt.Axis(tickCount=5)
    value = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=axis)
    mean = alt.Y("mean:Q", title=None, scale=alt.Scale(zero=False), axis=axis)
    thin = base.mark_line(strokeWidth=0.8, opacity=0.45).encode(y=value, **told)
    both = alt.layer(thin, base.mark_line(strokeWidth=2).encode(y=mean, **told))
    return styled(both.properties(width=WIDTH, height=HEIGHT, description="Losses over steps"))


def scores_svg(lines: Lines, names: Sequence[str], *, until: int | None = None) -> str:
    """Return an SVG with a small figure for each score; dashed: what real images score.

    Parameters as of `losses_svg`; the score of real images is named with ``_of_real``.
    """
    import altair as alt

    rows = [
        {
            "step": line["step"],
            "name": in_words(name),
            "value": line[name],
            "real": line.get(name + OF_REAL),
        }
        for name in names
        for line in thinned(lines)
        if line.get(name) is not None
    ]
    axis = alt.Axis(tickCount=4)
    whole = alt.Scale(zero=False)
    base = alt.Chart().encode(x=steps_axis(until, ticks=4))
    curve = base.mark_line(strokeWidth=2, point=True, color=COLOURS[0]).encode(
        y=alt.Y("value:Q", title=None, scale=whole, axis=axis)
    )
    real = base.mark_line(strokeWidth=1.5, strokeDash=[4, 4], color=_LINE).encode(
        y=alt.Y("real:Q", title=None, scale=whole, axis=axis)
    )
    columns = 3 if len(names) == 3 else min(2, len(names))
    one = alt.layer(real, curve).properties(width=WIDTH // columns - 44, height=HEIGHT // 2 - 20)
    facet = alt.Facet("name:N", title=None, sort=[in_words(name) for name in names])
    figure = one.facet(
        facet, columns=columns, data=alt.Data(values=rows), description="Scores over steps"
    )
    return styled(figure.resolve_scale(y="independent"))


def steps_axis(until: int | None, *, ticks: int = 6) -> Any:
    """Return the axis of training steps, from 0 to the planned end."""
    import altair as alt

    scale = alt.Scale(domain=[0, until]) if until else alt.Scale()
    axis = alt.Axis(format=",d", grid=False, tickCount=ticks, labelFlush=True)
    return alt.X("step:Q", title="Training steps", scale=scale, axis=axis)


def styled(figure: Any) -> str:
    """Return a figure as SVG in the type and colours of the staff pages."""
    return to_svg(
        figure.configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            gridColor=_GRID,
            labelColor=_SECOND,
            titleColor=_SECOND,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight=400,
        )
        .configure_legend(labelFontSize=12, labelColor=_SECOND)
        .configure_header(labelFontSize=12, labelColor=_SECOND)
    )


def in_words(name: str) -> str:
    """Return the name of a number of the log as words."""
    return name.replace("_", " ")


def thinned(lines: Lines) -> list[dict[str, Any]]:
    """Return at most about 600 lines, evenly taken, the last one among them."""
    stride = max(1, -(-len(lines) // _MOST_POINTS))
    return list(lines[::-1][::stride])[::-1]


def _rows(lines: Lines, name: str) -> list[dict[str, Any]]:
    known = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    values = [value for _, value in known]
    return [
        {"step": step, "name": in_words(name), "value": value, "mean": _mean_around(values, place)}
        for place, (step, value) in enumerate(known)
    ]


def _mean_around(values: Sequence[float], place: int) -> float:
    half = _SMOOTHED // 2
    window = values[max(0, place - half) : place + half + 1]
    return sum(window) / len(window)

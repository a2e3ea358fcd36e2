"""Figures for planning: power or width over cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readerstudy.stats.figures import GREY, SIZE, _data, _finish

SHADES = ("#B9CDE3", "#84A9CE", "#4F86B8", "#24588F", "#14365A", "#BF5A0E")


def planning_curve(
    rows: Sequence[Mapping[str, float]], *, target: float, axis: str, chosen: int, title: str = ""
) -> Any:
    """Draw power or width over the number of cases, one line for each number of readers.

    Parameters
    ----------
    rows : sequence of mapping
        "readers", "cases" and "value".
    target : float
        What is wanted; drawn as a line.
    axis : str
        Name of the vertical axis.
    chosen : int
        The planned number of readers: its line is thick.
    title : str

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ValueError
        Without rows.
    """
    import altair as alt

    if not rows:
        raise ValueError("a curve needs at least one point")
    numbers = sorted({int(row["readers"]) for row in rows})
    shades = [SHADES[min(i, len(SHADES) - 2)] for i in range(len(numbers))]
    shades[numbers.index(chosen)] = SHADES[-1]
    named = [{**row, "named": f"{int(row['readers'])} readers"} for row in rows]
    legend = alt.Legend(symbolType="stroke", symbolSize=400) if len(numbers) > 1 else None
    colour = alt.Color(
        "named:N",
        scale=alt.Scale(domain=[f"{number} readers" for number in numbers], range=shades),
        legend=legend,
    )
    top = 1.0 if axis == "Power" else max(row["value"] for row in rows)
    y = alt.Y("value:Q", title=axis, scale=alt.Scale(domain=[0, min(top, 2.0)], clamp=True))
    lines = (
        alt.Chart(_data(alt, named))
        .mark_line()
        .encode(
            x=alt.X("cases:Q", title="Cases"),
            y=y,
            color=colour,
            strokeWidth=alt.condition(f"datum.readers == {chosen}", alt.value(3), alt.value(1.5)),
            tooltip=["readers:Q", "cases:Q", alt.Tooltip("value:Q", format=".3f")],
        )
    )
    wanted = alt.Chart(_data(alt, [{"wanted": target}])).mark_rule(color=GREY, strokeDash=[4, 4])
    words = f"{axis} over cases for {', '.join(map(str, numbers))} readers; {target:g} is wanted"
    return _finish(
        alt.layer(wanted.encode(y="wanted:Q"), lines),
        title=title,
        description=words,
        width=SIZE + 160,
    )

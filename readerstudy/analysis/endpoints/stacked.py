"""Stacked bars of the shares of levels, one bar for each row of a table."""

from __future__ import annotations

from collections.abc import Sequence

from readerstudy.analysis.document import Figure
from readerstudy.stats import figures

LIGHT, DARK = (0xDC, 0xE6, 0xF1), (0x17, 0x3A, 0x5E)


def stacked_bars(
    bars: Sequence[tuple[str, Sequence[int]]],
    levels: Sequence[str],
    *,
    title: str,
    n: str,
    code: str = "levels_figure",
) -> Figure:
    """Draw the share of each level in each bar, from light (the first level) to dark.

    ``bars`` are pairs of a label and the counts of the levels.
    """
    import altair as alt

    order = [label for label, _ in bars]
    chart = (
        alt.Chart(alt.InlineData(values=_rows(bars, levels)))
        .mark_bar(stroke="#FFFFFF", strokeWidth=1)
        .encode(
            y=alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=240)),
            x=alt.X("share:Q", stack="zero", title="Share", axis=alt.Axis(format="%")),
            color=alt.Color(
                "level:N",
                sort=list(levels),
                scale=alt.Scale(domain=list(levels), range=ramp(len(levels))),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            order=alt.Order("place:Q"),
            tooltip=["row:N", "level:N", "count:Q", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(width=460, height=max(60, 26 * len(order)))
        .configure(font=figures.FONT)
    )
    return Figure(
        code=code,
        title=title,
        spec=chart.to_dict(),
        alt=f"Stacked bars of {len(levels)} levels in {len(order)} rows; the table has the shares.",
        method="Shares of the answers of each row; no interval",
        n=n,
        width="full",
    )


def _rows(
    bars: Sequence[tuple[str, Sequence[int]]], levels: Sequence[str]
) -> list[dict[str, object]]:
    return [
        {
            "row": label,
            "level": level,
            "place": place,
            "share": hits / max(sum(counts), 1),
            "count": hits,
        }
        for label, counts in bars
        for place, (level, hits) in enumerate(zip(levels, counts, strict=True))
    ]


def ramp(n: int) -> list[str]:
    """Return n blues from light to dark."""
    steps = [place / max(n - 1, 1) for place in range(n)]
    return [
        "#" + "".join(f"{round(a + (b - a) * step):02X}" for a, b in zip(LIGHT, DARK, strict=True))
        for step in steps
    ]

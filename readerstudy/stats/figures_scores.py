"""The figure of scores of images beside what readers said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from readerstudy.stats.figures import BLUE, SIZE


def scatter(points: Sequence[dict[str, Any]], *, x: str, y: str) -> Any:
    """Draw one point an image.

    Parameters
    ----------
    points : sequence of dict
        ``score``, ``readers``, ``case`` and ``generator`` of each image.
    x, y : str
        Titles of the axes.

    Returns
    -------
    altair.Chart
    """
    import altair as alt

    score = alt.X("score:Q", title=x, scale=alt.Scale(zero=False))
    readers = alt.Y("readers:Q", title=y)
    tips = [
        alt.Tooltip("case:N", title="Case"),
        alt.Tooltip("generator:N", title="Generator"),
        alt.Tooltip("score:Q", title="Score", format=".3f"),
        alt.Tooltip("readers:Q", title="Readers", format=".2f"),
    ]
    chart = alt.Chart(alt.Data(values=list(points)))
    drawn = chart.mark_point(filled=True, size=40, opacity=0.6, color=BLUE)
    return drawn.encode(x=score, y=readers, tooltip=tips).properties(width=SIZE, height=SIZE * 0.7)

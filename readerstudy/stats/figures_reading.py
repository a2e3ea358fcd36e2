"""Figures of how a study was read: seconds over the order, and spots that readers marked."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.stats.figures import BLUE, FONT, GREY, GRID, INK, ORANGE, SIZE, _data, _finish

BLOCKS = 10
MOST_POINTS = 1500
SQUARE_MM = 10.0
AXES = {
    "axial": (("x", "Right – left, mm"), ("y", "Posterior – anterior, mm")),
    "sagittal": (("y", "Anterior – posterior, mm"), ("z", "Inferior – superior, mm")),
    "coronal": (("x", "Right – left, mm"), ("z", "Inferior – superior, mm")),
}


def pace_curve(reads: Sequence[tuple[str, int, float]], *, title: str = "") -> Any:
    """Draw the median seconds per case over the order of reading, a line for each reader.

    Parameters
    ----------
    reads : sequence of (str, int, float)
        Reader, place in the reader's order from 1, seconds.
    title : str

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ValueError
        Without reads.
    """
    import altair as alt

    if not reads:
        raise ValueError("reads must hold at least one read")
    rows = [
        row for reader in dict.fromkeys(r for r, _, _ in reads) for row in _blocks(reads, reader)
    ]
    x = alt.X("reading:Q", title="Order of reading")
    y = alt.Y("seconds:Q", title="Median seconds per case", scale=alt.Scale(zero=True))
    tips = [alt.Tooltip("reader:N"), alt.Tooltip("reading:Q"), alt.Tooltip("seconds:Q")]
    base = alt.Chart(_data(alt, rows)).encode(x=x, y=y, detail="reader:N", tooltip=tips)
    lines = base.mark_line(color=BLUE, strokeWidth=1.5, opacity=0.6)
    points = base.mark_point(filled=True, size=30, color=BLUE, opacity=0.9)
    last = [row for row in rows if row["last"]]
    names = alt.Chart(_data(alt, last)).mark_text(align="left", dx=6, fontSize=12, color=GREY)
    layers = alt.layer(lines, points, names.encode(x=x, y=y, text="reader:N"))
    words = f"Median seconds per case over the order of reading, {len(last)} readers"
    return _finish(layers, title=title, description=words, width=SIZE + 120)


def _blocks(reads: Sequence[tuple[str, int, float]], reader: str) -> list[dict[str, Any]]:
    own = sorted((place, seconds) for code, place, seconds in reads if code == reader)
    size = max(1, -(-len(own) // BLOCKS))
    parts = [own[start : start + size] for start in range(0, len(own), size)]
    return [
        {
            "reader": reader,
            "reading": statistics.fmean(place for place, _ in part),
            "seconds": statistics.median(seconds for _, seconds in part),
            "last": part is parts[-1],
        }
        for part in parts
    ]


@dataclass(frozen=True)
class Spot:
    """One marked place in the frame of the head.

    Attributes
    ----------
    x, y, z : float
        Millimetres from the middle of the head: to the patient's left, to posterior, to superior.
    truth, verdict : str
        "real" or "synthetic"; "right" or "wrong".
    reader, case : str
    """

    x: float
    y: float
    z: float
    truth: str
    verdict: str
    reader: str
    case: str


def spot_map(spots: Sequence[Spot], *, plane: str, title: str = "") -> Any:
    """Draw marked places as projected on a plane, a panel for each truth.

    Axial and coronal panels show the patient's left at the right, as the reading page does; more
    than 1,500 places are counted in squares of 10 mm.

    Parameters
    ----------
    spots : sequence of Spot
    plane : {"axial", "sagittal", "coronal"}
    title : str

    Returns
    -------
    altair.HConcatChart

    Raises
    ------
    ValueError
        Without spots or for another plane.
    """
    import altair as alt

    if plane not in AXES:
        raise ValueError(f"plane must be one of {', '.join(AXES)}; got {plane!r}")
    if not spots:
        raise ValueError("spots must hold at least one place")
    (across, across_title), (down, down_title) = AXES[plane]
    reach = max(max(abs(getattr(one, name)) for one in spots) for name in (across, down))
    limit = 20.0 * (int(reach / 20.0) + 1)
    rows = _spots(spots, across, down)
    scale = alt.Scale(domain=[-limit, limit], nice=False)
    x = alt.X("a:Q", title=across_title, scale=scale)
    turned = alt.Scale(domain=[-limit, limit], nice=False, reverse=down == "y")
    y = alt.Y("b:Q", title=down_title, scale=turned)
    order = ["right", "wrong"]
    colour = alt.Color("verdict:N", scale=alt.Scale(domain=order, range=[BLUE, ORANGE]))
    shape = alt.Shape("verdict:N", scale=alt.Scale(domain=order, range=["circle", "triangle-up"]))
    largest = max(row["n"] for row in rows)
    size = alt.Size("n:Q", legend=None, scale=alt.Scale(domain=[1, 1 + largest], range=[36, 300]))
    tips = [alt.Tooltip(name) for name in ("verdict:N", "reader:N", "case:N", "n:Q")]
    panels = []
    for truth in dict.fromkeys(sorted(one.truth for one in spots)):
        own = [row for row in rows if row["truth"] == truth]
        points = alt.Chart(_data(alt, own)).mark_point(filled=True, opacity=0.65)
        middle = alt.Chart(_data(alt, [{"at": 0}])).mark_rule(color=GREY, strokeDash=[2, 4])
        layers = alt.layer(
            middle.encode(x=alt.X("at:Q", title=across_title, scale=scale)),
            middle.encode(y=alt.Y("at:Q", title=down_title, scale=turned)),
            points.encode(x=x, y=y, color=colour, shape=shape, size=size, tooltip=tips),
        )
        panels.append(layers.properties(title=f"Marked in {truth} cases", width=260, height=260))
    words = f"{len(spots)} marked places, {plane} projection, right and wrong calls"
    chart = alt.hconcat(*panels).properties(title=title, description=words)
    return (
        chart.configure(font=FONT)
        .configure_axis(
            labelFontSize=12, titleFontSize=12, titleFontWeight=400, gridColor=GRID, titleColor=INK
        )
        .configure_legend(labelFontSize=12, title=None, orient="bottom")
        .configure_title(fontSize=14, fontWeight=600, anchor="start", color=INK)
        .configure_view(stroke=None)
    )


def _spots(spots: Sequence[Spot], across: str, down: str) -> list[dict[str, Any]]:
    """Return a row for each place, or for each square where there are many."""
    if len(spots) <= MOST_POINTS:
        return [
            {"a": getattr(one, across), "b": getattr(one, down), "n": 1, **_tip(one)}
            for one in spots
        ]
    counts: dict[tuple[float, float, str, str], int] = {}
    for one in spots:
        a, b = (SQUARE_MM * round(getattr(one, name) / SQUARE_MM) for name in (across, down))
        key = (a, b, one.truth, one.verdict)
        counts[key] = counts.get(key, 0) + 1
    return [
        {"a": a, "b": b, "n": n, "truth": t, "verdict": v, "reader": "several", "case": "several"}
        for (a, b, t, v), n in counts.items()
    ]


def _tip(one: Spot) -> dict[str, str]:
    return {"truth": one.truth, "verdict": one.verdict, "reader": one.reader, "case": one.case}

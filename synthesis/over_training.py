"""A score over training with what readers said at the same steps: Park's figure (2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.stats.figures import BLUE, GREY, INK
from synthesis.curves import HEIGHT, WIDTH, steps_axis, styled
from synthesis.sessions import Session

_TOP = 44  # pixels kept free above the curve for the sessions


@dataclass(frozen=True)
class Point:
    """A score of a generator after so many training steps; limits may be NaN."""

    steps: int
    value: float
    low: float
    high: float
    name: str


@dataclass(frozen=True)
class Course:
    """What is drawn.

    Attributes
    ----------
    points : sequence of Point
        Of one preset and extractor; at least one.
    metric : str
        Name on the axis.
    lowest_is_best : bool
    of_real : float
        What real images score: a dashed line; NaN for none.
    sessions : sequence of Session
    until : int or None
        Last step of the axis.
    """

    points: Sequence[Point]
    metric: str
    lowest_is_best: bool = True
    of_real: float = math.nan
    sessions: Sequence[Session] = ()
    until: int | None = None

    @property
    def ordered(self) -> list[Point]:
        """The points in the order of steps."""
        return sorted(self.points, key=lambda point: point.steps)

    @property
    def best(self) -> Point:
        pick = min if self.lowest_is_best else max
        return pick(self.ordered, key=lambda point: point.value)

    @property
    def log(self) -> bool:
        """May the axis be logarithmic?"""
        return self.lowest_is_best and all(point.value > 0 for point in self.points)

    @property
    def words(self) -> str:
        """The figure in a sentence, for those who do not see it."""
        told = f"{self.metric} at {len(self.points)} points of training; {self.label(self.best)}"
        said = (f"; session {s.number} at step {s.step}: {s.share:.0%}" for s in self.sessions)
        return told + "".join(said)

    def label(self, point: Point) -> str:
        """Return the words beside a point."""
        return f"best {point.value:.3g} at {point.steps:,}"


def over_training(course: Course) -> str:
    """Return the figure as SVG: log scale, the best point ringed, the present one named."""
    import altair as alt

    layers = [*_reference(alt, course), *_curve(alt, course), *_sessions(alt, course)]
    figure = alt.layer(*layers).properties(
        width=WIDTH, height=HEIGHT + (_TOP if course.sessions else 0), description=course.words
    )
    return styled(figure)


def _scale(alt: Any, course: Course) -> Any:
    """Return the vertical scale; with sessions there is room for them above the curve."""
    values = [limit for p in course.points for limit in (p.value, p.low, p.high)]
    values = [v for v in (*values, course.of_real) if not math.isnan(v)]
    if not course.log:
        room = 0.35 * (max(values) - min(values)) if course.sessions else 0.0
        return alt.Scale(zero=False, nice=not room, domainMax=max(values) + room)
    values = [value for value in values if value > 0]
    low, high = min(values), max(values)
    room = max((high / low) ** 0.35, 1.3) if course.sessions else 1.2
    return alt.Scale(type="log", domain=[0.8 * low, high * room], nice=False)


def _axes(alt: Any, course: Course) -> tuple[Any, Any, Any]:
    scale = _scale(alt, course)
    name = course.metric.upper() if len(course.metric) < 4 else course.metric
    y = alt.Y("value:Q", title=name, scale=scale, axis=alt.Axis(tickCount=5))
    return steps_axis(course.until), y, scale


def _curve(alt: Any, course: Course) -> list[Any]:
    x, y, scale = _axes(alt, course)
    rows = [_row(point, log=course.log) for point in course.ordered]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    best, now = course.best, course.ordered[-1]
    marks = [{**_row(best, log=course.log), "text": course.label(best)}]
    ring = alt.Chart(alt.InlineData(values=marks)).encode(x=x, y=y)
    late = bool(course.until) and best.steps > 0.7 * (course.until or 1)
    low = alt.Y("low:Q", scale=scale)
    layers = [
        base.mark_rule(color=BLUE, opacity=0.5).encode(y=low, y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=1.5).encode(y=y),
        base.mark_point(filled=True, color=BLUE, size=36, opacity=1).encode(y=y),
        ring.mark_point(color=BLUE, size=160, strokeWidth=1.5),
        ring.mark_text(
            dy=18, dx=-6 if late else 6, align="right" if late else "left", color=INK, fontSize=12
        ).encode(text="text:N"),
    ]
    if now.steps != best.steps:
        told = [{**_row(now, log=course.log), "text": f"now {now.value:.3g}"}]
        layers.append(
            alt.Chart(alt.InlineData(values=told))
            .mark_text(dy=-12, color=INK, fontSize=12, align="right", dx=8)
            .encode(x=x, y=y, text="text:N")
        )
    return layers


def _reference(alt: Any, course: Course) -> list[Any]:
    if math.isnan(course.of_real) or (course.log and course.of_real <= 0):
        return []
    _, y, _ = _axes(alt, course)
    row = [{"value": course.of_real, "text": "real slices"}]
    base = alt.Chart(alt.InlineData(values=row)).encode(y=y)
    text = base.mark_text(align="left", dx=4, dy=-7, color=GREY, fontSize=12)
    return [
        base.mark_rule(color=GREY, strokeDash=[4, 4]),
        text.encode(x=alt.value(0), text="text:N"),
    ]


def _sessions(alt: Any, course: Course) -> list[Any]:
    if not course.sessions:
        return []
    rows = [
        {"step": one.step, "name": f"session {one.number}", "share": f"{100 * one.share:.0f} %"}
        for one in course.sessions
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=steps_axis(course.until))
    return [
        base.mark_rule(color=GREY, strokeWidth=1, opacity=0.5).encode(
            y=alt.value(_TOP - 6), y2=alt.value(HEIGHT + _TOP)
        ),
        base.mark_text(fontSize=12, color=INK).encode(y=alt.value(10), text="name:N"),
        base.mark_text(fontSize=12, fontWeight=600, color=INK).encode(
            y=alt.value(26), text="share:N"
        ),
    ]


def _row(point: Point, *, log: bool) -> dict[str, Any]:
    low, high = (None if math.isnan(v) else v for v in (point.low, point.high))
    if log and low is not None and low <= 0:
        low = point.value  # a log scale has no place for it
    return {
        "step": point.steps, "value": point.value, "low": low, "high": high, "name": point.name
    }  # fmt: skip

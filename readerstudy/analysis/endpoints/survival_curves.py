"""Survival by group: curves, numbers at risk, medians, survival at horizons, log-rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    Cell,
    Column,
    Figure,
    Number,
    Row,
    Table,
    Test,
    count,
)
from readerstudy.analysis.endpoints.resampling import FloatArray
from readerstudy.analysis.endpoints.stacked import ramp
from readerstudy.analysis.endpoints.survival_data import Marker, Patients
from readerstudy.analysis.endpoints.words import many
from readerstudy.stats import figures
from readerstudy.stats.figure_data import survival_rows

METHOD = (
    "Kaplan–Meier (1958), Greenwood variance, log-log limits; median with its limits where the "
    "limits of the curve cross 0.5"
)
TICKS = 5
Curve = tuple[str, FloatArray, FloatArray]
"""Name, times and events of a group."""
DASHES = ((1, 0), (6, 4), (2, 3), (8, 3, 2, 3))


def group_rows(patients: Patients, marker: Marker | None) -> list[Curve]:
    """Return name, times and events of each group; all patients where there is no marker."""
    if marker is None:
        return [("All patients", patients.time, patients.event)]
    found = []
    for group in marker.groups:
        rows = patients.rows(code for code, one in marker.of_group.items() if one == group)
        if rows:
            found.append((group, patients.time[rows], patients.event[rows]))
    return found


def curve_table(
    patients: Patients,
    markers: Sequence[tuple[str, Marker | None]],
    horizons: Sequence[float],
    level: float,
    *,
    code: str,
    title: str,
) -> Table:
    """Return events, median and survival at the horizons of every group of every marker."""
    rows = [
        _curve_row(label, curve, horizons, level)
        for label, marker in markers
        for curve in group_rows(patients, marker)
    ]
    return Table(
        code=code,
        title=title,
        columns=(
            Column("by", "By", "text"),
            Column("group", "Group", "text"),
            Column("n", "Patients"),
            Column("events", "Events"),
            Column("median", "Median", "estimate"),
            *(Column(f"at_{time:g}", f"At {time:g}, %", "estimate") for time in horizons),
        ),
        rows=tuple(rows),
        method=METHOD,
        n=size(patients),
    )


def size(patients: Patients) -> str:
    """Return how many patients and events there are, and who was left out."""
    lost = "".join(f", {n} left out ({reason})" for reason, n in sorted(patients.lost.items()))
    return f"{many(len(patients.codes), 'patient')}, {many(patients.n_events, 'event')}{lost}"


def _curve_row(label: str, curve: Curve, horizons: Sequence[float], level: float) -> Row:
    name, time, event = curve
    found = stats.kaplan_meier(time, event, times=list(horizons) or None, level=level)
    reason = "" if not math.isnan(found.median) else "the curve stays above one half"
    cells: dict[str, Cell] = {
        "by": label,
        "group": name,
        "n": count(len(time)),
        "events": count(int(event.sum())),
        "median": Number(
            found.median, "number", found.median_low, found.median_high, level, reason
        ),
    }
    for place, horizon in enumerate(horizons):
        value = float(found.survival[place])
        why = "" if not math.isnan(value) else f"follow-up ends before {horizon:g}"
        low, high = float(found.low[place]), float(found.high[place])
        cells[f"at_{horizon:g}"] = Number(value, "percent", low, high, level, why)
    return Row(cells)


def risk_table(
    patients: Patients, marker: Marker | None, ticks: Sequence[float], *, code: str, title: str
) -> Table:
    """Return how many are at risk at each tick of the figure."""
    rows = []
    for name, time, _ in group_rows(patients, marker):
        cells: dict[str, Cell] = {"group": name}
        cells |= {f"at_{tick:g}": count(int((time >= tick).sum())) for tick in ticks}
        rows.append(Row(cells))
    return Table(
        code=code,
        title=title,
        columns=(
            Column("group", "At risk at", "text"),
            *(Column(f"at_{tick:g}", f"{tick:g}") for tick in ticks),
        ),
        rows=tuple(rows),
        method="Patients whose follow-up has lasted to the time",
        n=size(patients),
        width="half",
    )


def ticks_of(patients: Patients) -> list[float]:
    """Return about five round times from 0 to the end of follow-up."""
    last = float(patients.time.max()) if len(patients.time) else 0.0
    if last <= 0.0:
        return [0.0]
    rough = last / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    return [float(x) for x in np.arange(0.0, last + step / 1e6, step)]


def curve_figure(
    curves: Sequence[Curve],
    *,
    code: str,
    title: str,
    n: str,
    axis: str,
) -> Figure:
    """Draw a survival curve for each group with pointwise limits and censoring ticks."""
    import altair as alt

    steps: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    names = [name for name, _, _ in curves]
    for name, time, event in curves:
        more, censored = survival_rows(time, event, name)
        steps += more
        marks += censored
    colours = ramp(len(names) + 1)[1:] if len(names) > 1 else [figures.BLUE]
    colour = alt.Color("group:N", sort=names, scale=alt.Scale(domain=names, range=colours))
    dashes = [list(DASHES[place % len(DASHES)]) for place in range(len(names))]
    dash = alt.StrokeDash("group:N", sort=names, scale=alt.Scale(domain=names, range=dashes))
    known = [row for row in steps if not math.isnan(row["low"])]
    drawn = [{**row, "low": None, "high": None} if math.isnan(row["low"]) else row for row in steps]
    x = alt.X("time:Q", title=axis)
    y = alt.Y("survival:Q", title="Without event", scale=alt.Scale(domain=[0, 1]))
    band = alt.Chart(alt.InlineData(values=known)).mark_area(opacity=0.12, interpolate="step-after")
    line = alt.Chart(alt.InlineData(values=drawn)).mark_line(
        strokeWidth=2, interpolate="step-after"
    )
    tick = alt.Chart(alt.InlineData(values=marks)).mark_tick(thickness=1.2, size=9)
    chart = alt.layer(
        band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        line.encode(x=x, y=y, color=colour, strokeDash=dash),
        tick.encode(x=x, y=y, color=colour),
    )
    sizes = ", ".join(f"{name}: {int(e.sum())} of {len(t)}" for name, t, e in curves)
    return Figure(
        code=code,
        title=title,
        spec=chart.properties(width=460, height=280).configure(font=figures.FONT).to_dict(),
        alt=f"Survival curves with events of patients: {sizes}. The table has medians and risks.",
        method=f"{METHOD}; a tick is a censoring",
        n=n,
        width="full",
    )


def logrank_test(patients: Patients, marker: Marker, *, code: str, what: str) -> Test:
    """Return the log-rank test of a marker's groups."""
    groups = group_rows(patients, marker)
    common: dict[str, Any] = {
        "code": code,
        "what": what,
        "name": "Log-rank test (Mantel 1966)",
        "unit": "patient",
        "null": "all groups have the same survival",
        "assumptions": "censoring has nothing to do with the event; patients are independent",
    }
    n = sum(len(time) for _, time, _ in groups)
    if len(groups) < 2:
        reason = f"all {n} patients are in one group" if groups else "no patient is in a group"
        return Test(n=f"{n} patients", p=math.nan, reason=reason, **common)
    found = stats.logrank(
        np.concatenate([time for _, time, _ in groups]),
        np.concatenate([event for _, _, event in groups]),
        [name for name, time, _ in groups for _ in time],
    )
    events = int(sum(event.sum() for _, _, event in groups))
    return Test(
        n=f"{n} patients, {events} events",
        p=found.pvalue,
        symbol="χ²",
        statistic=found.chi2,
        df=str(found.df),
        reason=found.reason or "",
        warnings=found.warnings,
        **common,
    )

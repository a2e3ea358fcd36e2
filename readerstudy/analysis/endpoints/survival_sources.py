"""One time measured twice, as progression on true and on synthetic images: how far they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from readerstudy import stats
from readerstudy.analysis.document import Block, Column, Number, Row, Table, Test, count
from readerstudy.analysis.endpoints.resampling import FloatArray, percentiles
from readerstudy.analysis.endpoints.survival_curves import curve_figure, curve_table
from readerstudy.analysis.endpoints.survival_data import Patients
from readerstudy.analysis.endpoints.words import fixed, many, p_value
from readerstudy.studies.analysis_plan import PlannedAnalysis

ENOUGH = 3


@dataclass(frozen=True)
class Twice:
    """The patients whom both sources know, in one order."""

    names: tuple[str, str]
    first: Patients
    second: Patients

    @property
    def n(self) -> int:
        return len(self.first.codes)


def both_sources(names: tuple[str, str], first: Patients, second: Patients) -> Twice:
    """Return the patients whom both sources know.

    Raises
    ------
    ValueError
        If no patient is known in both.
    """
    shared = set(first.codes) & set(second.codes)
    if not shared:
        raise ValueError(f"no patient has both {names[0]} and {names[1]}")
    kept = [_only(one, shared) for one in (first, second)]
    return Twice(names, kept[0], kept[1])


def _only(patients: Patients, codes: set[str]) -> Patients:
    rows = patients.rows(codes)
    return Patients(
        tuple(patients.codes[row] for row in rows),
        patients.time[rows],
        patients.event[rows],
        patients.lost,
        patients.differing,
    )


def source_blocks(
    twice: Twice, entry: PlannedAnalysis
) -> tuple[list[Block], list[Test], list[str]]:
    """Return curves of both sources, how times and events agree, and the tested difference."""
    level = 1.0 - entry.alpha
    reach = _reach(twice, entry)
    mean, test = _restricted_mean(twice, entry, reach)
    tables: list[Block] = [
        _curves(twice, entry, level),
        curve_figure(
            [
                (name, one.time, one.event)
                for name, one in zip(twice.names, (twice.first, twice.second), strict=True)
            ],
            code="sources_figure",
            title="Time from both sources",
            n=many(twice.n, "patient"),
            axis="Time, in the unit of the reference standard",
        ),
        _events(twice),
        _times(twice, level),
        _means(twice, entry, reach, mean),
    ]
    word = "shorter" if mean.value < 0.0 else "longer"
    lead = [
        f"By {twice.names[1]} the mean time without event up to {reach:g} was "
        f"**{fixed(abs(mean.value), 2)}** {word} than by {twice.names[0]} (difference with "
        f"{_limits(mean)}, "
        f"{p_value(test.p)}, {many(twice.n, 'patient')} with both)."
    ]
    return tables, [test], lead


def _limits(number: Number) -> str:
    if not number.has_interval:
        return number.reason or "no interval"
    low, high = fixed(number.low, 2), fixed(number.high, 2)
    return f"{100 * number.level:g} % interval {low} to {high}"


def _curves(twice: Twice, entry: PlannedAnalysis, level: float) -> Table:
    tables = [
        curve_table(one, [(name, None)], entry.horizons, level, code="x", title="x")
        for name, one in zip(twice.names, (twice.first, twice.second), strict=True)
    ]
    first = tables[0]
    return Table(
        code="sources",
        title="Time from both sources",
        columns=tuple(column for column in first.columns if column.code != "group"),
        rows=tuple(row for table in tables for row in table.rows),
        method=first.method,
        n=many(twice.n, "patient"),
    )


def _events(twice: Twice) -> Table:
    cells = [
        [int(((twice.first.event == a) & (twice.second.event == b)).sum()) for b in (1, 0)]
        for a in (1, 0)
    ]
    kappa = stats.cohen_kappa_from_table(cells)
    same = stats.proportion(cells[0][0] + cells[1][1], twice.n)
    rows = [
        Row(
            {
                "first": f"{twice.names[0]}: {word}",
                "event": count(cells[place][0]),
                "none": count(cells[place][1]),
            }
        )
        for place, word in enumerate(("event", "censored"))
    ]
    return Table(
        code="sources_events",
        title="Did the event come, by both sources",
        columns=(
            Column("first", "", "text"),
            Column("event", f"{twice.names[1]}: event"),
            Column("none", f"{twice.names[1]}: censored"),
        ),
        rows=tuple(rows),
        method="Counts of patients",
        n=many(twice.n, "patient"),
        notes=(
            f"The same in {100 * same.value:.1f} % of the patients; kappa "
            f"{fixed(kappa.value, 2) if not math.isnan(kappa.value) else kappa.reason}.",
        ),
        width="half",
    )


def _times(twice: Twice, level: float) -> Table:
    """Return how times of patients with the event in both sources differ."""
    both = (twice.first.event > 0.0) & (twice.second.event > 0.0)
    n = int(both.sum())
    a, b = twice.second.time[both], twice.first.time[both]
    if n < ENOUGH:
        reason = f"{n} patients have the event in both sources"
        blank = Number(math.nan, reason=reason)
        cells: dict[str, Any] = dict.fromkeys(("bias", "lower", "upper", "icc"), blank)
    else:
        limits = stats.bland_altman(a, b, level=level)
        agreement = stats.icc(np.column_stack([a, b]), form="ICC(2,1)", level=level)
        cells = {
            "bias": Number(limits.bias, "number", limits.low, limits.high, level),
            "lower": Number(limits.lower_limit),
            "upper": Number(limits.upper_limit),
            "icc": Number(
                agreement.value,
                "kappa",
                agreement.low,
                agreement.high,
                level,
                agreement.reason or "",
            ),
        }
    what = f"{twice.names[1]} less {twice.names[0]}"
    return Table(
        code="sources_times",
        title="Times of patients with the event in both sources",
        columns=(
            Column("what", "", "text"),
            Column("n", "Patients"),
            Column("bias", "Mean difference", "estimate"),
            Column("lower", "Lower limit of agreement"),
            Column("upper", "Upper limit of agreement"),
            Column("icc", "ICC(2,1)", "estimate"),
        ),
        rows=(Row({"what": what, "n": count(n), **cells}),),
        method="Mean with t interval, 95 % limits of agreement (Bland & Altman 1999)",
        n=many(n, "patient"),
        notes=(
            "Who has the event in one source alone is not in this table: it describes times, it "
            "does not compare the sources.",
        ),
    )


def _reach(twice: Twice, entry: PlannedAnalysis) -> float:
    """Return the time up to which means are taken: the last horizon, within both follow-ups."""
    last = float(min(twice.first.time.max(), twice.second.time.max()))
    return min(max(entry.horizons), last) if entry.horizons else last


def restricted_mean(time: FloatArray, event: FloatArray, weights: FloatArray, reach: float) -> Any:
    """Return the area under the Kaplan-Meier curve up to ``reach`` for each row of weights.

    Parameters
    ----------
    time, event : ndarray, shape (n,)
    weights : ndarray, shape (b, n)
        How often each patient counts.
    reach : float

    Returns
    -------
    ndarray, shape (b,)
    """
    order = np.argsort(time, kind="stable")
    t, d, w = time[order], event[order], weights[:, order]
    times, start = np.unique(t, return_index=True)
    at_risk = np.cumsum(w[:, ::-1], axis=1)[:, ::-1][:, start]
    died = np.add.reduceat(w * d, start, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(at_risk > 0, 1.0 - died / at_risk, 1.0)
    survival = np.hstack([np.ones((len(w), 1)), np.cumprod(step, axis=1)])
    edges = np.minimum(np.concatenate([[0.0], times, [np.inf]]), reach)
    return survival @ np.diff(edges)


def _restricted_mean(twice: Twice, entry: PlannedAnalysis, reach: float) -> tuple[Number, Test]:
    n, level = twice.n, 1.0 - entry.alpha
    rng = np.random.default_rng(entry.seed)
    weights = rng.multinomial(n, np.full(n, 1.0 / n), size=entry.draws).astype(float)
    both = (twice.first, twice.second)
    value, drawn = (
        restricted_mean(both[1].time, both[1].event, w, reach)
        - restricted_mean(both[0].time, both[0].event, w, reach)
        for w in (np.ones((1, n)), weights)
    )
    low, high = percentiles(drawn, level)
    se = float(drawn.std(ddof=1))
    z = float(value[0]) / se if se > 1e-12 else math.nan
    test = Test(
        code="main",
        what=f"{twice.names[1]} against {twice.names[0]}",
        name=f"Wald test of the paired difference of restricted means up to {reach:g}",
        unit="patient, drawn with both times",
        n=f"{many(n, 'patient')}; {both[0].n_events} and {both[1].n_events} events",
        null="the mean time without event is the same in both sources",
        assumptions="censoring has nothing to do with the event; patients are independent",
        p=float(2.0 * special.ndtr(-abs(z))) if not math.isnan(z) else math.nan,
        symbol="z",
        statistic=z,
        reason="" if se > 1e-12 else "the sources do not differ in any draw",
    )
    if se <= 1e-12:
        return Number(float(value[0]), "number", reason="no interval: no draw differs"), test
    return Number(float(value[0]), "number", low, high, level), test


def _means(twice: Twice, entry: PlannedAnalysis, reach: float, difference: Number) -> Table:
    ones = np.ones((1, twice.n))
    rows = [
        Row(
            {
                "what": name,
                "mean": Number(float(restricted_mean(one.time, one.event, ones, reach)[0])),
            }
        )
        for name, one in zip(twice.names, (twice.first, twice.second), strict=True)
    ]
    what = f"{twice.names[1]} less {twice.names[0]}"
    rows.append(Row({"what": what, "mean": difference}, strong=True))
    return Table(
        code="sources_means",
        title=f"Mean time without event up to {reach:g}",
        columns=(Column("what", "", "text"), Column("mean", "Restricted mean", "estimate")),
        rows=tuple(rows),
        method=(
            "Area under the Kaplan–Meier curve; difference with a percentile bootstrap of "
            f"patients with both times, {entry.draws:,} draws, seed {entry.seed}"
        ),
        n=many(twice.n, "patient"),
        width="half",
    )

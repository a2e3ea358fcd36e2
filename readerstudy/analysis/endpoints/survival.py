"""Endpoint "survival": time to an event by answer or measurement, never as a yes or no.

Kaplan-Meier curves by answer with numbers at risk, log-rank, Cox, Harrell's C of every arm and
reader with the paired difference of arms, areas under time-dependent curves, and one time from two
sources (``time`` and ``event`` with two names each, separated by a comma).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from readerstudy import stats
from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
    undefined,
)
from readerstudy.analysis.endpoints import parts as subgroups
from readerstudy.analysis.endpoints.survival_concordance import (
    Averaged,
    concordance,
    difference_test,
    hazard_ratio,
    mean_concordance,
)
from readerstudy.analysis.endpoints.survival_curves import (
    curve_figure,
    curve_table,
    group_rows,
    logrank_test,
    risk_table,
    size,
    ticks_of,
)
from readerstudy.analysis.endpoints.survival_data import (
    ALL,
    Marker,
    Patients,
    followed,
    markers_of,
)
from readerstudy.analysis.endpoints.survival_sources import both_sources, source_blocks
from readerstudy.analysis.endpoints.words import fixed, listed, many, p_value
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

KNOWN = ("kaplan_meier", "logrank", "cox", "harrell_c", "time_dependent_auc")
AREA_DRAWS = 200
LARGE = 500
MANY_READERS = 8


@dataclass(frozen=True)
class Ranked:
    """Mean C of an arm's readers, with the markers behind it."""

    arm: str
    markers: tuple[Marker, ...]
    found: Averaged


def survival(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return how the time to an event depends on answers and measurements.

    Raises
    ------
    ValueError
        If the plan names no time and event, nobody has them, or no event came.
    """
    times, events = _names(entry.time), _names(entry.event)
    if not times or len(times) != len(events) or len(times) > 2:
        raise ValueError("the plan must name one time and one event, or two of each")
    patients = followed(data, times[0], events[0])
    blocks: list[Block] = []
    tests: list[Test] = []
    lead: list[str] = []
    if len(times) == 2:
        other = followed(data, times[1], events[1])
        names = times[0].replace("_", " "), times[1].replace("_", " ")
        more, found, said = source_blocks(both_sources(names, patients, other), entry)
        blocks, tests, lead = [*more], [*found], [*said]
    if not patients.n_events:
        raise ValueError(f"none of {len(patients.codes)} patients had the event")
    markers = markers_of(data, entry)
    part, more_tests, said = _by_marker(data, entry, patients, markers, decided=bool(tests))
    remarks = [Passage(text) for text in _remarks(entry, patients)]
    return Section(
        code=entry.code,
        title=entry.title,
        tag=PLANNED,
        lead=tuple(lead + said) or (_overall(patients),),
        blocks=(*blocks, *part, *remarks),
        tests=(*tests, *more_tests),
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _overall(patients: Patients) -> str:
    return f"{patients.n_events} of {many(len(patients.codes), 'patient')} had the event."


def _wants(entry: PlannedAnalysis, method: str) -> bool:
    return method in entry.methods or not entry.methods


def _by_marker(
    data: Dataset,
    entry: PlannedAnalysis,
    patients: Patients,
    markers: Sequence[Marker],
    *,
    decided: bool,
) -> tuple[list[Block], list[Test], list[str]]:
    level = 1.0 - entry.alpha
    shown = _shown(markers)
    blocks: list[Block] = []
    tests: list[Test] = []
    lead: list[str] = []
    labelled: list[tuple[str, Marker | None]] = [("", None)]
    labelled += [(_label(data, one), one) for one in markers]
    if _wants(entry, "kaplan_meier"):
        blocks.append(
            curve_table(
                patients, labelled, entry.horizons, level, code="curves", title="Survival by group"
            )
        )
        for marker in shown:
            blocks += _figures(data, patients, marker)
    ranked: list[Ranked] = []
    if _wants(entry, "harrell_c") and markers:
        ranked, table, found = _concordances(data, entry, patients, markers)
        blocks.append(table)
        tests += [found_test for found_test in found if not decided or found_test.code != "main"]
        lead += _lead(data, ranked, found)
    if _wants(entry, "logrank"):
        made = [_logrank(data, patients, one, decided or bool(tests)) for one in shown]
        tests += made
        lead += [f"{test.what}: log-rank {p_value(test.p)}." for test in made if not ranked]
        blocks.append(_logrank_table(data, patients, markers))
    if _wants(entry, "cox"):
        blocks.append(_cox(data, entry, patients, markers))
    if _wants(entry, "time_dependent_auc"):
        blocks.append(_areas(data, entry, patients, markers))
    blocks += [_subgroup(data, entry, name) for name in entry.subgroups]
    return blocks, tests, lead


def _shown(markers: Sequence[Marker]) -> list[Marker]:
    """Return the markers with a figure: all readers of each arm (or the one), and covariates."""
    arms = {one.arm for one in markers if one.source == "answers"}
    by_arm = {arm: [one for one in markers if one.arm == arm] for arm in arms}
    return [
        one
        for one in markers
        if one.groups
        and (one.source == "reference" or one.reader == ALL or len(by_arm[one.arm]) == 1)
    ]


def _label(data: Dataset, marker: Marker) -> str:
    several = len(data.protocol.arm_codes) > 1 and marker.arm
    return f"{marker.label}, {data.protocol.arm_name(marker.arm)}" if several else marker.label


def _figures(data: Dataset, patients: Patients, marker: Marker) -> list[Block]:
    label = _label(data, marker)
    groups = group_rows(patients, marker)
    if not groups:
        return []
    return [
        curve_figure(
            groups,
            code=f"figure_{marker.code}",
            title=f"Survival by {label}",
            n=size(patients),
            axis="Time, in the unit of the reference standard",
        ),
        risk_table(
            patients,
            marker,
            ticks_of(patients),
            code=f"risk_{marker.code}",
            title=f"Numbers at risk, {label}",
        ),
    ]


def _logrank(data: Dataset, patients: Patients, marker: Marker, decided: bool) -> Test:
    code = "logrank" if decided or marker.source == "reference" else "main"
    return logrank_test(patients, marker, code=code, what=f"Groups of {_label(data, marker)}")


def _logrank_table(data: Dataset, patients: Patients, markers: Sequence[Marker]) -> Table:
    rows = []
    for marker in markers:
        test = logrank_test(patients, marker, code="", what="")
        rows.append(
            Row(
                {
                    "by": _label(data, marker),
                    "groups": count(len(group_rows(patients, marker))),
                    "chi2": Number(test.statistic, reason=test.reason),
                    "df": test.df,
                    "p": Number(test.p, "p", reason=test.reason),
                    "n": test.n,
                }
            )
        )
    return Table(
        code="logrank",
        title="Groups compared",
        columns=(
            Column("by", "By", "text"),
            Column("groups", "Groups"),
            Column("chi2", "χ²"),
            Column("df", "df", "text"),
            Column("p", "p"),
            Column("n", "n", "text"),
        ),
        rows=tuple(rows),
        method="Log-rank test (Mantel 1966); rows of single readers are not adjusted",
        n=size(patients),
    )


def _concordances(
    data: Dataset, entry: PlannedAnalysis, patients: Patients, markers: Sequence[Marker]
) -> tuple[list[Ranked], Table, list[Test]]:
    level = 1.0 - entry.alpha
    rows: list[Row] = []
    ranked: list[Ranked] = []
    for marker in markers:
        number = concordance(patients, marker, level)
        n = count(len(patients.rows(marker.values)))
        label = _label(data, marker)
        mean = f"{label}: mean score" if marker.reader == ALL else label
        rows.append(Row({"by": mean, "c": number, "n": n}))
    for arm in dict.fromkeys(one.arm for one in markers if one.source == "answers"):
        single = tuple(
            one
            for one in markers
            if one.arm == arm and one.reader != ALL and concordance(patients, one, level).defined
        )
        if single:
            found = _mean(entry, patients, single)
            ranked.append(Ranked(arm, single, found))
            name = data.protocol.arm_name(arm)
            rows.append(
                Row(
                    {
                        "by": f"Mean of {many(len(single), 'reader')}, {name}",
                        "c": found.number("area", level),
                        "n": count(len(patients.codes)),
                    },
                    strong=True,
                )
            )
    tests, more = _c_differences(data, entry, patients, ranked, markers)
    rows += more
    table = Table(
        code="concordance",
        title="Harrell’s C",
        columns=(Column("by", "By", "text"), Column("c", "C", "estimate"), Column("n", "Patients")),
        rows=tuple(rows),
        method=(
            "Harrell’s C (1996): a higher score goes with an earlier event; single scores with "
            "the interval of their U statistic, means and differences with "
            f"{ranked[0].found.method if ranked else 'draws of patients'}"
        ),
        n=size(patients),
        notes=("C below 0.5 says that higher scores go with later events; nothing is turned.",),
    )
    return ranked, table, tests


def _mean(
    entry: PlannedAnalysis,
    patients: Patients,
    plus: Sequence[Marker],
    minus: Sequence[Marker] = (),
) -> Averaged:
    return mean_concordance(
        patients, plus, minus, level=1.0 - entry.alpha, draws=entry.draws, seed=entry.seed
    )


def _c_differences(
    data: Dataset,
    entry: PlannedAnalysis,
    patients: Patients,
    ranked: Sequence[Ranked],
    markers: Sequence[Marker],
) -> tuple[list[Test], list[Row]]:
    """Return paired differences: later arms less the first, later covariates less the first."""
    level = 1.0 - entry.alpha
    sides = [(data.protocol.arm_name(one.arm), one.markers) for one in ranked]
    wanted = [(after, sides[0], "main") for after in sides[1:]]
    covariates = [
        (one.label, (one,))
        for one in markers
        if one.source == "reference" and concordance(patients, one, level).defined
    ]
    wanted += [(after, covariates[0], "covariates") for after in covariates[1:]]
    tests, rows = [], []
    for (after, plus), (before, minus), code in wanted:
        found = _mean(entry, patients, plus, minus)
        what = f"{after} less {before}"
        number = found.number("difference", level)
        rows.append(Row({"by": what, "c": number, "n": count(len(patients.codes))}, strong=True))
        tests.append(difference_test(found, patients, code=code, what=f"Harrell’s C, {what}"))
    return tests, rows


def _lead(data: Dataset, ranked: Sequence[Ranked], tests: Sequence[Test]) -> list[str]:
    parts = []
    for one in ranked:
        name = data.protocol.arm_name(one.arm)
        limits = f"{fixed(one.found.low, 3)} to {fixed(one.found.high, 3)}"
        parts.append(f"{name} **{fixed(one.found.value, 3)}** ({limits})")
    if not parts:
        return []
    lines = [f"Harrell’s C of the readers’ scores: {listed(parts)}."]
    return lines + [f"{test.what}: {p_value(test.p)}." for test in tests]


def _cox(
    data: Dataset, entry: PlannedAnalysis, patients: Patients, markers: Sequence[Marker]
) -> Table:
    level = 1.0 - entry.alpha
    others = [one for one in markers if one.source == "reference" and one.values]
    rows = []
    readers = {one.reader for one in markers if one.source == "answers"} - {ALL}
    many_readers = len(readers) > MANY_READERS
    for marker in markers:
        if many_readers and marker.reader in readers:
            continue
        ratio, p, n, events = hazard_ratio(patients, marker, [], level)
        cells: dict[str, Cell] = {
            "by": _label(data, marker),
            "n": count(n),
            "events": count(events),
            "ratio": ratio,
            "p": Number(p, "p", reason=ratio.reason),
        }
        rest = [one for one in others if one is not marker]
        if others:
            adjusted, p2, _, _ = hazard_ratio(patients, marker, rest, level)
            shown = adjusted if rest else undefined("no other covariate", "ratio")
            cells["adjusted"] = shown
            cells["p_adjusted"] = Number(p2 if rest else math.nan, "p", reason=shown.reason)
        rows.append(Row(cells))
    names = ", ".join(one.label for one in others)
    more = (
        Column("adjusted", "Hazard ratio, adjusted", "estimate"),
        Column("p_adjusted", "p"),
    )
    return Table(
        code="cox",
        title="Hazard ratio of one step of the score",
        columns=(
            Column("by", "By", "text"),
            Column("ratio", "Hazard ratio", "estimate"),
            Column("p", "p"),
            *(more if others else ()),
            Column("n", "Patients"),
            Column("events", "Events"),
        ),
        rows=tuple(rows),
        method=(
            "Cox regression (1972), Efron ties, Wald interval and p"
            + (f"; adjusted for {names}" if others else "")
        ),
        n=size(patients),
        notes=(
            "Hazards are taken as proportional; look at the curves for crossings.",
            *([f"With {len(readers)} readers their mean score stands for them."] * many_readers),
        ),
    )


def _areas(
    data: Dataset, entry: PlannedAnalysis, patients: Patients, markers: Sequence[Marker]
) -> Block:
    if not entry.horizons:
        return Passage("time_dependent_auc: **not computed**, the plan names no horizons.")
    draws = entry.draws if len(patients.codes) <= LARGE else min(entry.draws, AREA_DRAWS)
    rows = []
    for marker in markers:
        with_limits = marker.reader == ALL or marker.source == "reference" or len(markers) == 1
        cells = _area_cells(patients, marker, entry, draws if with_limits else 0)
        rows.append(Row({"by": _label(data, marker), **cells}, strong=marker.reader == ALL))
    return Table(
        code="areas",
        title="Areas under time-dependent curves",
        columns=(
            Column("by", "By", "text"),
            *(
                Column(f"at_{time:g}", f"{place}. At {time:g}", "estimate")
                for place, time in enumerate(entry.horizons, start=1)
            ),
        ),
        rows=tuple(rows),
        method=(
            "Cumulative cases, dynamic controls, weighted by the inverse probability of "
            f"censoring (Blanche 2013); bootstrap of patients, {draws:,} draws, seed {entry.seed}, "
            "for all readers"
        ),
        n=size(patients),
    )


def _area_cells(
    patients: Patients, marker: Marker, entry: PlannedAnalysis, draws: int
) -> dict[str, Cell]:
    rows = patients.rows(marker.values)
    codes = [f"at_{time:g}" for time in entry.horizons]
    values = [marker.values[patients.codes[row]] for row in rows]
    if len(rows) < 2 or len(set(values)) < 2:
        reason = "all scores are equal" if values else "no score"
        return dict.fromkeys(codes, undefined(reason, "area"))
    level = 1.0 - entry.alpha
    found = stats.time_dependent_auc(
        patients.time[rows],
        patients.event[rows],
        values,
        times=list(entry.horizons),
        n_boot=draws,
        seed=entry.seed,
        level=level,
    )
    cells: dict[str, Cell] = {}
    for place, code in enumerate(codes):
        value = float(found.auc[place])
        cases, controls = int(found.n_cases[place]), int(found.n_controls[place])
        reason = f"{cases} cases and {controls} controls" if math.isnan(value) else ""
        low, high = float(found.low[place]), float(found.high[place])
        cells[code] = Number(value, "area", low, high, level, reason)
    return cells


def _subgroup(data: Dataset, entry: PlannedAnalysis, name: str) -> Table:
    rows = []
    level = 1.0 - entry.alpha
    patients = followed(data, _names(entry.time)[0], _names(entry.event)[0])
    for label, part in subgroups.parts(data, name):
        subjects = {read.subject for read in part.reads}
        for marker in _shown(markers_of(part, entry)):
            held = {code: v for code, v in marker.values.items() if code in subjects}
            inside = Marker(**{**vars(marker), "values": held})
            number = concordance(patients, inside, level)
            n = count(len(patients.rows(held)))
            rows.append(Row({"part": label, "by": _label(data, marker), "c": number, "n": n}))
    return Table(
        code=f"subgroup_{name.replace(':', '_')}",
        title=f"Harrell’s C by {subgroups.in_words(name)}",
        columns=(
            Column("part", "Part", "text"),
            Column("by", "By", "text"),
            Column("c", "C", "estimate"),
            Column("n", "Patients"),
        ),
        rows=tuple(rows),
        method="Mean score of all readers; planned subgroup, no test",
        n=size(patients),
        width="half",
    )


def _remarks(entry: PlannedAnalysis, patients: Patients) -> list[str]:
    found = [
        "Time with censoring is analysed as such. An area for “event, yes or no” would count "
        "patients with a short follow-up as free of the event, and is not reported."
    ]
    unknown = [name for name in entry.methods if name not in KNOWN]
    if unknown:
        found.append(f"{listed(unknown)}: **not computed**, not a method for survival.")
    if patients.differing:
        found.append(
            f"{many(patients.differing, 'patient')} had cases with different times; the first "
            "case counts."
        )
    return found

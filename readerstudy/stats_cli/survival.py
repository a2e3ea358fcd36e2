"""``readerstudy stats survival``: Kaplan-Meier, log-rank, Cox, Harrell's C, AUC over time."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.logistic import add_terms
from readerstudy.stats_cli.options import (
    CASE,
    EVENT,
    NO_CASES,
    TIME,
    about,
    add_analysis,
    add_column,
    case_ids,
    find,
    heading,
    number_list,
    open_table,
    refuse_repeated_cases,
)
from readerstudy.stats_cli.report import Report, Row, Section, column
from readerstudy.stats_cli.tables import Table, in_order
from readerstudy.stats_cli.terms import read_terms

NAME = "survival"
HELP = "survival: Kaplan-Meier, log-rank test, Cox regression, discrimination of a risk score"
INSTEAD = "Keep one row per person"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser)
    add_column(parser, "time", "the follow-up", TIME)
    add_column(parser, "event", "the event, 0 = censored", EVENT)
    parser.add_argument("--positive", metavar="LABEL", help="label of the event that counts as 1")
    add_column(parser, "case", "the persons", CASE)
    add_column(parser, "group", "groups to compare")
    add_column(parser, "risk", "a risk score, higher = earlier event")
    add_terms(parser, required=False)
    parser.add_argument("--times", type=number_list, metavar="T,T,...", help="times to report")
    parser.add_argument("--ci", choices=("log-log", "log"), default="log-log")
    parser.add_argument("--ties", choices=("efron", "breslow"), default="efron")


class Data:
    """Follow-up of the persons of the file."""

    def __init__(self, table: Table, options: argparse.Namespace) -> None:
        self.time_column = find(table, options.time, TIME, "follow-up times", "time")
        self.event_column = find(table, options.event, EVENT, "events", "event")
        self.time = np.array(table.numbers(self.time_column, missing=options.missing))
        self.event = np.array(
            table.binary(self.event_column, options.positive, missing=options.missing)
        )
        labels = table.labels(options.group) if options.group else ["all"] * len(table.rows)
        self.group = np.array(labels)


def run(options: argparse.Namespace) -> Report:
    """Describe survival, and compare or model it as asked."""
    table = open_table(options)
    data = Data(table, options)
    cases = case_ids(table, options.case)
    refuse_repeated_cases(table, cases, options, INSTEAD)
    if options.baseline and not options.terms:
        raise WrongUse("--baseline belongs to --terms")
    notes = () if cases else (NO_CASES,)
    curves = {
        name: stats.kaplan_meier(
            data.time[data.group == name],
            data.event[data.group == name],
            times=options.times,
            ci=options.ci,
            level=options.level,
            missing=options.missing,
        )
        for name in in_order(data.group.tolist())
    }
    sections = [_medians(curves, notes, options), _curves(curves, options)]
    if options.group:
        sections.insert(1, _logrank(data, options))
    if options.terms:
        sections += _cox(table, data, options)
    if options.risk:
        sections += _risk(table, data, options)
    used = {"time": data.time_column, "event": data.event_column, "group": options.group}
    return Report(NAME, tuple(sections), about(options, table, **used))


def _medians(
    curves: dict[Any, Any], notes: tuple[str, ...], options: argparse.Namespace
) -> Section:
    rows = [
        Row(
            {
                "group": name,
                "n": km.n,
                "events": km.n_events,
                "median": km.median,
                "low": km.median_low,
                "high": km.median_high,
            },
            {"kaplan_meier": km},
        )
        for name, km in curves.items()
    ]
    return Section(
        "median",
        "Median survival",
        (
            column(options.group or "group", "text", "group"),
            column("n", "count", "n"),
            column("events", "count", "events"),
            column("median", "number", "median"),
            column(heading(options.level), "number", "low", "high"),
        ),
        tuple(rows),
        notes=(*notes, "A limit that the curve never reaches is undefined."),
    )


def _curves(curves: dict[Any, Any], options: argparse.Namespace) -> Section:
    rows = []
    for name, km in curves.items():
        for i, time in enumerate(km.times):
            values = {"group": name, "time": float(time), "n_risk": int(km.n_risk[i])}
            values |= {key: float(getattr(km, key)[i]) for key in ("survival", "se", "low", "high")}
            rows.append(Row(values))
    return Section(
        "survival",
        "Survival",
        (
            column(options.group or "group", "text", "group"),
            column("time", "number", "time"),
            column("at risk", "count", "n_risk"),
            column("survival, %", "percent", "survival"),
            column(heading(options.level), "percent", "low", "high"),
        ),
        tuple(rows),
        notes=() if options.times else ("At every event; choose times with --times.",),
        results={f"kaplan_meier_{name}": km for name, km in curves.items()},
    )


def _logrank(data: Data, options: argparse.Namespace) -> Section:
    found = stats.logrank(data.time, data.event, data.group, missing=options.missing)
    values = {"chi2": found.chi2, "df": found.df, "pvalue": found.pvalue}
    rows = [Row({"group": "all", **values})]
    rows += [
        Row({"group": name, "observed": float(o), "expected": float(e)})
        for name, o, e in zip(found.groups, found.observed, found.expected, strict=True)
    ]
    return Section(
        "logrank",
        "Log-rank test of equal survival",
        (
            column(options.group, "text", "group"),
            column("events", "count", "observed"),
            column("expected", "number", "expected"),
            column("chi-square", "kappa", "chi2"),
            column("df", "count", "df"),
            column("p", "p", "pvalue"),
        ),
        tuple(rows),
        results={"logrank": found},
    )


def _cox(table: Table, data: Data, options: argparse.Namespace) -> list[Section]:
    terms = read_terms(table, options.terms, options.baseline, missing=options.missing)
    fit = stats.cox(
        data.time,
        data.event,
        terms.matrix,
        names=terms.names,
        ties=options.ties,
        level=options.level,
        missing=options.missing,
    )
    fields = ("beta", "se", "z", "pvalue", "hazard_ratio", "hr_low", "hr_high")
    rows = [
        Row({"term": term, **{f: float(getattr(fit, f)[i]) for f in fields}})
        for i, term in enumerate(fit.terms)
    ]
    return [
        Section(
            "cox",
            f"Cox regression, {fit.n} persons, {fit.n_events} events",
            (
                column("term", "text", "term"),
                column("coefficient", "coefficient", "beta"),
                column("SE", "coefficient", "se"),
                column("hazard ratio", "ratio", "hazard_ratio"),
                column(heading(options.level), "ratio", "hr_low", "hr_high"),
                column("p", "p", "pvalue"),
            ),
            tuple(rows),
            notes=(
                *terms.notes,
                "Hazard ratios are taken as constant in time; look at the curves.",
            ),
            results={"cox": fit},
        )
    ]


def _risk(table: Table, data: Data, options: argparse.Namespace) -> list[Section]:
    risk = table.numbers(options.risk, missing=options.missing)
    c = stats.harrell_c(data.time, data.event, risk, level=options.level, missing=options.missing)
    values = {"index": "Harrell's C", "n": c.n, "value": c.c, "low": c.low, "high": c.high}
    sections = [
        Section(
            "concordance",
            f"How well {options.risk} orders survival",
            (
                column("index", "text", "index"),
                column("n", "count", "n"),
                column("value", "auc", "value"),
                column(heading(options.level), "auc", "low", "high"),
            ),
            (Row(values, {"harrell_c": c}),),
        )
    ]
    if options.times:
        sections.append(_auc_over_time(data, risk, options))
    return sections


def _auc_over_time(data: Data, risk: list[float], options: argparse.Namespace) -> Section:
    found = stats.time_dependent_auc(
        data.time,
        data.event,
        risk,
        times=options.times,
        n_boot=500,
        seed=0,
        level=options.level,
        missing=options.missing,
    )
    rows = []
    for i, time in enumerate(found.times):
        values = {
            "time": float(time),
            "cases": int(found.n_cases[i]),
            "controls": int(found.n_controls[i]),
        }
        values |= {key: float(getattr(found, key)[i]) for key in ("auc", "se", "low", "high")}
        rows.append(Row(values))
    return Section(
        "auc_over_time",
        f"AUC of {options.risk} for an event by each time",
        (
            column("time", "number", "time"),
            column("events by then", "count", "cases"),
            column("still followed", "count", "controls"),
            column("AUC", "auc", "auc"),
            column(heading(options.level), "auc", "low", "high"),
        ),
        tuple(rows),
        results={"auc": found},
    )

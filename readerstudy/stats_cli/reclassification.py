"""``readerstudy stats reclassification``: NRI with its parts, IDI, and the difference in AUC."""

from __future__ import annotations

import argparse
from typing import Any

from readerstudy import stats
from readerstudy.stats_cli.options import (
    CASE,
    NO_CASES,
    TRUTH,
    about,
    add_analysis,
    add_column,
    add_positive,
    case_ids,
    find,
    heading,
    number_list,
    open_table,
    refuse_repeated_cases,
)
from readerstudy.stats_cli.report import Report, Row, Section, column

NAME = "reclassification"
HELP = "net reclassification and integrated discrimination improvement of a new model"
OLD = ("p_old", "old", "p1")
NEW = ("p_new", "new", "p2")
INSTEAD = "Keep one row per case"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser)
    add_column(parser, "truth", "the truth, 1 = event", TRUTH)
    add_positive(parser)
    add_column(parser, "old", "probabilities by the old model", OLD)
    add_column(parser, "new", "probabilities by the new model", NEW)
    add_column(parser, "case", "the cases", CASE)
    parser.add_argument(
        "--cutoffs",
        type=number_list,
        metavar="P,P,...",
        help="bounds of risk categories; without them every move counts",
    )
    parser.add_argument("--ci", choices=("asymptotic", "bootstrap"), default="bootstrap")
    parser.add_argument("--n-boot", type=int, default=2000, help="replicates of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")


def run(options: argparse.Namespace) -> Report:
    """Compute NRI, IDI and the paired difference of AUCs."""
    table = open_table(options)
    columns = {
        "truth": find(table, options.truth, TRUTH, "truth", "truth"),
        "old": find(table, options.old, OLD, "old model's probabilities", "old"),
        "new": find(table, options.new, NEW, "new model's probabilities", "new"),
    }
    cases = case_ids(table, options.case)
    refuse_repeated_cases(table, cases, options, INSTEAD)
    data = (
        table.binary(columns["truth"], options.positive, missing=options.missing),
        table.numbers(columns["old"], missing=options.missing),
        table.numbers(columns["new"], missing=options.missing),
    )
    notes = () if cases else (NO_CASES,)
    sections = (_net(data, options, notes), _discrimination(data, options), _auc(data, options))
    return Report(NAME, sections, about(options, table, **columns))


def _shared(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "ci": options.ci,
        "n_boot": options.n_boot,
        "seed": options.seed,
        "level": options.level,
        "missing": options.missing,
    }


def _net(data: Any, options: argparse.Namespace, notes: tuple[str, ...]) -> Section:
    if options.cutoffs:
        nri = stats.nri_categorical(*data, cutoffs=options.cutoffs, **_shared(options))
    else:
        nri = stats.nri_continuous(*data, **_shared(options))
    parts = {
        "events": (nri.n_events, nri.up_events, nri.down_events, nri.events, nri.p_events),
        "non-events": (
            nri.n_nonevents,
            nri.up_nonevents,
            nri.down_nonevents,
            nri.nonevents,
            nri.p_nonevents,
        ),
    }
    rows = [
        Row({"part": name, "n": n, "up": up, "down": down, "value": value, "p_null": p})
        for name, (n, up, down, value, p) in parts.items()
    ]
    both = {
        "part": "sum (NRI)",
        "n": nri.n,
        "value": nri.value,
        "low": nri.low,
        "high": nri.high,
        "pvalue": nri.pvalue,
        "p_null": nri.p_null,
    }
    rows.append(Row(both))
    kind = "category-free" if not options.cutoffs else "over risk categories"
    return Section(
        "nri",
        f"Net reclassification improvement, {kind}",
        (
            column("part", "text", "part"),
            column("n", "count", "n"),
            column("moved up, %", "percent", "up"),
            column("moved down, %", "percent", "down"),
            column("improvement", "auc", "value"),
            column(heading(options.level), "auc", "low", "high"),
            column("p", "p", "pvalue", of="nri"),
            column("p, no net movement", "p", "p_null"),
        ),
        tuple(rows),
        notes=(
            *notes,
            "For events up is right, for non-events down. The sum adds two proportions with "
            "different denominators and is not a proportion.",
        ),
        results={"nri": nri},
    )


def _discrimination(data: Any, options: argparse.Namespace) -> Section:
    idi = stats.idi(*data, **_shared(options))
    rows = (
        Row({"part": "events", "value": idi.events}),
        Row({"part": "non-events", "value": idi.nonevents}),
        Row(
            {
                "part": "sum (IDI)",
                "value": idi.value,
                "low": idi.low,
                "high": idi.high,
                "pvalue": idi.pvalue,
                "slope_old": idi.slope_old,
                "slope_new": idi.slope_new,
                "relative": idi.relative,
            }
        ),
    )
    return Section(
        "idi",
        "Integrated discrimination improvement",
        (
            column("part", "text", "part"),
            column("improvement", "auc", "value"),
            column(heading(options.level), "auc", "low", "high"),
            column("p", "p", "pvalue"),
            column("slope, old", "auc", "slope_old"),
            column("slope, new", "auc", "slope_new"),
        ),
        rows,
        results={"idi": idi},
    )


def _auc(data: Any, options: argparse.Namespace) -> Section:
    truth, old, new = data
    found = stats.delong_test(truth, new, old, level=options.level, missing=options.missing)
    values = {
        "auc_old": found.auc_b,
        "auc_new": found.auc_a,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "pvalue": found.pvalue,
    }
    return Section(
        "auc",
        "AUC, new minus old",
        (
            column("AUC, old", "auc", "auc_old"),
            column("AUC, new", "auc", "auc_new"),
            column("difference", "auc", "difference"),
            column(heading(options.level), "auc", "low", "high"),
            column("p", "p", "pvalue"),
        ),
        (Row(values, {"difference": found}),),
        notes=(
            "Where both models were fitted to these cases and one contains the other, this p is "
            "not valid: use the likelihood-ratio test of the added terms.",
        ),
    )

"""``readerstudy stats plan``: how many cases and readers a study needs."""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields

from readerstudy.stats.sample_size import AIMS, USED, WIDTHS, Inputs, SizePlan, plan
from readerstudy.stats_cli.options import add_output
from readerstudy.stats_cli.report import Report, Row, Section, column

NAME = "plan"
HELP = "sample size of a Turing test, of kappa, of an AUC, of two arms over readers and cases"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("aim", choices=tuple(AIMS), help="what the study is to show")
    for field in fields(Inputs):
        kind = int if isinstance(field.default, int) else float
        users = ", ".join(aim for aim in AIMS if field.name in USED[aim])
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            default=field.default,
            help=f"default {field.default:g}; for {users}",
        )
    add_output(parser)


def run(options: argparse.Namespace) -> Report:
    """Compute the cases needed for several numbers of readers."""
    given = Inputs(**{field.name: getattr(options, field.name) for field in fields(Inputs)})
    found = plan(options.aim, given)
    return Report(NAME, (_section(found),), {"inputs": found.used(), "plan": found.document()})


def _section(found: SizePlan) -> Section:
    reached = "width" if found.aim in WIDTHS else "power"
    rows = tuple(
        Row({**asdict(size), "reads": size.reads, "remark": size.reason}) for size in found.sizes
    )
    inputs = ", ".join(f"{name} {value:g}" for name, value in found.used().items())
    return Section(
        "sizes",
        f"{AIMS[found.aim]}: {found.sentence}",
        (
            column("readers", "count", "readers"),
            column("cases", "count", "cases"),
            column("reads", "count", "reads"),
            column(reached, "auc", "reached"),
            column("remark", "text", "remark"),
        ),
        rows,
        notes=(f"Planned with {inputs}.", f"Method: {found.chosen.method}.", *found.assumptions),
    )

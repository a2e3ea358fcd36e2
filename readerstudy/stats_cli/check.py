"""``readerstudy stats check``: can printed figures belong to one data set."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.options import add_output
from readerstudy.stats_cli.report import Report, Row, Section, column

NAME = "check"
HELP = "check printed counts, percentages, intervals, AUC, z and p against each other"
METRICS = ("accuracy", "precision", "recall", "specificity", "npv", "f1", "mcc")
COUNTS = ("n", "k", "n-positive", "n-negative", "n1", "n2", "k1", "k2", "items", "largest")
FIGURES = (
    *("percent", "estimate", "low", "high", "z", "p", "auc", "sensitivity", "mean", "sd"),
    *("mean1", "sd1", "mean2", "sd2", "p1", "p2", "overall"),
)

MEANING = (
    "“inconsistent” means that no data give all these figures as printed, not which of them is "
    "wrong."
)

Given = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A check that applies where all of ``needs`` are given."""

    name: str
    needs: tuple[str, ...]
    may: tuple[str, ...]
    call: Callable[[Any, Given], Any]

    def applies(self, given: Given) -> bool:
        """Say whether everything needed is there."""
        return all(name in given for name in self.needs)


def _confusions(checks: Any, given: Given) -> Any:
    metrics = {name: given[name] for name in METRICS if name in given}
    if "sensitivity" in given:
        metrics.setdefault("recall", given["sensitivity"])
    return checks.consistent_confusions(given["n"], n_positive=given.get("n_positive"), **metrics)


RULES = (
    Rule(
        "percentage",
        ("percent", "n"),
        ("k",),
        lambda c, g: c.check_percentage(g["percent"], g["n"], k=g.get("k")),
    ),
    Rule(
        "denominators of percentages",
        ("percents", "largest"),
        (),
        lambda c, g: c.possible_sizes(g["percents"], largest=g["largest"]),
    ),
    Rule("two-by-two table", ("n", "metric"), (*METRICS, "sensitivity", "n_positive"), _confusions),
    Rule("z and p", ("z", "p"), (), lambda c, g: c.check_z_p(g["z"], g["p"])),
    Rule(
        "interval",
        ("estimate", "low", "high"),
        ("level",),
        lambda c, g: c.check_interval(g["estimate"], g["low"], g["high"], level=g["level"]),
    ),
    Rule(
        "interval and p",
        ("estimate", "low", "high", "p"),
        ("level", "scale"),
        lambda c, g: c.check_interval_p(
            g["estimate"], g["low"], g["high"], g["p"], scale=g["scale"], level=g["level"]
        ),
    ),
    Rule(
        "interval of an AUC",
        ("auc", "low", "high"),
        ("n", "n_positive", "n_negative", "level"),
        lambda c, g: c.check_auc_interval(
            g["auc"],
            g["low"],
            g["high"],
            n=g.get("n"),
            n_positive=g.get("n_positive"),
            n_negative=g.get("n_negative"),
            level=g["level"],
        ),
    ),
    Rule(
        "AUC and one point of its curve",
        ("auc", "sensitivity", "specificity"),
        (),
        lambda c, g: c.check_auc_point(g["auc"], g["sensitivity"], g["specificity"]),
    ),
    Rule(
        "z of two AUCs on the same cases",
        ("auc_a", "auc_b", "z"),
        ("level",),
        lambda c, g: c.check_auc_difference(g["auc_a"], g["auc_b"], g["z"], level=g["level"]),
    ),
    Rule(
        "mean of whole numbers",
        ("mean", "n"),
        ("items",),
        lambda c, g: c.check_mean(g["mean"], g["n"], items=g.get("items", 1)),
    ),
    Rule(
        "interval of a mean",
        ("mean", "sd", "n", "low", "high"),
        ("level",),
        lambda c, g: c.check_mean_interval(
            g["mean"], g["sd"], g["n"], g["low"], g["high"], level=g["level"]
        ),
    ),
    Rule(
        "mean of parts",
        ("means", "sizes", "overall"),
        (),
        lambda c, g: c.check_pooled_mean(g["means"], g["sizes"], g["overall"]),
    ),
    Rule(
        "p of two proportions",
        ("p", "k1", "n1", "k2", "n2"),
        (),
        lambda c, g: c.check_two_proportions(
            g["p"], k1=g["k1"], n1=g["n1"], k2=g["k2"], n2=g["n2"]
        ),
    ),
    Rule(
        "p of two percentages",
        ("p", "p1", "p2"),
        ("n1", "n2"),
        lambda c, g: c.check_two_proportions(
            g["p"], p1=g["p1"], p2=g["p2"], n1=g.get("n1"), n2=g.get("n2")
        ),
    ),
    Rule(
        "p of a paired t test",
        ("mean1", "sd1", "mean2", "sd2", "n", "p"),
        (),
        lambda c, g: c.check_paired_means(
            g["mean1"], g["sd1"], g["mean2"], g["sd2"], n=g["n"], pvalue=g["p"]
        ),
    ),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Give figures as printed, with all their digits; every check that they allow is made. "
        f"Checks: {'; '.join(f'{r.name} ({_flags(r.needs)})' for r in RULES)}."
    )
    for name in COUNTS:
        parser.add_argument(f"--{name}", type=int, metavar="N")
    for name in (*FIGURES, *METRICS):
        parser.add_argument(f"--{name}", metavar="FIGURE")
    parser.add_argument("--percents", nargs="+", metavar="FIGURE", help="of one denominator")
    parser.add_argument("--means", nargs="+", metavar="FIGURE", help="of the parts")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="of the parts")
    triple = ("AUC", "LOW", "HIGH")
    parser.add_argument("--auc-a", nargs=3, metavar=triple)
    parser.add_argument("--auc-b", nargs=3, metavar=triple)
    parser.add_argument("--level", type=float, default=0.95, help="level of the limits")
    parser.add_argument(
        "--scale", choices=("linear", "log"), default="linear", help="log for ratios"
    )
    add_output(parser)


def _flags(names: tuple[str, ...]) -> str:
    shown = ("one of " + ", ".join(METRICS) if n == "metric" else n for n in names)
    return " ".join(f"--{name.replace('_', '-')}" for name in shown).replace("--one", "one")


def run(options: argparse.Namespace) -> Report:
    """Make every check that the figures allow."""
    from readerstudy.stats.published import checker

    given = _given(options)
    rules = [rule for rule in RULES if rule.applies(given)]
    _refuse_unused(given, rules)
    rows = []
    for rule in rules:
        found = rule.call(checker, given)
        values = {"check": rule.name, "verdict": found.verdict, "words": found.words}
        rows.append(Row(values, {rule.name.replace(" ", "_"): found}))
    section = Section(
        "checks",
        "Printed figures against each other",
        (
            column("check", "text", "check"),
            column("verdict", "text", "verdict"),
            column("finding", "text", "words"),
        ),
        tuple(rows),
        notes=(MEANING,) if any(r.values["verdict"] == "inconsistent" for r in rows) else (),
    )
    figures = {k: v for k, v in given.items() if k != "metric"}
    return Report(NAME, (section,), {"figures": figures})


def _given(options: argparse.Namespace) -> Given:
    found = {
        name: value
        for name, value in vars(options).items()
        if value is not None and name not in ("json", "csv", "run", "command", "area")
    }
    if any(name in found for name in METRICS):
        found["metric"] = True
    for name in ("auc_a", "auc_b"):
        if name in found:
            found[name] = tuple(found[name])
    return found


def _refuse_unused(given: Given, rules: list[Rule]) -> None:
    used = {name for rule in rules for name in (*rule.needs, *rule.may)}
    left = [name for name in given if name not in used | {"level", "scale", "metric"}]
    if left or not rules:
        told = "\n".join(f"  {rule.name}: {_flags(rule.needs)}" for rule in RULES)
        which = _flags(tuple(left)) or "these figures"
        raise WrongUse(f"nothing can be checked with {which} here. A check needs one of\n{told}")

"""``readerstudy stats roc``: AUC of one or more scores, and their differences."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from readerstudy import stats
from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.options import (
    CASE,
    NO_CASES,
    SCORE,
    TRUTH,
    about,
    add_analysis,
    add_column,
    add_positive,
    case_ids,
    comma_list,
    find,
    heading,
    open_table,
    refuse_repeated_cases,
)
from readerstudy.stats_cli.report import Report, Row, Section, column
from readerstudy.stats_cli.tables import Label, Table, in_order

NAME = "roc"
HELP = "area under the ROC curve, paired and unpaired DeLong tests, Youden's threshold"
INSTEAD = (
    "For several readers or tests use readerstudy stats mrmc, or --by with their column; for "
    "several exams of one case pass --cluster"
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser)
    add_column(parser, "truth", "the truth", TRUTH)
    add_positive(parser)
    parser.add_argument(
        "--score",
        type=comma_list,
        metavar="A,B,...",
        help="columns of scores; two or more are compared on the same cases (default: the first "
        f"of {', '.join(SCORE)} that is there)",
    )
    add_column(parser, "case", "the cases", CASE)
    add_column(parser, "cluster", "patients, where a patient has several exams")
    add_column(parser, "group", "independent groups of cases to compare")
    add_column(parser, "by", "what to analyse one by one, such as the reader")
    parser.add_argument("--ci", choices=("delong", "logit", "bootstrap"), default="delong")
    parser.add_argument("--n-boot", type=int, default=2000, help="replicates of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--youden", action="store_true", help="thresholds of the largest J")
    parser.add_argument("--max-fpr", type=float, help="partial AUC up to this false-positive rate")
    parser.add_argument(
        "--adjust", choices=("holm", "bonferroni", "bh"), help="adjust the p-values of comparisons"
    )


@dataclass(frozen=True)
class Sample:
    """The rows of one analysis."""

    name: Label | None
    truth: list[float]
    scores: dict[str, list[float]]
    case: list[Label] | None
    cluster: list[Label] | None


def run(options: argparse.Namespace) -> Report:
    """Compute AUCs, differences and what else was asked for."""
    table = open_table(options)
    truth = find(table, options.truth, TRUTH, "truth", "truth")
    scores = options.score or [find(table, None, SCORE, "scores", "score")]
    part = options.group or options.by
    if options.group and (options.by or options.cluster):
        raise WrongUse("--group compares independent cases; leave out --by and --cluster")
    samples = list(_samples(table, truth, scores, part, options))
    sections = [_areas(samples, options)]
    if options.group:
        sections.append(_unpaired(samples, scores, options))
    elif len(scores) > 1:
        sections.append(_paired(samples, options))
    if options.youden:
        sections.append(_youden(samples, options))
    if options.max_fpr is not None:
        sections.append(_partial(samples, options))
    return Report(NAME, tuple(sections), about(options, table, truth=truth, scores=scores))


def _samples(
    table: Table, truth: str, scores: Sequence[str], part: str | None, options: argparse.Namespace
) -> Iterator[Sample]:
    labels = table.binary(truth, options.positive, missing=options.missing)
    numbers = {name: table.numbers(name, missing=options.missing) for name in scores}
    cases = case_ids(table, options.case)
    clusters = table.labels(options.cluster) if options.cluster else None
    names: list[Any] = [None] * len(labels) if part is None else table.labels(part)
    for name in [None] if part is None else in_order(names):
        rows = [i for i, other in enumerate(names) if other == name]
        ids = _some(cases, rows)
        if clusters is None:
            refuse_repeated_cases(table.keep(rows), ids, options, INSTEAD)
        yield Sample(
            name,
            [labels[i] for i in rows],
            {score: [values[i] for i in rows] for score, values in numbers.items()},
            ids,
            _some(clusters, rows),
        )


def _some(labels: list[Label] | None, rows: Sequence[int]) -> list[Label] | None:
    return None if labels is None else [labels[i] for i in rows]


def _areas(samples: Sequence[Sample], options: argparse.Namespace) -> Section:
    rows = []
    for sample in samples:
        for score in sample.scores:
            found = _auc(sample, score, options)
            values = {
                "part": sample.name,
                "score": score,
                "auc": found.value,
                "low": found.low,
                "high": found.high,
                "se": found.se,
                "n_positive": found.n_positive,
                "n_negative": found.n_negative,
                "pvalue": found.pvalue,
            }
            rows.append(Row(values, {"auc": found}))
    return Section(
        "auc",
        "Area under the ROC curve",
        (
            *_part_columns(options),
            column("score", "text", "score"),
            column("positive", "count", "n_positive"),
            column("negative", "count", "n_negative"),
            column("AUC", "auc", "auc"),
            column(heading(options.level), "auc", "low", "high"),
            column("SE", "auc", "se"),
        ),
        tuple(rows),
        notes=() if samples[0].case or samples[0].cluster else (NO_CASES,),
    )


def _part_columns(options: argparse.Namespace) -> tuple[Any, ...]:
    part = options.group or options.by
    return (column(part, "text", "part"),) if part else ()


def _auc(sample: Sample, score: str, options: argparse.Namespace) -> Any:
    shared = {"level": options.level, "missing": options.missing}
    truth, values = sample.truth, sample.scores[score]
    if sample.cluster is not None:
        return stats.clustered_auc(truth, values, sample.cluster, **shared)
    return stats.auc(
        truth,
        values,
        ci=options.ci,
        n_boot=options.n_boot,
        seed=options.seed,
        case_ids=sample.case,
        assume_independent=options.assume_independent,
        **shared,
    )


def _paired(samples: Sequence[Sample], options: argparse.Namespace) -> Section:
    found = []
    for sample in samples:
        for first, second in combinations(sample.scores, 2):
            result = stats.delong_test(
                sample.truth,
                sample.scores[first],
                sample.scores[second],
                level=options.level,
                cluster=sample.cluster,
                case_ids=None if sample.cluster else sample.case,
                assume_independent=options.assume_independent,
                missing=options.missing,
            )
            found.append(({"part": sample.name, "first": first, "second": second}, result))
    return _differences("Differences on the same cases", found, "score", options)


def _unpaired(
    samples: Sequence[Sample], scores: Sequence[str], options: argparse.Namespace
) -> Section:
    found = []
    for score in scores:
        for a, b in combinations(samples, 2):
            result = stats.delong_test_unpaired(
                a.truth,
                a.scores[score],
                b.truth,
                b.scores[score],
                level=options.level,
                case_ids=None if a.case is None else (a.case, b.case),
                assume_independent=options.assume_independent,
                missing=options.missing,
            )
            found.append(({"part": score, "first": a.name, "second": b.name}, result))
    return _differences("Differences between groups of cases", found, options.group, options)


def _differences(
    title: str,
    found: Sequence[tuple[dict[str, Any], Any]],
    what: str,
    options: argparse.Namespace,
) -> Section:
    pvalues = [result.pvalue for _, result in found]
    columns = [
        column(what, "text", "first"),
        column(what, "text", "second"),
        column("n", "count", "n"),
        column("difference", "auc", "difference", of="difference"),
        column(heading(options.level), "auc", "low", "high", of="difference"),
        column("z", "kappa", "z", of="difference"),
        column("p", "p", "pvalue", of="difference"),
    ]
    if any(values["part"] is not None for values, _ in found):
        part = options.by if options.by else "score"
        columns.insert(0, column(part, "text", "part"))
    adjusted, notes = [None] * len(found), []
    if options.adjust:
        family = stats.adjust_pvalues(pvalues, method=options.adjust)
        adjusted = list(family.adjusted)
        columns.append(column(f"p, {options.adjust}", "p", "adjusted", of="difference"))
        notes.append(f"Adjusted: {family.method}.")
    elif len(found) > 1:
        notes.append(f"{len(found)} comparisons; p is not adjusted for their number (--adjust).")
    rows = [
        Row(
            {
                **values,
                "n": result.n,
                "difference": result.difference,
                "low": result.low,
                "high": result.high,
                "z": result.z,
                "pvalue": result.pvalue,
                **({} if p is None else {"adjusted": float(p)}),
            },
            {"difference": result},
        )
        for (values, result), p in zip(found, adjusted, strict=True)
    ]
    return Section("differences", title, tuple(columns), tuple(rows), tuple(notes))


def _youden(samples: Sequence[Sample], options: argparse.Namespace) -> Section:
    rows = []
    for sample in samples:
        for score, values in sample.scores.items():
            found = stats.youden(
                sample.truth,
                values,
                level=options.level,
                case_ids=sample.cluster or sample.case,
                assume_independent=options.assume_independent,
                missing=options.missing,
            )
            rows += [_point_row(sample, score, found, point) for point in found.points or [None]]
    return Section(
        "youden",
        "Threshold of the largest sensitivity + specificity − 1",
        (
            *_part_columns(options),
            column("score", "text", "score"),
            column("positive where", "text", "rule"),
            column("J", "auc", "j"),
            column("sensitivity, %", "percent", "sensitivity"),
            column(heading(options.level), "percent", "sensitivity_low", "sensitivity_high"),
            column("specificity, %", "percent", "specificity"),
            column(heading(options.level), "percent", "specificity_low", "specificity_high"),
        ),
        tuple(rows),
        notes=("Chosen on these data, so both percentages are too good; try it on new cases.",),
    )


def _point_row(sample: Sample, score: str, found: Any, point: Any) -> Row:
    shown = found if point is None else point
    values = {
        "part": sample.name,
        "score": score,
        "rule": "" if point is None else point.rule.replace("score", score),
        "threshold": float("nan") if point is None else point.threshold,
        "j": found.j,
    }
    for name in ("sensitivity", "specificity"):
        share = getattr(shown, name)
        values |= {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
    return Row(values, {"youden": found})


def _partial(samples: Sequence[Sample], options: argparse.Namespace) -> Section:
    rows = []
    for sample in samples:
        for score, values in sample.scores.items():
            found = stats.partial_auc(
                sample.truth, values, max_fpr=options.max_fpr, missing=options.missing
            )
            shown = {"part": sample.name, "score": score, "value": found.value, "raw": found.raw}
            rows.append(Row({**shown, "n": found.n}, {"partial_auc": found}))
    return Section(
        "partial_auc",
        f"Partial AUC, false-positive rates 0 to {options.max_fpr:g}",
        (
            *_part_columns(options),
            column("score", "text", "score"),
            column("n", "count", "n"),
            column("standardised", "auc", "value"),
            column("area", "auc", "raw"),
        ),
        tuple(rows),
    )

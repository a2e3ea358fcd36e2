"""``readerstudy stats logistic``: odds ratios, one factor at a time, together, or eliminated."""

from __future__ import annotations

import argparse
from dataclasses import replace
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
    comma_list,
    find,
    heading,
    open_table,
    refuse_repeated_cases,
)
from readerstudy.stats_cli.report import Report, Row, Section, column
from readerstudy.stats_cli.terms import Terms, read_terms

NAME = "logistic"
HELP = "logistic regression with Firth's penalty where the classes separate"
FIRTH: dict[str, Any] = {"auto": "auto", "yes": True, "no": False}
INSTEAD = "Keep one row per case"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser)
    add_column(parser, "outcome", "the outcome, 1 = event", ("outcome", *TRUTH))
    add_positive(parser)
    add_column(parser, "case", "the cases", CASE)
    add_terms(parser)
    parser.add_argument("--univariable", action="store_true", help="each factor alone as well")
    parser.add_argument(
        "--eliminate",
        type=float,
        metavar="P",
        help="backward elimination of factors until all likelihood-ratio p are below P",
    )
    parser.add_argument(
        "--ci",
        choices=("wald", "profile", "profile-exact"),
        default="wald",
        help="profile: as R's confint; profile-exact: the roots R interpolates (default: wald)",
    )
    parser.add_argument(
        "--firth", choices=tuple(FIRTH), default="auto", help="Firth's penalty (default: auto)"
    )


def add_terms(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the columns of the terms."""
    parser.add_argument(
        "--terms",
        type=comma_list,
        required=required,
        metavar="A,B,...",
        help="columns of the terms; labels become indicators",
    )
    parser.add_argument(
        "--baseline",
        action="append",
        default=[],
        metavar="COLUMN=LABEL",
        help="label that others are compared with (default: the first in order)",
    )


def run(options: argparse.Namespace) -> Report:
    """Fit the model and what else was asked for."""
    table = open_table(options)
    outcome = find(table, options.outcome, ("outcome", *TRUTH), "outcome", "outcome")
    cases = case_ids(table, options.case)
    refuse_repeated_cases(table, cases, options, INSTEAD)
    y = table.binary(outcome, options.positive, missing=options.missing)
    terms = read_terms(table, options.terms, options.baseline, missing=options.missing)
    notes = terms.notes + (() if cases else (NO_CASES,))
    sections = _sections(y, terms, notes, options)
    return Report(NAME, sections, about(options, table, outcome=outcome, terms=options.terms))


def _sections(
    y: list[float], terms: Terms, notes: tuple[str, ...], options: argparse.Namespace
) -> tuple[Section, ...]:
    shared: dict[str, Any] = {
        "names": terms.names,
        "ci": options.ci.replace("-", "_"),
        "firth": FIRTH[options.firth],
        "level": options.level,
        "missing": options.missing,
    }
    model = stats.logistic(y, terms.matrix, **shared)
    sections = [
        _coefficients("model", "Logistic regression, all terms together", model, notes, options),
        _fit("fit", "Fit of the model", model),
    ]
    if options.univariable:
        alone = stats.univariable(y, terms.matrix, factors=terms.factors, **shared)
        sections.insert(0, _univariable(alone, terms, options))
    if options.eliminate is not None:
        found = stats.backward_elimination(
            y, terms.matrix, factors=terms.factors, threshold=options.eliminate, **shared
        )
        sections += _elimination(found, terms, options)
    return tuple(sections)


def _coefficients(
    name: str,
    title: str,
    model: Any,
    notes: tuple[str, ...],
    options: argparse.Namespace,
) -> Section:
    fields = ("beta", "se", "z", "pvalue", "odds_ratio", "or_low", "or_high")
    rows = [
        Row({"term": term, **{f: float(getattr(model, f)[i]) for f in fields}})
        for i, term in enumerate(model.terms)
    ]
    return Section(name, title, _columns(options), tuple(rows), notes, {"model": model})


def _columns(options: argparse.Namespace) -> tuple[Any, ...]:
    return (
        column("term", "text", "term"),
        column("coefficient", "coefficient", "beta"),
        column("SE", "coefficient", "se"),
        column("odds ratio", "ratio", "odds_ratio"),
        column(heading(options.level), "ratio", "or_low", "or_high"),
        column("p", "p", "pvalue"),
    )


def _fit(name: str, title: str, model: Any) -> Section:
    measures = {
        "n": model.n,
        "events": model.n_events,
        "loglik": model.loglik,
        "loglik_null": model.loglik_null,
        "lr_chi2": model.lr_chi2,
        "lr_df": model.lr_df,
        "lr_p": model.lr_p,
        "aic": model.aic,
        "bic": model.bic,
        "nagelkerke": model.nagelkerke,
        "separated": model.separated,
        "firth": model.firth,
    }
    return Section(
        name,
        title,
        (
            column("n", "count", "n"),
            column("events", "count", "events"),
            column("likelihood ratio", "number", "lr_chi2"),
            column("df", "count", "lr_df"),
            column("p", "p", "lr_p"),
            column("AIC", "number", "aic"),
            column("Nagelkerke R²", "auc", "nagelkerke"),
            column("Firth's penalty", "text", "firth"),
        ),
        (Row(measures),),
    )


def _univariable(found: Any, terms: Terms, options: argparse.Namespace) -> Section:
    fields = ("beta", "se", "z", "pvalue", "odds_ratio", "or_low", "or_high", "lrt_p")
    rows = [
        Row({"term": term, **{f: float(getattr(found, f)[i]) for f in fields}})
        for i, term in enumerate(found.terms)
    ]
    columns = (*_columns(options), column("p of the factor", "p", "lrt_p"))
    title = "Logistic regression, one factor at a time"
    notes = (f"{found.n} rows.", *terms.notes)
    # the fits of each factor are in its rows; the result holds fitted values of all of them
    shared = replace(found, models={})
    return Section("univariable", title, columns, tuple(rows), notes, {"univariable": shared})


def _elimination(found: Any, terms: Terms, options: argparse.Namespace) -> list[Section]:
    steps = [
        Row(
            {"step": i, "removed": s.removed, "chi2": s.lrt_chi2, "df": s.lrt_df, "p": s.lrt_p},
        )
        for i, s in enumerate(found.path, start=1)
    ]
    kept = ", ".join(found.kept) or "nothing"
    path = Section(
        "elimination",
        f"Backward elimination until every p is below {found.threshold:g}",
        (
            column("step", "text", "step"),
            column("removed", "text", "removed"),
            column("likelihood ratio", "number", "chi2"),
            column("df", "count", "df"),
            column("p", "p", "p"),
        ),
        tuple(steps),
        notes=(f"Kept: {kept}.",),
    )
    final = _coefficients("final", "Model after elimination", found.final, terms.notes, options)
    return [replace(path, results={"selection": found}), final]

"""``readerstudy stats agreement``: how far readers give the same answers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy import stats
from readerstudy.stats.results import Result
from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.formatting import is_undefined
from readerstudy.stats_cli.matrices import RatingsTable, read_ratings, scale
from readerstudy.stats_cli.options import (
    CASE,
    READER,
    SCORE,
    about,
    add_analysis,
    add_column,
    comma_list,
    heading,
    open_table,
)
from readerstudy.stats_cli.report import Report, Row, Section, column

NAME = "agreement"
HELP = "agreement between readers: percent, kappa, AC1, alpha; with --measured ICC and limits"
FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
SCALE_NOTE = "Chance-corrected indices speak of this scale: {}."


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser, independent=False)
    add_column(parser, "case", "the cases", CASE)
    add_column(parser, "reader", "the readers", READER)
    add_column(parser, "rating", "the ratings", SCORE)
    parser.add_argument(
        "--readers",
        type=comma_list,
        metavar="A,B,...",
        help="the file has one row per case and these columns, one per reader",
    )
    parser.add_argument(
        "--categories", type=comma_list, metavar="A,B,...", help="the whole scale in order"
    )
    parser.add_argument(
        "--weights", choices=("linear", "quadratic", "ordinal"), help="weights by grade distance"
    )
    parser.add_argument(
        "--metric",
        choices=("nominal", "ordinal", "interval", "ratio"),
        help="distance of Krippendorff's alpha (default: nominal, ordinal with weights)",
    )
    parser.add_argument("--ci", choices=("asymptotic", "bootstrap"), default="asymptotic")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument(
        "--measured",
        action="store_true",
        help="the ratings are measurements: ICC, limits of agreement, concordance",
    )
    parser.add_argument("--icc", choices=FORMS, default="ICC(2,1)", help="form of the ICC")


def run(options: argparse.Namespace) -> Report:
    """Compute agreement of all readers and of each pair."""
    table = open_table(options)
    categories = scale(options.categories or [])
    ratings = read_ratings(table, options, categories)
    if len(ratings.readers) < 2:
        raise WrongUse(f"{table.name} has one reader ({ratings.readers[0]}); agreement needs two")
    _refuse_gaps(table.name, ratings, options.missing)
    _refuse_unordered(ratings, options)
    if options.measured:
        sections = _measured(ratings, options)
    else:
        sections = _categories(ratings, categories, options)
    return Report(NAME, sections, about(options, table, **ratings.columns))


def _refuse_gaps(name: str, ratings: RatingsTable, missing: str) -> None:
    if ratings.incomplete and missing == "raise":
        raise WrongUse(
            f"{name}: {ratings.incomplete} of {len(ratings.matrix)} cases lack a rating by some "
            "reader. --missing omit leaves such cases out of kappa, pair by pair, and counts them; "
            "percent agreement, AC1 and alpha use every rating that is there"
        )


def _refuse_unordered(ratings: RatingsTable, options: argparse.Namespace) -> None:
    """Refuse weights on labels of unknown order: the alphabet would decide the distances."""
    ordered = options.weights or options.metric == "ordinal"
    if ordered and ratings.matrix.dtype == object and not options.categories:
        names = ", ".join(map(str, _observed_scale(ratings)))
        raise WrongUse(
            f"weights need the order of the grades; the file has {names}: give the whole scale in "
            "order with --categories"
        )


def _categories(
    ratings: RatingsTable, categories: list[Any] | None, options: argparse.Namespace
) -> tuple[Section, ...]:
    pairs = Section(
        "pairs",
        "Agreement of each pair of readers",
        (
            column("reader", "text", "first"),
            column("reader", "text", "second"),
            column("n", "count", "n"),
            column("agreement, %", "percent", "percent_agreement", of="kappa"),
            column("kappa", "kappa", "kappa", of="kappa"),
            column(heading(options.level), "kappa", "low", "high", of="kappa"),
            column(_gwet_name(options), "kappa", "gwet", of="gwet"),
            column(heading(options.level), "kappa", "gwet_low", "gwet_high", of="gwet"),
            column("PABAK", "kappa", "pabak", of="kappa"),
            column("largest kappa", "kappa", "kappa_max", of="kappa"),
        ),
        tuple(_pair_row(ratings, pair, categories, options) for pair in _pairs(ratings)),
        notes=_scale_notes(categories),
    )
    if len(ratings.readers) == 2:
        return (pairs, _all(ratings, categories, options))
    return (_all(ratings, categories, options), pairs)


def _gwet_name(options: argparse.Namespace) -> str:
    return "AC2" if options.weights else "AC1"


def _scale_notes(categories: list[Any] | None) -> tuple[str, ...]:
    if categories is None:
        return (
            "The scale is what occurs in the file. Declare it with --categories if a grade was "
            "never used: AC1, PABAK and weights change with it.",
        )
    return (SCALE_NOTE.format(", ".join(map(str, categories))),)


def _pairs(ratings: RatingsTable) -> Iterator[tuple[int, int]]:
    return combinations(range(len(ratings.readers)), 2)


def _observed_scale(ratings: RatingsTable) -> list[Any]:
    """Return what any reader used, so that all pairs are measured on one scale."""
    cells = ratings.matrix.ravel().tolist()
    return sorted({cell for cell in cells if cell is not None and not is_undefined(cell)})


def _pair_row(
    ratings: RatingsTable,
    pair: tuple[int, int],
    categories: list[Any] | None,
    options: argparse.Namespace,
) -> Row:
    first, second = (ratings.matrix[:, i] for i in pair)
    kappa = stats.cohen_kappa(
        first,
        second,
        categories=categories or _observed_scale(ratings),
        weights=options.weights,
        level=options.level,
        ci=options.ci,
        seed=options.seed,
        missing=options.missing,
    )
    values = {
        "first": ratings.readers[pair[0]],
        "second": ratings.readers[pair[1]],
        "n": kappa.n,
        "percent_agreement": kappa.percent_agreement,
        "kappa": kappa.value,
        "low": kappa.low,
        "high": kappa.high,
        "gwet": kappa.gwet.value,
        "gwet_low": kappa.gwet.low,
        "gwet_high": kappa.gwet.high,
        "pabak": kappa.pabak,
        "kappa_max": kappa.kappa_max,
        "pvalue": kappa.pvalue,
    }
    return Row(values, {"kappa": kappa, "gwet": kappa.gwet})


def _all(
    ratings: RatingsTable, categories: list[Any] | None, options: argparse.Namespace
) -> Section:
    matrix, level = ratings.matrix, options.level
    several = len(ratings.readers) > 2
    metric = options.metric or ("ordinal" if options.weights else "nominal")
    declared = categories or _observed_scale(ratings)
    percent = stats.percent_agreement(matrix, level=level)
    found: dict[str, Any] = {"percent agreement, pairs": percent}
    if several:
        found |= _kappas(matrix, declared, options)
    found[f"Gwet's {_gwet_name(options)}"] = stats.gwet_ac(
        matrix, categories=declared, weights=options.weights, level=level
    )
    found[f"Krippendorff's alpha, {metric}"] = stats.krippendorff_alpha(
        matrix, metric=metric, categories=declared, level=level
    )
    rows = [_index_row(name, result) for name, result in found.items()]
    rows.insert(1, _unanimous_row(percent))
    return Section(
        "all_readers",
        f"Agreement of all {len(ratings.readers)} readers",
        (
            column("index", "text", "index"),
            column("n", "count", "n"),
            column("value", "kappa", "value"),
            column(heading(level), "kappa", "low", "high"),
            column("observed, %", "percent", "observed"),
            column("by chance, %", "percent", "expected"),
        ),
        tuple(rows),
    )


def _kappas(
    matrix: npt.NDArray[Any], categories: list[Any], options: argparse.Namespace
) -> dict[str, Result]:
    shared = {"level": options.level, "missing": options.missing}
    light = stats.light_kappa(matrix, categories=categories, weights=options.weights, **shared)
    if options.weights:
        return {"Light's kappa": light}
    # Fleiss's kappa does not change with grades that nobody used
    return {"Fleiss's kappa": stats.fleiss_kappa(matrix, **shared), "Light's kappa": light}


def _index_row(name: str, result: Any) -> Row:
    values = {
        "index": name,
        "n": result.n,
        "value": result.value,
        "low": result.low,
        "high": result.high,
        "observed": getattr(result, "observed", None),
        "expected": getattr(result, "expected", None),
    }
    if "alpha" in name:  # alpha counts disagreement
        values |= {"observed": None, "expected": None}
    styles = {"value": "percent", "low": "percent"} if name.startswith("percent") else {}
    return Row(values, {_key(name): result}, styles)


def _key(name: str) -> str:
    return name.split(",", maxsplit=1)[0].replace("'s", "").replace(" ", "_").lower()


def _unanimous_row(percent: Any) -> Row:
    values = {
        "index": "percent agreement, unanimous",
        "n": percent.n,
        "value": percent.unanimous,
        "low": percent.unanimous_low,
        "high": percent.unanimous_high,
    }
    return Row(values, {"percent_agreement": percent}, {"value": "percent", "low": "percent"})


def _measured(ratings: RatingsTable, options: argparse.Namespace) -> tuple[Section, ...]:
    if ratings.matrix.dtype == object:
        raise WrongUse("--measured needs numbers, and the ratings are labels")
    matrix = np.asarray(ratings.matrix, dtype=float)
    icc = stats.icc(matrix, form=options.icc, level=options.level, missing=options.missing)
    whole = Section(
        "all_readers",
        f"Agreement of all {len(ratings.readers)} readers on measurements",
        (
            column("index", "text", "index"),
            column("n", "count", "n"),
            column("value", "auc", "value"),
            column(heading(options.level), "auc", "low", "high"),
            column("p", "p", "pvalue"),
        ),
        (
            Row(
                {
                    "index": options.icc,
                    "n": icc.n,
                    "value": icc.value,
                    "low": icc.low,
                    "high": icc.high,
                    "pvalue": icc.pvalue,
                },
                {"icc": icc},
            ),
            _kendall_row(matrix, options),
        ),
        notes=(
            "Kendall's W has no interval here; it is a number from 0 to 1 on ranks.",
            "p tests that the index is 0, which nobody doubts: read the interval.",
        ),
    )
    return (whole, _limits(ratings, matrix, options))


def _kendall_row(matrix: npt.NDArray[np.float64], options: argparse.Namespace) -> Row:
    w = stats.kendall_w(matrix, missing=options.missing)
    values = {"index": "Kendall's W", "n": w.n, "value": w.value, "pvalue": w.pvalue}
    return Row(values, {"kendall": w})


def _limits(
    ratings: RatingsTable, matrix: npt.NDArray[np.float64], options: argparse.Namespace
) -> Section:
    rows = []
    for i, j in _pairs(ratings):
        bland = stats.bland_altman(
            matrix[:, i], matrix[:, j], level=options.level, missing=options.missing
        )
        lin = stats.concordance_correlation(
            matrix[:, i], matrix[:, j], level=options.level, missing=options.missing
        )
        values = {
            "first": ratings.readers[i],
            "second": ratings.readers[j],
            "n": bland.n,
            "bias": bland.bias,
            "bias_low": bland.low,
            "bias_high": bland.high,
            "lower_limit": bland.lower_limit,
            "upper_limit": bland.upper_limit,
            "concordance": lin.value,
            "low": lin.low,
            "high": lin.high,
        }
        rows.append(Row(values, {"bland_altman": bland, "concordance": lin}))
    return Section(
        "pairs",
        "Differences of each pair of readers, first minus second",
        (
            column("reader", "text", "first"),
            column("reader", "text", "second"),
            column("n", "count", "n"),
            column("bias", "number", "bias", of="bland_altman"),
            column(heading(options.level), "number", "bias_low", "bias_high", of="bland_altman"),
            column("limits of agreement", "number", "lower_limit", "upper_limit"),
            column("concordance", "auc", "concordance", of="concordance"),
            column(heading(options.level), "auc", "low", "high", of="concordance"),
        ),
        tuple(rows),
    )

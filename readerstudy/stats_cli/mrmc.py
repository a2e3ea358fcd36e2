"""``readerstudy stats mrmc``: several readers, several cases, two or more tests."""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from readerstudy import stats
from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.formatting import is_undefined
from readerstudy.stats_cli.matrices import refuse_second_reads
from readerstudy.stats_cli.options import (
    CASE,
    READER,
    SCORE,
    TEST,
    TRUTH,
    add_analysis,
    add_column,
    add_positive,
    find,
    given_options,
    heading,
    open_table,
)
from readerstudy.stats_cli.report import Column, Report, Row, Section, column
from readerstudy.stats_cli.tables import as_labels, read_bytes

NAME = "mrmc"
HELP = "multi-reader multi-case comparison of tests; reads iMRMC and RJafroc files too"
FORMATS = ("long", "imrmc", "rjafroc")
METHODS = {
    "or": "obuchowski_rockette",
    "dbm": "dorfman_berbaum_metz",
    "u": "u_statistic",
}
PLAN = ("EFFECT", "READERS", "CASES")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser, independent=False)
    add_format(parser)
    add_columns(parser)
    parser.add_argument(
        "--method",
        choices=tuple(METHODS),
        default="or",
        help="or: Obuchowski-Rockette; dbm: Dorfman-Berbaum-Metz; u: U-statistic, for split-plot "
        "designs and missing reads (default: or)",
    )
    parser.add_argument(
        "--covariance", choices=("delong", "jackknife", "unbiased"), help="of or (default: delong)"
    )
    parser.add_argument(
        "--random",
        choices=("readers-and-cases", "readers", "cases"),
        default="readers-and-cases",
        help="what is a sample of a population (default: readers-and-cases)",
    )
    parser.add_argument("--nesting", choices=("case-in-reader", "case-in-test", "reader-in-test"))
    parser.add_argument("--metric", choices=("auc", "proportion"), default="auc")
    parser.add_argument(
        "--plan",
        nargs=3,
        type=float,
        metavar=PLAN,
        help="power of a crossed study of this size to find this difference",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the format of the file."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="default: imrmc for names in .imrmc, rjafroc for .xlsx and folders, else long CSV",
    )


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the columns of a long file."""
    add_column(parser, "reader", "the readers", READER)
    add_column(parser, "test", "the tests", TEST)
    add_column(parser, "case", "the cases", CASE)
    add_column(parser, "truth", "the truth", TRUTH)
    add_column(parser, "score", "the scores", SCORE)
    add_positive(parser)


def run(options: argparse.Namespace) -> Report:
    """Compare the tests."""
    columns, told = read_reads(options)
    result = _analyse(columns, options)
    sections = [_means(result, options), _cells(result), _components(result)]
    if len(result.tests) > 1:
        sections[1:1] = [_differences(result, options), _global(result)]
    if options.plan:
        sections.append(_plan(result, options))
    return Report(NAME, tuple(sections), told)


def format_of(path: str, given: str | None) -> str:
    """Return the format given, else what the name of the file says."""
    if given:
        return given
    suffix = Path(path).suffix.lower()
    if suffix == ".imrmc":
        return "imrmc"
    return "rjafroc" if suffix == ".xlsx" or Path(path).is_dir() else "long"


def read_reads(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of the reads, and what the JSON tells about the input."""
    kind = format_of(options.file, options.format)
    shown = given_options(options)
    if kind == "long":
        columns, used, source = _long(options)
        return columns, {"input": source, "columns": used, "options": shown}
    columns = _foreign(options.file, kind)
    source = {"file": Path(options.file).name, "format": kind, "rows_used": len(columns["case"])}
    if Path(options.file).is_file():
        source["sha256"] = hashlib.sha256(read_bytes(options.file)).hexdigest()
    return columns, {"input": source, "columns": {}, "options": shown}


def _foreign(path: str, kind: str) -> dict[str, Any]:
    from readerstudy.stats import mrmc_files

    read = {"imrmc": mrmc_files.read_imrmc, "rjafroc": mrmc_files.read_rjafroc}[kind]
    try:
        table = read(path)
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongUse(f"{path} is not UTF-8 text") from error
    except ValueError as error:
        raise WrongUse(f"{Path(path).name}: {error}") from error
    columns: dict[str, Any] = dict(table.columns())
    return columns | {name: as_labels(columns[name]) for name in ("reader", "test", "case")}


def _long(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    table = open_table(options)
    wanted = {"reader": READER, "test": TEST, "case": CASE, "truth": TRUTH, "score": SCORE}
    if getattr(options, "metric", "auc") == "proportion":
        del wanted["truth"]
    used = {
        name: find(table, getattr(options, name), candidates, f"{name}s", name)
        for name, candidates in wanted.items()
    }
    refuse_second_reads(table, used["reader"], used["test"], used["case"])
    missing = getattr(options, "missing", "raise")
    columns: dict[str, Any] = {n: table.labels(used[n]) for n in ("reader", "test", "case")}
    if "truth" in used:
        columns["truth"] = table.binary(used["truth"], options.positive, missing="raise")
    columns["score"] = table.numbers(used["score"], missing=missing)
    source = {"file": table.name, "sha256": table.sha256, "rows_used": len(table.rows)}
    return columns, used, source


def _analyse(columns: dict[str, Any], options: argparse.Namespace) -> Any:
    extra: dict[str, Any] = {}
    if options.method == "or":
        extra["covariance"] = options.covariance or "delong"
    elif options.covariance:
        raise WrongUse(f"--covariance belongs to --method or, not to {options.method}")
    return getattr(stats, METHODS[options.method])(
        **columns,
        **extra,
        random=options.random.replace("-", " "),
        nesting=options.nesting and options.nesting.replace("-", " "),
        metric=options.metric,
        level=options.level,
        missing=options.missing,
    )


def _name(metric: str) -> tuple[str, str]:
    return ("AUC", "auc") if metric == "auc" else ("success, %", "percent")


def _means(result: Any, options: argparse.Namespace) -> Section:
    name, style = _name(result.metric)
    rows = tuple(
        Row(
            {
                "test": row.label,
                "mean": row.value,
                "low": row.low,
                "high": row.high,
                "se": row.se,
                "df": row.df,
                "reads": row.n,
            },
            {"mean": row},
        )
        for row in result.means
    )
    size = (
        f"{len(result.readers)} readers, {result.n_cases} cases"
        + (f" ({result.n_positive} positive)" if result.metric == "auc" else "")
        + f", {result.n} reads; {result.design} design."
    )
    return Section(
        "means",
        f"Mean {name.split(',')[0]} of each test over readers",
        (
            column("test", "text", "test"),
            column("reads", "count", "reads"),
            column(name, style, "mean"),
            column(heading(options.level), style, "low", "high"),
            column("SE", style, "se"),
            column("df", "number", "df"),
        ),
        rows,
        notes=(size, *_dropped(result)),
    )


def _dropped(result: Any) -> tuple[str, ...]:
    return (f"Left out: {result.n_dropped} reads.",) if result.n_dropped else ()


def _differences(result: Any, options: argparse.Namespace) -> Section:
    style = "auc" if result.metric == "auc" else "percent"
    rows = [_difference_row("all", d) for d in result.differences]
    rows += [_difference_row(d.reader, d) for d in result.reader_differences]
    several = len(result.differences) > 1
    normal = all(math.isinf(row.values["df"]) for row in rows)
    return Section(
        "differences",
        "Differences of tests, first minus second",
        (
            column("readers", "text", "reader"),
            column("test", "text", "first"),
            column("test", "text", "second"),
            column("difference" + ("" if style == "auc" else ", %"), style, "difference"),
            column(heading(options.level), style, "low", "high"),
            column("z" if normal else "t", "kappa", "t"),
            *(() if normal else (column("df", "number", "df"),)),
            column("p", "p", "pvalue"),
        ),
        tuple(rows),
        notes=(
            (f"{len(result.differences)} comparisons; p is not adjusted for their number.",)
            if several
            else ()
        ),
    )


def _difference_row(reader: Any, d: Any) -> Row:
    values = {
        "reader": reader,
        "first": d.first,
        "second": d.second,
        "difference": d.value,
        "low": d.low,
        "high": d.high,
        "se": d.se,
        "t": d.t,
        "df": d.df,
        "pvalue": d.pvalue,
    }
    return Row(values, {"difference": d})


def _global(result: Any) -> Section:
    by_chi = not is_undefined(result.chi2)
    values = {
        "test": "chi-square" if by_chi else "F",
        "statistic": result.chi2 if by_chi else result.f,
        "df1": result.df1,
        "df2": None if by_chi else result.df2,
        "pvalue": result.pvalue,
    }
    return Section(
        "global_test",
        "Test that all tests are equal",
        (
            column("statistic", "text", "test"),
            column("value", "kappa", "statistic"),
            column("df", "number", "df1"),
            *(() if by_chi else (column("df of the denominator", "number", "df2"),)),
            column("p", "p", "pvalue"),
        ),
        (Row(values),),
        results={"analysis": result},
    )


def _cells(result: Any) -> Section:
    name, style = _name(result.metric)
    tests: Sequence[Any] = result.tests
    rows = []
    for reader in result.readers:
        found = {
            f"test {t}": result.auc_by_test_reader[t, reader]
            for t in tests
            if (t, reader) in result.auc_by_test_reader
        }
        rows.append(Row({"reader": reader, **found}))
    columns: list[Column] = [column("reader", "text", "reader")]
    columns += [column(f"test {t}", style, f"test {t}") for t in tests]
    return Section("readers", f"{name} of each reader", tuple(columns), tuple(rows))


def _components(result: Any) -> Section:
    components: Mapping[str, float] = result.variance_components
    rows = tuple(
        Row({"component": k, "value": v}) for k, v in components.items() if not is_undefined(v)
    )
    return Section(
        "variance_components",
        "Variance components",
        (column("component", "text", "component"), column("variance", "number", "value")),
        rows,
        notes=("A negative estimate is reported as it is.",)
        if any(r.values["value"] < 0 for r in rows)
        else (),
    )


def _plan(result: Any, options: argparse.Namespace) -> Section:
    effect, readers, cases = options.plan
    power = stats.mrmc_power(
        result,
        effect=effect,
        n_readers=_whole(readers, "READERS"),
        n_cases=_whole(cases, "CASES"),
        random=options.random.replace("-", " "),
    )
    values = {
        "effect": effect,
        "n_readers": power.n_readers,
        "n_cases": power.n_cases,
        "power": power.power,
    }
    return Section(
        "power",
        "Power of a study of two tests, alpha 0.05",
        (
            column("difference", "auc", "effect"),
            column("readers", "count", "n_readers"),
            column("cases", "count", "n_cases"),
            column("power, %", "percent", "power"),
        ),
        (Row(values, {"power": power}),),
    )


def _whole(value: float, name: str) -> int:
    if value != int(value):
        raise WrongUse(f"--plan: {name} must be a whole number, got {value:g}")
    return int(value)

"""``readerstudy stats convert``: multi-reader files from one format to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.mrmc import FORMATS, add_columns, format_of, read_reads
from readerstudy.stats_cli.options import add_output
from readerstudy.stats_cli.report import Report, Row, Section, column

NAME = "convert"
HELP = "convert multi-reader files between long CSV, iMRMC and RJafroc"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="file, or folder with TRUTH.csv, FP.csv and TP.csv")
    parser.add_argument("output", help="file to write; for RJafroc a .xlsx file or a folder")
    parser.add_argument("--from", dest="format", choices=FORMATS, help="format of the input")
    parser.add_argument("--to", choices=FORMATS, help="format of the output")
    parser.add_argument("--delimiter", default=",", help="of a long CSV file")
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE")
    add_columns(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> Report:
    """Read one format and write the other."""
    from readerstudy.stats import mrmc_files

    kind = options.to or format_of(options.output, None)
    if Path(options.output).resolve() == Path(options.file).resolve():
        raise WrongUse("the output would overwrite the input; give it another name")
    columns, told = read_reads(options)
    table = mrmc_files.make_table(**columns)
    numbers = {}
    try:
        if kind == "rjafroc":
            numbers = mrmc_files.write_rjafroc(options.output, table)
        elif kind == "imrmc":
            mrmc_files.write_imrmc(options.output, table)
        else:
            mrmc_files.write_long_csv(options.output, table)
    except OSError as error:
        raise WrongUse(f"{options.output} cannot be written: {error.strerror}") from error
    values = {
        "file": options.output,
        "format": kind,
        "reads": len(table.score),
        "readers": len(set(table.reader)),
        "tests": len(set(table.test)),
        "cases": len(set(table.case)),
    }
    written = Section(
        "written",
        "Written",
        (
            column("file", "text", "file"),
            column("format", "text", "format"),
            *(column(name, "count", name) for name in ("reads", "readers", "tests", "cases")),
        ),
        (Row(values),),
    )
    return Report(NAME, (written, *_case_numbers(numbers)), told)


def _case_numbers(numbers: dict[object, int]) -> tuple[Section, ...]:
    if not numbers or all(str(case) == str(number) for case, number in numbers.items()):
        return ()
    rows = tuple(Row({"case": case, "number": number}) for case, number in numbers.items())
    return (
        Section(
            "case_numbers",
            "Numbers of the cases",
            (column("case", "text", "case"), column("number", "count", "number")),
            rows,
            notes=("RJafroc takes whole numbers only. Keep this list: --csv FILE writes it.",),
        ),
    )

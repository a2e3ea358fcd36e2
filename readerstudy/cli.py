"""The command line of readerstudy: ``readerstudy stats …``, ``prepare``, ``allocation``.

It needs neither Django nor a database. Exit codes: 0 everything computed, 1 wrong use or a file
that cannot be read or written, 2 computed, but a value is undefined (its reason is told).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

from readerstudy import allocation_cli
from readerstudy.prepare_cli import command as prepare
from readerstudy.stats_cli import (
    agreement,
    check,
    convert,
    logistic,
    mrmc,
    plan,
    published,
    reclassification,
    roc,
    survival,
    turing,
)
from readerstudy.stats_cli.errors import WrongUse, in_options
from readerstudy.stats_cli.options import Parser
from readerstudy.stats_cli.report import Report

COMMANDS = (
    agreement, turing, roc, mrmc, reclassification, logistic, survival, plan, published, check,
    convert,
)  # fmt: skip
OTHER_AREAS = {"prepare": prepare.run, "allocation": allocation_cli.run}
DONE, WRONG, UNDEFINED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    options = build_parser().parse_args(prepare.shortened(words))
    if options.area in OTHER_AREAS:
        return OTHER_AREAS[options.area](options)
    try:
        report = options.run(options)
        deliver(report, options)
    except (WrongUse, ValueError) as error:
        sys.stderr.write(f"readerstudy stats {options.command}: {in_options(str(error))}\n")
        return WRONG
    except BrokenPipeError:
        # who reads the output has closed it; nothing is lost that anybody wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNDEFINED if report.has_undefined else DONE


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="readerstudy", description="Reader studies: statistics and images from files."
    )
    parser.add_argument("--version", action="version", version=software())
    areas = parser.add_subparsers(dest="area", required=True, metavar="AREA")
    area = areas.add_parser("stats", help="statistics of a reader study from a CSV file")
    commands = area.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME, help=module.HELP, description=_sentence(module.HELP)
        )
        module.add(command)
        command.set_defaults(run=module.run)
    prepare.add(areas.add_parser("prepare", help=prepare.HELP), parser_class=Parser)
    allocation_cli.add(areas.add_parser("allocation", help=allocation_cli.HELP))
    return parser


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def software() -> str:
    """Return name and version of this program."""
    try:
        return f"readerstudy {version('readerstudy')}"
    except PackageNotFoundError:
        return "readerstudy (not installed)"


def deliver(report: Report, options: argparse.Namespace) -> None:
    """Write JSON and CSV where asked, and the text unless one of them takes the screen."""
    named = {"--json": options.json, "--csv": options.csv}
    if list(named.values()).count("-") > 1:
        raise WrongUse("--json - and --csv - cannot share the screen; write one to a file")
    report = Report(report.command, report.sections, {"software": software(), **report.about})
    for option, path in named.items():
        if path is not None:
            content = report.json() if option == "--json" else report.csv()
            _write(path, content)
    if "-" not in named.values():
        _print(report.text(), sys.stdout)


def _write(path: str, content: str) -> None:
    if path == "-":
        _print(content, sys.stdout)
        return
    try:
        Path(path).write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise WrongUse(f"{path} cannot be written: {error.strerror}") from error


def _print(text: str, stream: TextIO) -> None:
    """Write text; a terminal without its characters gets plain ones."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = str.maketrans({"−": "-", "–": "-", "′": "'", "²": "2", "“": '"', "”": '"'})
        text = text.translate(plain).encode(encoding, "replace").decode(encoding)
    stream.write(text)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())

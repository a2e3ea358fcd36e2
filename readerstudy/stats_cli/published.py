"""``readerstudy stats published``: the tables of four papers, recomputed."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.options import add_output
from readerstudy.stats_cli.report import Report, Row, Section, column

NAME = "published"
HELP = "recompute the published tables of four papers and say what follows from their counts"
PAPERS = ("han2018", "park2021", "wang2023", "calabrese2021")
VERDICTS = {
    "reproduces": "reproduces",
    "contradicted": "does not follow from the counts",
    "unchecked": "cannot be checked",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "papers", nargs="*", metavar="PAPER", help=f"of {', '.join(PAPERS)} (default: all)"
    )
    parser.add_argument(
        "--show",
        choices=(*VERDICTS, "all"),
        default="contradicted",
        help="which figures to list (default: contradicted); JSON and CSV hold those listed",
    )
    add_output(parser)


def run(options: argparse.Namespace) -> Report:
    """Audit the papers asked for, all by default."""
    papers = options.papers or list(PAPERS)
    unknown = set(papers) - set(PAPERS)
    if unknown:
        raise WrongUse(f"there is no paper {min(unknown)!r}; there are {', '.join(PAPERS)}")
    tables = {name: import_module(f"readerstudy.stats.published.{name}").check() for name in papers}
    sections = [_counts(tables)]
    sections += [_cells(name, table, options.show) for name, table in tables.items()]
    return Report(NAME, tuple(sections), {"options": {"papers": papers, "show": options.show}})


def _counts(tables: dict[str, Any]) -> Section:
    rows = [
        Row(
            {
                "paper": table.paper,
                "figures": table.n,
                **{key: len(table.by_verdict(words)) for key, words in VERDICTS.items()},
                "cut": sum(cell.cut for cell in table.cells),
            }
        )
        for table in tables.values()
    ]
    return Section(
        "papers",
        "Published figures beside what the published counts give",
        (
            column("paper", "text", "paper"),
            column("figures", "count", "figures"),
            column("reproduce", "count", "reproduces"),
            column("of these cut off", "count", "cut"),
            column("do not follow", "count", "contradicted"),
            column("cannot be checked", "count", "unchecked"),
        ),
        tuple(rows),
        notes=(
            "That a figure does not follow from the counts says that figures disagree, not which "
            "is wrong, nor why.",
        ),
    )


def _cells(name: str, table: Any, show: str) -> Section:
    cells = table.cells if show == "all" else table.by_verdict(VERDICTS[show])
    rows = [
        Row(
            {
                "paper": table.paper,
                "where": cell.where,
                "printed": cell.printed,
                "verdict": cell.verdict,
                "words": cell.words,
                "value": cell.value,
                "how": cell.method,
                "n": cell.n,
            }
        )
        for cell in cells
    ]
    kinds = "every figure" if show == "all" else f"figures with the verdict “{VERDICTS[show]}”"
    verdict = (column("verdict", "text", "verdict"),) if show == "all" else ()
    return Section(
        name,
        f"{table.paper}: {kinds}",
        (
            column("place", "text", "where"),
            column("printed", "text", "printed"),
            *verdict,
            column("finding", "text", "words"),
        ),
        tuple(rows),
        notes=() if rows else ("None.",),
    )

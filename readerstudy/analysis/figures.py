"""Figures of the results: what to draw; how it is drawn stands in stats.figures."""

from __future__ import annotations

from readerstudy.analysis.turing import TuringReport
from readerstudy.stats.figure_data import ForestRow
from readerstudy.stats.figures import forest, to_svg
from readerstudy.stats.results import Estimate


def accuracy_svg(report: TuringReport) -> str:
    """Return the accuracy of each reader and of all, with intervals, guessing and the margin."""
    rows = [_row(row.reader.code, row.accuracy) for row in report.readers]
    rows.append(_row("All readers", report.overall, overall=True))
    margin = 100 * report.margin
    chart = forest(rows, reference=50.0, band=(50.0 - margin, 50.0 + margin), axis="Correct, %")
    return to_svg(chart)


def _row(label: str, estimate: Estimate, *, overall: bool = False) -> ForestRow:
    return ForestRow(
        label=label,
        value=100 * estimate.value,
        low=100 * estimate.low,
        high=100 * estimate.high,
        overall=overall,
    )

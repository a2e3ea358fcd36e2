"""What the results page shows, in words and in coordinates; no number is computed here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from readerstudy.analysis.reporting import Report
from readerstudy.analysis.turing import PairRow, TuringReport
from readerstudy.stats.results import Estimate
from readerstudy.studies.models import Study

WIDTH, HEIGHT = 300.0, 36.0


@dataclass(frozen=True)
class Axis:
    """Scale of the intervals drawn in the rows of the table, in per cent correct."""

    low: float
    high: float

    def x(self, share: float) -> float:
        """Return where a proportion lies, in pixels from the left."""
        position = WIDTH * (100 * share - self.low) / (self.high - self.low)
        return round(position, 2)

    @property
    def ticks(self) -> list[dict[str, float]]:
        step = 10 if self.high - self.low <= 60 else 20
        first = math.ceil(self.low / step) * step
        return [
            {"text": tick, "x": self.x(tick / 100)}
            for tick in range(first, int(self.high) + 1, step)
        ]


def results_context(study: Study, report: Report) -> dict[str, Any]:
    """Return the context of the results page."""
    found = _turing_context(report.turing) if report.turing else {}
    held = report.after_consensus
    return {"study": study, "answers": report.answers, "after_consensus": held, **found}


def _turing_context(report: TuringReport) -> dict[str, Any]:
    axis = _axis(report)
    return {
        "report": report,
        "summary": summary(report),
        "axis": axis,
        "band": _band(axis, report.margin),
        "rows": [
            {"row": row, "mark": _mark(axis, row.accuracy), "reason": row.accuracy.reason}
            for row in report.readers
        ],
        "overall_mark": _mark(axis, report.overall),
        "pairs": [_pair(row) for row in report.pairs],
        "margin_points": 100 * report.margin,
    }


def summary(report: TuringReport) -> dict[str, Any]:
    """Return the answer in one sentence's parts, with what was and what was not shown."""
    overall = report.overall
    if math.isnan(overall.value):
        return {"undefined": overall.reason}
    return {
        "accuracy": overall,
        "against_guessing": _against_guessing(report),
        "equivalent": overall.equivalent,
        "p_equivalence": overall.p_equivalence,
    }


def _against_guessing(report: TuringReport) -> str:
    overall = report.overall
    if math.isnan(overall.p_two_sided):
        return f"A test against guessing is not possible: {overall.reason}."
    if overall.p_two_sided >= 0.05:
        return "That was not shown to differ from guessing"
    return "That is better than guessing" if overall.value > 0.5 else "That is worse than guessing"


def _axis(report: TuringReport) -> Axis:
    shares = [0.5 - report.margin, 0.5 + report.margin]
    for estimate in (*(row.accuracy for row in report.readers), report.overall):
        shares += [x for x in (estimate.value, estimate.low, estimate.high) if not math.isnan(x)]
    low, high = 100 * min(shares), 100 * max(shares)
    return Axis(max(0, math.floor(low / 10) * 10 - 2), min(102, math.ceil(high / 10) * 10 + 2))


def _mark(axis: Axis, estimate: Estimate) -> dict[str, Any] | None:
    """Return the places of estimate and limits; None where there is nothing to draw."""
    if math.isnan(estimate.value) or math.isnan(estimate.low):
        return None
    x, low, high = axis.x(estimate.value), axis.x(estimate.low), axis.x(estimate.high)
    middle = HEIGHT / 2
    diamond = f"{low},{middle} {x},{middle - 7} {high},{middle} {x},{middle + 7}"
    return {"x": x, "square": x - 4, "low": low, "high": high, "diamond": diamond}


def _band(axis: Axis, margin: float) -> dict[str, float]:
    left, right = axis.x(0.5 - margin), axis.x(0.5 + margin)
    return {"x": left, "width": round(right - left, 2), "guess": axis.x(0.5)}


def _pair(row: PairRow) -> dict[str, Any]:
    kappa = row.kappa
    defined = not math.isnan(kappa.value)
    strength = 0 if not defined else max(0, min(4, math.ceil(5 * kappa.value) - 1))
    return {"row": row, "kappa": kappa, "defined": defined, "strength": strength}

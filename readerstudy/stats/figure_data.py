"""Rows behind the figures: curves averaged over readers, survival steps, shares with limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student_t

from readerstudy.stats.validation import FloatArray


@dataclass(frozen=True)
class ReaderCurve:
    """The ROC curve of one reader in one arm.

    Attributes
    ----------
    reader, arm : str
        Names as they shall appear; at most two arms to a figure.
    sensitivity, specificity : ndarray, shape (k,)
        Operating points in any order, as :func:`readerstudy.stats.roc_curve` gives them.
    """

    reader: str
    arm: str
    sensitivity: FloatArray
    specificity: FloatArray


@dataclass(frozen=True)
class ForestRow:
    """One row of a forest plot: a reader, or the overall estimate."""

    label: str
    value: float
    low: float
    high: float
    overall: bool = False


def _roc_points(curve: ReaderCurve) -> tuple[FloatArray, FloatArray]:
    """Return false-positive rate and sensitivity from (0, 0) to (1, 1)."""
    fpr = np.concatenate([[0.0], 1 - np.asarray(curve.specificity, dtype=float), [1.0]])
    tpr = np.concatenate([[0.0], np.asarray(curve.sensitivity, dtype=float), [1.0]])
    order = np.lexsort((tpr, fpr))
    return fpr[order], tpr[order]


def roc_rows(curve: ReaderCurve) -> list[dict[str, Any]]:
    """Return the operating points of one reader in drawing order."""
    fpr, tpr = _roc_points(curve)
    return [
        {"reader": curve.reader, "arm": curve.arm, "fpr": f, "sensitivity": s, "order": i}
        for i, (f, s) in enumerate(zip(fpr.tolist(), tpr.tolist(), strict=True))
    ]


def average_rows(curves: Sequence[ReaderCurve], arm: str, level: float) -> list[dict[str, Any]]:
    """Return the mean sensitivity of an arm at equal specificity, with t limits over readers."""
    grid = np.linspace(0, 1, 101)
    readings = []
    for curve in (c for c in curves if c.arm == arm):
        fpr, tpr = _roc_points(curve)
        # a vertical step counts with its upper end, so the average starts on the curve
        ends = np.append(np.diff(fpr) > 0, True)
        readings.append(np.interp(grid, fpr[ends], tpr[ends]))
    values = np.array(readings)
    mean, n = values.mean(axis=0), len(readings)
    half = np.full(grid.size, math.nan)
    if n > 1:
        half = student_t.ppf(0.5 + level / 2, n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n)
    low, high = np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)
    columns = (grid.tolist(), mean.tolist(), low.tolist(), high.tolist())
    return [
        {"arm": arm, "fpr": x, "sensitivity": m, "low": a, "high": b, "order": i}
        for i, (x, m, a, b) in enumerate(zip(*columns, strict=True))
    ]


def survival_rows(
    time: FloatArray, event: FloatArray, name: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the steps of one survival curve and its censorings."""
    from readerstudy.stats.survival import kaplan_meier as estimate

    last, censored = float(time.max()), np.unique(time[event == 0])
    steps = np.unique(np.concatenate([[0.0], time[event == 1], [last]]))
    curve = estimate(time, event, times=steps)
    columns = (curve.times, curve.survival, curve.low, curve.high)
    rows = [
        {"group": name, "time": float(t), "survival": float(s), "low": float(a), "high": float(b)}
        for t, s, a, b in zip(*columns, strict=True)
    ]
    marks = estimate(time, event, times=censored)
    ticks = [
        {"group": name, "time": float(t), "survival": float(s)}
        for t, s in zip(marks.times, marks.survival, strict=True)
    ]
    return rows, ticks


def share_row(answers: FloatArray) -> dict[str, float]:
    """Return a share with its Wilson limits and n."""
    from readerstudy.stats.proportions import proportion

    result = proportion(int(answers.sum()), answers.size, ci="wilson")
    return {"share": result.value, "low": result.low, "high": result.high, "n": answers.size}

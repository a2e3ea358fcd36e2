"""Two-by-two tables behind printed accuracy, precision, recall and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from readerstudy.stats.published.printed import SLACK, Check, Printed, Verdict
from readerstudy.stats.validation import FloatArray, as_count

LARGEST_N = 2000
METRICS = ("accuracy", "precision", "recall", "specificity", "npv", "f1", "mcc")

Table = tuple[int, int, int, int]
Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class ConfusionCheck(Check):
    """The tables that give all printed metrics.

    Attributes
    ----------
    tables : tuple of (tp, fp, fn, tn)
        All of them, in order of positives and true positives.
    metrics : dict of str to float
        Metrics of the first table at full precision; empty without one.
    cut : tuple of str
        Metrics that fit only if digits were cut off instead of rounded.
    culprits : tuple of str
        Metrics without which (one at a time) a table exists, where none gives all.
    """

    tables: tuple[Table, ...]
    metrics: dict[str, float]
    cut: tuple[str, ...]
    culprits: tuple[str, ...]


def consistent_confusions(
    n: int,
    *,
    accuracy: str | float | None = None,
    precision: str | float | None = None,
    recall: str | float | None = None,
    specificity: str | float | None = None,
    npv: str | float | None = None,
    f1: str | float | None = None,
    mcc: str | float | None = None,
    n_positive: int | None = None,
) -> ConfusionCheck:
    """Enumerate the two-by-two tables of n reads that give all printed metrics.

    Parameters
    ----------
    n : int
        Reads, 1 to 2000.
    accuracy, precision, recall, specificity, npv, f1, mcc : str or float, optional
        As printed: "90.6%", or 90.6 (numbers above 1 are taken as percentages), or "0.90".
    n_positive : int, optional
        Positives by the reference, where published.

    Returns
    -------
    ConfusionCheck
        Looked for with rounding first and, where nothing fits, with digits cut off.

    Raises
    ------
    ValueError
        If no metric is given, n is out of range or ``n_positive`` exceeds n.

    Examples
    --------
    >>> check = consistent_confusions(320, accuracy="59.1%", precision="60.4%", recall="52.5%")
    >>> check.tables
    ((84, 55, 76, 105),)
    """
    given = (accuracy, precision, recall, specificity, npv, f1, mcc)
    figures = {
        name: _read(value) for name, value in zip(METRICS, given, strict=True) if value is not None
    }
    _check_request(n, figures, n_positive)
    rounded = {name: (figure.low, figure.high) for name, figure in figures.items()}
    tables = tuple(_tables(n, n_positive, rounded))
    cut: tuple[str, ...] = ()
    if not tables:
        tables = tuple(_tables(n, n_positive, {m: _loose(f) for m, f in figures.items()}))
        cut = _cut_metrics(figures, tables)
    culprits = () if tables else _culprits(n, n_positive, rounded)
    verdict: Verdict = "consistent" if tables else "inconsistent"
    return ConfusionCheck(
        verdict=verdict,
        words=_words(n, figures, tables, cut, culprits),
        tables=tables,
        metrics=_metrics_of(tables[0]) if tables else {},
        cut=cut,
        culprits=culprits,
        n=n,
        method="enumeration of all two-by-two tables",
    )


def _read(value: str | float) -> Printed:
    figure = Printed.parse(value)
    if abs(figure.value) > 1 and not figure.percent:
        return Printed(figure.text, figure.value, figure.step, figure.bound, percent=True)
    return figure


def _check_request(n: int, figures: Mapping[str, Printed], n_positive: int | None) -> None:
    if not figures:
        raise ValueError(f"give at least one metric of {', '.join(METRICS)}")
    if not 1 <= as_count(n, "n") <= LARGEST_N:
        raise ValueError(f"n must lie between 1 and {LARGEST_N}, got {n}")
    if n_positive is not None and as_count(n_positive, "n_positive") > n:
        raise ValueError(f"n_positive must be at most n = {n}, got {n_positive}")


def _loose(figure: Printed) -> tuple[float, float]:
    """Return the range of values that give a figure by rounding or by cutting off."""
    toward = figure.step * figure.unit
    if figure.value < 0:
        return figure.value * figure.unit - toward, figure.high
    return figure.low, figure.value * figure.unit + toward - SLACK


def _tables(n: int, n_positive: int | None, bounds: Bounds) -> Iterator[Table]:
    for positives in range(n + 1) if n_positive is None else (n_positive,):
        yield from _tables_of(positives, n - positives, bounds)


def _tables_of(positives: int, negatives: int, bounds: Bounds) -> Iterator[Table]:
    tp = _counts(positives, bounds.get("recall"))
    tn = _counts(negatives, bounds.get("specificity"))
    if tp.size == 0 or tn.size == 0:
        return
    hit, rejected = np.meshgrid(tp, tn, indexing="ij")
    values = _metrics(hit, negatives - rejected, positives - hit, rejected)
    fits = np.ones(hit.shape, dtype=bool)
    for name, (low, high) in bounds.items():
        fits &= (values[name] >= low) & (values[name] <= high)
    for a, d in zip(hit[fits].astype(int), rejected[fits].astype(int), strict=True):
        yield int(a), negatives - int(d), positives - int(a), int(d)


def _counts(total: int, bounds: tuple[float, float] | None) -> FloatArray:
    """Return the numerators of a proportion within its bounds; with 0 of 0 only if not printed."""
    if bounds is None:
        return np.arange(total + 1, dtype=float)
    if total == 0:
        return np.empty(0)
    first, last = max(np.ceil(bounds[0] * total), 0), min(np.floor(bounds[1] * total), total)
    return np.arange(first, last + 1, dtype=float)


def _metrics(
    tp: FloatArray, fp: FloatArray, fn: FloatArray, tn: FloatArray
) -> dict[str, FloatArray]:
    """Return all metrics; NaN for 0/0, which fits no printed figure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "accuracy": (tp + tn) / (tp + fp + fn + tn),
            "precision": tp / (tp + fp),
            "recall": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "npv": tn / (tn + fn),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        }


def _metrics_of(table: Table) -> dict[str, float]:
    counts = (np.array(float(c)) for c in table)
    return {name: float(value) for name, value in _metrics(*counts).items()}


def _cut_metrics(figures: Mapping[str, Printed], tables: tuple[Table, ...]) -> tuple[str, ...]:
    if not tables:
        return ()
    values = _metrics_of(tables[0])
    return tuple(name for name, figure in figures.items() if not figure.admits(values[name]))


def _culprits(n: int, n_positive: int | None, bounds: Bounds) -> tuple[str, ...]:
    if len(bounds) < 2:
        return ()
    return tuple(
        name
        for name in bounds
        if any(_tables(n, n_positive, {m: b for m, b in bounds.items() if m != name}))
    )


def _words(
    n: int,
    figures: Mapping[str, Printed],
    tables: tuple[Table, ...],
    cut: tuple[str, ...],
    culprits: tuple[str, ...],
) -> str:
    if not tables:
        told = f"; without {' or '.join(culprits)} one does" if culprits else ""
        return f"no table of {n} gives {', '.join(figures)} as printed{told}"
    tp, fp, fn, tn = tables[0]
    values = _metrics_of(tables[0])
    found = (
        f"{len(tables)} tables of {n} fit, the first"
        if len(tables) > 1
        else f"one table of {n} fits:"
    )
    notes = [f"{m} is {figures[m].show(values[m])}, printed {figures[m].text}" for m in cut]
    told = f"; with digits cut off: {'; '.join(notes)}" if notes else ""
    return f"{found} TP {tp} FP {fp} FN {fn} TN {tn}{told}"

"""Accuracy, precision, recall, F1, MCC and kappa against the reference, of slices of the reads.

Shares have Wilson limits, at the effective sample size where reads share a case or patient; F1, MCC
and kappa have percentile limits from resampling cases or patients with all their reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import Number, undefined
from readerstudy.analysis.endpoints.judged import BoolArray, Judged
from readerstudy.analysis.endpoints.resampling import FloatArray, percentiles, resampled
from readerstudy.stats.clustered_groups import clustered_comparison

SHARES = ("accuracy", "precision", "recall", "specificity")
BINARY = (*SHARES, "f1", "mcc", "kappa")
SAME_DRAWS = "no interval: every draw of the cases gives the same value"
FORMS = {"f1": "area", "mcc": "kappa", "kappa": "kappa", "macro_f1": "area"}
WORDS = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall (sensitivity)",
    "specificity": "Specificity",
    "f1": "F1",
    "macro_f1": "F1, mean over levels",
    "mcc": "MCC",
    "kappa": "κ against the reference",
}


@dataclass(frozen=True)
class Slice:
    """A part of the reads: which ones, and where they are found."""

    code: str
    keep: BoolArray
    behind: Mapping[str, str]


def metrics_of(judged: Judged) -> tuple[str, ...]:
    """Return the codes of the measures that a question has."""
    if judged.is_binary:
        return BINARY
    return ("accuracy", "macro_f1", "kappa", *(f"recall:{level}" for level in judged.levels))


def metric_words(judged: Judged, metric: str) -> str:
    """Return a measure in words."""
    name, _, level = metric.partition(":")
    if level:
        return f"Recall, {judged.labels[judged.levels.index(level)]}"
    return WORDS[name]


def form_of(metric: str) -> str:
    return FORMS.get(metric, "percent")


def confusions(judged: Judged, slices: Sequence[Slice]) -> FloatArray:
    """Return right by given level of each slice, shape (slices, levels, levels + 1).

    The last column holds what was not evaluable.
    """
    size = len(judged.levels)
    cell = judged.right * (size + 1) + np.where(judged.given < 0, size, judged.given)
    counts = [np.bincount(cell[one.keep], minlength=size * (size + 1)) for one in slices]
    return np.array(counts, dtype=float).reshape(len(slices), size, size + 1)


def value_of(metric: str, table: FloatArray, judged: Judged) -> FloatArray:
    """Return a measure of confusion tables (..., levels, levels + 1); NaN where it is 0/0."""
    name, _, level = metric.partition(":")
    if level:
        place = judged.levels.index(level)
        return _over(table[..., place, place], table[..., place, :].sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return _MEASURES[name](table, judged.positive)


def _over(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return np.divide(top, bottom, out=np.full_like(top, math.nan), where=bottom > 0)


def _diagonal(table: FloatArray) -> FloatArray:
    size = table.shape[-2]
    return table[..., np.arange(size), np.arange(size)]


def _accuracy(table: FloatArray, _: int) -> FloatArray:
    return _over(_diagonal(table).sum(axis=-1), table.sum(axis=(-2, -1)))


def _precision(table: FloatArray, positive: int) -> FloatArray:
    return _over(table[..., positive, positive], table[..., :, positive].sum(axis=-1))


def _recall(table: FloatArray, positive: int) -> FloatArray:
    return _over(table[..., positive, positive], table[..., positive, :].sum(axis=-1))


def _specificity(table: FloatArray, positive: int) -> FloatArray:
    return _recall(table, 1 - positive)


def _f1(table: FloatArray, positive: int) -> FloatArray:
    right = table[..., positive, positive]
    called, present = table[..., :, positive].sum(-1), table[..., positive, :].sum(-1)
    return _over(2 * right, called + present)


def _macro_f1(table: FloatArray, _: int) -> FloatArray:
    each = [_f1(table, level) for level in range(table.shape[-2])]
    return np.asarray(np.mean(each, axis=0), dtype=float)


def _mcc(table: FloatArray, positive: int) -> FloatArray:
    other = 1 - positive
    tp, tn = table[..., positive, positive], table[..., other, other]
    present, absent = table[..., positive, :].sum(-1), table[..., other, :].sum(-1)
    fn, fp = present - tp, absent - tn
    product = (tp + fp) * present * absent * (tn + fn)
    return _over(tp * tn - fp * fn, np.sqrt(product))


def _kappa(table: FloatArray, _: int) -> FloatArray:
    total = table.sum(axis=(-2, -1))
    observed = _over(_diagonal(table).sum(-1), total)
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)[..., : table.shape[-2]]
    expected = _over((rows * columns).sum(-1), total**2)
    return _over(observed - expected, 1 - expected)


_MEASURES: dict[str, Callable[[FloatArray, int], FloatArray]] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "specificity": _specificity,
    "f1": _f1,
    "macro_f1": _macro_f1,
    "mcc": _mcc,
    "kappa": _kappa,
}


@dataclass(frozen=True)
class Measured:
    """Every measure of some slices, with the draws behind those that are no shares."""

    judged: Judged
    slices: tuple[Slice, ...]
    tables: FloatArray
    draws: FloatArray
    drawn: tuple[str, ...]

    def number(self, place: int, metric: str) -> Number:
        """Return a measure of a slice with its interval, or why there is none."""
        one, judged = self.slices[place], self.judged
        if not one.keep.any():
            return undefined("no read", form_of(metric))
        if metric not in self.drawn:
            return _share(judged, one, metric)
        value = float(value_of(metric, self.tables[place], judged))
        if math.isnan(value):
            return undefined("0/0: a level never occurs", form_of(metric))
        low, high = percentiles(self.draws[:, place, self.drawn.index(metric)], judged.level)
        if low == high:
            return Number(value, form_of(metric), reason=SAME_DRAWS, behind=one.behind)
        return Number(value, form_of(metric), low, high, judged.level, behind=one.behind)

    def difference(self, first: int, second: int, metric: str) -> Number:
        """Return the second slice less the first."""
        judged = self.judged
        if metric not in self.drawn:
            return _share_difference(judged, self.slices[first], self.slices[second], metric)
        values = [float(value_of(metric, self.tables[p], judged)) for p in (first, second)]
        form = "difference"
        if any(math.isnan(value) for value in values):
            return undefined("0/0: a level never occurs", form)
        place = self.drawn.index(metric)
        drawn = self.draws[:, second, place] - self.draws[:, first, place]
        low, high = percentiles(drawn, judged.level)
        return Number(values[1] - values[0], form, low, high, judged.level)


def measured(judged: Judged, slices: Sequence[Slice]) -> Measured:
    """Return the measures of slices; all draws are shared, so that differences are paired."""
    drawn = tuple(m for m in metrics_of(judged) if m.partition(":")[0] in FORMS)
    size = len(judged.levels)
    wide = size * (size + 1)
    clusters = int(judged.cluster.max()) + 1
    cell = judged.right * (size + 1) + np.where(judged.given < 0, size, judged.given)
    totals = np.zeros((clusters, len(slices) * wide))
    for place, one in enumerate(slices):
        index = judged.cluster[one.keep] * wide + cell[one.keep]
        counts = np.bincount(index, minlength=clusters * wide).reshape(clusters, wide)
        totals[:, place * wide : (place + 1) * wide] = counts

    def statistics(sums: FloatArray) -> FloatArray:
        tables = sums.reshape(len(sums), len(slices), size, size + 1)
        return np.stack([value_of(metric, tables, judged) for metric in drawn], axis=-1)

    entry = judged.entry
    draws = resampled(totals, statistics, draws=entry.draws, seed=entry.seed)
    return Measured(judged, tuple(slices), confusions(judged, slices), draws, drawn)


def _subset(judged: Judged, one: Slice, metric: str) -> tuple[BoolArray, BoolArray]:
    """Return the reads that a share is of, and which of them count as success."""
    name, _, level = metric.partition(":")
    place = judged.levels.index(level) if level else judged.positive
    keep = {
        "accuracy": np.ones(len(judged), dtype=bool),
        "precision": judged.given == place,
        "recall": judged.right == place,
        "specificity": judged.right != place,
    }[name]
    kept = one.keep & keep
    return kept, judged.success[kept]


def _share(judged: Judged, one: Slice, metric: str) -> Number:
    kept, success = _subset(judged, one, metric)
    behind = one.behind
    if not kept.any():
        return undefined(f"0 of 0: no {_WHAT[metric.partition(':')[0]]}", "percent")
    cluster = judged.cluster[kept]
    if np.unique(cluster).size == cluster.size:
        found: Any = stats.proportion(int(success.sum()), cluster.size, level=judged.level)
        return Number(found.value, "percent", found.low, found.high, judged.level, behind=behind)
    found = stats.clustered_proportion(success.astype(float), cluster, level=judged.level)
    low, high = found.low_wilson, found.high_wilson
    if math.isnan(low):  # nothing varies: each cluster counts once
        alone = stats.proportion(
            round(found.value * found.n_clusters), found.n_clusters, level=judged.level
        )
        low, high = alone.low, alone.high
    return Number(found.value, "percent", low, high, judged.level, behind=behind)


_WHAT = {
    "accuracy": "read",
    "precision": "positive call",
    "recall": "case of this level",
    "specificity": "negative case",
}


def _share_difference(judged: Judged, first: Slice, second: Slice, metric: str) -> Number:
    parts = [_subset(judged, one, metric) for one in (first, second)]
    if not all(kept.any() for kept, _ in parts):
        return undefined(f"0 of 0: no {_WHAT[metric.partition(':')[0]]}", "points")
    found = clustered_comparison(
        np.concatenate([success for _, success in parts]).astype(float),
        np.concatenate([judged.cluster[kept] for kept, _ in parts]),
        np.repeat([0, 1], [int(kept.sum()) for kept, _ in parts]),
        groups=(1, 0),
        level=judged.level,
    ).differences[0]
    return Number(found.value, "points", found.low, found.high, judged.level)

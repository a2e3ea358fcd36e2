"""Measures of agreement of all readers, with intervals from draws of cases.

The value is that of `readerstudy.stats`; the draws recompute it from sums over cases, which the
tests hold equal to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, undefined
from readerstudy.analysis.endpoints.agreement_pairs import limits_in_words, pairs_of
from readerstudy.analysis.endpoints.agreement_panel import Panel
from readerstudy.analysis.endpoints.resampling import (
    FloatArray,
    Statistic,
    cluster_totals,
    percentiles,
    resampled,
)


@dataclass(frozen=True)
class Sums:
    """What one draw needs of each case, and the measure of their totals."""

    features: FloatArray
    statistic: Statistic
    clusters: tuple[str, ...]


@dataclass(frozen=True)
class Against:
    """A test of no agreement beyond chance; the fields are those of `document.Test`."""

    name: str
    symbol: str
    statistic: float
    p: float
    df: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Measure:
    """One measure of one panel; ``sums`` lets the draws be repeated for a difference of arms."""

    name: str
    label: str
    number: Number
    n: int
    method: str
    sums: Sums | None = None
    against: Against | None = None


Maker = Callable[[Panel], Measure]


def measure(name: str, panel: Panel) -> Measure:
    """Return a measure by its name in `readerstudy.stats`; NaN with a reason if undefined."""
    label = LABELS.get(name, name)
    reason = _refusal(name, panel)
    if reason:
        return Measure(name, label, undefined(reason, "kappa"), len(panel.items), "")
    return MAKERS[name](panel)


def _refusal(name: str, panel: Panel) -> str:
    """Return why a measure does not fit the answers, in words; empty if it does."""
    nominal = panel.is_categorical and not panel.is_ordered
    needs = {
        "not a measure of agreement": name not in MAKERS,
        "fewer than two readers answered": len(panel.readers) < 2,
        "needs levels, and the answers are numbers": (
            not panel.is_categorical and name not in OF_NUMBERS
        ),
        "no case was rated by every reader": name in OF_COMPLETE and not panel.complete.items,
        "needs numbers or ordered levels": name in OF_SCORES and nominal,
        "needs a scale with a known number of levels": (name == "rwg" and not panel.is_categorical),
    }
    return next((reason for reason, holds in needs.items() if holds), "")


def _measure(
    name: str, panel: Panel, found: Any, value: float, sums: Sums, *, n: int, label: str = ""
) -> Measure:
    form = "percent" if name == "percent_agreement" else "kappa"
    number = Number(value, form, level=panel.level, reason=getattr(found, "reason", "") or "")
    method = found.method.split(", normal interval")[0].split(", linearised variance")[0]
    method = method.split(", z with the null")[0]
    method = method.split(", delta-method")[0].split(" (t interval over subjects")[0]
    label = label or LABELS[name]
    if math.isnan(value):
        return Measure(name, label, number, n, found.method)
    return Measure(
        name, label, _with_draws(number, panel, sums), n, f"{method}; {_words(panel)}", sums
    )


def _words(panel: Panel) -> str:
    what = "patients" if panel.is_clustered else "cases"
    return f"percentile bootstrap of {what}, {panel.draws:,} draws, seed {panel.seed}"


def _with_draws(number: Number, panel: Panel, sums: Sums) -> Number:
    totals = cluster_totals(sums.features, sums.clusters)
    if len(totals) < 2:
        return replace(number, reason="one case only: no interval")
    drawn = resampled(totals, sums.statistic, draws=panel.draws, seed=panel.seed)
    low, high = percentiles(drawn, panel.level)
    reason = number.reason
    if math.isnan(low):
        reason = "no interval: undefined in more than a tenth of the draws"
    elif high - low < 1e-12:
        low = high = NAN
        reason = "no interval: every draw gives the same value"
    return replace(number, low=low, high=high, reason=reason)


def standard_error(found: Measure, panel: Panel) -> float:
    """Return the standard deviation of the draws of a measure; NaN where it cannot be drawn."""
    if found.sums is None:
        return NAN
    totals = cluster_totals(found.sums.features, found.sums.clusters)
    if len(totals) < 2:
        return NAN
    drawn = resampled(totals, found.sums.statistic, draws=panel.draws, seed=panel.seed)
    kept = drawn[np.isfinite(drawn)]
    return float(kept.std(ddof=1)) if len(kept) > 1 else NAN


def difference(first: Measure, second: Measure, panel: Panel) -> Number:
    """Return the second measure less the first one, arms read on the same cases drawn together."""
    if first.sums is None or second.sums is None:
        which = first.number if first.sums is None else second.number
        return undefined(which.reason or "undefined in one of the arms", "kappa")
    width = first.sums.features.shape[1]
    clusters = (*first.sums.clusters, *second.sums.clusters)
    features = np.zeros((len(clusters), width + second.sums.features.shape[1]))
    features[: len(first.sums.clusters), :width] = first.sums.features
    features[len(first.sums.clusters) :, width:] = second.sums.features
    of_first, of_second = first.sums.statistic, second.sums.statistic
    drawn = resampled(
        cluster_totals(features, clusters),
        lambda sums: of_second(sums[:, width:]) - of_first(sums[:, :width]),
        draws=panel.draws,
        seed=panel.seed,
    )
    low, high = percentiles(drawn, panel.level)
    form = "points" if second.number.form == "percent" else "kappa"
    return Number(second.number.value - first.number.value, form, low, high, panel.level)


def _column(values: FloatArray) -> FloatArray:
    return np.asarray(values, dtype=float)[:, None]


def _ones(panel: Panel) -> FloatArray:
    return np.ones((len(panel.items), 1))


def _share_of_pairs(panel: Panel, weights: FloatArray) -> FloatArray:
    """Return per case the weighted share of agreeing pairs of readers; 0 for one rating."""
    totals = panel.counts.sum(axis=1)
    pairs = np.einsum("ij,jk,ik->i", panel.counts, weights, panel.counts) - totals
    return np.asarray(pairs / np.maximum(totals * (totals - 1.0), 1.0))


def percent_agreement(panel: Panel) -> Measure:
    """Pairwise agreement, without weights."""
    found = stats.percent_agreement(panel.ratings, level=panel.level)
    twice = panel.counts.sum(axis=1) >= 2
    share = _share_of_pairs(panel, np.eye(len(panel.levels)))
    sums = Sums(
        np.column_stack([share * twice, twice]), lambda s: s[:, 0] / s[:, 1], panel.clusters
    )
    return _measure("percent_agreement", panel, found, found.value, sums, n=found.n)


def fleiss_kappa(panel: Panel) -> Measure:
    """Fleiss's kappa of the cases that all readers rated; for two readers Scott's pi."""
    whole, q = panel.complete, len(panel.levels)
    found = stats.fleiss_kappa(whole.ratings, categories=range(q), level=panel.level)
    share, m = _share_of_pairs(whole, np.eye(q)), len(panel.readers)

    def statistic(s: FloatArray) -> FloatArray:
        expected = ((s[:, 2:] / (m * s[:, 1:2])) ** 2).sum(axis=1)
        return np.asarray((s[:, 0] / s[:, 1] - expected) / (1.0 - expected))

    features = np.hstack([_column(share), _ones(whole), whole.counts])
    sums = Sums(features, statistic, whole.clusters)
    made = _measure("fleiss_kappa", panel, _plain(found), found.value, sums, n=found.n)
    name = "z test of Fleiss’s kappa with its null standard error (Fleiss, Nee & Landis 1979)"
    return made if whole.is_clustered else replace(made, against=_normal(found, name))


def _normal(found: Any, name: str) -> Against:
    reason = "" if math.isfinite(found.pvalue) else found.reason or "the standard error is 0"
    return Against(name, "z", found.z, found.pvalue, reason=reason)


@dataclass(frozen=True)
class _Plain:
    method: str
    reason: str


def _plain(found: Any) -> _Plain:
    """Return method and, only where the value is undefined, the reason of a result."""
    return _Plain(found.method, (found.reason or "") if math.isnan(found.value) else "")


def conger_kappa(panel: Panel) -> Measure:
    """Conger's exact kappa of the cases that all readers rated."""
    whole, q, m = panel.complete, len(panel.levels), len(panel.readers)
    found = stats.conger_kappa(whole.ratings, categories=range(q), level=panel.level)

    def statistic(s: FloatArray) -> FloatArray:
        margins = s[:, 2:].reshape(len(s), m, q) / s[:, 1][:, None, None]
        others = margins.sum(axis=1, keepdims=True) - margins
        expected = (margins * others).sum(axis=(1, 2)) / (m * (m - 1.0))
        return np.asarray((s[:, 0] / s[:, 1] - expected) / (1.0 - expected))

    share = _share_of_pairs(whole, np.eye(q))
    features = np.hstack(
        [_column(share), _ones(whole), whole.one_hot.reshape(len(whole.items), m * q)]
    )
    sums = Sums(features, statistic, whole.clusters)
    return _measure("conger_kappa", panel, _plain(found), found.value, sums, n=found.n)


def light_kappa(panel: Panel) -> Measure:
    """Mean of Cohen's kappa over all pairs, of the cases that all readers rated."""
    whole, q, m = panel.complete, len(panel.levels), len(panel.readers)
    w, pairs = whole.weight_matrix, panel.pairs()
    found = stats.light_kappa(
        whole.ratings, categories=range(q), weights=panel.weights, level=panel.level
    )
    first, second = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    codes = whole.ratings.astype(int)
    agreeing = w[codes[:, first], codes[:, second]]

    def statistic(s: FloatArray) -> FloatArray:
        size = s[:, :1]
        observed = s[:, 1 : 1 + len(pairs)] / size
        margins = s[:, 1 + len(pairs) :].reshape(len(s), m, q) / size[:, :, None]
        expected = np.einsum("bpi,ij,bpj->bp", margins[:, first], w, margins[:, second])
        kappa = np.where(1.0 - expected < 1e-12, math.nan, (observed - expected) / (1.0 - expected))
        return np.asarray(kappa.mean(axis=1))

    features = np.hstack([_ones(whole), agreeing, whole.one_hot.reshape(len(whole.items), m * q)])
    label = LABELS["cohen_kappa" if m == 2 else "light_kappa"]
    if panel.is_ordered:
        label = f"{label}, linear weights"
    sums = Sums(features, statistic, whole.clusters)
    if m == 2 and len(whole.items):
        return _of_two(whole, label, sums)
    return _measure("light_kappa", panel, _plain(found), found.value, sums, n=found.n, label=label)


def _of_two(whole: Panel, label: str, sums: Sums) -> Measure:
    """Return Cohen's kappa of two readers with the interval that the pair has."""
    (pair,) = pairs_of(whole)
    found = pair.found
    if found is None or not pair.kappa.defined:
        return Measure("cohen_kappa", label, pair.kappa, len(whole.items), "")
    name = "z test of Cohen’s kappa with its null standard error (Fleiss, Cohen & Everitt 1969)"
    against = None if whole.is_clustered else _normal(found, name)
    method = f"Cohen’s kappa (1960), {limits_in_words(whole, [pair])}"
    return Measure("cohen_kappa", label, pair.kappa, pair.n, method, sums, against)


def gwet_ac(panel: Panel) -> Measure:
    """Gwet's AC1, or AC2 with linear weights for ordered levels."""
    q, w = len(panel.levels), panel.weight_matrix
    found = stats.gwet_ac(
        panel.ratings, categories=range(q), weights=panel.weights, level=panel.level
    )
    totals = panel.counts.sum(axis=1)
    twice = totals >= 2
    share = _share_of_pairs(panel, w) * twice
    factor = float(w.sum()) / (q * (q - 1.0)) if q > 1 else NAN

    def statistic(s: FloatArray) -> FloatArray:
        pi = s[:, 3:] / s[:, 2:3]
        expected = factor * (pi * (1.0 - pi)).sum(axis=1)
        return np.asarray((s[:, 0] / s[:, 1] - expected) / (1.0 - expected))

    rated = np.maximum(totals, 1.0)
    features = np.hstack(
        [_column(share), _column(twice), _column(totals > 0), panel.counts / rated[:, None]]
    )
    label = "Gwet’s AC2, linear weights" if panel.is_ordered else LABELS["gwet_ac"]
    sums = Sums(features, statistic, panel.clusters)
    return _measure("gwet_ac", panel, _plain(found), found.value, sums, n=found.n, label=label)


def krippendorff_alpha(panel: Panel) -> Measure:
    """Krippendorff's alpha of all ratings: nominal, ordinal, or interval for numbers."""
    if not panel.is_categorical:
        return _alpha_of_numbers(panel)
    metric = "ordinal" if panel.is_ordered else "nominal"
    q = len(panel.scores) if panel.is_ordered else len(panel.levels)
    ratings = np.where(panel.ratings < q, panel.ratings, math.nan)
    found = stats.krippendorff_alpha(
        ratings, metric=metric, categories=list(range(q)), level=panel.level
    )
    counts = panel.counts[:, :q]
    totals = counts.sum(axis=1)
    pairable = totals >= 2
    both = np.einsum("ij,ik->ijk", counts, counts) - counts[:, :, None] * np.eye(q)
    both = both * (pairable / np.maximum(totals - 1.0, 1.0))[:, None, None]

    def statistic(s: FloatArray) -> FloatArray:
        together = s.reshape(len(s), q, q)
        margins = together.sum(axis=2)
        distance = _distances(margins, metric)
        n = margins.sum(axis=1)
        observed = (together * distance).sum(axis=(1, 2)) / n
        expected = np.einsum("bi,bij,bj->b", margins, distance, margins) / (n * (n - 1.0))
        return np.asarray(1.0 - observed / np.where(expected > 0.0, expected, math.nan))

    sums = Sums(both.reshape(len(both), q * q), statistic, panel.clusters)
    label = f"{LABELS['krippendorff_alpha']}, {metric}"
    return _measure(
        "krippendorff_alpha", panel, _plain(found), found.value, sums, n=found.n, label=label
    )


def _distances(margins: FloatArray, metric: str) -> FloatArray:
    q = margins.shape[1]
    if metric == "nominal":
        return np.broadcast_to(1.0 - np.eye(q), (len(margins), q, q))
    ranks = np.cumsum(margins, axis=1) - margins / 2.0
    return np.asarray((ranks[:, :, None] - ranks[:, None, :]) ** 2)


def _alpha_of_numbers(panel: Panel) -> Measure:
    found = stats.krippendorff_alpha(panel.ratings, metric="interval", level=panel.level)
    known = ~np.isnan(panel.ratings)
    centre = float(panel.ratings[known].mean()) if known.any() else 0.0
    values = np.where(known, panel.ratings - centre, 0.0)
    m = known.sum(axis=1)
    pairable = m >= 2
    total, squares = values.sum(axis=1) * pairable, (values**2).sum(axis=1) * pairable
    within = (m * squares - total**2) / np.maximum(m - 1.0, 1.0) * pairable

    def statistic(s: FloatArray) -> FloatArray:
        n = s[:, 1]
        expected = (n * s[:, 3] - s[:, 2] ** 2) / (n - 1.0)
        return np.asarray(1.0 - s[:, 0] / np.where(expected > 0.0, expected, math.nan))

    features = np.column_stack([within, m * pairable, total, squares])
    sums = Sums(features, statistic, panel.clusters)
    return _measure(
        "krippendorff_alpha",
        panel,
        _plain(found),
        found.value,
        sums,
        n=found.n,
        label=f"{LABELS['krippendorff_alpha']}, interval",
    )


def rwg(panel: Panel) -> Measure:
    """Mean within-group agreement of the cases with two ratings or more."""
    found = stats.rwg(panel.measured, n_options=len(panel.scores))
    known = ~np.isnan(found.per_subject)
    features = np.column_stack([np.where(known, found.per_subject, 0.0), known])
    reason = "" if found.n else "no case has two ratings"
    return _measure(
        "rwg",
        panel,
        _Plain(found.method, reason),
        found.mean,
        Sums(features, lambda s: s[:, 0] / s[:, 1], panel.clusters),
        n=found.n,
    )


def icc(panel: Panel) -> Measure:
    """Intraclass correlation of single ratings; the form follows whether readers are random."""
    form = "ICC(2,1)" if panel.random_readers else "ICC(3,1)"
    matrix = panel.measured
    rows: npt.NDArray[np.bool_] = np.asarray(~np.isnan(matrix).any(axis=1))
    values = matrix[rows]
    meaning = "absolute agreement, readers random" if panel.random_readers else "readers fixed"
    label = f"{form}: {meaning}, single ratings"
    if len(values) < 2:
        reason = "fewer than two cases were rated by every reader"
        return Measure("icc", label, undefined(reason, "kappa"), len(values), "")
    found = stats.icc(values, form=form, level=panel.level)
    number = Number(found.value, "kappa", found.low, found.high, panel.level, found.reason or "")
    clusters = tuple(c for c, kept in zip(panel.clusters, rows, strict=True) if kept)
    sums = Sums(_icc_features(values), _icc_statistic(values.shape[1], form), clusters)
    if math.isnan(found.value):
        return Measure("icc", label, number, found.n, found.method)
    if len(set(clusters)) < len(clusters):
        return _measure("icc", panel, _plain(found), found.value, sums, n=found.n, label=label)
    name = f"F test of {form} (Shrout & Fleiss 1979)"
    df = f"{found.df1:g}, {found.df2:g}"
    against = Against(name, "F", found.f, found.pvalue, df)
    return Measure("icc", label, number, found.n, f"{found.method}; F limits", sums, against)


def _icc_features(values: FloatArray) -> FloatArray:
    x = values - values.mean()
    squares, rows = (x**2).sum(axis=1), x.sum(axis=1) ** 2
    return np.column_stack([np.ones(len(x)), squares, rows, x])


def _icc_statistic(k: int, form: str) -> Statistic:
    def statistic(s: FloatArray) -> FloatArray:
        n, squares, rows, columns = s[:, 0], s[:, 1], s[:, 2] / k, s[:, 3:]
        grand = columns.sum(axis=1) ** 2 / (n * k)
        between = (columns**2).sum(axis=1) / n - grand
        of_cases = (rows - grand) / (n - 1.0)
        of_readers = between / (k - 1.0)
        of_error = (squares - rows - between) / ((n - 1.0) * (k - 1.0))
        below = of_cases + (k - 1.0) * of_error
        if form == "ICC(2,1)":
            below = below + k * (of_readers - of_error) / n
        return np.asarray((of_cases - of_error) / np.where(below > 0.0, below, math.nan))

    return statistic


def kendall_w(panel: Panel) -> Measure:
    """Kendall's W of the cases that all readers rated; no interval."""
    matrix = panel.measured
    values = matrix[~np.isnan(matrix).any(axis=1)]
    label = LABELS["kendall_w"]
    if len(values) < 2:
        reason = "fewer than two cases were rated by every reader"
        return Measure("kendall_w", label, undefined(reason, "kappa"), len(values), "")
    found = stats.kendall_w(values)
    why = found.reason or "no interval: ranks cannot be resampled by case"
    return Measure(
        "kendall_w", label, Number(found.value, "kappa", reason=why), found.n, found.method
    )


def concordance_correlation(panel: Panel) -> Measure:
    """Lin's concordance correlation of two readers."""
    label = LABELS["concordance_correlation"]
    if len(panel.readers) != 2:
        reason = "defined for two readers: see the pairs"
        return Measure(
            "concordance_correlation", label, undefined(reason, "kappa"), len(panel.items), ""
        )
    values = panel.measured[~np.isnan(panel.measured).any(axis=1)]
    if len(values) < 3:
        reason = "fewer than three cases were rated by both readers"
        return Measure(
            "concordance_correlation", label, undefined(reason, "kappa"), len(values), ""
        )
    found = stats.concordance_correlation(values[:, 0], values[:, 1], level=panel.level)
    number = Number(found.value, "kappa", found.low, found.high, panel.level, found.reason or "")
    return Measure("concordance_correlation", label, number, found.n, found.method)


MAKERS: dict[str, Maker] = {
    "percent_agreement": percent_agreement,
    "cohen_kappa": light_kappa,
    "light_kappa": light_kappa,
    "fleiss_kappa": fleiss_kappa,
    "conger_kappa": conger_kappa,
    "gwet_ac": gwet_ac,
    "krippendorff_alpha": krippendorff_alpha,
    "rwg": rwg,
    "icc": icc,
    "kendall_w": kendall_w,
    "concordance_correlation": concordance_correlation,
}
LABELS = {
    "percent_agreement": "Agreeing pairs of readers",
    "cohen_kappa": "Cohen’s kappa",
    "light_kappa": "Light’s kappa: mean Cohen’s kappa of all pairs",
    "fleiss_kappa": "Fleiss’s kappa",
    "conger_kappa": "Conger’s kappa",
    "gwet_ac": "Gwet’s AC1",
    "krippendorff_alpha": "Krippendorff’s alpha",
    "rwg": "Within-group agreement, mean over cases",
    "icc": "Intraclass correlation",
    "kendall_w": "Kendall’s W",
    "concordance_correlation": "Lin’s concordance correlation",
}
OF_NUMBERS = ("krippendorff_alpha", "icc", "kendall_w", "concordance_correlation", "rwg")
OF_COMPLETE = ("cohen_kappa", "light_kappa", "fleiss_kappa", "conger_kappa")
OF_SCORES = ("icc", "kendall_w", "concordance_correlation", "rwg")

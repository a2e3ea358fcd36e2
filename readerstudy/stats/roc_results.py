"""Result objects and sample preparation of the ROC functions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readerstudy.stats.placements import BoolArray
from readerstudy.stats.results import Estimate, Result
from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    as_binary,
    as_vector,
    missing_rows,
    same_length,
)

CLIPPED = "limits clipped to 0..1"


@dataclass(frozen=True, kw_only=True)
class AucResult(Estimate):
    """An area under the ROC curve.

    Attributes
    ----------
    value : float
        AUC, 0 to 1, never flipped: below 0.5 means that higher scores go with truth 0.
    se, variance : float
        Standard error and its square.
    z, pvalue : float
        Wald test of AUC = 0.5, two-sided.
    n_positive, n_negative : int
        Cases (exams, for clustered data) with truth 1 and truth 0.
    """

    se: float = math.nan
    variance: float = math.nan
    z: float = math.nan
    pvalue: float = math.nan
    n_positive: int
    n_negative: int


@dataclass(frozen=True, kw_only=True)
class ClusteredAuc(AucResult):
    """An AUC of clustered exams.

    Attributes
    ----------
    n_clusters : int
        Patients.
    design_effect : float
        Clustered variance over the DeLong variance that ignores the clusters.
    se_unclustered : float
        The DeLong standard error that ignores the clusters.
    """

    n_clusters: int
    design_effect: float = math.nan
    se_unclustered: float = math.nan


@dataclass(frozen=True, kw_only=True)
class BootstrapAuc(AucResult):
    """An AUC with a bootstrap interval; ``se`` is the standard deviation of the replicates."""

    n_boot: int
    n_failed: int = 0
    seed: int | None


@dataclass(frozen=True, kw_only=True)
class AucDifference(Estimate):
    """A difference of two AUCs, first minus second; ``value`` is ``difference``.

    Attributes
    ----------
    auc_a, auc_b, difference : float
    se : float
        Standard error of the difference.
    z, pvalue : float
        Test statistic and two-sided p-value of no difference.
    df : float
        Degrees of freedom of the reference distribution; infinite for the normal.
    variance_a, variance_b, covariance : float
        Of the two AUCs; covariance 0 for independent samples.
    """

    auc_a: float
    auc_b: float
    difference: float
    se: float = math.nan
    z: float = math.nan
    pvalue: float = math.nan
    df: float = math.inf
    variance_a: float = math.nan
    variance_b: float = math.nan
    covariance: float = math.nan
    n_positive: int
    n_negative: int

    def summary(self) -> str:
        """Return both AUCs, the difference with its interval, p, n and the method."""
        if math.isnan(self.difference):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"{self.auc_a:.6g} - {self.auc_b:.6g} = {self.difference:.6g} "
            f"({100 * self.level:g} % interval {self.low:.6g} to {self.high:.6g}), "
            f"p = {self.pvalue:.6g}, n = {self.n}, {self.method}"
        )


@dataclass(frozen=True, kw_only=True)
class BootstrapAucDifference(AucDifference):
    """A difference of two AUCs with a bootstrap interval and test."""

    n_boot: int
    n_failed: int = 0
    seed: int | None


@dataclass(frozen=True, kw_only=True)
class HanleyMcNeil(Result):
    """A standard error of an AUC from its size alone; ``float()`` of it is the standard error."""

    se: float
    auc: float
    n_positive: int
    n_negative: int

    @property
    def value(self) -> float:
        """Return the standard error."""
        return self.se

    def __float__(self) -> float:
        """Return the standard error."""
        return self.se

    def summary(self) -> str:
        """Return the standard error, or why it is undefined."""
        text = f"{self.se:.6g}" if self.reason is None else f"undefined: {self.reason}"
        return f"{text}, n = {self.n}, {self.method}"


@dataclass(frozen=True, kw_only=True)
class RocCurve(Result):
    """An empirical ROC curve, thresholds ascending.

    Attributes
    ----------
    threshold : ndarray (k,)
        Midpoints between neighbouring scores, with -inf first and inf last; a case is called
        positive where score >= threshold.
    sensitivity, specificity : ndarray (k,)
        Both NaN where truth has one class only.
    """

    threshold: FloatArray
    sensitivity: FloatArray
    specificity: FloatArray
    n_positive: int
    n_negative: int


@dataclass(frozen=True, kw_only=True)
class OperatingPoint(Result):
    """One threshold with what it does.

    Attributes
    ----------
    threshold : float
        Call positive where score >= threshold (midpoint between two observed scores).
    rule : str
        The same in words with the lowest observed score that is called positive.
    sensitivity, specificity : Estimate
    """

    threshold: float
    rule: str
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True, kw_only=True)
class Youden(Result):
    """The threshold that maximises sensitivity + specificity - 1.

    Attributes
    ----------
    j : float
        The maximum.
    thresholds : ndarray (k,)
        Every maximiser, ascending.
    points : tuple of OperatingPoint
        One for each of ``thresholds``.
    sensitivity, specificity : Estimate
        At the first maximiser.
    """

    j: float
    thresholds: FloatArray
    points: tuple[OperatingPoint, ...]
    sensitivity: Estimate
    specificity: Estimate

    def summary(self) -> str:
        """Return J, the rule and both proportions."""
        if not self.points:
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return (
            f"J = {self.j:.6g} at {self.points[0].rule}: sensitivity "
            f"{self.sensitivity.value:.6g}, specificity {self.specificity.value:.6g}, "
            f"n = {self.n}, {self.method}"
        )


@dataclass(frozen=True, kw_only=True)
class PartialAuc(Estimate):
    """An area under a part of the ROC curve; no interval (bootstrap the whole analysis).

    Attributes
    ----------
    value : float
        Corrected area if ``corrected``, else ``raw``.
    raw : float
        Area over the band, at most the width of the band.
    lowest, highest : float
        Area of the chance line and of a perfect curve over the same band.
    """

    raw: float
    corrected: bool
    lowest: float
    highest: float
    n_positive: int
    n_negative: int


@dataclass(frozen=True)
class Sample:
    """Checked truth and scores, rows with missing values already left out."""

    positive: BoolArray
    scores: tuple[FloatArray, ...]
    n_dropped: int
    ids: tuple[Hashable, ...] | None

    @property
    def n(self) -> int:
        """Return the number of cases used."""
        return self.positive.size

    @property
    def n_positive(self) -> int:
        """Return the number of cases with truth 1."""
        return int(np.count_nonzero(self.positive))

    @property
    def n_negative(self) -> int:
        """Return the number of cases with truth 0."""
        return self.n - self.n_positive

    @property
    def reason(self) -> str | None:
        """Return why no AUC exists, or None."""
        if self.n_positive and self.n_negative:
            return None
        return f"truth has one class only: {self.n_positive} of {self.n} cases are positive"

    def split(self, score: int = 0) -> tuple[FloatArray, FloatArray]:
        """Return the scores of the positives and of the negatives."""
        values = self.scores[score]
        return np.compress(self.positive, values), np.compress(~self.positive, values)


def make_sample(
    truth: npt.ArrayLike,
    *,
    missing: str,
    ids: Sequence[Hashable] | npt.NDArray[np.generic] | None = None,
    **scores: npt.ArrayLike,
) -> Sample:
    """Check truth and scores of the same cases and leave out rows with missing values.

    Raises
    ------
    ValueError
        For non-binary truth, differing lengths, or NaN with ``missing="raise"``.
    """
    truth_values = as_binary(truth, "truth")
    values = {name: as_vector(score, name) for name, score in scores.items()}
    same_length(truth=truth_values, **values)
    if ids is not None:
        same_length(truth=truth_values, ids=ids)
    bad = missing_rows(missing, truth=truth_values, **values)
    dropped = int(np.count_nonzero(bad))
    if not dropped:
        kept_ids = None if ids is None else tuple(ids)
        return Sample(truth_values == 1.0, tuple(values.values()), 0, kept_ids)
    keep = ~bad
    return Sample(
        truth_values[keep] == 1.0,
        tuple(v[keep] for v in values.values()),
        dropped,
        None if ids is None else tuple(i for i, k in zip(ids, keep, strict=True) if k),
    )


def cluster_codes(ids: Sequence[Hashable]) -> IntArray:
    """Return whole numbers from 0 that say which observations share an id."""
    codes: dict[Hashable, int] = {}
    return np.fromiter((codes.setdefault(i, len(codes)) for i in ids), dtype=np.int64)

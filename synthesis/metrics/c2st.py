"""Two-sample test by a classifier (C2ST): can a machine tell real from synthetic?

Lopez-Paz & Oquab 2017, with folds and standard errors by patient: slices of one patient, and an
image made from a patient's other images, never stand on both sides of a split.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from synthesis.metrics.distributions import Distances, checked
from synthesis.metrics.paired import UndefinedMetricError
from synthesis.metrics.resampling import Indices, Interval, by_patient, patient_bootstrap

FloatArray = npt.NDArray[np.float64]
FOLDS, COMPONENTS, PENALTY = 5, 64, 1.0
_STEPS, _TOLERANCE = 50, 1e-8


@dataclass(frozen=True)
class ClassifierTest:
    """Outcome of the test.

    Attributes
    ----------
    accuracy : Interval
        Mean of the shares of real and of synthetic images told right; 0.5 is guessing.
    auc : Interval
        Of the scores of images left out of the training.
    p : float
        One-sided, of an accuracy above 0.5; t test over patients. NaN with fewer than four.
    neighbour_accuracy : float
        Of the nearest neighbour of another patient, leave one out.
    folds : int
    """

    accuracy: Interval
    auc: Interval
    p: float
    neighbour_accuracy: float
    folds: int


def classifier_test(
    real: npt.ArrayLike,
    made: npt.ArrayLike,
    real_patients: Sequence[str],
    made_patients: Sequence[str],
    found: Distances,
    *,
    folds: int = FOLDS,
    draws: int = 1000,
    seed: int = 0,
) -> ClassifierTest:
    """Train a classifier on some patients' features, and test it on the others', in turn.

    Each fold standardises, takes up to 64 principal components and fits a logistic regression
    with a ridge of 1, both kinds weighing the same; all of it on its training patients alone.

    Parameters
    ----------
    real, made : array_like (n, d), (m, d)
    real_patients, made_patients : sequence of str
        Patient of each image. A synthetic image without a patient is one of its own.
    found : Distances
        Of the same features.
    folds, draws, seed
        Draws are those of the bootstrap over patients.

    Raises
    ------
    UndefinedMetricError
        With fewer than two patients of a kind, or fewer than four images.
    """
    r, g = checked(real, made, least=4)
    features = np.concatenate([r, g])
    labels = np.repeat([0.0, 1.0], [len(r), len(g)])
    patients = np.array([*real_patients, *made_patients])
    if min(len(set(real_patients)), len(set(made_patients))) < 2:
        raise UndefinedMetricError("a kind has fewer than two patients: none can be left out")
    scores, used = _left_out_scores(features, labels, patients, folds, seed)
    told = (scores > 0) == (labels > 0.5)

    def balanced(rows: Indices) -> float:
        kinds = [told[rows][labels[rows] == kind] for kind in (0.0, 1.0)]
        return float(np.mean([k.mean() for k in kinds])) if all(map(len, kinds)) else math.nan

    def auc(rows: Indices) -> float:
        return area(scores[rows], labels[rows] > 0.5)

    return ClassifierTest(
        patient_bootstrap(balanced, list(patients), draws=draws, seed=seed),
        patient_bootstrap(auc, list(patients), draws=draws, seed=seed),
        _p(told, labels, patients),
        neighbour_accuracy(found, real_patients, made_patients),
        used,
    )


def _left_out_scores(
    features: FloatArray, labels: FloatArray, patients: npt.NDArray[np.str_], folds: int, seed: int
) -> tuple[FloatArray, int]:
    """Return log odds of being synthetic from classifiers that saw other patients only."""
    fold = _folds(labels, patients, folds, seed)
    scores = np.zeros(len(labels))
    for number in range(int(fold.max()) + 1):
        test = fold == number
        model = _fit(features[~test], labels[~test])
        # Folds differ in their intercepts: each has its scores about the middle of its own.
        scores[test] = model(features[test])
    return scores, int(fold.max()) + 1


def _folds(
    labels: FloatArray, patients: npt.NDArray[np.str_], folds: int, seed: int
) -> npt.NDArray[np.intp]:
    """Deal patients out, those with both kinds, with real and with synthetic images in turn."""
    groups = by_patient(list(patients))
    order = np.random.default_rng(seed).permutation(len(groups))
    kinds = np.array([labels[rows].mean() for rows in groups])
    ordered = order[np.argsort(kinds[order], kind="stable")]
    least = min(len(set(patients[labels == kind])) for kind in (0.0, 1.0))
    fold = np.zeros(len(labels), dtype=np.intp)
    for place, number in enumerate(ordered):
        fold[groups[number]] = place % max(2, min(folds, least))
    return fold


class _Model:
    def __init__(self, middle: FloatArray, axes: FloatArray, weights: FloatArray) -> None:
        self.middle, self.axes, self.weights = middle, axes, weights

    def __call__(self, features: FloatArray) -> FloatArray:
        scores: FloatArray = (features - self.middle) @ self.axes @ self.weights[:-1]
        return scores + self.weights[-1]


def _fit(features: FloatArray, labels: FloatArray) -> _Model:
    middle, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = (features - middle) / scale
    count = min(COMPONENTS, *scaled.shape, max(1, len(labels) // 4))
    _, singular, axes = np.linalg.svd(scaled, full_matrices=False)
    size = np.maximum(singular[:count], 1e-12 * singular[0] + 1e-300) / math.sqrt(len(labels))
    projection = axes[:count].T / size
    projection[:, singular[:count] <= 1e-9 * singular[0]] = 0.0
    weights = _logistic(scaled @ projection, labels)
    return _Model(middle, projection / scale[:, None], weights)


def _logistic(x: FloatArray, labels: FloatArray) -> FloatArray:
    """Ridge logistic regression by Newton's method; the last weight is the intercept."""
    design = np.column_stack([x, np.ones(len(x))])
    share = labels.mean()
    weight = np.where(labels > 0.5, 0.5 / share, 0.5 / (1 - share))
    ridge = np.full(design.shape[1], PENALTY)
    ridge[-1] = 1e-6
    beta = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        p = special.expit(design @ beta)
        slope = design.T @ (weight * (labels - p)) - ridge * beta
        curve = (design.T * (weight * p * (1 - p))) @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < _TOLERANCE:
            break
    return beta


def _p(told: npt.NDArray[np.bool_], labels: FloatArray, patients: npt.NDArray[np.str_]) -> float:
    """One-sided p of an accuracy above one half, from the spread of sums by patient."""
    share = np.array([(labels == kind).sum() for kind in (0.0, 1.0)])
    weight = 0.5 / share[labels.astype(int)]
    excess = weight * (told - 0.5)
    sums = np.array([excess[rows].sum() for rows in by_patient(list(patients))])
    count = len(sums)
    if count < 4:
        return math.nan
    error = math.sqrt(count / (count - 1) * float(((sums - sums.mean()) ** 2).sum()))
    mean = float(sums.sum())
    if error == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stats.t.sf(mean / error, count - 1))


def area(scores: FloatArray, positive: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve by mid-ranks; NaN if there is one kind only."""
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if not n1 or not n0:
        return math.nan
    ranks = stats.rankdata(scores)
    return float((ranks[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def neighbour_accuracy(
    found: Distances, real_patients: Sequence[str], made_patients: Sequence[str]
) -> float:
    """Balanced share of images whose nearest neighbour of another patient is of their kind."""
    whole = np.block([[found.rr, found.rg], [found.rg.T, found.gg]])
    patients = np.array([*real_patients, *made_patients])
    labels = np.repeat([0, 1], [len(found.rr), len(found.gg)])
    whole[patients[:, None] == patients] = np.inf
    own = labels[whole.argmin(axis=1)] == labels
    return float(np.mean([own[labels == kind].mean() for kind in (0, 1)]))

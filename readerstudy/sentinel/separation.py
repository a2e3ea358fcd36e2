"""Can something that is not image content tell two classes apart? Pure.

For each cue a classifier is trained and judged on cases it has not seen. What counts is not that
it finds nothing, which small samples always promise, but how far from guessing it could be: the
interval of its cross-validated AUC, and a permutation test over all cues together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from readerstudy.stats.roc import clustered_auc

Features = NDArray[np.float64]
FOLDS = 5
RIDGE = 0.05
FEW_FEATURES = 4
LEAST_PER_CLASS = 3
CONSTANT = 1e-9


@dataclass(frozen=True)
class Limits:
    """When a cue blocks a launch.

    Attributes
    ----------
    auc : float
        A cue blocks when its AUC lies above this and the permutation test is significant.
    p : float
        Level of the permutation test over all cues together: how often a clean study is accused.
    permutations : int
    level : float
        Of the interval.
    """

    auc: float = 0.6
    p: float = 0.01
    permutations: int = 999
    level: float = 0.95


@dataclass(frozen=True)
class CueResult:
    """What one cue can tell.

    Attributes
    ----------
    cue : str
    auc, low, high : float
        Cross-validated AUC with its interval; 0.5 exactly for a cue that never varies; NaN with a
        reason where it cannot be estimated.
    p : float
        Share of relabellings in which any cue reached at least this AUC (with the +1 correction
        of Phipson & Smyth, Stat Appl Genet Mol Biol 2010;9:39).
    constant : bool
        The same for every case.
    blocks : bool
    reason : str
    """

    cue: str
    auc: float
    low: float
    high: float
    p: float
    constant: bool = False
    blocks: bool = False
    reason: str = ""


def separate(
    cues: Mapping[str, Features],
    labels: Sequence[int],
    subjects: Sequence[str],
    *,
    limits: Limits = Limits(),
    seed: int = 0,
) -> list[CueResult]:
    """Judge every cue.

    With more than two classes each is set against all others, and a cue is told by the class that
    stands out most; the permutation test covers all of them together.

    Parameters
    ----------
    cues : mapping of str to ndarray, shape (n, k)
        Features of each cue, one row per case.
    labels : sequence of int, length n
        Number of the class of each case. Classes with few subjects only stand among the others.
    subjects : sequence of str, length n
        Cases of one subject are never split between training and test.
    limits : Limits
    seed : int
        Of folds and permutations.

    Returns
    -------
    list of CueResult
        In the order of ``cues``.
    """
    classes, groups = np.asarray(labels, dtype=int), np.asarray(subjects)
    judged = judgeable(classes, groups)
    if len(judged) < 2:
        reason = f"fewer than {LEAST_PER_CLASS} subjects in a class"
        return [_undefined(name, values, reason) for name, values in cues.items()]
    # Of two classes one says all: the other is its mirror image.
    chosen = judged[-1:] if len(set(classes.tolist())) == 2 else judged
    folds = _folds(groups, seed)
    predictors = {
        name: _predictor(values, folds) for name, values in cues.items() if not is_constant(values)
    }
    highest = _permuted_maxima(predictors, classes, chosen, limits.permutations, seed)
    told = _Told(classes, chosen, groups, limits.level)
    return [
        _judged(_estimated(name, predictors[name], told), highest, limits)
        if name in predictors
        else _unvarying(name)
        for name in cues
    ]


@dataclass(frozen=True)
class _Told:
    """Who belongs to which class, and which classes are set against the others."""

    classes: NDArray[Any]
    chosen: Sequence[int]
    groups: NDArray[Any]
    level: float


def judgeable(classes: NDArray[Any], groups: NDArray[Any]) -> list[int]:
    """Return the classes with enough subjects to be told from the others, in order."""
    names = sorted(set(classes.tolist()))
    return [one for one in names if len(set(groups[classes == one])) >= LEAST_PER_CLASS]


def is_constant(values: Features) -> bool:
    """Tell whether no feature varies between cases."""
    return bool(np.all(np.ptp(values, axis=0) <= CONSTANT))


def _undefined(cue: str, values: Features, reason: str) -> CueResult:
    if is_constant(values):
        return _unvarying(cue)
    nan = float("nan")
    return CueResult(cue, nan, nan, nan, nan, reason=reason)


def _folds(groups: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Return the fold of each case; all cases of a subject are in one."""
    names, members = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(names.size)
    return np.asarray(order[members] % min(FOLDS, names.size))


def _predictor(values: Features, folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return H such that H @ labels are scores of cases by a model that has not seen their fold.

    Ridge regression on standardised features, with their squares where they are few, so that a
    class that lies between the other's extremes is found too. Linear in the labels, which makes
    hundreds of relabellings one product.
    """
    matrix = np.zeros((folds.size, folds.size))
    for fold in np.unique(folds):
        test, train = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        seen, unseen = _expanded(values[train], values[test])
        penalty = RIDGE * train.size * np.eye(seen.shape[1])
        matrix[np.ix_(test, train)] = unseen @ np.linalg.solve(seen.T @ seen + penalty, seen.T)
    return matrix


def _expanded(train: Features, test: Features) -> tuple[Features, Features]:
    train, test = _standardised(train, test)
    if train.shape[1] <= FEW_FEATURES:
        train, test = np.hstack([train, train**2]), np.hstack([test, test**2])
    return _standardised(train, test)


def _standardised(train: Features, test: Features) -> tuple[Features, Features]:
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread[spread <= CONSTANT] = 1.0
    return (train - mean) / spread, (test - mean) / spread


def _rank_auc(scores: NDArray[np.float64], truth: NDArray[Any]) -> NDArray[np.float64]:
    """Return the AUC of each column (Mann–Whitney, ties one half)."""
    ranks = rankdata(np.round(scores, 12), axis=0)
    n_positive = truth.sum(axis=0)
    surplus = (ranks * truth).sum(axis=0) - n_positive * (n_positive + 1) / 2
    return np.asarray(surplus / (n_positive * (truth.shape[0] - n_positive)))


def _permuted_maxima(
    predictors: Mapping[str, NDArray[np.float64]],
    classes: NDArray[Any],
    chosen: Sequence[int],
    count: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return for each relabelling the highest AUC over cues and classes (Westfall & Young 1993)."""
    random = np.random.default_rng(seed)
    labels = np.stack([random.permutation(classes) for _ in range(count)], axis=1)
    highest = np.zeros(count)
    for one in chosen:
        truth = (labels == one).astype(int)
        for matrix in predictors.values():
            highest = np.maximum(highest, _rank_auc(matrix @ truth, truth))
    return highest


def _judged(result: CueResult, highest: NDArray[np.float64], limits: Limits) -> CueResult:
    p = float((1 + (highest >= result.auc - CONSTANT).sum()) / (1 + highest.size))
    return replace(result, p=p, blocks=result.auc > limits.auc and p < limits.p)


def _estimated(cue: str, predictor: NDArray[np.float64], told: _Told) -> CueResult:
    """Return the AUC of the class that stands out most."""
    found = [
        _against_others(predictor, (told.classes == one).astype(int), told.groups, told.level)
        for one in told.chosen
    ]
    best = max(found, key=lambda one: one.value)
    return CueResult(cue, best.value, best.low, best.high, float("nan"))


def _against_others(
    predictor: NDArray[np.float64], truth: NDArray[Any], groups: NDArray[Any], level: float
) -> Any:
    scores = np.round(predictor @ truth, 12)
    return clustered_auc(truth, scores, groups.tolist(), level=level)


def _unvarying(cue: str) -> CueResult:
    return CueResult(cue, 0.5, 0.5, 0.5, 1.0, constant=True, reason="the same for every case")

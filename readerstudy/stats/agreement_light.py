"""Kappa of more than two raters who each rate all subjects: Light's mean, Conger's exact kappa.

References
----------
Light, Psychol Bull 1971;76:365. Conger, Psychol Bull 1980;88:322.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement import ZERO, no_width
from readerstudy.stats.agreement_cohen import cross_table, kappa_influence
from readerstudy.stats.agreement_ratings import (
    Ratings,
    Weights,
    agreement_weights,
    dot,
    encode,
    weights_in_words,
)
from readerstudy.stats.quantiles import clip, normal_quantile
from readerstudy.stats.results import Estimate
from readerstudy.stats.validation import FloatArray, IntArray, check_choice, check_level


@dataclass(frozen=True, kw_only=True)
class ManyRaterKappa(Estimate):
    """Light's or Conger's kappa.

    Attributes
    ----------
    se : float
        Linearised standard error over subjects.
    pairwise : dict
        Cohen's kappa of each pair of raters (columns counted from 0).
    n_raters : int
        Raters.
    """

    se: float
    pairwise: dict[tuple[int, int], float]
    n_raters: int


def light_kappa(
    ratings: npt.ArrayLike,
    *,
    categories: Sequence[Hashable] | None = None,
    weights: Weights = None,
    level: float = 0.95,
    missing: str = "raise",
) -> ManyRaterKappa:
    """Compute Light's kappa: the mean of Cohen's kappa over all pairs of raters.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Numbers or labels.
    categories, weights, level
        As for :func:`cohen_kappa`.
    missing : {"raise", "omit"}
        Refuse missing ratings, or drop subjects that have one.

    Returns
    -------
    ManyRaterKappa
        NaN with a reason if the kappa of a pair is undefined.

    Raises
    ------
    ValueError
        For missing ratings, fewer than two raters, or a rating outside the scale.

    References
    ----------
    Light RJ. Psychol Bull 1971;76:365-377.

    Examples
    --------
    >>> round(light_kappa([[1, 1, 1], [2, 2, 1], [1, 2, 1], [2, 2, 2]]).value, 3)
    0.4
    """
    coded, dropped = _complete(ratings, categories, missing)
    w = agreement_weights(weights, len(coded.categories))
    pairwise, influence = _pairwise(coded, w)
    method = (
        f"Light's kappa (1971): mean of pairwise Cohen's kappa, {weights_in_words(weights)}, "
        "normal interval with the linearised standard error, clipped to -1..1"
    )
    value = float(np.mean(list(pairwise.values()))) if pairwise else math.nan
    reason = None
    if math.isnan(value):
        reason = "two raters used one and the same category only, so their kappa is undefined"
    common = {
        "method": method,
        "level": check_level(level),
        "n_dropped": dropped,
        "pairwise": pairwise,
        "reason": reason,
    }
    return _many(value, influence, coded, common)


def conger_kappa(
    ratings: npt.ArrayLike,
    *,
    categories: Sequence[Hashable] | None = None,
    level: float = 0.95,
    missing: str = "raise",
) -> ManyRaterKappa:
    """Compute Conger's exact kappa: chance agreement from each rater's own margins.

    For two raters it is Cohen's kappa.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Numbers or labels.
    categories, level
        As for :func:`cohen_kappa`.
    missing : {"raise", "omit"}
        Refuse missing ratings, or drop subjects that have one.

    Returns
    -------
    ManyRaterKappa
        NaN with a reason if chance agreement is 1.

    Raises
    ------
    ValueError
        For missing ratings, fewer than two raters, or a rating outside the scale.

    References
    ----------
    Conger AJ. Psychol Bull 1980;88:322-328.

    Examples
    --------
    >>> round(conger_kappa([[1, 1], [2, 2], [1, 2], [2, 2]]).value, 3)
    0.5
    """
    coded, dropped = _complete(ratings, categories, missing)
    method = (
        "Conger's exact kappa (1980), normal interval with the linearised standard error, "
        "clipped to -1..1"
    )
    q, (n, m) = len(coded.categories), coded.codes.shape
    pairwise, _ = _pairwise(coded, np.eye(q))
    common: dict[str, Any] = {
        "method": method,
        "level": check_level(level),
        "n_dropped": dropped,
        "pairwise": pairwise,
    }
    counts = coded.counts().table
    margins = np.stack([np.bincount(c, minlength=q) for c in coded.codes.T]) / max(n, 1)
    pairs = m * (m - 1.0)
    others = margins.sum(axis=0) - margins
    expected = float((margins * others).sum()) / pairs
    if n == 0 or 1.0 - expected < ZERO:
        reason = "no subject has all its ratings" if n == 0 else "all ratings are one category"
        return _many(math.nan, np.zeros(n), coded, common | {"reason": reason})
    share = (np.einsum("ij,ij->i", counts, counts) - m) / pairs
    value = (float(share.mean()) - expected) / (1.0 - expected)
    chance = 2.0 * others[np.arange(m), coded.codes].sum(axis=1) / pairs
    influence = share - share.mean() - (1.0 - value) * (chance - 2.0 * expected)
    return _many(value, influence / (1.0 - expected), coded, common)


def _complete(
    ratings: npt.ArrayLike, categories: Sequence[Hashable] | None, missing: str
) -> tuple[Ratings, int]:
    check_choice(missing, "missing", ("raise", "omit"))
    coded = encode(ratings, categories)
    if coded.codes.shape[1] < 2:
        raise ValueError("ratings must have at least 2 raters (columns), got 1")
    complete = coded.complete
    dropped = int((~complete).sum())
    if dropped and missing == "raise":
        raise ValueError(f'ratings: {dropped} subjects lack a rating (NaN): pass missing="omit"')
    return coded.keep(complete), dropped


def _pairwise(coded: Ratings, w: FloatArray) -> tuple[dict[tuple[int, int], float], FloatArray]:
    """Return kappa of each pair, and the mean influence of each subject."""
    n, m = coded.codes.shape
    found: dict[tuple[int, int], float] = {}
    influence = np.zeros(n)
    for first, second in combinations(range(m), 2):
        codes = coded.codes[:, [first, second]]
        kappa, of_cell = _pair_kappa(codes, w)
        found[first, second] = kappa
        influence += of_cell[codes[:, 0], codes[:, 1]]
    return found, influence / max(len(found), 1)


def _pair_kappa(codes: IntArray, w: FloatArray) -> tuple[float, FloatArray]:
    table, n = cross_table(codes, len(w)), max(len(codes), 1)
    p, row, col = table / n, table.sum(axis=1) / n, table.sum(axis=0) / n
    if len(codes) == 0 or 1.0 - float(row @ w @ col) < ZERO:
        return math.nan, np.full_like(p, math.nan)
    if 1.0 in (row.max(), col.max()):
        return 0.0, np.zeros_like(p)
    return kappa_influence(p, w)


def _many(
    value: float, influence: FloatArray, coded: Ratings, common: dict[str, Any]
) -> ManyRaterKappa:
    n, m = coded.codes.shape
    se = math.nan
    if not math.isnan(value):
        se = math.sqrt(dot(influence, influence)) / n
        se = se if se > ZERO else 0.0
    half = normal_quantile(common["level"]) * se
    return ManyRaterKappa(
        n=n,
        value=value,
        se=se,
        low=clip(value - half, -1.0, 1.0),
        high=clip(value + half, -1.0, 1.0),
        n_raters=m,
        warnings=no_width(se),
        **common,
    )

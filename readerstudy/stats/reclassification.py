"""Reclassification and discrimination improvement: NRI and IDI, events and non-events apart.

References
----------
Pencina MJ, D'Agostino RB Sr, D'Agostino RB Jr, Vasan RS. Stat Med 2008;27:157-172 (NRI, IDI).
Pencina MJ, D'Agostino RB Sr, Steyerberg EW. Stat Med 2011;30:11-21 (category-free NRI, variance).
Kerr KF, Wang Z, Janes H, et al. Epidemiology 2014;25:114-121 (what to report, bootstrap).
Hilden J, Gerds TA. Stat Med 2014;33:3405-3414; Pepe MS, Janes H, Li CI. JNCI 2014;106:dju041
(a useless marker can give a positive NRI or IDI).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from readerstudy.stats.results import Estimate
from readerstudy.stats.validation import (
    FloatArray,
    as_binary,
    as_vector,
    check_choice,
    check_level,
    missing_rows,
    same_length,
)

CAUTION = (
    "NRI and IDI can be positive for a useless or badly calibrated marker, even in validation "
    "data (Hilden and Gerds 2014; Pepe 2014; Kerr 2014). Do not report them alone: give events "
    "and non-events apart, calibration, the likelihood-ratio test of the added marker, the "
    "difference in AUC and a bootstrap interval."
)
NO_REFIT = (
    "The predictions are taken as given; the interval leaves out the uncertainty of fitting "
    "the two models."
)
SAME = 1e-12
"""Two predictions closer than this are the same: fits differ in the last bits."""


@dataclass(frozen=True, kw_only=True)
class NetReclassification(Estimate):
    """Net reclassification improvement.

    Attributes
    ----------
    value : float
        ``events + nonevents``, from -2 to 2. A sum of two proportions, not a proportion.
    events, nonevents : float
        Share moved the right way minus share moved the wrong way, from -1 to 1.
    up_events, down_events, up_nonevents, down_nonevents : float
        Shares moved up or down within their class.
    se, z, pvalue : float
        With the variance of Pencina 2011; two-sided normal test.
    se_null, z_null, p_null : float
        With the variance of Pencina 2008 (no net movement).
    z_events, p_events, z_nonevents, p_nonevents : float
        The two parts alone, variance of Pencina 2008.
    n_events, n_nonevents : int
        Subjects in each class.
    """

    events: float
    nonevents: float
    up_events: float
    down_events: float
    up_nonevents: float
    down_nonevents: float
    se: float
    z: float
    pvalue: float
    se_null: float
    z_null: float
    p_null: float
    z_events: float
    p_events: float
    z_nonevents: float
    p_nonevents: float
    n_events: int
    n_nonevents: int


@dataclass(frozen=True, kw_only=True)
class DiscriminationImprovement(Estimate):
    """Integrated discrimination improvement.

    Attributes
    ----------
    value : float
        ``slope_new - slope_old`` = ``events + nonevents``.
    events, nonevents : float
        Mean rise of the prediction in events, mean fall in non-events (positive is better).
    slope_old, slope_new : float
        Discrimination slopes: mean prediction in events minus mean prediction in non-events.
    relative : float
        ``slope_new / slope_old - 1``.
    se, z, pvalue : float
        Paired standard error within each class (Pencina 2008), two-sided normal test.
    n_events, n_nonevents : int
        Subjects in each class.
    """

    events: float
    nonevents: float
    slope_old: float
    slope_new: float
    relative: float
    se: float
    z: float
    pvalue: float
    n_events: int
    n_nonevents: int


@dataclass(frozen=True)
class _Pairs:
    """Checked predictions, split by class."""

    events_old: FloatArray
    events_new: FloatArray
    nonevents_old: FloatArray
    nonevents_new: FloatArray
    n_dropped: int

    @property
    def n(self) -> int:
        return self.events_old.size + self.nonevents_old.size

    @property
    def missing_class(self) -> str | None:
        """Say which class is empty, or None."""
        classes = {
            "events (truth = 1)": self.events_old,
            "non-events (truth = 0)": self.nonevents_old,
        }
        empty = [name for name, values in classes.items() if values.size == 0]
        return f"there are no {empty[0]}, so improvement is undefined" if empty else None


def nri_continuous(
    truth: npt.ArrayLike,
    p_old: npt.ArrayLike,
    p_new: npt.ArrayLike,
    *,
    ci: Literal["asymptotic", "bootstrap"] = "asymptotic",
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int | None = None,
    missing: str = "raise",
) -> NetReclassification:
    """Category-free net reclassification improvement (Pencina 2011).

    Parameters
    ----------
    truth : array_like of 0/1, shape (n,)
        1 = event.
    p_old, p_new : array_like of float in [0, 1], shape (n,)
        Predicted probabilities of the two models. Predictions that differ by less than 1e-12
        count as "no move".
    ci : {"asymptotic", "bootstrap"}
        Normal limits with the variance of Pencina 2011, or percentile limits from resampling
        subjects within each class. Limits are not clipped to [-2, 2].
    level : float
        Confidence level.
    n_boot, seed : int
        Bootstrap replicates and the seed of the generator.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    NetReclassification
        With the two classes apart. With one class only, NaN and the reason.

    Raises
    ------
    ValueError
        If lengths differ, truth is not binary or a prediction lies outside [0, 1].

    Examples
    --------
    Three of four events move up, one down; of five non-events two move down, one up:

    >>> truth = [1, 1, 1, 1, 0, 0, 0, 0, 0]
    >>> old = [.4, .5, .6, .7, .3, .3, .3, .3, .3]
    >>> new = [.5, .6, .7, .6, .2, .2, .4, .3, .3]
    >>> result = nri_continuous(truth, old, new)
    >>> round(result.events, 3), round(result.nonevents, 3), round(result.value, 3)
    (0.5, 0.2, 0.7)
    """
    pairs = _pairs(truth, p_old, p_new, missing)
    moves = (
        _direction(pairs.events_new - pairs.events_old),
        _direction(pairs.nonevents_new - pairs.nonevents_old),
    )
    name = "category-free net reclassification improvement"
    return _nri(name, pairs, moves, ci=ci, level=level, n_boot=n_boot, seed=seed)


def nri_categorical(
    truth: npt.ArrayLike,
    p_old: npt.ArrayLike,
    p_new: npt.ArrayLike,
    *,
    cutoffs: Sequence[float],
    ci: Literal["asymptotic", "bootstrap"] = "asymptotic",
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int | None = None,
    missing: str = "raise",
) -> NetReclassification:
    """Net reclassification improvement over risk categories (Pencina 2008).

    Parameters
    ----------
    truth, p_old, p_new, ci, level, n_boot, seed, missing
        As for :func:`nri_continuous`.
    cutoffs : sequence of float
        Increasing bounds strictly between 0 and 1. A prediction equal to a bound belongs to
        the category above it.

    Returns
    -------
    NetReclassification
        A move of two categories counts as one move.

    Raises
    ------
    ValueError
        As for :func:`nri_continuous`, and for cutoffs that are not increasing in (0, 1).

    Examples
    --------
    >>> result = nri_categorical([1, 1, 0, 0], [.1, .6, .1, .6], [.6, .7, .1, .4], cutoffs=[.5])
    >>> result.events, result.nonevents
    (0.5, 0.5)
    """
    bounds = _cutoffs(cutoffs)
    pairs = _pairs(truth, p_old, p_new, missing)
    moves = (
        np.sign(np.digitize(pairs.events_new, bounds) - np.digitize(pairs.events_old, bounds)),
        np.sign(
            np.digitize(pairs.nonevents_new, bounds) - np.digitize(pairs.nonevents_old, bounds)
        ),
    )
    name = f"net reclassification improvement over the cutoffs {', '.join(map(str, cutoffs))}"
    return _nri(name, pairs, moves, ci=ci, level=level, n_boot=n_boot, seed=seed)


def idi(
    truth: npt.ArrayLike,
    p_old: npt.ArrayLike,
    p_new: npt.ArrayLike,
    *,
    ci: Literal["asymptotic", "bootstrap"] = "asymptotic",
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int | None = None,
    missing: str = "raise",
) -> DiscriminationImprovement:
    """Integrated discrimination improvement (Pencina 2008).

    Parameters
    ----------
    truth, p_old, p_new, ci, level, n_boot, seed, missing
        As for :func:`nri_continuous`.

    Returns
    -------
    DiscriminationImprovement
        The value, the two classes apart and the discrimination slopes.

    Raises
    ------
    ValueError
        If lengths differ, truth is not binary or a prediction lies outside [0, 1].

    Examples
    --------
    >>> result = idi([1, 1, 0, 0], [.5, .5, .5, .5], [.6, .8, .4, .4])
    >>> round(result.events, 3), round(result.nonevents, 3), round(result.value, 3)
    (0.2, 0.1, 0.3)
    """
    check_choice(ci, "ci", ("asymptotic", "bootstrap"))
    pairs = _pairs(truth, p_old, p_new, missing)
    gains = (pairs.events_new - pairs.events_old, pairs.nonevents_old - pairs.nonevents_new)
    means = [_mean(g) for g in gains]
    value = sum(means)
    se = math.sqrt(sum(_variance_of_mean(g) for g in gains))
    slope_old = _mean(pairs.events_old) - _mean(pairs.nonevents_old)
    slope_new = _mean(pairs.events_new) - _mean(pairs.nonevents_new)
    z, pvalue = _z_test(value, se)
    low, high = _wald(value, se, level)
    method = "integrated discrimination improvement, paired standard error (Pencina 2008)"
    if ci == "bootstrap" and pairs.missing_class is None:
        low, high = _percentile(_bootstrap_mean_sums(gains, n_boot, seed), level)
        method += _bootstrap_words(n_boot, seed)
    return DiscriminationImprovement(
        value=value,
        events=means[0],
        nonevents=means[1],
        slope_old=slope_old,
        slope_new=slope_new,
        relative=_relative(slope_old, slope_new),
        se=se,
        z=z,
        pvalue=pvalue,
        low=low,
        high=high,
        level=level,
        n=pairs.n,
        n_dropped=pairs.n_dropped,
        n_events=pairs.events_old.size,
        n_nonevents=pairs.nonevents_old.size,
        method=method + "; limits not clipped",
        warnings=(CAUTION, NO_REFIT),
        reason=pairs.missing_class or _idi_reason(se, slope_old),
    )


def _pairs(
    truth: npt.ArrayLike, p_old: npt.ArrayLike, p_new: npt.ArrayLike, missing: str
) -> _Pairs:
    labels = as_binary(truth, "truth")
    old, new = _probabilities(p_old, "p_old"), _probabilities(p_new, "p_new")
    same_length(truth=labels, p_old=old, p_new=new)
    drop = missing_rows(missing, truth=labels, p_old=old, p_new=new)
    labels, old, new = labels[~drop], old[~drop], new[~drop]
    event = labels == 1
    return _Pairs(old[event], new[event], old[~event], new[~event], int(drop.sum()))


def _probabilities(values: npt.ArrayLike, name: str) -> FloatArray:
    array = as_vector(values, name)
    bad = array[(array < 0) | (array > 1)]
    if bad.size:
        raise ValueError(
            f"{name} must hold probabilities between 0 and 1, got {bad[0]:g}; "
            "turn scores into predicted probabilities first"
        )
    return array


def _cutoffs(cutoffs: Sequence[float]) -> FloatArray:
    bounds = as_vector(cutoffs, "cutoffs")
    inside = bool(np.all((bounds > 0) & (bounds < 1)))
    if bounds.size == 0 or not inside or np.any(np.diff(bounds) <= 0):
        raise ValueError(
            f"cutoffs must be increasing numbers strictly between 0 and 1, got {list(cutoffs)}"
        )
    return bounds


def _direction(change: FloatArray) -> npt.NDArray[np.int64]:
    return np.where(np.abs(change) <= SAME, 0, np.sign(change)).astype(np.int64)


def _nri(
    name: str,
    pairs: _Pairs,
    moves: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    *,
    ci: str,
    level: float,
    n_boot: int,
    seed: int | None,
) -> NetReclassification:
    check_choice(ci, "ci", ("asymptotic", "bootstrap"))
    check_level(level)
    (up1, down1), (up0, down0) = _shares(moves[0]), _shares(moves[1])
    n1, n0 = moves[0].size, moves[1].size
    events, nonevents = up1 - down1, down0 - up0
    value = events + nonevents
    null1, null0 = _ratio(up1 + down1, n1), _ratio(up0 + down0, n0)
    se_null = math.sqrt(null1 + null0)
    se = math.sqrt(_ratio(up1 + down1 - events**2, n1) + _ratio(up0 + down0 - nonevents**2, n0))
    z, pvalue = _z_test(value, se)
    z_null, p_null = _z_test(value, se_null)
    z_events, p_events = _z_test(events, math.sqrt(null1))
    z_nonevents, p_nonevents = _z_test(nonevents, math.sqrt(null0))
    low, high = _wald(value, se, level)
    method = f"{name}; default variance Pencina 2011, null variance Pencina 2008"
    if ci == "bootstrap" and pairs.missing_class is None:
        low, high = _percentile(_bootstrap_nri(moves, n_boot, seed), level)
        method += _bootstrap_words(n_boot, seed)
    return NetReclassification(
        value=value,
        events=events,
        nonevents=nonevents,
        up_events=up1,
        down_events=down1,
        up_nonevents=up0,
        down_nonevents=down0,
        se=se,
        z=z,
        pvalue=pvalue,
        se_null=se_null,
        z_null=z_null,
        p_null=p_null,
        z_events=z_events,
        p_events=p_events,
        z_nonevents=z_nonevents,
        p_nonevents=p_nonevents,
        low=low,
        high=high,
        level=level,
        n=pairs.n,
        n_dropped=pairs.n_dropped,
        n_events=n1,
        n_nonevents=n0,
        method=method + "; limits not clipped",
        warnings=(CAUTION, NO_REFIT),
        reason=pairs.missing_class or _nri_reason(se, se_null),
    )


def _shares(moves: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the shares moved up and down; NaN for an empty class."""
    if moves.size == 0:
        return math.nan, math.nan
    return float(np.mean(moves > 0)), float(np.mean(moves < 0))


def _ratio(numerator: float, denominator: int) -> float:
    # rounding can leave -1e-17 where all subjects move one way
    return max(numerator, 0.0) / denominator if denominator else math.nan


def _z_test(value: float, se: float) -> tuple[float, float]:
    if not se > 0:
        return math.nan, math.nan
    z = value / se
    return z, float(2 * norm.sf(abs(z)))


def _wald(value: float, se: float, level: float) -> tuple[float, float]:
    if not se > 0:
        return math.nan, math.nan
    half = float(norm.ppf(0.5 + check_level(level) / 2)) * se
    return value - half, value + half


def _nri_reason(se: float, se_null: float) -> str | None:
    if se_null == 0:
        return "no prediction moved, so the standard error is 0 and z, p and interval are undefined"
    if se == 0:
        return (
            "all predictions of a class moved the same way, so the variance of Pencina 2011 is 0 "
            "and z, p and interval are undefined; z_null and p_null are defined"
        )
    return None


def _idi_reason(se: float, slope_old: float) -> str | None:
    if not se > 0:
        return (
            "the change of the prediction has no variance that can be estimated within the "
            "classes, so z, p and interval are undefined"
        )
    if slope_old == 0:
        return "the old discrimination slope is 0, so the relative improvement is undefined"
    return None


def _mean(values: FloatArray) -> float:
    return float(np.mean(values)) if values.size else math.nan


def _variance_of_mean(values: FloatArray) -> float:
    if values.size < 2:
        return math.nan
    variance = float(np.var(values, ddof=1))
    # equal changes differ in the last bits; a z of 1e15 would be an artefact of rounding
    return variance / values.size if variance > SAME**2 else 0.0


def _relative(slope_old: float, slope_new: float) -> float:
    return slope_new / slope_old - 1 if slope_old else math.nan


def _bootstrap_words(n_boot: int, seed: int | None) -> str:
    return (
        f"; percentile bootstrap limits, {n_boot} replicates of subjects within each class, "
        f"seed {seed}"
    )


def _percentile(replicates: FloatArray, level: float) -> tuple[float, float]:
    tail = (1 - check_level(level)) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def _bootstrap_nri(
    moves: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], n_boot: int, seed: int | None
) -> FloatArray:
    """Draw the counts of moves: resampling subjects within a class is a multinomial draw."""
    rng = np.random.default_rng(seed)
    total = np.zeros(_replicates(n_boot))
    for sign, moved in ((1, moves[0]), (-1, moves[1])):
        shares = [np.mean(moved == direction) for direction in (1, -1, 0)]
        counts = rng.multinomial(moved.size, shares, size=n_boot)
        total += sign * (counts[:, 0] - counts[:, 1]) / moved.size
    return total


def _bootstrap_mean_sums(
    gains: tuple[FloatArray, FloatArray], n_boot: int, seed: int | None
) -> FloatArray:
    rng = np.random.default_rng(seed)
    replicates = range(_replicates(n_boot))
    return np.array(
        [sum(float(g[rng.integers(g.size, size=g.size)].mean()) for g in gains) for _ in replicates]
    )


def _replicates(n_boot: int) -> int:
    if n_boot < 100:
        raise ValueError(f"n_boot must be at least 100 for percentile limits, got {n_boot}")
    return n_boot

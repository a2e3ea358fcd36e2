"""How well a score orders censored survival: Harrell's C and the time-dependent AUC.

References
----------
Harrell FE, Califf RM, Pryor DB, et al. JAMA 1982;247:2543-2546.
Uno H, Cai T, Tian L, Wei LJ. JASA 2007;102:527-537; Hung H, Chiang CT. Can J Stat 2010;38:8-26;
Blanche P, Dartigues JF, Jacqmin-Gadda H. Stat Med 2013;32:5381-5397 (time-dependent AUC).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from readerstudy.stats.follow_up import FollowUp, follow_up, product_limit
from readerstudy.stats.results import Result
from readerstudy.stats.validation import FloatArray, IntArray, as_vector, check_level


@dataclass(frozen=True, kw_only=True)
class ConcordanceResult(Result):
    """Harrell's C with its pairs.

    Attributes
    ----------
    c : float
        Share of comparable pairs in which the one with the higher risk fails first; ties of the
        risk count one half.
    se, low, high : float
        Infinitesimal jackknife over subjects; normal limits, clipped to [0, 1].
    concordant, discordant, tied_risk : int
        Comparable pairs.
    n_events : int
    level : float
    """

    c: float
    se: float
    low: float
    high: float
    concordant: int
    discordant: int
    tied_risk: int
    n_events: int
    level: float

    def summary(self) -> str:
        """Return C with its limits in one line."""
        if math.isnan(self.c):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return f"C = {self.c:.6g} ({self.low:.6g} to {self.high:.6g}), n = {self.n}, {self.method}"


@dataclass(frozen=True, kw_only=True)
class TimeDependentAuc(Result):
    """Cumulative/dynamic AUC at each time.

    Attributes
    ----------
    times, auc : ndarray, shape (t,)
    se, low, high : ndarray, shape (t,)
        From the bootstrap; NaN without it.
    n_cases, n_controls : ndarray of int, shape (t,)
        Events up to the time; subjects still followed after it.
    level : float
    """

    times: FloatArray
    auc: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    n_cases: IntArray
    n_controls: IntArray
    level: float


def harrell_c(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    *,
    level: float = 0.95,
    missing: str = "raise",
) -> ConcordanceResult:
    """Harrell's concordance of a risk score with censored survival.

    Parameters
    ----------
    time, event, level, missing
        As for :func:`kaplan_meier`.
    risk : array_like, shape (n,)
        Higher = earlier event. Never turned round.

    Returns
    -------
    ConcordanceResult
        NaN with the reason where no pair can be compared. A pair is comparable if the shorter
        follow-up ends in an event; at equal times an event comes before a censoring.

    Examples
    --------
    >>> harrell_c([1, 2, 3, 4], [1, 1, 0, 1], [4, 2, 3, 1]).c
    0.8
    """
    check_level(level)
    data = follow_up(time, event, as_vector(risk, "risk"), name="risk", missing=missing)
    score, pairs, counts = _concordance(data)
    total = float(pairs.sum()) / 2
    c = float(score.sum()) / 2 / total if total else math.nan
    se = float(np.sqrt((((score - c * pairs) / total) ** 2).sum())) if total else math.nan
    half = float(norm.ppf(0.5 + level / 2)) * se
    return ConcordanceResult(
        c=c,
        se=se,
        low=max(c - half, 0.0) if se > 0 else math.nan,
        high=min(c + half, 1.0) if se > 0 else math.nan,
        concordant=counts[0],
        discordant=counts[1],
        tied_risk=counts[2],
        n_events=int(data.event.sum()),
        level=level,
        n=data.time.size,
        n_dropped=data.n_dropped,
        method="Harrell's C, infinitesimal jackknife standard error, limits clipped to [0, 1]",
        reason=_concordance_reason(total, se),
    )


def time_dependent_auc(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    marker: npt.ArrayLike,
    *,
    times: npt.ArrayLike,
    n_boot: int = 0,
    seed: int | None = None,
    level: float = 0.95,
    missing: str = "raise",
) -> TimeDependentAuc:
    """Cumulative/dynamic AUC with inverse probability of censoring weights.

    At time t a case had the event by t, a control is still followed after t. Cases are weighted
    by the inverse of the Kaplan-Meier probability of not being censored before their event, the
    same for all subjects ("marginal"); this assumes censoring independent of marker and survival.

    Parameters
    ----------
    time, event, level, missing
        As for :func:`kaplan_meier`.
    marker : array_like, shape (n,)
        Higher = earlier event. Never turned round.
    times : array_like, shape (t,)
        Horizons.
    n_boot, seed : int
        Bootstrap replicates of subjects for standard errors and percentile limits; 0 = none.

    Returns
    -------
    TimeDependentAuc
        NaN with the reason at times without a case or without a control.

    Examples
    --------
    Without censoring it is the ordinary AUC of "dead by t":

    >>> result = time_dependent_auc([1, 2, 3, 4], [1, 1, 1, 1], [9, 3, 5, 1], times=[2])
    >>> result.auc.tolist()
    [0.75]
    """
    check_level(level)
    data = follow_up(time, event, as_vector(marker, "marker"), name="marker", missing=missing)
    if n_boot and n_boot < 100:
        raise ValueError(f"n_boot must be 0 or at least 100, got {n_boot}")
    asked = as_vector(times, "times")
    auc = _ipcw_auc(data, asked)
    defined = ~np.isnan(auc)
    se, low, high = np.full((3, asked.size), math.nan)
    if n_boot and defined.any():
        replicates = _bootstrap_auc(data, asked[defined], n_boot, seed)
        se[defined] = np.nanstd(replicates, axis=0, ddof=1)
        tail = (1 - level) / 2
        low[defined], high[defined] = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    undefined = [f"{t:g}" for t, a in zip(asked, auc, strict=True) if math.isnan(a)]
    method = "cumulative/dynamic AUC, inverse probability of censoring weights (Blanche 2013)"
    if n_boot:
        method += f"; percentile bootstrap of subjects, {n_boot} replicates, seed {seed}"
    return TimeDependentAuc(
        times=asked,
        auc=auc,
        se=se,
        low=low,
        high=high,
        n_cases=np.array([((data.time <= t) & data.event).sum() for t in asked], dtype=np.int64),
        n_controls=np.array([(data.time > t).sum() for t in asked], dtype=np.int64),
        level=level,
        n=data.time.size,
        n_dropped=data.n_dropped,
        method=method,
        reason=f"no case or no control at time {', '.join(undefined)}" if undefined else None,
    )


def _concordance(data: FollowUp) -> tuple[FloatArray, FloatArray, tuple[int, int, int]]:
    """Return per subject its concordance score and its comparable pairs, and the pair counts."""
    score, pairs = np.zeros(data.time.size), np.zeros(data.time.size)
    counts = np.zeros(3, dtype=np.int64)
    for i in np.flatnonzero(data.event):
        later = (data.time > data.time[i]) | ((data.time == data.time[i]) & ~data.event)
        difference = np.sign(data.extra[i] - data.extra[later])
        agreement = (1 + difference) / 2
        score[i] += agreement.sum()
        score[later] += agreement
        pairs[i] += agreement.size
        pairs[later] += 1
        counts += [(difference > 0).sum(), (difference < 0).sum(), (difference == 0).sum()]
    return score, pairs, (int(counts[0]), int(counts[1]), int(counts[2]))


def _concordance_reason(total: float, se: float) -> str | None:
    if not total:
        return "no pair can be compared: no event is followed by a longer follow-up"
    if not se > 0:
        return (
            "all subjects agree or disagree alike, so the standard error is 0 and limits are open"
        )
    return None


def _ipcw_auc(data: FollowUp, times: FloatArray) -> FloatArray:
    steps, uncensored, _ = product_limit(data.time, ~data.event, events_first=False)
    curve = np.concatenate([[1.0], uncensored])
    with np.errstate(divide="ignore"):
        weight = 1 / curve[np.searchsorted(steps, data.time)]
    values = []
    for t in times:
        case, control = (data.time <= t) & data.event, np.sort(data.extra[data.time > t])
        marker, w = data.extra[case], weight[case]
        below = np.searchsorted(control, marker) + np.searchsorted(control, marker, "right")
        defined = w.size and control.size
        values.append(w @ below / (2 * w.sum() * control.size) if defined else math.nan)
    return np.array(values, dtype=float)


def _bootstrap_auc(data: FollowUp, times: FloatArray, n_boot: int, seed: int | None) -> FloatArray:
    """Return replicates by resampling subjects; NaN where one has no case or no control."""
    rng = np.random.default_rng(seed)
    n = data.time.size
    replicates = np.empty((n_boot, times.size))
    for b in range(n_boot):
        rows = rng.integers(n, size=n)
        sample = FollowUp(data.time[rows], data.event[rows], data.extra[rows], 0)
        replicates[b] = _ipcw_auc(sample, times)
    return replicates

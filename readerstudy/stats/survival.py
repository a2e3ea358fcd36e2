"""Survival: Kaplan-Meier, the log-rank test and Cox regression.

Where an event and a censoring fall on one time, the event comes first. The Cox model is that of
statsmodels, which agrees with R's survival package to the last digits. The product-limit estimate
is ours, because the weights of the time-dependent AUC need it for the censoring with that tie
rule; so is the log-rank test, because the one of statsmodels fails where the groups meet at no
event time. Harrell's C and the time-dependent AUC are in
:mod:`readerstudy.stats.survival_discrimination` and can be imported from here.

References
----------
Kaplan EL, Meier P. JASA 1958;53:457-481; Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
Peto R, Peto J. JRSS A 1972;135:185-207. Cox DR. JRSS B 1972;34:187-220.
Efron B. JASA 1977;72:557-565.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack, vstack
from scipy.stats import chi2, norm

from readerstudy.stats.design import INTERCEPT, as_matrix, refuse_dependent, term_names
from readerstudy.stats.follow_up import FollowUp, follow_up, product_limit
from readerstudy.stats.results import Result
from readerstudy.stats.survival_discrimination import harrell_c, time_dependent_auc
from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    as_vector,
    check_choice,
    check_level,
)

FLAT = 1e-9
"""A survival curve this close to 0.5 lies on it: products of fractions miss it in the last bits."""
NO_EVENTS = "no event happened"

__all__ = ["cox", "harrell_c", "kaplan_meier", "logrank", "time_dependent_auc"]


@dataclass(frozen=True, kw_only=True)
class KaplanMeierResult(Result):
    """Survival at the asked times, with the median.

    Attributes
    ----------
    times, survival, se, low, high : ndarray, shape (t,)
        Product-limit estimate, Greenwood standard error and pointwise limits.
    n_risk : ndarray of int, shape (t,)
        At risk just before each time.
    median, median_low, median_high : float
        First time the curve (its lower, its upper limit) is at or below 0.5; the middle of the
        step where it runs exactly on 0.5; NaN where it never gets there.
    n_events : int
    level : float
    """

    times: FloatArray
    survival: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    n_risk: IntArray
    median: float
    median_low: float
    median_high: float
    n_events: int
    level: float

    def summary(self) -> str:
        """Return the median with its limits in one line."""
        limits = f"{self.median_low:.6g} to {self.median_high:.6g}"
        return f"median {self.median:.6g} ({limits}), n = {self.n}, {self.n_events} events"


@dataclass(frozen=True, kw_only=True)
class LogrankResult(Result):
    """Log-rank test; ``observed`` and ``expected`` events follow the order of ``groups``."""

    chi2: float
    df: int
    pvalue: float
    groups: tuple[Hashable, ...]
    observed: FloatArray
    expected: FloatArray


@dataclass(frozen=True, kw_only=True)
class CoxResult(Result):
    """Cox proportional hazards.

    Attributes
    ----------
    terms : tuple of str
        Arrays below have this order.
    beta, se, z, pvalue, hazard_ratio, hr_low, hr_high : ndarray, shape (k,)
        Log hazard ratios, Wald tests and limits.
    loglik, loglik_null, lr_chi2, lr_p : float
        Partial log-likelihoods and the likelihood-ratio test with ``lr_df`` degrees of freedom.
    n_events : int
    level : float
    """

    terms: tuple[str, ...]
    beta: FloatArray
    se: FloatArray
    z: FloatArray
    pvalue: FloatArray
    hazard_ratio: FloatArray
    hr_low: FloatArray
    hr_high: FloatArray
    loglik: float
    loglik_null: float
    lr_chi2: float
    lr_df: int
    lr_p: float
    n_events: int
    level: float

    def summary(self) -> str:
        """Return the hazard ratio of each term in one line."""
        rows = zip(self.terms, self.hazard_ratio, self.hr_low, self.hr_high, strict=True)
        parts = [f"{t}: {h:.4g} ({lo:.4g} to {hi:.4g})" for t, h, lo, hi in rows]
        return f"hazard ratios {'; '.join(parts)}; n = {self.n}, {self.n_events} events"


def kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    times: npt.ArrayLike | None = None,
    ci: Literal["log-log", "log"] = "log-log",
    level: float = 0.95,
    missing: str = "raise",
) -> KaplanMeierResult:
    """Product-limit estimate of survival.

    Parameters
    ----------
    time : array_like, shape (n,)
        Follow-up, at least 0.
    event : array_like of 0/1, shape (n,)
        1 = event at ``time``, 0 = censored.
    times : array_like, optional
        Where to read the curve; the event times if left out.
    ci : {"log-log", "log"}
        Transformation of the pointwise limits; those of "log" are clipped at 1.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    KaplanMeierResult
        NaN with the reason where follow-up ends before a time, and for limits at survival 0 or 1.

    Examples
    --------
    >>> result = kaplan_meier([1, 2, 3, 4], [1, 0, 1, 1], times=[1, 2, 3])
    >>> [float(s) for s in result.survival], result.median
    ([0.75, 0.75, 0.375], 3.0)
    """
    check_choice(ci, "ci", ("log-log", "log"))
    z = float(norm.ppf(0.5 + check_level(level) / 2))
    data = follow_up(time, event, missing=missing)
    steps, survival, spread = product_limit(data.time, data.event, events_first=True)
    low, high = _km_limits(survival, spread, z, ci)
    asked = steps if times is None else as_vector(times, "times")
    last = float(data.time.max(initial=0.0))
    with np.errstate(invalid="ignore"):  # at survival 0 Greenwood's sum is infinite: NaN
        se = survival * spread
    values = _read_curve(steps, (survival, se, low, high), asked, last)
    median = _crossing(steps, survival)
    return KaplanMeierResult(
        times=asked,
        survival=values[0],
        se=values[1],
        low=values[2],
        high=values[3],
        n_risk=np.array([(data.time >= t).sum() for t in asked], dtype=np.int64),
        median=median,
        median_low=_crossing(steps, low),
        median_high=_crossing(steps, high),
        n_events=int(data.event.sum()),
        level=level,
        n=data.time.size,
        n_dropped=data.n_dropped,
        method=f"Kaplan-Meier, Greenwood standard error, {ci} limits"
        + (", clipped at 1" if ci == "log" else ""),
        reason=_km_reason(values, median, last),
    )


def logrank(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: Sequence[Hashable] | npt.NDArray[Any],
    *,
    missing: str = "raise",
) -> LogrankResult:
    """Log-rank test of equal survival in two or more groups.

    Parameters
    ----------
    time, event, missing
        As for :func:`kaplan_meier`.
    group : sequence, shape (n,)
        Label of the group, any kind that can be sorted.

    Returns
    -------
    LogrankResult
        NaN with the reason without events. A group never at risk at an event time is left out
        of the degrees of freedom with a warning.

    Raises
    ------
    ValueError
        With fewer than two groups.

    Examples
    --------
    >>> result = logrank([1, 3, 5, 2, 4, 6], [1] * 6, list("aaabbb"))
    >>> round(result.chi2, 4), result.df
    (0.4849, 1)
    """
    labels, codes = np.unique(np.asarray(group), return_inverse=True)
    data = follow_up(time, event, codes.astype(float), name="group", missing=missing)
    if labels.size < 2:
        raise ValueError("group must hold at least two groups to compare")
    codes = data.extra.astype(int)
    observed = np.array([data.event[codes == g].sum() for g in range(labels.size)], dtype=float)
    expected, covariance = _logrank_moments(data, codes, labels.size)
    at_risk = expected > 0
    rank = max(int(at_risk.sum()) - 1, 0)
    used = np.flatnonzero(at_risk)[:rank]
    gap, part = (observed - expected)[used], covariance[np.ix_(used, used)]
    known = rank > 0 and np.linalg.matrix_rank(part) == rank
    statistic = float(gap @ np.linalg.solve(part, gap)) if known else math.nan
    return LogrankResult(
        chi2=statistic,
        df=rank,
        pvalue=float(chi2.sf(statistic, rank)),
        groups=tuple(labels.tolist()),
        observed=observed,
        expected=expected,
        n=data.time.size,
        n_dropped=data.n_dropped,
        method="log-rank test (Peto and Peto 1972)",
        warnings=tuple(
            f"group {label!r} was never at risk when an event happened and is left out"
            for label in labels[~at_risk].tolist()
            if data.event.any()
        ),
        reason=None if known else _logrank_reason(data),
    )


def cox(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    ties: Literal["efron", "breslow"] = "efron",
    level: float = 0.95,
    missing: str = "raise",
) -> CoxResult:
    """Cox proportional hazards regression.

    Parameters
    ----------
    time, event, level, missing
        As for :func:`kaplan_meier`.
    x : array_like, shape (n, k) or (n,)
        Terms; a DataFrame gives the names.
    names : sequence of str, optional
        Names of the k terms.
    ties : {"efron", "breslow"}
        Likelihood for events at one time.

    Returns
    -------
    CoxResult
        NaN with the reason without events, or where a combination of terms orders the events
        perfectly, so that a hazard ratio would run to infinity.

    Raises
    ------
    ValueError
        If terms are constant or linearly dependent.

    Examples
    --------
    >>> fit = cox([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0], [1, 0, 1, 1, 0, 0], names=["sign"])
    >>> bool(fit.hazard_ratio[0] > 1)
    True
    """
    check_choice(ties, "ties", ("efron", "breslow"))
    check_level(level)
    matrix = as_matrix(x)
    terms = term_names(x, names, matrix.shape[1])
    data = follow_up(time, event, matrix, name="x", missing=missing)
    refuse_dependent(np.column_stack([np.ones(data.time.size), data.extra]), (INTERCEPT, *terms))
    reason = _cox_reason(data)
    fit = _cox_fit(data, ties) if reason is None else _no_cox_fit(len(terms))
    half = norm.ppf(0.5 + level / 2) * fit["se"]
    statistic = max(2 * (fit["loglik"] - fit["loglik_null"]), 0.0) if reason is None else math.nan
    with np.errstate(over="ignore"):
        ratios = [np.exp(fit["beta"] + shift) for shift in (0, -half, half)]
    return CoxResult(
        terms=terms,
        beta=fit["beta"],
        se=fit["se"],
        z=fit["beta"] / fit["se"],
        pvalue=2 * norm.sf(np.abs(fit["beta"] / fit["se"])),
        hazard_ratio=ratios[0],
        hr_low=ratios[1],
        hr_high=ratios[2],
        loglik=fit["loglik"],
        loglik_null=fit["loglik_null"],
        lr_chi2=statistic,
        lr_df=len(terms),
        lr_p=float(chi2.sf(statistic, len(terms))),
        n_events=int(data.event.sum()),
        level=level,
        n=data.time.size,
        n_dropped=data.n_dropped,
        method=f"Cox proportional hazards (Cox 1972), {ties.capitalize()} ties, Wald limits",
        warnings=("Proportional hazards are assumed, not tested here.",),
        reason=reason,
    )


def _km_limits(
    survival: FloatArray, spread: FloatArray, z: float, ci: str
) -> tuple[FloatArray, FloatArray]:
    inside = survival > 0
    s, w = np.where(inside, survival, 0.5), np.where(inside, spread, 0.0)
    if ci == "log":
        low, high = s * np.exp(-z * w), np.minimum(s * np.exp(z * w), 1.0)
    else:
        power = z * w / np.log(s)
        low, high = s ** np.exp(-power), s ** np.exp(power)
    return np.where(inside, low, math.nan), np.where(inside, high, math.nan)


def _read_curve(
    steps: FloatArray, curves: Sequence[FloatArray], asked: FloatArray, last: float
) -> list[FloatArray]:
    """Read step functions (survival, se, low, high) at the asked times."""
    position = np.searchsorted(steps, asked, "right")
    before = (1.0, 0.0, math.nan, math.nan)
    values = [
        np.concatenate([[start], curve])[position]
        for start, curve in zip(before, curves, strict=True)
    ]
    # after the last follow-up nothing is known, unless nobody was left
    unknown = (asked > last) & (values[0] > 0)
    return [np.where(unknown, math.nan, v) for v in values]


def _crossing(steps: FloatArray, curve: FloatArray) -> float:
    """Return the first time at or below 0.5, the middle of the step where it lies on 0.5."""
    curve = np.where(np.isnan(curve), math.inf, curve)
    below = np.flatnonzero(curve <= 0.5 + FLAT)
    if below.size == 0:
        return math.nan
    first = below[0]
    if abs(curve[first] - 0.5) <= FLAT and first + 1 < steps.size:
        return float((steps[first] + steps[first + 1]) / 2)
    return float(steps[first])


def _km_reason(values: Sequence[FloatArray], median: float, last: float) -> str | None:
    parts = []
    if np.isnan(values[0]).any():
        parts.append(f"follow-up ends at {last:g}, before some of the times")
    if (np.isnan(values[2]) & ~np.isnan(values[0])).any():
        parts.append("limits are undefined where survival is 0 or 1")
    if math.isnan(median):
        parts.append("survival does not fall to one half, so the median is not reached")
    return "; ".join(parts) or None


def _logrank_moments(
    data: FollowUp, codes: npt.NDArray[np.int_], n_groups: int
) -> tuple[FloatArray, FloatArray]:
    """Return expected events per group and their hypergeometric covariance."""
    steps, events = np.unique(data.time[data.event], return_counts=True)
    at_risk = np.array(
        [
            (codes == g).sum() - np.searchsorted(np.sort(data.time[codes == g]), steps)
            for g in range(n_groups)
        ]
    )
    total = at_risk.sum(axis=0)
    share = at_risk / total
    spread = events * (total - events) / np.maximum(total - 1, 1)
    covariance = np.diag(share @ spread) - (share * spread) @ share.T
    return np.asarray(share @ events, dtype=float), np.asarray(covariance, dtype=float)


def _logrank_reason(data: FollowUp) -> str:
    if not data.event.any():
        return NO_EVENTS
    return "at no event time do the groups differ in who could have failed: nothing to compare"


def _cox_fit(data: FollowUp, ties: str) -> dict[str, Any]:
    from statsmodels.duration.hazard_regression import PHReg

    # large offsets and units would overflow the exponential; the model does not depend on them
    scale = data.extra.std(axis=0)
    standard = (data.extra - data.extra.mean(axis=0)) / scale
    model = PHReg(data.time, standard, status=data.event.astype(int), ties=ties)
    fit = model.fit(disp=0)
    return {
        "beta": np.asarray(fit.params) / scale,
        "se": np.asarray(fit.bse) / scale,
        "loglik": float(fit.llf),
        "loglik_null": float(model.loglike(np.zeros(scale.size))),
    }


def _no_cox_fit(k: int) -> dict[str, Any]:
    nan = np.full(k, math.nan)
    return {"beta": nan, "se": nan, "loglik": math.nan, "loglik_null": math.nan}


def _cox_reason(data: FollowUp) -> str | None:
    if not data.event.any():
        return f"{NO_EVENTS}, so hazards cannot be compared"
    if _is_monotone(data):
        return (
            "a combination of terms is highest in every subject who fails, at the time it fails, "
            "so the partial likelihood has no maximum (a hazard ratio runs to infinity)"
        )
    return None


def _is_monotone(data: FollowUp) -> bool:
    """Look for a direction in which each failing subject is highest of those at risk.

    A linear programme in the direction b and in m[k], an upper bound of x b over the risk set
    of event time k: x b <= m[k] for who leaves in [t[k], t[k+1]), m[k+1] <= m[k], and
    x b >= m[k] for who fails at t[k].
    """
    steps = np.unique(data.time[data.event])
    joined = np.searchsorted(steps, data.time, "right") - 1
    rows = joined >= 0
    x = data.extra - data.extra.mean(axis=0)
    x = x / np.abs(x).max(axis=0)
    bound = _pick(joined[rows], steps.size)
    failing = _pick(joined[data.event], steps.size)
    falling = _pick(np.arange(1, steps.size), steps.size) - _pick(
        np.arange(steps.size - 1), steps.size
    )
    k = x.shape[1]
    constraints = vstack(
        [
            hstack([csr_array(x[rows]), -bound]),
            hstack([csr_array((steps.size - 1, k)), falling]),
            hstack([csr_array(-x[data.event]), failing]),
        ]
    )
    solution = linprog(
        np.concatenate([-_lead(data, x), np.zeros(steps.size)]),
        A_ub=constraints,
        b_ub=np.zeros(constraints.shape[0]),
        bounds=[(-1, 1)] * k + [(None, None)] * steps.size,
    )
    if not solution.success:
        raise ArithmeticError(f"the search for an infinite hazard ratio failed: {solution.message}")
    return bool(-solution.fun > 1e-5)


def _pick(columns: npt.NDArray[np.intp], n_columns: int) -> csr_array:
    rows = np.arange(columns.size)
    return coo_array((np.ones(columns.size), (rows, columns)), (columns.size, n_columns)).tocsr()


def _lead(data: FollowUp, x: FloatArray) -> FloatArray:
    """Return the sum over events of x minus the mean of x over the risk set."""
    order = np.argsort(data.time, kind="stable")
    tail = np.cumsum(x[order][::-1], axis=0)[::-1]
    first = np.searchsorted(data.time[order], data.time[data.event])
    size = (data.time.size - first)[:, None]
    return np.asarray((x[data.event] - tail[first] / size).sum(axis=0), dtype=float)

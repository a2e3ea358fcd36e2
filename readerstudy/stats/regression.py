"""Logistic regression: likelihood fits, separation, Firth's penalty and elimination.

The maximum-likelihood fit is the generalised linear model of statsmodels. Firth's fit, profile
limits and likelihood-ratio tests of whole factors, which statsmodels does not have, are here.

References
----------
Konis K. Linear programming algorithms for detecting separated data in binary logistic regression
models. DPhil thesis, Oxford 2007.
Firth D. Biometrika 1993;80:27-38; Heinze G, Schemper M. Stat Med 2002;21:2409-2419.
Venzon DJ, Moolgavkar SH. Appl Stat 1988;37:87-94 (exact profile limits).
Venables WN, Ripley BD. Modern Applied Statistics with S, 4th ed. 2002 (R's profile limits).
Nagelkerke NJD. Biometrika 1991;78:691-692.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import norm

from readerstudy.stats.design import INTERCEPT
from readerstudy.stats.logistic_likelihood import (
    LogisticData,
    LogisticFit,
    fit_logistic,
    is_separated,
    log_likelihood,
    null_loglik,
    prepare,
)
from readerstudy.stats.logistic_profile import exact_limits, interpolated_limits
from readerstudy.stats.results import Result
from readerstudy.stats.validation import (
    FloatArray,
    check_choice,
    check_level,
)

Limits = Literal["wald", "profile", "profile_exact"]
LIMITS: dict[str, str] = {
    "wald": "Wald limits",
    "profile": "profile-likelihood limits, signed root at steps of z/5 by spline as R's confint "
    "(Venables & Ripley 2002)",
    "profile_exact": "profile-likelihood limits, exact roots (Venzon & Moolgavkar 1988)",
}
EVENTS_PER_TERM = 10
ESTIMATES = (
    "beta",
    "se",
    "z",
    "pvalue",
    "beta_low",
    "beta_high",
    "odds_ratio",
    "or_low",
    "or_high",
)
MEASURES = ("loglik", "aic", "bic", "lr_chi2", "lr_p", "cox_snell", "nagelkerke", "mcfadden")
SELECTION = (
    "The terms were chosen by their P values on these data: P values, limits and fit of the final "
    "model are too good, and other samples would choose other terms. Validate on new data."
)


@dataclass(frozen=True, kw_only=True)
class LogisticResult(Result):
    """A logistic regression.

    Attributes
    ----------
    terms : tuple of str
        Starts with "(Intercept)"; arrays below have this order.
    beta, se, z, pvalue : ndarray, shape (k,)
        Log odds ratios, standard errors, Wald z and P (with Firth and profile limits: the P of
        the penalised likelihood-ratio test). Firth: inverse information at the estimate.
    beta_low, beta_high : ndarray, shape (k,)
        Limits of the log odds ratios.
    odds_ratio, or_low, or_high : ndarray, shape (k,)
        Odds ratios with their limits; an infinite limit means the profile never reaches it, NaN
        that the interpolated profile ends before it.
    loglik, loglik_null, aic, bic : float
        Log-likelihood of the model and of the intercept alone; penalised ones after Firth.
    lr_chi2, lr_df, lr_p : float, int, float
        Likelihood-ratio test of all terms together.
    cox_snell, nagelkerke, mcfadden : float
        Pseudo-R2, from likelihoods without penalty.
    separated, firth : bool
        Whether a combination of terms separates the classes; whether Firth's penalty was used.
    covariance : ndarray, shape (k, k)
    fitted : ndarray, shape (n,)
        Fitted probabilities.
    n_events : int
        Number of y = 1.
    level : float
        Confidence level of the limits.
    """

    terms: tuple[str, ...]
    beta: FloatArray
    se: FloatArray
    z: FloatArray
    pvalue: FloatArray
    beta_low: FloatArray
    beta_high: FloatArray
    odds_ratio: FloatArray
    or_low: FloatArray
    or_high: FloatArray
    level: float
    loglik: float
    loglik_null: float
    aic: float
    bic: float
    lr_chi2: float
    lr_df: int
    lr_p: float
    cox_snell: float
    nagelkerke: float
    mcfadden: float
    separated: bool
    firth: bool
    covariance: FloatArray
    fitted: FloatArray
    n_events: int

    def summary(self) -> str:
        """Return the odds ratio of each term in one line."""
        rows = zip(self.terms, self.odds_ratio, self.or_low, self.or_high, strict=True)
        parts = [f"{t}: {o:.4g} ({lo:.4g} to {hi:.4g})" for t, o, lo, hi in rows if t != INTERCEPT]
        return f"odds ratios {'; '.join(parts) or 'none'}; n = {self.n}, {self.method}"


@dataclass(frozen=True, kw_only=True)
class UnivariableResult(Result):
    """One logistic regression per factor.

    Attributes
    ----------
    terms, factor : tuple of str
        Term and the factor it belongs to; arrays below have this order, without intercepts.
    beta, se, z, pvalue, odds_ratio, or_low, or_high : ndarray
        As in :class:`LogisticResult`, each from the model of its own factor.
    lrt_p : ndarray
        Likelihood-ratio P of the whole factor, repeated for its terms.
    models : dict of str to LogisticResult
        The fits by factor.
    """

    terms: tuple[str, ...]
    factor: tuple[str, ...]
    beta: FloatArray
    se: FloatArray
    z: FloatArray
    pvalue: FloatArray
    odds_ratio: FloatArray
    or_low: FloatArray
    or_high: FloatArray
    lrt_p: FloatArray
    models: dict[str, LogisticResult]


@dataclass(frozen=True, kw_only=True)
class EliminationStep(Result):
    """One removal: the factor, its likelihood-ratio test in the model it was removed from."""

    removed: str
    lrt_chi2: float
    lrt_df: int
    lrt_p: float


@dataclass(frozen=True, kw_only=True)
class EliminationResult(Result):
    """Backward elimination.

    Attributes
    ----------
    path : tuple of EliminationStep
        Removals in order.
    final : LogisticResult
        The model left; ``final.terms`` names what stayed.
    kept : tuple of str
        Factors left.
    threshold : float
        A factor stays while its P is below this.
    """

    path: tuple[EliminationStep, ...]
    final: LogisticResult
    kept: tuple[str, ...]
    threshold: float


def logistic(
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    ci: Limits = "wald",
    firth: Literal["auto"] | bool = "auto",
    level: float = 0.95,
    missing: str = "raise",
) -> LogisticResult:
    """Logistic regression of a binary outcome.

    Parameters
    ----------
    y : array_like of 0/1, shape (n,)
        Outcome; both values must occur.
    x : array_like, shape (n, k) or (n,)
        Terms without the intercept; k may be 0. A DataFrame gives the names.
    names : sequence of str, optional
        Names of the k terms.
    ci : {"wald", "profile", "profile_exact"}
        Limits from the standard error; from the profile likelihood as R's ``confint(glm)`` gives
        them, interpolated; or from the exact roots of the profile likelihood. With Firth's
        penalty both profile choices are the exact roots of the penalised profile likelihood.
    firth : {"auto", True, False}
        Firth's penalty: where a linear programme finds separation, always, or never. Never with
        separated data gives NaN and the reason: the estimates do not exist.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    LogisticResult

    Raises
    ------
    ValueError
        If y has one value only, lengths differ, terms are linearly dependent or outnumber rows.

    Examples
    --------
    With one binary term the coefficient is the log odds ratio of the 2x2 table, its standard
    error is Woolf's: here 20/10 against 5/15.

    >>> y = [1] * 20 + [0] * 10 + [1] * 5 + [0] * 15
    >>> fit = logistic(y, [1] * 30 + [0] * 20, names=["sign"])
    >>> float(round(fit.odds_ratio[1], 6)), float(round(fit.se[1] ** 2, 6))
    (6.0, 0.416667)
    """
    check_choice(ci, "ci", tuple(LIMITS))
    if firth not in ("auto", True, False):
        raise ValueError(f'firth must be "auto", True or False, got {firth!r}')
    check_level(level)
    data = prepare(y, x, names, missing)
    separated = is_separated(data)
    return _describe(data, ci=ci, firth=firth, separated=separated, level=level)


def univariable(
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    factors: Mapping[str, Sequence[str]] | None = None,
    ci: Limits = "wald",
    firth: Literal["auto"] | bool = "auto",
    level: float = 0.95,
    missing: str = "raise",
) -> UnivariableResult:
    """One logistic regression per factor, each on the same rows.

    Parameters
    ----------
    y, x, names, ci, firth, level, missing
        As for :func:`logistic`.
    factors : mapping of str to sequence of str, optional
        Terms that belong together, such as the indicator columns of one question:
        ``{"location": ["frontal", "thalamus"]}``. Other terms stand alone.

    Returns
    -------
    UnivariableResult

    Examples
    --------
    >>> y = [1, 1, 1, 0, 0, 0, 1, 0]
    >>> x = [[1, 3], [1, 1], [0, 2], [0, 4], [1, 5], [0, 1], [1, 2], [0, 3]]
    >>> univariable(y, x, names=["sign", "size"]).terms
    ('sign', 'size')
    """
    check_choice(ci, "ci", tuple(LIMITS))
    data = prepare(y, x, names, missing)
    groups = _groups(data.terms, factors)
    models: dict[str, LogisticResult] = {}
    for factor, terms in groups.items():
        part = data.keep(terms)
        separated = is_separated(part)
        models[factor] = _describe(part, ci=ci, firth=firth, separated=separated, level=level)
    return UnivariableResult(
        terms=tuple(t for m in models.values() for t in m.terms[1:]),
        factor=tuple(f for f, terms in groups.items() for _ in terms),
        beta=_stack(models, "beta"),
        se=_stack(models, "se"),
        z=_stack(models, "z"),
        pvalue=_stack(models, "pvalue"),
        odds_ratio=_stack(models, "odds_ratio"),
        or_low=_stack(models, "or_low"),
        or_high=_stack(models, "or_high"),
        lrt_p=np.array([m.lr_p for m in models.values() for _ in m.terms[1:]]),
        models=models,
        n=data.y.size,
        n_dropped=data.n_dropped,
        method="one logistic regression per factor; P values not adjusted for their number",
        warnings=tuple(dict.fromkeys(w for m in models.values() for w in m.warnings)),
        reason="; ".join(dict.fromkeys(m.reason for m in models.values() if m.reason)) or None,
    )


def backward_elimination(
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    factors: Mapping[str, Sequence[str]] | None = None,
    threshold: float = 0.05,
    ci: Limits = "wald",
    firth: Literal["auto"] | bool = "auto",
    level: float = 0.95,
    missing: str = "raise",
) -> EliminationResult:
    """Remove the factor with the largest likelihood-ratio P until all are below a threshold.

    Parameters
    ----------
    y, x, names, ci, firth, level, missing
        As for :func:`logistic`. Separation is looked for in the full model; where found, all
        steps use Firth's penalised likelihood-ratio test.
    factors : mapping of str to sequence of str, optional
        As for :func:`univariable`: a factor stays or leaves with all its terms.
    threshold : float
        Between 0 and 1.

    Returns
    -------
    EliminationResult

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(200, 2))
    >>> y = (rng.random(200) < expit(2 * x[:, 0])).astype(int)
    >>> backward_elimination(y, x, names=["signal", "noise"]).kept
    ('signal',)
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold}")
    check_choice(ci, "ci", tuple(LIMITS))
    data = prepare(y, x, names, missing)
    groups = _groups(data.terms, factors)
    separated = is_separated(data)
    if separated and firth is False:
        raise ValueError(
            "a combination of terms separates the classes, so likelihood ratios do not exist: "
            'pass firth="auto"'
        )
    penalised = firth is True or separated
    path: list[EliminationStep] = []
    while groups:
        step = _weakest(fit_logistic(data, firth=penalised), groups)
        if step.lrt_p < threshold:
            break
        path.append(step)
        del groups[step.removed]
        data = data.keep([t for terms in groups.values() for t in terms])
    still = separated and is_separated(data)
    final = _describe(data, ci=ci, firth=penalised, separated=still, level=level)
    return EliminationResult(
        path=tuple(path),
        final=final,
        kept=tuple(groups),
        threshold=threshold,
        n=data.y.size,
        n_dropped=data.n_dropped,
        method="backward elimination by likelihood-ratio tests of whole factors"
        + (", Firth's penalty" if penalised else ""),
        warnings=(SELECTION, *final.warnings),
        reason=final.reason,
    )


def _groups(
    terms: Sequence[str], factors: Mapping[str, Sequence[str]] | None
) -> dict[str, tuple[str, ...]]:
    """Return factor -> terms in column order; every term in exactly one factor."""
    grouped = [term for members in (factors or {}).values() for term in members]
    unknown = set(grouped) - set(terms[1:])
    if unknown or len(set(grouped)) != len(grouped):
        raise ValueError(
            "factors must name terms of x, each once"
            + (f"; unknown: {', '.join(sorted(unknown))}" if unknown else "")
        )
    owner = {term: factor for factor, members in (factors or {}).items() for term in members}
    groups: dict[str, tuple[str, ...]] = {}
    for term in terms[1:]:
        factor = owner.get(term, term)
        groups[factor] = (*groups.get(factor, ()), term)
    return groups


def _describe(
    data: LogisticData, *, ci: str, firth: Literal["auto"] | bool, separated: bool, level: float
) -> LogisticResult:
    if separated and firth is False:
        return _undefined(data, level)
    fit = fit_logistic(data, firth=firth is True or separated)
    se, k = fit.se, fit.beta.size
    z = fit.beta / se
    pvalue = 2 * norm.sf(np.abs(z))
    low, high = _limits(fit, ci, level)
    if fit.firth and ci != "wald":
        pvalue = np.array([fit.likelihood_ratio([j])[1] for j in range(k)])
    return LogisticResult(
        terms=data.terms,
        beta=fit.beta,
        se=se,
        z=z,
        pvalue=pvalue,
        beta_low=low,
        beta_high=high,
        odds_ratio=_exp(fit.beta),
        or_low=_exp(low),
        or_high=_exp(high),
        level=level,
        **_likelihood_measures(fit),
        separated=separated,
        firth=fit.firth,
        covariance=fit.covariance,
        fitted=expit(data.design @ fit.beta),
        n_events=int(data.y.sum()),
        n=data.y.size,
        n_dropped=data.n_dropped,
        method=_method(fit.firth, ci),
        warnings=_warnings(data, fit.firth, ci, separated),
        reason=_reason(data.terms, low, high, exact=fit.firth or ci == "profile_exact"),
    )


def _limits(fit: LogisticFit, ci: str, level: float) -> tuple[FloatArray, FloatArray]:
    if ci == "wald":
        half = norm.ppf(0.5 + level / 2) * fit.se
        return fit.beta - half, fit.beta + half
    find = interpolated_limits if ci == "profile" and not fit.firth else exact_limits
    low, high = np.array([find(fit, j, level) for j in range(fit.beta.size)]).T
    return low, high


def _reason(terms: Sequence[str], low: FloatArray, high: FloatArray, *, exact: bool) -> str | None:
    """Say what is NaN in a fit that exists."""
    reasons = [] if len(terms) > 1 else ["there are no terms, so their test is undefined"]
    beyond = [t for t, a, b in zip(terms, low, high, strict=True) if math.isnan(a) or math.isnan(b)]
    if beyond and exact:
        reasons.append(
            f"the profile of {', '.join(beyond)} cannot be followed to its limit: too few data, "
            "or data that are separated"
        )
    elif beyond:
        reasons.append(
            f"the profile of {', '.join(beyond)} is too flat: its interpolation as in R ends "
            'before the limit; pass ci="profile_exact"'
        )
    return "; ".join(reasons) or None


def _exp(values: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):  # a term in tiny units has odds ratios beyond 1e308: inf
        return np.asarray(np.exp(values), dtype=float)


def _undefined(data: LogisticData, level: float) -> LogisticResult:
    """Return NaN everywhere: separated data have no maximum of the likelihood."""
    k, n = len(data.terms), data.y.size
    undefined: dict[str, Any] = dict.fromkeys(ESTIMATES, np.full(k, math.nan))
    undefined |= dict.fromkeys(MEASURES, math.nan)
    return LogisticResult(
        terms=data.terms,
        **undefined,
        level=level,
        loglik_null=null_loglik(data.y),
        lr_df=k - 1,
        separated=True,
        firth=False,
        covariance=np.full((k, k), math.nan),
        fitted=np.full(n, math.nan),
        n_events=int(data.y.sum()),
        n=n,
        n_dropped=data.n_dropped,
        method=_method(firth=False, ci="wald"),
        reason="a combination of terms separates the classes, so the estimates do not exist "
        '(an odds ratio runs to infinity): pass firth="auto"',
    )


def _method(firth: bool, ci: str) -> str:
    if not firth:
        return f"logistic regression, maximum likelihood, {LIMITS[ci]}"
    penalised = "exact penalised profile-likelihood limits, penalised likelihood-ratio tests"
    return "logistic regression with Firth's penalty (Firth 1993; Heinze and Schemper 2002), " + (
        f"{LIMITS[ci]}, Wald tests" if ci == "wald" else penalised
    )


def _warnings(data: LogisticData, firth: bool, ci: str, separated: bool) -> tuple[str, ...]:
    notes = []
    rarer, k = int(min(data.y.sum(), (1 - data.y).sum())), len(data.terms) - 1
    if separated:
        notes.append(
            "A combination of terms separates the classes: the likelihood has no maximum, so "
            "Firth's penalty was used."
        )
    if firth and ci == "wald":
        notes.append("Wald limits are poor with Firth's penalty in small data; use ci='profile'.")
    if k and rarer < EVENTS_PER_TERM * k:
        notes.append(
            f"{rarer} observations of the rarer outcome for {k} terms, fewer than "
            f"{EVENTS_PER_TERM} per term: estimates are unstable and too large."
        )
    return tuple(notes)


def _likelihood_measures(fit: LogisticFit) -> dict[str, Any]:
    n, k = fit.data.design.shape
    terms = list(range(1, k))
    statistic, pvalue = fit.likelihood_ratio(terms)
    null = fit.loglik - statistic / 2 if terms else fit.loglik
    plain = log_likelihood(fit.data.y, fit.data.design, fit.beta, firth=False)
    plain_null = null_loglik(fit.data.y)
    cox_snell = 1 - math.exp(2 * (plain_null - plain) / n)
    return {
        "loglik": fit.loglik,
        "loglik_null": null,
        "aic": 2 * k - 2 * fit.loglik,
        "bic": k * math.log(n) - 2 * fit.loglik,
        "lr_chi2": statistic,
        "lr_df": k - 1,
        "lr_p": pvalue,
        "cox_snell": cox_snell,
        "nagelkerke": cox_snell / (1 - math.exp(2 * plain_null / n)),
        "mcfadden": 1 - plain / plain_null,
    }


def _stack(models: Mapping[str, LogisticResult], name: str) -> FloatArray:
    """Return one array of all models, without the intercepts."""
    return np.concatenate([np.empty(0), *(getattr(m, name)[1:] for m in models.values())])


def _weakest(fit: LogisticFit, groups: Mapping[str, Sequence[str]]) -> EliminationStep:
    steps = []
    for factor, terms in groups.items():
        columns = [fit.data.terms.index(t) for t in terms]
        statistic, pvalue = fit.likelihood_ratio(columns)
        steps.append(
            EliminationStep(
                removed=factor,
                lrt_chi2=statistic,
                lrt_df=len(columns),
                lrt_p=pvalue,
                n=fit.data.y.size,
                method="likelihood-ratio test of the whole factor",
            )
        )
    return max(steps, key=lambda step: step.lrt_p)

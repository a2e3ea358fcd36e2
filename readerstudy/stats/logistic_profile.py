"""Limits of a logistic coefficient from its profile likelihood: as R gives them, and exact.

Used by :mod:`readerstudy.stats.regression`.

References
----------
Venzon DJ, Moolgavkar SH. Appl Stat 1988;37:87-94 (exact limits).
Venables WN, Ripley BD. Modern Applied Statistics with S, 4th ed. 2002, section 8.4 (R's limits).
Forsythe GE, Malcolm MA, Moler CB. Computer Methods for Mathematical Computations 1977 (spline).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from readerstudy.stats.logistic_likelihood import LogisticFit
from readerstudy.stats.validation import FloatArray

MOST_STEPS = 9
"""R's maxsteps = 10 is the first step not taken."""
POINTS_PER_KNOT = 3
FIRST_STEP = 0.25
"""In standard errors: nearly separated data have large ones, and fits far out do not settle."""


def exact_limits(fit: LogisticFit, column: int, level: float) -> tuple[float, float]:
    """Return where twice the log-likelihood has fallen by its critical value (Venzon 1988).

    Parameters
    ----------
    fit : LogisticFit
        With Firth's penalty the penalised profile is used.
    column : int
        Coefficient, 0 = intercept.
    level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Limits of the coefficient; infinite where the profile never falls so far, NaN where it
        cannot be followed to its bound (few, separated data).
    """
    critical = float(chi2.ppf(level, 1))

    def excess(value: float) -> float:
        return 2 * (fit.loglik - fit.profile({column: value})) - critical

    step = FIRST_STEP * float(fit.se[column])
    low, high = (_limit(excess, fit.beta[column], sign * step) for sign in (-1, 1))
    return low, high


def _limit(excess: Callable[[float], float], estimate: float, step: float) -> float:
    """Walk out from the estimate until the profile falls below its bound, then find the root."""
    inner = estimate
    for _ in range(30):
        outer = inner + step
        try:
            if excess(outer) > 0:
                return float(brentq(excess, inner, outer, xtol=1e-10, rtol=1e-12))
        except ArithmeticError:  # the fit with this value held does not settle
            return math.nan
        inner, step = outer, 2 * step
    return math.copysign(math.inf, step)


def interpolated_limits(fit: LogisticFit, column: int, level: float) -> tuple[float, float]:
    """Return the limits of R's ``confint(glm)``: an interpolated profile (Venables 2002).

    The signed root of the deviance is computed at steps from the estimate, a spline goes through
    these points, and the limits are read from the spline at the normal quantiles.

    Parameters
    ----------
    fit : LogisticFit
        A fit without Firth's penalty.
    column : int
        Coefficient, 0 = intercept.
    level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Limits of the coefficient; NaN where the last step does not reach the quantile.
    """
    farthest = math.sqrt(float(chi2.isf((1 - level) / 4, 1)))
    points = [(float(fit.beta[column]), 0.0)]
    for sign in (-1, 1):
        points += _walk(fit, column, sign, farthest)
    knots, roots = np.array(sorted(points)).T
    at = np.linspace(knots[0], knots[-1], POINTS_PER_KNOT * knots.size)
    values = forsythe_spline(knots, roots, at)
    order = np.argsort(values, kind="stable")
    quantile = float(norm.isf((1 - level) / 2))
    low, high = np.interp(
        [-quantile, quantile], values[order], at[order], left=math.nan, right=math.nan
    )
    return float(low), float(high)


def _walk(fit: LogisticFit, column: int, sign: int, farthest: float) -> list[tuple[float, float]]:
    """Return coefficient and signed root of the deviance at steps on one side."""
    points: list[tuple[float, float]] = []
    root, length = 0.0, farthest / 5 * float(fit.se[column])
    while len(points) < MOST_STEPS and abs(root) < farthest:
        value = float(fit.beta[column]) + sign * (len(points) + 1) * length
        deviance = 2 * (fit.loglik - fit.profile({column: value}))
        root = sign * math.sqrt(max(deviance, 0.0))
        points.append((value, root))
    return points


def forsythe_spline(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Return the cubic spline whose third derivative at each end is that of a local cubic.

    The local cubic goes through the four points at that end; with three points it is a parabola.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Knots, n >= 3, increasing.
    y : ndarray, shape (n,)
        Values at the knots.
    at : ndarray
        Where to evaluate, between the first and last knot.

    Returns
    -------
    ndarray
        Values of the spline (Forsythe, Malcolm and Moler 1977; R's ``spline(method="fmm")``).
    """
    first, last = _third_derivative(x[:4], y[:4]), _third_derivative(x[-4:], y[-4:])
    spline = make_interp_spline(x, y, k=3, bc_type=([(3, first)], [(3, last)]))
    return np.asarray(spline(at), dtype=float)


def _third_derivative(x: FloatArray, y: FloatArray) -> float:
    """Return the third derivative of the cubic through four points."""
    if x.size < 4:
        return 0.0
    differences = x[:, None] - x + np.eye(x.size)
    return float(6 * (y / differences.prod(axis=1)).sum())

"""What logistic regression rests on: checked data, likelihood, fits and separation.

Used by :mod:`readerstudy.stats.regression`, where the references are; limits from the profile
are in :mod:`readerstudy.stats.logistic_profile`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.special import expit
from scipy.stats import chi2

from readerstudy.stats.design import INTERCEPT, as_matrix, refuse_dependent, term_names
from readerstudy.stats.validation import FloatArray, as_binary, missing_rows, same_length

MAX_ITERATIONS = 500
CONVERGED = 1e-9
"""Largest change of a linear predictor in the last Newton step."""
TINY = 1e-300
LARGEST_STEP = 5.0
"""Largest change of a linear predictor in one Newton step: longer steps overshoot."""


@dataclass(frozen=True)
class LogisticData:
    """Outcome and design, intercept first, checked and without missing rows."""

    y: FloatArray
    design: FloatArray
    terms: tuple[str, ...]
    n_dropped: int

    def keep(self, names: Sequence[str]) -> LogisticData:
        """Return the data with the intercept and the named terms only."""
        columns = [0, *(self.terms.index(name) for name in names)]
        terms = tuple(self.terms[i] for i in columns)
        return LogisticData(self.y, self.design[:, columns], terms, self.n_dropped)


@dataclass(frozen=True)
class LogisticFit:
    """A maximum of the likelihood, penalised or not."""

    data: LogisticData
    firth: bool
    beta: FloatArray
    covariance: FloatArray
    loglik: float

    @property
    def se(self) -> FloatArray:
        """Standard errors of the coefficients."""
        return np.asarray(np.sqrt(np.diag(self.covariance)), dtype=float)

    def profile(self, fixed: Mapping[int, float]) -> float:
        """Return the largest log-likelihood with some coefficients held at given values."""
        y, design, held = self.data.y, self.data.design, list(fixed)
        start = self.beta.copy()
        start[held] = list(fixed.values())
        free = np.setdiff1d(np.arange(start.size), held)
        # the other terms first take over what they can, so that the start is never far out
        moved = design[:, held] @ (self.beta[held] - start[held])
        start[free] += np.linalg.lstsq(design[:, free], moved)[0]
        beta = _newton(y, design, start=start, free=free, firth=self.firth)
        return log_likelihood(y, design, beta, firth=self.firth)

    def likelihood_ratio(self, columns: Sequence[int]) -> tuple[float, float]:
        """Return chi-square and P of the hypothesis that these coefficients are all 0."""
        if not columns:
            return math.nan, math.nan
        statistic = max(2 * (self.loglik - self.profile(dict.fromkeys(columns, 0.0))), 0.0)
        return statistic, float(chi2.sf(statistic, len(columns)))


def prepare(
    y: npt.ArrayLike, x: npt.ArrayLike, names: Sequence[str] | None, missing: str
) -> LogisticData:
    """Check the arguments and put the intercept in front."""
    outcome = as_binary(y, "y")
    matrix = as_matrix(x)
    same_length(y=outcome, x=matrix)
    terms = term_names(x, names, matrix.shape[1])
    drop = missing_rows(missing, y=outcome, x=matrix)
    outcome, matrix = outcome[~drop], matrix[~drop]
    if np.unique(outcome).size < 2:
        raise ValueError("y must hold both 0 and 1: with one outcome there is nothing to model")
    design = np.column_stack([np.ones(outcome.size), matrix])
    refuse_dependent(design, (INTERCEPT, *terms))
    return LogisticData(outcome, design, (INTERCEPT, *terms), int(drop.sum()))


def fit_logistic(data: LogisticData, *, firth: bool) -> LogisticFit:
    """Fit by statsmodels' iterated least squares, or by Newton steps with Firth's penalty."""
    if firth:
        k = data.design.shape[1]
        beta = _newton(data.y, data.design, start=np.zeros(k), free=np.arange(k), firth=True)
    else:
        from statsmodels.genmod.families import Binomial
        from statsmodels.genmod.generalized_linear_model import GLM

        model = GLM(data.y, data.design, family=Binomial())
        beta = np.asarray(model.fit(tol=1e-12, maxiter=MAX_ITERATIONS).params)
    inverse = np.linalg.inv(_weighted(data.design, beta)[1])
    covariance = np.asarray(inverse @ inverse.T, dtype=float)
    value = log_likelihood(data.y, data.design, beta, firth=firth)
    return LogisticFit(data, firth, beta, covariance, value)


def log_likelihood(y: FloatArray, design: FloatArray, beta: FloatArray, *, firth: bool) -> float:
    """Return the log-likelihood, with half the log determinant of the information for Firth."""
    eta = design @ beta
    value = float(y @ eta - np.logaddexp(0, eta).sum())
    if not firth:
        return value
    triangle = _weighted(design, beta)[1]
    return value + float(np.log(np.abs(np.diag(triangle))).sum())


def _weighted(design: FloatArray, beta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Q, R and the square roots of the weights p(1 - p) that the design was scaled by.

    The information is R'R and the leverages are the row sums of Q squared; forming X'WX would
    square the condition number, which terms such as a calendar year do not forgive.
    """
    eta = design @ beta
    root = np.sqrt(np.maximum(expit(eta) * expit(-eta), TINY))
    orthogonal, triangle = np.linalg.qr(root[:, None] * design)
    return orthogonal, triangle, root


def _step(
    y: FloatArray,
    design: FloatArray,
    beta: FloatArray,
    *,
    free: npt.NDArray[np.intp],
    firth: bool,
) -> FloatArray:
    """Return the Fisher scoring step of the free coefficients."""
    probability = expit(design @ beta)
    residual = y - probability
    orthogonal, triangle, root = _weighted(design, beta)
    if firth:
        residual = residual + (orthogonal**2).sum(axis=1) * (0.5 - probability)
    if free.size < beta.size:
        orthogonal, triangle = np.linalg.qr(root[:, None] * design[:, free])
    step = np.zeros_like(beta)
    step[free] = np.linalg.solve(triangle, orthogonal.T @ (residual / root))
    return step


def _newton(
    y: FloatArray,
    design: FloatArray,
    *,
    start: FloatArray,
    free: npt.NDArray[np.intp],
    firth: bool,
) -> FloatArray:
    """Maximise the likelihood, penalised for Firth, over the free coefficients.

    Fisher scoring with steps bounded on the linear predictor and halved until the likelihood
    rises. The penalty keeps the information of all terms, also of those held fixed, as in the
    penalised profile likelihood of Heinze and Schemper (2002).
    """
    beta = start.copy()
    value = log_likelihood(y, design, beta, firth=firth)
    for _ in range(MAX_ITERATIONS if free.size else 0):
        step = _step(y, design, beta, free=free, firth=firth)
        change = float(np.abs(design @ step).max())
        if change < CONVERGED:
            return beta
        step *= min(1.0, LARGEST_STEP / change)
        beta, value = _uphill(
            lambda b: log_likelihood(y, design, b, firth=firth), beta, step, value
        )
    if free.size:
        raise ArithmeticError(
            f"the logistic fit did not settle in {MAX_ITERATIONS} steps; look for terms with "
            "extreme values"
        )
    return beta


def _uphill(
    objective: Callable[[FloatArray], float], beta: FloatArray, step: FloatArray, value: float
) -> tuple[FloatArray, float]:
    """Return the point after the step, halved until the objective does not fall."""
    slack = 1e-12 * (1 + abs(value))
    for _ in range(40):
        candidate = beta + step
        reached = objective(candidate)
        if reached >= value - slack:
            return candidate, reached
        step = step / 2
    return beta, value


def null_loglik(y: FloatArray) -> float:
    events, n = float(y.sum()), y.size
    return events * math.log(events / n) + (n - events) * math.log(1 - events / n)


def is_separated(data: LogisticData) -> bool:
    """Look for a direction that no observation contradicts and some supports (Konis 2007)."""
    if data.design.shape[1] == 1:
        return False
    centred = data.design.copy()
    centred[:, 1:] -= centred[:, 1:].mean(axis=0)
    signed = (2 * data.y - 1)[:, None] * centred / np.abs(centred).max(axis=0)
    # margins of a separated set add up to about 1 or more in these units; 0 otherwise
    solution = linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(data.y.size), bounds=(-1, 1)
    )
    if not solution.success:
        raise ArithmeticError(f"the search for separation failed: {solution.message}")
    return bool(-solution.fun > 1e-5)

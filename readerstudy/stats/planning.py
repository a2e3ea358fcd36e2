"""Sample size for two proportions and for kappa. MRMC and ROC planning: ``mrmc_planning``.

Sizes are returned as computed (``n_per_group``, ``n_subjects``) and rounded up once
(``required``).

References
----------
Fleiss JL, Levin B, Paik MC. Statistical methods for rates and proportions, 3rd ed. 2003, ch. 4.
Donner A, Eliasziw M. Stat Med 1992;11:1511-1519 (kappa, goodness of fit, two raters).
Altaye M, Donner A, Klar N. Biometrics 2001;57:584-588 (more raters).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, chi2, ncx2, norm

from readerstudy.stats.results import Result
from readerstudy.stats.validation import FloatArray, as_count, check_choice


@dataclass(frozen=True, kw_only=True)
class TwoProportionSize(Result):
    """Size of two equal independent groups.

    Attributes
    ----------
    n_per_group : float
        As computed, not rounded.
    required : int
        Rounded up, per group; ``n`` is the total of both groups.
    """

    n_per_group: float
    required: int
    p1: float
    p2: float
    alpha: float
    power: float

    def summary(self) -> str:
        """Return the required size in one line."""
        return f"{self.required} per group, {self.n} in all ({self.method})"


@dataclass(frozen=True, kw_only=True)
class KappaSize(Result):
    """Number of subjects for a test of kappa.

    Attributes
    ----------
    n_subjects : float
        As computed, not rounded.
    required : int
        Rounded up; equals ``n``.
    smallest_expected : float
        Smallest expected number of subjects with 0, 1, ... ``raters`` positive calls under
        ``kappa0``: the chi-square approximation needs about 5.
    """

    n_subjects: float
    required: int
    smallest_expected: float
    kappa0: float
    kappa1: float
    prevalence: float
    raters: int
    alpha: float
    power: float

    def summary(self) -> str:
        """Return the required size in one line."""
        return f"{self.required} subjects read by {self.raters} raters ({self.method})"


def n_two_proportions(
    p1: float,
    p2: float,
    *,
    power: float = 0.9,
    alpha: float = 0.05,
    alternative: Literal["two-sided", "one-sided"] = "two-sided",
) -> TwoProportionSize:
    """Size per group to tell two independent proportions apart by the pooled z test.

    Parameters
    ----------
    p1, p2 : float
        Expected proportions, 0 to 1, different.
    power, alpha : float
        Between 0 and 1. The chance of significance in the wrong direction is not counted.
    alternative : {"two-sided", "one-sided"}

    Returns
    -------
    TwoProportionSize

    Raises
    ------
    ValueError
        If a probability is out of range, the proportions are equal or power is below alpha.

    Notes
    -----
    ``n = (z[1-alpha/2] sqrt(2 p (1-p)) + z[power] sqrt(p1 (1-p1) + p2 (1-p2)))**2 / (p1-p2)**2``
    with ``p = (p1 + p2) / 2``. The same cases read twice need a paired calculation instead.

    Examples
    --------
    >>> n_two_proportions(0.5, 0.75, power=0.9).required
    77
    """
    check_choice(alternative, "alternative", ("two-sided", "one-sided"))
    for value, name in ((p1, "p1"), (p2, "p2")):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {value}")
    if p1 == p2:
        raise ValueError(f"p1 and p2 are both {p1}: no sample tells equal proportions apart")
    tail = alpha / 2 if alternative == "two-sided" else alpha
    _check_error_rates(tail, power)
    mean = (p1 + p2) / 2
    under_null = norm.isf(tail) * math.sqrt(2 * mean * (1 - mean))
    under_alternative = norm.ppf(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    size = float(((under_null + under_alternative) / (p1 - p2)) ** 2)
    return TwoProportionSize(
        n_per_group=size,
        required=math.ceil(size),
        p1=p1,
        p2=p2,
        alpha=alpha,
        power=power,
        n=2 * math.ceil(size),
        method=f"pooled z test of two independent proportions, {alternative}, no continuity "
        "correction (Fleiss, Levin and Paik 2003)",
        warnings=("The groups are taken as independent: cases read twice are paired.",),
    )


def n_kappa(
    kappa0: float,
    kappa1: float,
    *,
    prevalence: float,
    raters: int = 2,
    alpha: float = 0.05,
    power: float = 0.8,
) -> KappaSize:
    """Number of subjects to tell kappa from a null value by the goodness-of-fit test.

    Parameters
    ----------
    kappa0, kappa1 : float
        Kappa under the null and the alternative, between 0 and 1, different.
    prevalence : float
        Probability of a positive call, the same for all raters, between 0 and 1.
    raters : int
        At least 2; each subject is read by all.
    alpha, power : float
        Two-sided level and power, between 0 and 1.

    Returns
    -------
    KappaSize

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Under the common correlation model the number of positive calls of a subject is 0 or
    ``raters`` together with probability kappa, and binomial otherwise. With the noncentrality
    ``L`` that gives the chi-square test with 1 degree of freedom its power,
    ``n = L / sum((P1 - P0)**2 / P0)`` over the numbers of positive calls.

    Examples
    --------
    >>> n_kappa(0.4, 0.6, prevalence=0.3).required
    191
    """
    for value, name in ((kappa0, "kappa0"), (kappa1, "kappa1"), (prevalence, "prevalence")):
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {value}")
    if kappa0 == kappa1:
        raise ValueError(f"kappa0 and kappa1 are both {kappa0}: no sample tells them apart")
    if as_count(raters, "raters") < 2:
        raise ValueError(f"raters must be at least 2, got {raters}")
    _check_error_rates(alpha, power)
    null = positive_calls(kappa0, prevalence, raters)
    alternative = positive_calls(kappa1, prevalence, raters)
    size = _noncentrality(alpha, power) / float(((alternative - null) ** 2 / null).sum())
    required = math.ceil(size)
    smallest = required * float(null.min())
    return KappaSize(
        n_subjects=size,
        required=required,
        smallest_expected=smallest,
        kappa0=kappa0,
        kappa1=kappa1,
        prevalence=prevalence,
        raters=raters,
        alpha=alpha,
        power=power,
        n=required,
        method="goodness-of-fit test of kappa under the common correlation model (Donner and "
        "Eliasziw 1992; Altaye, Donner and Klar 2001)",
        warnings=(
            f"The smallest expected count is {smallest:.3g}, below 5: chi-square is rough here.",
        )
        if smallest < 5
        else (),
    )


def _check_error_rates(alpha: float, power: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    if not alpha < power < 1:
        raise ValueError(f"power must lie between alpha ({alpha}) and 1, got {power}")


def positive_calls(kappa: float, prevalence: float, raters: int) -> FloatArray:
    """Return the probabilities of 0 to ``raters`` positive calls on one subject."""
    independent = binom.pmf(np.arange(raters + 1), raters, prevalence)
    together = np.zeros(raters + 1)
    together[[0, -1]] = 1 - prevalence, prevalence
    return np.asarray((1 - kappa) * independent + kappa * together, dtype=float)


def _noncentrality(alpha: float, power: float) -> float:
    critical = chi2.isf(alpha, 1)
    return float(brentq(lambda x: ncx2.sf(critical, 1, x) - power, 1e-12, 1e4, xtol=1e-12))

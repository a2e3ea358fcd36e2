"""Sample size of a visual Turing test, and for an interval of a wanted width.

References
----------
Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657 (two one-sided tests). Chow SC, Shao J, Wang H.
Sample size calculations in clinical research, 2nd ed. 2008, ch. 4 (one proportion, equivalence).
Rao JNK, Scott AJ. Biometrics 1992;48:577 (design effect of clusters). Bloch DA, Kraemer HC.
Biometrics 1989;45:269 (variance of the intraclass kappa). Hanley JA, McNeil BJ. Radiology
1982;143:29 (variance of an AUC).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from readerstudy.stats.planning import positive_calls
from readerstudy.stats.results import Result
from readerstudy.stats.roc import hanley_mcneil_se
from readerstudy.stats.validation import as_count, check_choice, check_level

AIMS = ("equivalence", "difference")
_MAX_CASES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class TuringPower(Result):
    """Power of a test of pooled accuracy; ``n`` is the number of reads.

    Attributes
    ----------
    power : float
    n_cases, n_readers : int
    se : float
        Standard error of the pooled accuracy, with the cases as clusters.
    design_effect : float
    accuracy, margin, icc, alpha : float
        As planned; the margin is NaN for a difference.
    """

    power: float
    n_cases: int
    n_readers: int
    se: float
    design_effect: float
    accuracy: float
    margin: float
    icc: float
    alpha: float

    def summary(self) -> str:
        """Return the power and for what."""
        return (
            f"power {self.power:.4g} with {self.n_cases} cases read by {self.n_readers} readers; "
            f"{self.method}"
        )


@dataclass(frozen=True, kw_only=True)
class Precision(Result):
    """How wide an interval is expected to be; ``n`` is the number of cases.

    Attributes
    ----------
    value : float
        Expected estimate.
    se, width : float
        Its standard error, and the width of the Wald interval.
    level : float
    """

    value: float
    se: float
    width: float
    level: float

    def summary(self) -> str:
        """Return the width and for how many cases."""
        return (
            f"{100 * self.level:g} % interval of width {self.width:.4g} around {self.value:g} with "
            f"{self.n} cases; {self.method}"
        )


def turing_power(
    n_cases: int,
    n_readers: int,
    *,
    accuracy: float = 0.5,
    margin: float = 0.1,
    icc: float = 0.1,
    alpha: float = 0.05,
    aim: str = "equivalence",
    p0: float = 0.5,
) -> TuringPower:
    """Compute the power of a visual Turing test that every reader reads whole.

    The pooled accuracy has variance ``p (1 - p) / (cases * readers)`` times the design effect
    ``1 + (readers - 1) * icc``. Readers are fixed and cases a sample, as in
    :func:`readerstudy.stats.turing_clustered.clustered_against`.

    Parameters
    ----------
    n_cases, n_readers : int
        At least 2 cases and 1 reader.
    accuracy : float
        Expected share of right calls, strictly between 0 and 1.
    margin : float
        Half-width of what counts as guessing ("equivalence").
    icc : float
        Correlation of right and wrong between two readers of one case, 0 to 1.
    alpha : float
        Level of each one-sided test ("equivalence"), or two-sided ("difference").
    aim : {"equivalence", "difference"}
        Show accuracy within ``p0 ± margin``, or show that it differs from ``p0``.
    p0 : float
        Guessing.

    Returns
    -------
    TuringPower

    Raises
    ------
    ValueError
        For numbers out of range.

    Notes
    -----
    Normal approximation. Equivalence: ``Phi((margin - d) / se - z) + Phi((margin + d) / se - z)
    - 1`` with ``d = accuracy - p0`` and ``z = z[1 - alpha]``, not below 0.

    Examples
    --------
    >>> round(turing_power(70, 4, margin=0.1, icc=0.1).power, 3)
    0.803
    """
    check_choice(aim, "aim", AIMS)
    _check_share(accuracy, "accuracy")
    _check_share(alpha, "alpha")
    _check_share(p0, "p0")
    cases, readers = as_count(n_cases, "n_cases"), as_count(n_readers, "n_readers")
    if cases < 2 or readers < 1:
        raise ValueError(f"2 cases and 1 reader are the least, got {cases} and {readers}")
    if not 0 <= icc <= 1:
        raise ValueError(f"icc must lie between 0 and 1, got {icc}")
    if aim == "equivalence" and not 0 < margin < min(p0, 1 - p0):
        raise ValueError(f"margin must be above 0 and p0 ± margin inside (0, 1), got {margin}")
    effect = 1 + (readers - 1) * icc
    se = math.sqrt(accuracy * (1 - accuracy) * effect / (cases * readers))
    distance = accuracy - p0
    return TuringPower(
        method=f"{_WORDS[aim]}, normal approximation, cases as clusters (Rao and Scott 1992)",
        n=cases * readers,
        power=_equivalence(distance, margin, se, alpha)
        if aim == "equivalence"
        else _difference(
            distance, se, math.sqrt(p0 * (1 - p0) / (accuracy * (1 - accuracy))), alpha
        ),
        n_cases=cases,
        n_readers=readers,
        se=se,
        design_effect=effect,
        accuracy=accuracy,
        margin=margin if aim == "equivalence" else math.nan,
        icc=icc,
        alpha=alpha,
    )


_WORDS = {
    "equivalence": "two one-sided tests of accuracy within the margin (Schuirmann 1987)",
    "difference": "two-sided test of accuracy against guessing",
}


def _equivalence(distance: float, margin: float, se: float, alpha: float) -> float:
    z = float(norm.isf(alpha))
    both = norm.cdf((margin - distance) / se - z) + norm.cdf((margin + distance) / se - z)
    return max(float(both) - 1, 0.0)


def _difference(distance: float, se: float, null_ratio: float, alpha: float) -> float:
    critical = float(norm.isf(alpha / 2)) * null_ratio
    return float(norm.cdf(abs(distance) / se - critical) + norm.cdf(-abs(distance) / se - critical))


def turing_cases_needed(
    n_readers: int,
    *,
    power: float = 0.8,
    accuracy: float = 0.5,
    margin: float = 0.1,
    icc: float = 0.1,
    alpha: float = 0.05,
    aim: str = "equivalence",
    p0: float = 0.5,
) -> TuringPower:
    """Find the fewest cases that give a visual Turing test its power.

    Parameters
    ----------
    n_readers, accuracy, margin, icc, alpha, aim, p0
        As for :func:`turing_power`.
    power : float
        Wanted.

    Returns
    -------
    TuringPower
        Of the study found; ``power`` is NaN beside ``reason`` where no number of cases suffices.

    Raises
    ------
    ValueError
        As for :func:`turing_power`, and for a power outside 0..1.

    Examples
    --------
    >>> turing_cases_needed(4, margin=0.1, icc=0.1).n_cases
    70
    """
    _check_share(power, "power")

    def plan(cases: int) -> TuringPower:
        return turing_power(
            cases,
            n_readers,
            accuracy=accuracy,
            margin=margin,
            icc=icc,
            alpha=alpha,
            aim=aim,
            p0=p0,
        )

    found = _fewest(lambda cases: plan(cases).power >= power)
    if found is not None:
        return plan(found)
    values = {name: getattr(plan(2), name) for name in TuringPower.__dataclass_fields__}
    reason = "no number of cases reaches this power: the expected accuracy lies too near the limit"
    return TuringPower(**(values | {"power": math.nan, "n_cases": 0, "n": 0, "reason": reason}))


def kappa_precision(
    n_cases: int, *, kappa: float, prevalence: float, raters: int = 2, level: float = 0.95
) -> Precision:
    """Expect the width of the interval of kappa of binary calls by several readers.

    Under the common correlation model with Fleiss' estimator. The variance follows from the
    multinomial numbers of positive calls by the delta method; for two raters it is that of Bloch
    and Kraemer 1989.

    Parameters
    ----------
    n_cases : int
        At least 2, each read by all.
    kappa, prevalence : float
        Expected, kappa from 0 to below 1, prevalence of positive calls strictly between 0 and 1.
    raters : int
        At least 2.
    level : float

    Returns
    -------
    Precision

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> round(kappa_precision(100, kappa=0.6, prevalence=0.5).width, 4)
    0.3136
    """
    if not 0 <= kappa < 1:
        raise ValueError(f"kappa must be at least 0 and below 1, got {kappa}")
    _check_share(prevalence, "prevalence")
    cases, many = as_count(n_cases, "n_cases"), as_count(raters, "raters")
    if cases < 2 or many < 2:
        raise ValueError(f"2 cases and 2 raters are the least, got {cases} and {many}")
    shares = positive_calls(kappa, prevalence, many)
    positives = np.arange(many + 1)
    apart = 2 * positives * (many - positives) / (many * (many - 1))
    chance = 2 * prevalence * (1 - prevalence)
    slope = 2 * (1 - 2 * prevalence) / chance
    influence = (1 - kappa) * slope * positives / many - apart / chance
    mean = float(shares @ influence)
    variance = float(shares @ (influence - mean) ** 2) / cases
    return _precision(
        kappa,
        math.sqrt(max(variance, 0.0)),
        cases,
        level,
        f"Fleiss' kappa of {many} raters under the common correlation model, delta method "
        "(Bloch and Kraemer 1989 for two)",
    )


def auc_precision(
    n_positive: int, n_negative: int, *, auc: float, level: float = 0.95
) -> Precision:
    """Expect the width of the interval of one reader's AUC.

    Parameters
    ----------
    n_positive, n_negative : int
        Cases of the two classes.
    auc : float
        Expected.
    level : float

    Returns
    -------
    Precision

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> round(auc_precision(51, 58, auc=0.893).se, 4)
    0.0325
    """
    found = hanley_mcneil_se(auc, n_positive, n_negative)
    total = n_positive + n_negative
    return _precision(auc, found.se, total, level, "Hanley and McNeil 1982, Wald interval")


def cases_for_width(width: float, precision: Callable[[int], Precision]) -> Precision:
    """Find the fewest cases with which an interval is no wider than wanted.

    Parameters
    ----------
    width : float
        Above 0.
    precision : callable
        Number of cases to :class:`Precision`, narrower with more cases.

    Returns
    -------
    Precision
        ``width`` is NaN beside ``reason`` where even a million cases do not suffice.

    Examples
    --------
    >>> cases_for_width(0.2, lambda n: kappa_precision(n, kappa=0.6, prevalence=0.5)).n
    246
    """
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}")
    found = _fewest(lambda cases: precision(cases).width <= width)
    if found is not None:
        return precision(found)
    last = precision(_MAX_CASES)
    return Precision(
        method=last.method,
        n=0,
        reason="even a million cases do not make the interval that narrow",
        value=last.value,
        se=math.nan,
        width=math.nan,
        level=last.level,
    )


def _precision(value: float, se: float, n: int, level: float, method: str) -> Precision:
    z = float(norm.isf((1 - check_level(level)) / 2))
    return Precision(method=method, n=n, value=value, se=se, width=2 * z * se, level=level)


def _fewest(suffices: Callable[[int], bool]) -> int | None:
    """Return the fewest cases that suffice; None where a million do not."""
    if not suffices(_MAX_CASES):
        return None
    low, high = 1, _MAX_CASES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _check_share(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")

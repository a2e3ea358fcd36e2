"""Agreement of several raters on grades and measurements: ICC, rwg, Kendall's W.

References
----------
Shrout & Fleiss, Psychol Bull 1979;86:420. McGraw & Wong, Psychol Methods 1996;1:30. James, Demaree
& Wolf, J Appl Psychol 1984;69:85 (rwg). Kendall & Babington Smith, Ann Math Stat 1939;10:275.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement_ratings import dot, numeric_matrix
from readerstudy.stats.quantiles import (
    chi_square_p,
    f_p,
    f_quantile,
)
from readerstudy.stats.results import Estimate, Result, undefined
from readerstudy.stats.validation import (
    FloatArray,
    as_vector,
    check_choice,
    check_finite,
    check_level,
    column,
    missing_rows,
    same_length,
)

ICC_FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")

_MODELS = {
    "1": "one-way random raters, absolute agreement",
    "2": "two-way random raters, absolute agreement",
    "3": "two-way fixed raters, consistency",
}


@dataclass(frozen=True, kw_only=True)
class IntraclassCorrelation(Estimate):
    """An intraclass correlation.

    Attributes
    ----------
    form : str
        Shrout and Fleiss's name.
    f, df1, df2, pvalue : float
        F test of an ICC of 0.
    n_raters : int
        Raters.
    ms_subjects, ms_raters, ms_error, ms_within : float
        Mean squares of the two-way table, and within subjects.
    """

    form: str
    f: float
    df1: float
    df2: float
    pvalue: float
    n_raters: int
    ms_subjects: float
    ms_raters: float
    ms_error: float
    ms_within: float


def icc(
    ratings: npt.ArrayLike,
    *,
    form: str = "ICC(2,1)",
    level: float = 0.95,
    missing: str = "raise",
) -> IntraclassCorrelation:
    """Compute an intraclass correlation in one of the six forms of Shrout and Fleiss.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Measurements or grades.
    form : str
        ``"ICC(m,u)"``: m is 1 (every subject has other raters), 2 (raters are a sample), 3 (these
        raters only); u is 1 (one rater's score) or k (the mean over the raters).
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        Refuse missing ratings, or drop subjects that have one.

    Returns
    -------
    IntraclassCorrelation
        Negative estimates are returned as they are. NaN with a reason if the ratings do not vary.
        For ICC(2,·) the test has (n-1)(k-1) degrees of freedom below, the limits use
        Satterthwaite's degrees of freedom, and those of ICC(2,k) are the Spearman-Brown transform
        of those of ICC(2,1).

    Raises
    ------
    ValueError
        For an unknown form, missing ratings, or fewer than two raters or subjects.

    References
    ----------
    Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428.

    Examples
    --------
    >>> judges = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
    ...           [6, 2, 4, 7]]  # Shrout & Fleiss 1979, table 2
    >>> [round(icc(judges, form=f).value, 2) for f in ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)")]
    [0.17, 0.29, 0.71]
    """
    check_choice(form, "form", ICC_FORMS)
    check_level(level)
    matrix, dropped = _complete_matrix(ratings, missing, "icc")
    n, k = matrix.shape
    squares = _mean_squares(matrix)
    average = "mean of the raters" if form[6] == "k" else "a single rater"
    common: dict[str, Any] = {
        "method": f"{form}: {_MODELS[form[4]]}, {average} (Shrout & Fleiss 1979), F interval",
        "n": n,
        "n_dropped": dropped,
        "level": level,
        "form": form,
        "n_raters": k,
        "ms_subjects": squares.subjects,
        "ms_raters": squares.raters,
        "ms_error": squares.error,
        "ms_within": squares.within,
    }
    if squares.subjects == squares.within == 0.0:
        reason = "the ratings do not vary at all"
        return IntraclassCorrelation(**undefined("value f df1 df2 pvalue"), reason=reason, **common)
    return _icc_of(form, squares, common)


def _complete_matrix(ratings: npt.ArrayLike, missing: str, name: str) -> tuple[FloatArray, int]:
    matrix = numeric_matrix(ratings, f"{name} needs numbers")
    if matrix.shape[1] < 2:
        raise ValueError("ratings must have at least 2 raters (columns), got 1")
    incomplete = missing_rows(missing, ratings=matrix)
    matrix = matrix[~incomplete]
    if len(matrix) < 2:
        raise ValueError(f"ratings must have at least 2 complete subjects, got {len(matrix)}")
    return matrix, int(incomplete.sum())


@dataclass(frozen=True)
class _MeanSquares:
    n: int
    k: int
    subjects: float
    raters: float
    error: float
    within: float


def _mean_squares(matrix: FloatArray) -> _MeanSquares:
    n, k = matrix.shape
    centred = matrix - matrix.mean()
    by_subject, by_rater = centred.mean(axis=1), centred.mean(axis=0)
    residual = centred - by_subject[:, None] - by_rater[None, :]
    within = centred - by_subject[:, None]
    noise = 1e-24 * (n * k) * max(float(np.abs(matrix).max()), 1e-300) ** 2
    sums = [
        k * dot(by_subject, by_subject),
        n * dot(by_rater, by_rater),
        float(np.einsum("ij,ij->", residual, residual)),
        float(np.einsum("ij,ij->", within, within)),
    ]
    sums = [s if s > noise else 0.0 for s in sums]
    dfs = (n - 1, k - 1, (n - 1) * (k - 1), n * (k - 1))
    return _MeanSquares(n, k, *(s / df for s, df in zip(sums, dfs, strict=True)))


def _icc_of(form: str, ms: _MeanSquares, common: dict[str, Any]) -> IntraclassCorrelation:
    n, k, level = ms.n, ms.k, common["level"]
    model, averaged = form[4], form[6] == "k"
    below = ms.within if model == "1" else ms.error
    df1, df2 = n - 1, (n * (k - 1) if model == "1" else (n - 1) * (k - 1))
    f = _ratio(ms.subjects, below, at_zero=math.inf if ms.subjects > 0.0 else math.nan)
    raters = k * (ms.raters - ms.error) / n if model == "2" else 0.0
    single = _ratio(ms.subjects - below, ms.subjects + (k - 1) * below + raters)
    if model == "2":
        limits = _absolute_limits(ms, single, level)
    else:
        limits = _f_limits(f, df1, df2, k, level)
    value, low, high = (_spearman_brown(v, k) if averaged else v for v in (single, *limits))
    return IntraclassCorrelation(
        value=value,
        f=f,
        df1=df1,
        df2=df2,
        pvalue=f_p(f, df1, df2),
        low=low,
        high=high,
        warnings=_icc_warnings(value, f),
        reason=_icc_reason(value, f, low, high),
        **common,
    )


def _ratio(numerator: float, denominator: float, at_zero: float = math.nan) -> float:
    return numerator / denominator if denominator != 0.0 else at_zero


def _icc_reason(value: float, f: float, low: float, high: float) -> str | None:
    if math.isnan(value) or math.isnan(f):
        return "subjects do not differ, which leaves nothing to divide by"
    if math.isnan(low) or math.isnan(high):
        return "the limits are undefined for these mean squares"
    return None


def _spearman_brown(single: float, k: int) -> float:
    return _ratio(k * single, 1.0 + (k - 1) * single)


def _f_limits(f: float, df1: int, df2: int, k: int, level: float) -> tuple[float, float]:
    if math.isinf(f):
        return 1.0, 1.0
    upper = 0.5 + level / 2.0
    low, high = f / f_quantile(upper, df1, df2), f * f_quantile(upper, df2, df1)
    return _ratio(low - 1.0, low + k - 1.0), _ratio(high - 1.0, high + k - 1.0)


def _absolute_limits(ms: _MeanSquares, value: float, level: float) -> tuple[float, float]:
    """Return the limits of ICC(2,1) with Satterthwaite's degrees of freedom (1979, p. 424)."""
    n, k, upper = ms.n, ms.k, 0.5 + level / 2.0
    if ms.error == 0.0 and ms.raters == 0.0:
        return 1.0, 1.0
    a = k * value * ms.raters
    b = (n * (1.0 + (k - 1) * value) - k * value) * ms.error
    df = _ratio((k - 1) * (n - 1) * (a + b) ** 2, (n - 1) * a**2 + b**2)
    rest = k * ms.raters + (k * n - k - n) * ms.error
    f_low, f_high = f_quantile(upper, n - 1, df), f_quantile(upper, df, n - 1)
    low = _ratio(n * (ms.subjects - f_low * ms.error), f_low * rest + n * ms.subjects)
    high = _ratio(n * (f_high * ms.subjects - ms.error), rest + n * f_high * ms.subjects)
    return low, high


def _icc_warnings(value: float, f: float) -> tuple[str, ...]:
    if math.isinf(f):
        return ("the error variance is 0: the interval has no width and is not credible",)
    if value < 0.0:
        return ("negative: raters differ more within subjects than between them",)
    return ()


@dataclass(frozen=True, kw_only=True)
class WithinGroupAgreement(Result):
    """rwg of each subject and its mean.

    Attributes
    ----------
    per_subject : ndarray
        rwg of each subject, in the order of ``subjects``; NaN for fewer than two ratings.
    subjects : tuple
        Labels of the subjects.
    mean : float
        Mean over the subjects with at least two ratings.
    null_variance : float
        Variance expected if nobody agreed.
    n_truncated : int
        Subjects whose variance exceeds the null, set to 0.
    """

    per_subject: FloatArray
    subjects: tuple[Any, ...]
    mean: float
    null_variance: float
    n_truncated: int

    def summary(self) -> str:
        """Return the mean, or the reason it is undefined."""
        if math.isnan(self.mean):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return f"mean {self.mean:.6g}, n = {self.n} subjects, {self.method}"


def rwg(
    ratings_by_subject: Any,
    *,
    n_options: int,
    null: str | float = "uniform",
    subject: npt.ArrayLike | str | None = None,
    data: Any = None,
) -> WithinGroupAgreement:
    """Compute within-group agreement: ``1 - s² / null variance`` for each subject.

    It measures agreement against a stated spread under no agreement; it is not a correlation.

    Parameters
    ----------
    ratings_by_subject : array_like, mapping, sequence of sequences, or column name
        A matrix of subjects by raters (NaN missing), a mapping from subject to its ratings, a
        sequence with the ratings of each subject, or, with ``subject``, one rating per entry.
    n_options : int
        Options of the scale (a scale 0..3 has 4), at least 2.
    null : {"uniform", "triangular"} or float
        Distribution of ratings under no agreement, or its variance.
    subject : array_like or column name, optional
        The subject of each rating, for long-form ratings.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    WithinGroupAgreement
        A variance above the null gives 0. The variance has ``n - 1`` below.

    Raises
    ------
    ValueError
        For fewer than 2 options, an unknown null, or labels instead of numbers.

    References
    ----------
    James LR, Demaree RG, Wolf G. J Appl Psychol 1984;69:85-98.

    Examples
    --------
    >>> r = rwg([[4, 4, 5], [1, 3, 5]], n_options=5)
    >>> r.per_subject.round(3).tolist(), round(r.mean, 3)
    ([0.833, 0.0], 0.417)
    """
    null_variance, words = _null_variance(n_options, null)
    groups = _groups(column(data, ratings_by_subject), subject, data)
    variances = np.array([_variance(values) for values in groups.values()])
    known = ~np.isnan(variances)
    agreement = np.where(known, np.maximum(1.0 - variances / null_variance, 0.0), math.nan)
    alone = int((~known).sum())
    n = int(known.sum())
    reason = None
    if alone:
        reason = f"{alone} subjects have fewer than two ratings"
    return WithinGroupAgreement(
        method=(
            f"rwg (James, Demaree & Wolf 1984), {n_options} options, {words}, values below 0 set "
            "to 0, mean over subjects"
        ),
        n=n,
        n_dropped=alone,
        per_subject=agreement,
        subjects=tuple(groups),
        mean=float(agreement[known].mean()) if n else math.nan,
        null_variance=null_variance,
        n_truncated=int((variances[known] > null_variance).sum()),
        reason=reason,
    )


def _null_variance(n_options: int, null: str | float) -> tuple[float, str]:
    if n_options < 2 or n_options != int(n_options):
        raise ValueError(f"n_options must be a whole number of at least 2, got {n_options}")
    if not isinstance(null, str):
        if not null > 0.0:
            raise ValueError(f"null must be a variance above 0, got {null}")
        return float(null), f"null variance {null:g}"
    check_choice(null, "null", ("uniform", "triangular"))
    if null == "uniform":
        return (n_options**2 - 1) / 12.0, "uniform null"
    odd = n_options % 2
    return (n_options**2 + 2 * n_options - (3 if odd else 0)) / 24.0, "triangular null"


def _groups(ratings: Any, subject: Any, data: Any) -> dict[Hashable, FloatArray]:
    if subject is not None:
        values, labels = as_vector(ratings, "ratings"), np.asarray(column(data, subject))
        same_length(ratings=values, subject=labels)
        names, index = np.unique(labels, return_inverse=True)
        order = np.argsort(index, kind="stable")
        parts = np.split(values[order], np.cumsum(np.bincount(index))[:-1])
        return dict(zip(names.tolist(), parts, strict=True))
    if isinstance(ratings, Mapping):
        return {name: as_vector(v, f"ratings of {name}") for name, v in ratings.items()}
    rows = ratings if isinstance(ratings, Sequence) else np.asarray(ratings, dtype=float)
    return {i: as_vector(row, f"ratings of subject {i}") for i, row in enumerate(rows)}


def _variance(values: FloatArray) -> float:
    present = check_finite(values[~np.isnan(values)], "ratings")
    return float(present.var(ddof=1)) if present.size > 1 else math.nan


@dataclass(frozen=True, kw_only=True)
class KendallW(Result):
    """Kendall's coefficient of concordance.

    Attributes
    ----------
    value : float
        W, 0 (no concordance) to 1, corrected for ties.
    chi2, df, pvalue : float
        Friedman's chi-square ``m(n-1)W`` and its p.
    f, df1, df2, pvalue_f : float
        F approximation of Legendre 2005, better for few subjects or raters.
    n_raters : int
        Raters.
    """

    value: float
    chi2: float
    df: int
    pvalue: float
    f: float
    df1: float
    df2: float
    pvalue_f: float
    n_raters: int

    def summary(self) -> str:
        """Return W and its p, or the reason it is undefined."""
        if math.isnan(self.value):
            return f"undefined: {self.reason} ({self.method}, n = {self.n})"
        return f"W = {self.value:.6g}, p = {self.pvalue:.3g}, n = {self.n}, {self.method}"


def kendall_w(ratings: npt.ArrayLike, *, missing: str = "raise") -> KendallW:
    """Compute Kendall's W: how far raters put the subjects in the same order.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Grades or measurements; each rater's are ranked.
    missing : {"raise", "omit"}
        Refuse missing ratings, or drop subjects that have one.

    Returns
    -------
    KendallW
        NaN with a reason if every rater gave all subjects the same rating.

    Raises
    ------
    ValueError
        For missing ratings, labels, or fewer than two raters or subjects.

    References
    ----------
    Kendall MG, Babington Smith B. Ann Math Stat 1939;10:275-287. Legendre P. J Agric Biol Environ
    Stat 2005;10:226-245.

    Examples
    --------
    >>> round(kendall_w([[1, 2, 1], [2, 1, 2], [3, 3, 4], [4, 4, 3]]).value, 4)
    0.8222
    """
    from scipy.stats import rankdata

    matrix, dropped = _complete_matrix(ratings, missing, "kendall_w")
    n, m = matrix.shape
    ranks = rankdata(matrix, axis=0)
    sums = ranks.sum(axis=1)
    spread = float(((sums - sums.mean()) ** 2).sum())
    ties = sum(float((c**3 - c).sum()) for c in (_tie_sizes(r) for r in matrix.T))
    largest = m**2 * (n**3 - n) - m * ties
    common: dict[str, Any] = {
        "method": "Kendall's W (1939), corrected for ties; Friedman chi-square; F (Legendre 2005)",
        "n": n,
        "n_dropped": dropped,
        "n_raters": m,
        "df": n - 1,
    }
    if largest == 0.0:
        reason = "every rater gave all subjects the same rating"
        blank = undefined("value chi2 pvalue f df1 df2 pvalue_f")
        return KendallW(**blank, reason=reason, **common)
    w = 12.0 * spread / largest
    df1 = n - 1 - 2.0 / m
    f = (m - 1) * w / (1.0 - w) if w < 1.0 else math.inf
    return KendallW(
        value=w,
        chi2=m * (n - 1) * w,
        pvalue=chi_square_p(m * (n - 1) * w, n - 1),
        f=f,
        df1=df1,
        df2=df1 * (m - 1),
        pvalue_f=f_p(f, df1, df1 * (m - 1)) if df1 > 0.0 else math.nan,
        reason=None if df1 > 0.0 else "the F approximation needs more subjects",
        **common,
    )


def _tie_sizes(values: FloatArray) -> FloatArray:
    return np.unique(values, return_counts=True)[1].astype(float)

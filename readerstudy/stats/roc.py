"""The area under the ROC curve and what is said about it.

Truth is 0 or 1, a higher score means more positive, ties count one half, and an AUC below 0.5 is
reported as it is. The formulas, assumptions and a worked example: ``docs/algorithms/roc.md``.

References
----------
DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837 (variance, paired test). Sun & Xu, IEEE
Signal Process Lett 2014;21:1389 (by ranks). Hanley & McNeil, Radiology 1982;143:29. Obuchowski,
Biometrics 1997;53:567 (clusters). Youden, Cancer 1950;3:32. McClish, Med Decis Making 1989;9:190
(partial area).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy.stats.placements import Moments, beaten, clustered_covariance, moments
from readerstudy.stats.quantiles import clip, normal_p, normal_quantile, t_p, t_quantile
from readerstudy.stats.roc_bootstrap import bootstrap_auc, bootstrap_auc_difference
from readerstudy.stats.roc_points import partial_auc, roc_curve, youden
from readerstudy.stats.roc_results import (
    CLIPPED,
    AucDifference,
    AucResult,
    ClusteredAuc,
    HanleyMcNeil,
    Sample,
    cluster_codes,
    make_sample,
)
from readerstudy.stats.validation import (
    as_count,
    check_choice,
    check_level,
    refuse_overlap,
    refuse_repeats,
    split_case_ids,
)

__all__ = [
    "auc",
    "bootstrap_auc",
    "bootstrap_auc_difference",
    "clustered_auc",
    "delong_test",
    "delong_test_unpaired",
    "hanley_mcneil_se",
    "partial_auc",
    "roc_curve",
    "youden",
]

_AUC_METHOD = {
    "delong": f"AUC by midranks, variance DeLong 1988, Wald interval, {CLIPPED}",
    "logit": "AUC by midranks, variance DeLong 1988, interval on the logit scale",
}
AnyAuc = TypeVar("AnyAuc", bound=AucResult)
_ZERO_VARIANCE = "the estimated variance is zero, so no interval or test can be had from it"
_ENOUGH = 5.0
_ONE_MEMBER = "a class has one case, so no variance can be estimated"


def auc(
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    ci: str = "delong",
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int | None = 0,
    case_ids: Sequence[Hashable] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> AucResult:
    """Estimate the area under the empirical ROC curve of one score.

    Parameters
    ----------
    truth : array_like (n,)
        1 for positive, 0 for negative cases.
    score : array_like (n,)
        Higher means more positive; any real numbers or grades.
    ci : {"delong", "logit", "bootstrap"}
        Interval: Wald with the DeLong variance, the same on the logit scale, or a stratified
        percentile bootstrap (:func:`bootstrap_auc` with ``n_boot`` and ``seed``).
    level : float
        Confidence level.
    case_ids : sequence (n,), optional
        The patient or case of each row; repeated ids are refused, as rows must be independent.
    assume_independent : bool
        Accept repeated ids all the same.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    AucResult
        With one class in ``truth`` everything is NaN beside ``reason``. Where the variance is
        zero (AUC 0 or 1, a constant score) the interval and test are NaN beside ``reason``.

    Raises
    ------
    ValueError
        For wrong shapes, truth other than 0 and 1, NaN with ``missing="raise"``, repeated ids.

    Examples
    --------
    >>> result = auc([0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 5])
    >>> round(result.value, 4), round(result.se, 4)
    (0.8333, 0.1925)
    """
    check_choice(ci, "ci", ("delong", "logit", "bootstrap"))
    check_level(level)
    if ci == "bootstrap":
        return bootstrap_auc(
            truth,
            score,
            n_boot=n_boot,
            seed=seed,
            level=level,
            case_ids=case_ids,
            assume_independent=assume_independent,
            missing=missing,
        )
    sample = make_sample(truth, missing=missing, ids=case_ids, score=score)
    refuse_repeats(
        sample.ids, sample.n, assume_independent=assume_independent, instead="clustered_auc"
    )
    base = _base(sample, _AUC_METHOD[ci], level)
    if sample.reason:
        return AucResult(value=math.nan, reason=sample.reason, **base)
    found = moments(sample.scores, sample.positive)
    return _with_variance(
        AucResult(value=float(found.auc[0]), **base), float(found.covariance[0, 0]), ci
    )


def _base(sample: Sample, method: str, level: float) -> dict[str, Any]:
    return {
        "method": method,
        "n": sample.n,
        "n_dropped": sample.n_dropped,
        "n_positive": sample.n_positive,
        "n_negative": sample.n_negative,
        "level": level,
    }


def _with_variance(result: AnyAuc, variance: float, ci: str) -> AnyAuc:
    if math.isnan(variance):
        return replace(result, reason=_ONE_MEMBER)
    se = math.sqrt(variance)
    if se == 0.0:
        return replace(
            result, variance=0.0, se=0.0, reason=_ZERO_VARIANCE, warnings=(_zero_warning(result),)
        )
    low, high = _LIMITS[ci](result.value, se, result.level)
    z = (result.value - 0.5) / se
    return replace(
        result,
        variance=variance,
        se=se,
        low=low,
        high=high,
        z=z,
        pvalue=normal_p(z),
        warnings=_short_limits(result) if ci == "delong" else (),
    )


def _short_limits(result: AucResult) -> tuple[str, ...]:
    smaller = min(result.n_positive, result.n_negative)
    if smaller * min(result.value, 1.0 - result.value) >= _ENOUGH:
        return ()
    return ("Wald limits are too short for so few cases and an AUC this close to 0 or 1",)


def _zero_warning(result: AucResult) -> str:
    if result.value in (0.0, 1.0):
        return f"AUC {result.value:g}: the classes do not overlap; the interval is not estimable"
    return "the score does not vary within a class; the interval is not estimable"


def _wald_limits(value: float, se: float, level: float) -> tuple[float, float]:
    half = normal_quantile(level) * se
    return clip(value - half, 0.0, 1.0), clip(value + half, 0.0, 1.0)


def _logit_limits(value: float, se: float, level: float) -> tuple[float, float]:
    centre = float(special.logit(value))
    half = normal_quantile(level) * se / (value * (1.0 - value))
    return float(special.expit(centre - half)), float(special.expit(centre + half))


_LIMITS = {"delong": _wald_limits, "logit": _logit_limits}


def delong_test(
    truth: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    *,
    level: float = 0.95,
    cluster: Sequence[Hashable] | None = None,
    case_ids: Sequence[Hashable] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> AucDifference:
    """Compare two AUCs measured on the same cases (paired DeLong test).

    Parameters
    ----------
    truth, score_a, score_b : array_like (n,)
        Truth and two scores of the same cases.
    level : float
        Confidence level of the difference.
    cluster : sequence (n,), optional
        The patient of each row, where patients have several exams: the variances are then those
        of Obuchowski 1997.
    case_ids : sequence (n,), optional
        The case of each row; repeated ids are refused unless ``cluster`` says how to treat them.
    assume_independent : bool
        Accept repeated ids all the same.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    AucDifference
        First minus second. Where both scores order all cases alike the difference is 0, its
        standard error 0, p 1, and z NaN beside ``reason``.

    Raises
    ------
    ValueError
        For wrong shapes, truth other than 0 and 1, NaN with ``missing="raise"``, repeated ids.

    Notes
    -----
    Not for two nested models on the data they were fitted to: the statistic is degenerate there
    (Demler, Pencina & D'Agostino 2012); use a likelihood-ratio test.

    Examples
    --------
    >>> result = delong_test([0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 5], [1, 3, 2, 1, 3, 4])
    >>> round(result.difference, 4), round(result.pvalue, 4)
    (0.1667, 0.2207)
    """
    check_level(level)
    ids = case_ids if cluster is None else cluster
    sample = make_sample(truth, missing=missing, ids=ids, score_a=score_a, score_b=score_b)
    if cluster is None:
        refuse_repeats(
            sample.ids, sample.n, assume_independent=assume_independent, instead="cluster="
        )
    kind = "DeLong 1988" if cluster is None else "clustered, Obuchowski 1997"
    base = _base(sample, f"paired comparison of two AUCs, variance {kind}, z test", level)
    if sample.reason:
        return _no_difference(base, sample.reason)
    found = moments(sample.scores, sample.positive) if cluster is None else None
    variances = _plain_variances(found) if found else _clustered_variances(sample)
    return _difference(variances, base)


def _no_difference(base: dict[str, Any], reason: str) -> AucDifference:
    nan = math.nan
    return AucDifference(value=nan, auc_a=nan, auc_b=nan, difference=nan, reason=reason, **base)


def _plain_variances(found: Moments) -> dict[str, Any]:
    v = found.covariance
    return {
        "auc_a": float(found.auc[0]),
        "auc_b": float(found.auc[1]),
        "variance_a": float(v[0, 0]),
        "variance_b": float(v[1, 1]),
        "covariance": float(v[0, 1]),
        "variance": found.difference_variance,
    }


def _clustered_variances(sample: Sample) -> dict[str, Any]:
    wins = [beaten(*sample.split(score)) for score in (0, 1)]
    codes = cluster_codes(sample.ids or ())
    for_positive, for_negative = ([w[side] for w in wins] for side in (0, 1))
    v = clustered_covariance(
        [*for_positive, for_positive[0] - for_positive[1]],
        [*for_negative, for_negative[0] - for_negative[1]],
        codes[sample.positive],
        codes[~sample.positive],
    )
    pairs = sample.n_positive * sample.n_negative
    return {
        "auc_a": float(for_positive[0].sum() / pairs),
        "auc_b": float(for_positive[1].sum() / pairs),
        "variance_a": float(v[0, 0]),
        "variance_b": float(v[1, 1]),
        "covariance": float(v[0, 1]),
        "variance": float(v[2, 2]),
    }


def _difference(found: dict[str, Any], base: dict[str, Any]) -> AucDifference:
    variance = found.pop("variance")
    difference = found["auc_a"] - found["auc_b"]
    result = AucDifference(value=difference, difference=difference, **found, **base)
    if math.isnan(variance):
        return replace(result, reason=_ONE_MEMBER)
    if variance <= 0.0:
        return _zero_variance_difference(result)
    return _tested(result, math.sqrt(variance), math.inf)


def _zero_variance_difference(result: AucDifference) -> AucDifference:
    if result.difference == 0.0:
        return replace(
            result,
            se=0.0,
            low=0.0,
            high=0.0,
            pvalue=1.0,
            reason="both scores rank the cases alike: the difference is 0 without variance, z 0/0",
        )
    return replace(result, se=0.0, reason=_ZERO_VARIANCE)


def _tested(result: AucDifference, se: float, df: float) -> AucDifference:
    z = result.difference / se
    quantile = normal_quantile(result.level) if math.isinf(df) else t_quantile(result.level, df)
    return replace(
        result,
        se=se,
        z=z,
        df=df,
        pvalue=normal_p(z) if math.isinf(df) else t_p(z, df),
        low=result.difference - quantile * se,
        high=result.difference + quantile * se,
    )


def delong_test_unpaired(
    truth_a: npt.ArrayLike,
    score_a: npt.ArrayLike,
    truth_b: npt.ArrayLike,
    score_b: npt.ArrayLike,
    *,
    reference: str = "z",
    level: float = 0.95,
    case_ids: Sequence[Any] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> AucDifference:
    """Compare two AUCs measured on different, independent cases.

    Parameters
    ----------
    truth_a, score_a : array_like (n,)
        First sample.
    truth_b, score_b : array_like (k,)
        Second sample.
    reference : {"z", "t"}
        Normal distribution, or Student with Welch's degrees of freedom, where each sample
        counts with its number of cases less one.
    level : float
        Confidence level of the difference.
    case_ids : pair of sequences, optional
        The cases of the two samples; shared or repeated ids are refused.
    assume_independent : bool
        Accept shared ids all the same.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    AucDifference
        First minus second; ``df`` is infinite for the normal reference.

    Raises
    ------
    ValueError
        As for :func:`auc`, and where cases are in both samples.

    Examples
    --------
    >>> result = delong_test_unpaired([0, 0, 1, 1], [1, 2, 2, 3], [0, 0, 1, 1], [1, 3, 2, 4])
    >>> round(result.difference, 3), result.covariance
    (0.125, 0.0)
    """
    check_choice(reference, "reference", ("z", "t"))
    check_level(level)
    a, b = _two_samples((truth_a, score_a), (truth_b, score_b), case_ids, missing)
    for sample in (a, b):
        refuse_repeats(
            sample.ids, sample.n, assume_independent=assume_independent, instead="clustered_auc"
        )
    refuse_overlap(a.ids, b.ids, assume_independent=assume_independent, instead="delong_test")
    base = _unpaired_base(a, b, reference, level)
    reason = a.reason or b.reason
    if reason:
        return _no_difference(base, reason)
    return _unpaired(a, b, reference, base)


def _two_samples(
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    case_ids: Sequence[Any] | None,
    missing: str,
) -> tuple[Sample, Sample]:
    ids_a, ids_b = split_case_ids(case_ids, np.size(first[0]), np.size(second[0]))
    return (
        make_sample(first[0], missing=missing, ids=ids_a, score_a=first[1]),
        make_sample(second[0], missing=missing, ids=ids_b, score_b=second[1]),
    )


def _unpaired_base(a: Sample, b: Sample, reference: str, level: float) -> dict[str, Any]:
    law = {"z": "z test", "t": "t test with Welch degrees of freedom"}[reference]
    return {
        "method": f"comparison of two AUCs on independent cases, variance DeLong 1988, {law}",
        "n": a.n + b.n,
        "n_dropped": a.n_dropped + b.n_dropped,
        "n_positive": a.n_positive + b.n_positive,
        "n_negative": a.n_negative + b.n_negative,
        "level": level,
    }


def _unpaired(a: Sample, b: Sample, reference: str, base: dict[str, Any]) -> AucDifference:
    found = [moments(sample.scores, sample.positive) for sample in (a, b)]
    variances = [float(f.covariance[0, 0]) for f in found]
    values: dict[str, Any] = {
        "auc_a": float(found[0].auc[0]),
        "auc_b": float(found[1].auc[0]),
        "variance_a": variances[0],
        "variance_b": variances[1],
        "covariance": 0.0,
        "variance": sum(variances),
    }
    result = _difference(values, base)
    if reference == "z" or result.reason:
        return result
    return _tested(result, result.se, _welch(variances, (a.n, b.n)))


def _welch(variances: Sequence[float], sizes: tuple[int, int]) -> float:
    spread = sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    return sum(variances) ** 2 / spread


def hanley_mcneil_se(auc: float, n_positive: int, n_negative: int) -> HanleyMcNeil:
    """Return the standard error of an AUC from its value and the class sizes alone.

    Hanley & McNeil 1982, Radiology 143:29, with Q1 = A/(2-A) and Q2 = 2A²/(1+A). For planning
    and for checking published numbers; where the scores are at hand :func:`auc` is better.

    Parameters
    ----------
    auc : float
        0 to 1.
    n_positive, n_negative : int
        At least 1.

    Returns
    -------
    HanleyMcNeil
        ``se``; NaN beside ``reason`` where a class is empty.

    Raises
    ------
    ValueError
        For an AUC outside 0..1 or broken counts.

    Examples
    --------
    >>> round(hanley_mcneil_se(0.893, 51, 58).se, 4)
    0.0325
    """
    if not 0.0 <= auc <= 1.0:
        raise ValueError(f"auc must lie between 0 and 1, got {auc}")
    m, n = as_count(n_positive, "n_positive"), as_count(n_negative, "n_negative")
    method = "standard error of an AUC, Hanley & McNeil 1982"
    if not m or not n:
        reason = f"a class is empty: {m} positive and {n} negative cases"
        return HanleyMcNeil(
            method=method, n=m + n, reason=reason, se=math.nan, auc=auc, n_positive=m, n_negative=n
        )
    q1, q2 = auc / (2.0 - auc), 2.0 * auc**2 / (1.0 + auc)
    spread = auc * (1.0 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
    se = math.sqrt(max(spread, 0.0) / (m * n))
    return HanleyMcNeil(method=method, n=m + n, se=se, auc=auc, n_positive=m, n_negative=n)


def clustered_auc(
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: Sequence[Hashable],
    *,
    level: float = 0.95,
    missing: str = "raise",
) -> ClusteredAuc:
    """Estimate an AUC from several exams per patient.

    Obuchowski 1997, Biometrics 53:567. The value is the AUC over all exams; the variance treats
    the exams of a patient, whatever their truth, as dependent. Equal to :func:`auc` when each
    patient has one exam.

    Parameters
    ----------
    truth, score : array_like (n,)
        One entry per exam.
    cluster : sequence (n,)
        The patient of each exam.
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        What to do with NaN; the exam is left out, not the patient.

    Returns
    -------
    ClusteredAuc
        ``n`` counts exams, ``n_clusters`` patients. NaN beside ``reason`` as for :func:`auc`.

    Raises
    ------
    ValueError
        As for :func:`auc`.

    Examples
    --------
    >>> truth, score = [0, 1, 0, 1, 0, 1, 0, 1], [1, 2, 2, 4, 3, 3, 1, 5]
    >>> result = clustered_auc(truth, score, ["a", "a", "b", "b", "c", "c", "d", "d"])
    >>> round(result.value, 4), round(result.se, 4), round(result.design_effect, 3)
    (0.875, 0.1141, 0.833)
    """
    check_level(level)
    sample = make_sample(truth, missing=missing, ids=cluster, score=score)
    base = _base(
        sample, f"AUC of clustered exams, Obuchowski 1997, Wald interval, {CLIPPED}", level
    )
    codes = cluster_codes(sample.ids or ())
    base["n_clusters"] = len(set(codes.tolist()))
    if sample.reason:
        return ClusteredAuc(value=math.nan, reason=sample.reason, **base)
    wins = beaten(*sample.split())
    value = float(wins[0].sum() / (sample.n_positive * sample.n_negative))
    by_class = codes[sample.positive], codes[~sample.positive]
    variance = float(clustered_covariance([wins[0]], [wins[1]], *by_class)[0, 0])
    result = _with_variance(ClusteredAuc(value=value, **base), variance, "delong")
    return _with_design_effect(result, variance, sample)


def _with_design_effect(result: ClusteredAuc, variance: float, sample: Sample) -> ClusteredAuc:
    plain = float(moments(sample.scores, sample.positive).covariance[0, 0])
    effect = variance / plain if plain > 0.0 else math.nan
    return replace(result, design_effect=effect, se_unclustered=math.sqrt(plain))

"""Points of the empirical ROC curve: the curve, Youden's threshold, partial areas.

References: Youden, Cancer 1950;3:32. McClish, Med Decis Making 1989;9:190 (partial area and its
correction). Clopper & Pearson, Biometrika 1934;26:404.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from readerstudy.stats.proportions import proportion
from readerstudy.stats.results import Estimate
from readerstudy.stats.roc_results import (
    OperatingPoint,
    PartialAuc,
    RocCurve,
    Sample,
    Youden,
    make_sample,
)
from readerstudy.stats.validation import FloatArray, check_level, refuse_repeats


def roc_curve(truth: npt.ArrayLike, score: npt.ArrayLike, *, missing: str = "raise") -> RocCurve:
    """Return every operating point of the empirical ROC curve.

    Parameters
    ----------
    truth, score : array_like (n,)
        As for :func:`auc`.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    RocCurve
        One point per distinct score and one more; thresholds lie midway between neighbouring
        scores, from -inf (all called positive) to inf (none).

    Raises
    ------
    ValueError
        As for :func:`auc`.

    Examples
    --------
    >>> curve = roc_curve([0, 0, 1, 1], [1, 2, 2, 3])
    >>> curve.threshold.tolist()
    [-inf, 1.5, 2.5, inf]
    >>> curve.sensitivity.tolist(), curve.specificity.tolist()
    ([1.0, 1.0, 0.5, 0.0], [0.0, 0.5, 1.0, 1.0])
    """
    sample = make_sample(truth, missing=missing, score=score)
    threshold, true_positives, true_negatives = _operating_points(sample)
    undefined = np.full(threshold.size, math.nan)
    return RocCurve(
        method="empirical ROC curve, positive where score >= threshold",
        n=sample.n,
        n_dropped=sample.n_dropped,
        reason=sample.reason,
        threshold=threshold,
        sensitivity=undefined if sample.reason else true_positives / sample.n_positive,
        specificity=undefined if sample.reason else true_negatives / sample.n_negative,
        n_positive=sample.n_positive,
        n_negative=sample.n_negative,
    )


def _operating_points(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray]:
    levels, codes = np.unique(sample.scores[0], return_inverse=True)
    positives = np.bincount(codes, weights=sample.positive, minlength=levels.size)
    negatives = np.bincount(codes, minlength=levels.size) - positives
    above = sample.n_positive - np.append(0.0, np.cumsum(positives))
    below = np.append(0.0, np.cumsum(negatives))
    return _midpoints(levels), above, below


def _midpoints(levels: FloatArray) -> FloatArray:
    middle = 0.5 * levels[:-1] + 0.5 * levels[1:]
    # neighbouring floats have no midpoint between them: the upper one keeps "score >= t" right
    middle = np.where(middle > levels[:-1], middle, levels[1:])
    return np.concatenate(([-math.inf], middle, [math.inf]))


_YOUDEN = (
    "Youden index, all maximisers; Clopper-Pearson limits, which ignore that the threshold was "
    "chosen on these data"
)


def youden(
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    level: float = 0.95,
    case_ids: Sequence[Hashable] | None = None,
    assume_independent: bool = False,
    missing: str = "raise",
) -> Youden:
    """Find the threshold with the largest sensitivity + specificity - 1.

    Parameters
    ----------
    truth, score : array_like (n,)
        As for :func:`readerstudy.stats.roc.auc`.
    level : float
        Confidence level of sensitivity and specificity.
    case_ids : sequence (n,), optional
        The case of each row; repeated ids are refused, as the exact limits need independence.
    assume_independent : bool
        Accept repeated ids all the same.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    Youden
        All maximisers. The limits are exact for a threshold fixed beforehand; chosen on the same
        data they are optimistic.

    Raises
    ------
    ValueError
        As for :func:`readerstudy.stats.roc.auc`.

    Examples
    --------
    >>> result = youden([0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 5])
    >>> result.points[0].rule, round(result.j, 4)
    ('score >= 4', 0.6667)
    """
    check_level(level)
    sample = make_sample(truth, missing=missing, ids=case_ids, score=score)
    refuse_repeats(
        sample.ids, sample.n, assume_independent=assume_independent, instead="clustered_proportion"
    )
    if sample.reason:
        return _no_youden(sample, level)
    threshold, sensitive, specific = _operating_points(sample)
    # whole numbers: sensitivity + specificity in floats would break ties by rounding
    gain = sensitive * sample.n_negative + specific * sample.n_positive
    best = np.flatnonzero(gain == gain.max())
    levels = np.unique(sample.scores[0])
    points = tuple(
        _operating_point(sample, levels, i, (threshold, sensitive, specific), level) for i in best
    )
    tie = f"{best.size} thresholds reach the same maximum; the first is reported on top"
    return Youden(
        method=_YOUDEN,
        n=sample.n,
        n_dropped=sample.n_dropped,
        warnings=(tie,) if best.size > 1 else (),
        j=float(gain.max()) / (sample.n_positive * sample.n_negative) - 1.0,
        thresholds=threshold[best],
        points=points,
        sensitivity=points[0].sensitivity,
        specificity=points[0].specificity,
    )


def _operating_point(
    sample: Sample,
    levels: FloatArray,
    index: np.int64,
    curve: tuple[FloatArray, FloatArray, FloatArray],
    level: float,
) -> OperatingPoint:
    threshold, sensitive, specific = (float(c[index]) for c in curve)
    lowest = f"score >= {levels[index]:.12g}" if index < levels.size else "no score is positive"
    return OperatingPoint(
        method="operating point, positive where score >= threshold",
        n=sample.n,
        threshold=threshold,
        rule=lowest,
        sensitivity=proportion(int(sensitive), sample.n_positive, ci="exact", level=level),
        specificity=proportion(int(specific), sample.n_negative, ci="exact", level=level),
    )


def _no_youden(sample: Sample, level: float) -> Youden:
    def undefined(name: str) -> Estimate:
        return Estimate(value=math.nan, level=level, method=name, n=sample.n, reason=sample.reason)

    return Youden(
        method=_YOUDEN,
        n=sample.n,
        n_dropped=sample.n_dropped,
        reason=sample.reason,
        j=math.nan,
        thresholds=np.empty(0),
        points=(),
        sensitivity=undefined("sensitivity"),
        specificity=undefined("specificity"),
    )


def partial_auc(
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    max_fpr: float | None = None,
    min_sensitivity: float | None = None,
    corrected: bool = True,
    missing: str = "raise",
) -> PartialAuc:
    """Measure the area under a clinically relevant part of the ROC curve.

    Parameters
    ----------
    truth, score : array_like (n,)
        As for :func:`readerstudy.stats.roc.auc`.
    max_fpr : float, optional
        Area of sensitivity over false-positive fractions 0 to ``max_fpr``.
    min_sensitivity : float, optional
        Area of specificity over sensitivities ``min_sensitivity`` to 1. Give exactly one of both.
    corrected : bool
        Standardise after McClish: 0.5 for the chance line, 1 for a perfect curve.
    missing : {"raise", "omit"}
        What to do with NaN.

    Returns
    -------
    PartialAuc
        No interval: bootstrap the whole analysis for one.

    Raises
    ------
    ValueError
        For a band outside (0, 1], none or both bands, and as for ``auc``.

    Examples
    --------
    >>> result = partial_auc([0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 5], max_fpr=0.5)
    >>> round(result.raw, 4), round(result.value, 4)
    (0.3472, 0.7963)
    """
    width, method = _band(max_fpr, min_sensitivity, corrected)
    sample = make_sample(truth, missing=missing, score=score)
    raw = math.nan if sample.reason else _area(sample, width, max_fpr is None)
    lowest = width**2 / 2.0
    standard = 0.5 * (1.0 + (raw - lowest) / (width - lowest))
    return PartialAuc(
        method=method,
        n=sample.n,
        n_dropped=sample.n_dropped,
        reason=sample.reason,
        value=standard if corrected else raw,
        raw=raw,
        corrected=corrected,
        lowest=lowest,
        highest=width,
        n_positive=sample.n_positive,
        n_negative=sample.n_negative,
    )


def _band(
    max_fpr: float | None, min_sensitivity: float | None, corrected: bool
) -> tuple[float, str]:
    if (max_fpr is None) == (min_sensitivity is None):
        raise ValueError("give either max_fpr or min_sensitivity, and not both")
    if max_fpr is not None:
        width, text = float(max_fpr), f"false-positive fractions 0 to {max_fpr:g}"
        if not 0.0 < width <= 1.0:
            raise ValueError(f"max_fpr must be above 0 and at most 1, got {max_fpr}")
    else:
        lowest = float(min_sensitivity or 0.0)
        if not 0.0 <= lowest < 1.0:
            raise ValueError(f"min_sensitivity must be at least 0 and below 1, got {lowest}")
        width, text = 1.0 - lowest, f"sensitivities {lowest:g} to 1"
    scale = "standardised after McClish 1989" if corrected else "not standardised"
    return width, f"partial AUC over {text}, trapezoids, {scale}, no interval"


def _area(sample: Sample, width: float, by_sensitivity: bool) -> float:
    _, sensitive, specific = _operating_points(sample)
    along = 1.0 - specific[::-1] / sample.n_negative, sensitive[::-1] / sample.n_positive
    across = 1.0 - sensitive / sample.n_positive, specific / sample.n_negative
    x, y = across if by_sensitivity else along
    inside = int(np.searchsorted(x, width, side="right"))
    if inside < x.size:
        share = (width - x[inside - 1]) / (x[inside] - x[inside - 1])
        edge = y[inside - 1] + share * (y[inside] - y[inside - 1])
        x, y = np.append(x[:inside], width), np.append(y[:inside], edge)
    return float(np.trapezoid(y, x))

"""Scores of maps in a unit, such as blood volume in mL/100 g: nothing is normalised."""

from __future__ import annotations

from synthesis.metrics.paired import FloatArray, UndefinedMetricError


def bias(prediction: FloatArray, truth: FloatArray) -> float:
    """Mean of prediction less truth, in the unit of the maps."""
    return float(prediction.mean() - truth.mean())


def relative_bias(prediction: FloatArray, truth: FloatArray) -> float:
    """Return the bias as a share of the mean truth.

    Raises
    ------
    UndefinedMetricError
        If the mean truth is not positive.
    """
    mean = float(truth.mean())
    if mean <= 0:
        raise UndefinedMetricError("the mean of the true map is not positive")
    return bias(prediction, truth) / mean


def concordance(prediction: FloatArray, truth: FloatArray) -> float:
    """Lin's concordance over voxels: ``2 s_pt / (s_pp + s_tt + (m_p - m_t)^2)``, moments by N.

    Unlike a correlation it falls with a wrong gain or offset.

    Raises
    ------
    UndefinedMetricError
        If both maps are one constant.
    """
    apart = bias(prediction, truth)
    p, t = prediction - prediction.mean(), truth - truth.mean()
    spread = float((p @ p + t @ t) / p.size) + apart**2
    if spread == 0:
        raise UndefinedMetricError("both maps are one constant")
    return 2 * float(p @ t) / p.size / spread

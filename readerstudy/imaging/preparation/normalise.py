"""One scale for grey values: z-score, percentiles, or the histogram of a reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import background_value, foreground
from readerstudy.imaging.preparation.records import (
    Mask,
    PreparationError,
    Prepared,
    StepRecord,
    timed,
    version_of,
)

Method = Literal["z-score", "percentile", "histogram"]
METHODS: tuple[str, ...] = get_args(Method)
_CUT_OUT_SHARE = 0.98
Values = NDArray[np.float64]


def normalise(
    volume: Volume,
    *,
    method: Method = "z-score",
    mask: Mask | None = None,
    mean: float = 0.0,
    sd: float = 1.0,
    percentiles: tuple[float, float] = (1.0, 99.0),
    limits: tuple[float, float] = (0.0, 1000.0),
    clip: bool = False,
    reference: Volume | None = None,
    reference_mask: Mask | None = None,
    reference_name: str = "",
    points: int = 32,
) -> Prepared:
    """Bring grey values to a common scale.

    Parameters
    ----------
    volume : Volume
    method : {"z-score", "percentile", "histogram"}
        (x - m) / s of the values in the mask, then times `sd` plus `mean`; two percentiles of the
        values in the mask to two limits, linear in between and beyond; or the quantiles in the
        mask to those of a reference, linear between `points` of them (Nyúl, Udupa & Zhang, IEEE
        Trans Med Imaging 2000; 19:143-150).
    mask : ndarray of bool, optional
        The foreground when left out.
    mean, sd : float
        For "z-score"; 1000 and 200 keep nearly all values above 0, which viewers like.
    percentiles, limits : tuple of float
        For "percentile".
    clip : bool
        Cut values at the limits ("percentile") or at 0 where `mean` is 5 `sd` ("z-score").
    reference : Volume, optional
        For "histogram".
    reference_mask : ndarray of bool, optional
    reference_name : str
        For the record.
    points : int
        Quantiles that are matched, from the 1st to the 99th percentile.

    Returns
    -------
    Prepared
        32-bit floats. Where the surroundings of the mask were cleared before, they become 0, or
        the lowest value inside if that is below 0, so that the background stays dark.

    Raises
    ------
    PreparationError
        No contrast in the mask, or parameters that make no sense.
    """
    inside = foreground(volume.array) if mask is None else mask
    values = volume.array.astype(np.float64)
    within = _within(values, inside)
    with timed() as watch:
        if method == "z-score":
            mapped, parameters, figures = _z_score(values, within, mean, sd, clip)
        elif method == "percentile":
            mapped, parameters, figures = _percentile(values, within, percentiles, limits, clip)
        elif method == "histogram":
            target = _reference(reference, reference_mask)
            mapped, figures = _match(values, within, target, points)
            parameters = {"to": reference_name, "points": points}
        else:
            raise PreparationError(f"there is no way {method!r}", f"Use {', '.join(METHODS)}.")
        result = _cleared(mapped, volume.array, inside)
    record = StepRecord(
        "normalise",
        {"method": method, **parameters},
        "readerstudy",
        version_of("readerstudy"),
        watch.seconds,
        figures,
    )
    return Prepared(replace(volume, array=result.astype(np.float32)), record, mask)


def _within(values: Values, inside: Mask) -> Values:
    if not inside.any():
        raise PreparationError("the mask is empty", "Check that the image shows a head or brain.")
    within = values[inside]
    if within.min() == within.max():
        raise PreparationError("all values inside the mask are equal", "Check the image.")
    return within


Step = tuple[Values, dict[str, Any], dict[str, Any]]


def _z_score(values: Values, within: Values, mean: float, sd: float, clip: bool) -> Step:
    if sd <= 0:
        raise PreparationError("sd must be above 0", "Use 1, or 200 with a mean of 1000.")
    centre, spread = float(within.mean()), float(within.std())
    mapped = (values - centre) / spread * sd + mean
    if clip and mean >= 5 * sd:
        mapped = np.maximum(mapped, 0.0)
    return mapped, {"mean": mean, "sd": sd, "clip": clip}, {"mean": centre, "sd": spread}


def _percentile(
    values: Values,
    within: Values,
    percentiles: tuple[float, float],
    limits: tuple[float, float],
    clip: bool,
) -> Step:
    if not 0 <= percentiles[0] < percentiles[1] <= 100 or not limits[0] < limits[1]:
        advice = "Use percentiles such as 1 and 99, and limits such as 0 and 1000."
        raise PreparationError("percentiles and limits must rise", advice)
    low, high = (float(value) for value in np.percentile(within, percentiles))
    if low == high:
        raise PreparationError("both percentiles have the same value", "Choose them further apart.")
    mapped = limits[0] + (values - low) / (high - low) * (limits[1] - limits[0])
    if clip:
        mapped = np.clip(mapped, *limits)
    parameters = {"percentiles": list(percentiles), "limits": list(limits), "clip": clip}
    return mapped, parameters, {"low": low, "high": high}


def _reference(reference: Volume | None, mask: Mask | None) -> Values:
    if reference is None:
        raise PreparationError("no reference was given", "Name the series to match.")
    inside = foreground(reference.array) if mask is None else mask
    return _within(reference.array.astype(np.float64), inside)


def _match(
    values: Values, within: Values, target: Values, points: int
) -> tuple[Values, dict[str, Any]]:
    if points < 2:
        raise PreparationError("matching needs at least 2 points", "Use 32.")
    shares = np.linspace(1, 99, points)
    ours, theirs = np.percentile(within, shares), np.percentile(target, shares)
    kept = np.concatenate([[True], np.diff(ours) > 0])
    ours, theirs = ours[kept], theirs[kept]
    if len(ours) < 2:
        raise PreparationError("the image has too few grey values to match", "Leave this step out.")
    mapped = np.interp(values, ours, theirs)
    for end, beyond in ((0, values < ours[0]), (-1, values > ours[-1])):
        near = 1 if end == 0 else -2
        slope = (theirs[near] - theirs[end]) / (ours[near] - ours[end])
        mapped[beyond] = theirs[end] + (values[beyond] - ours[end]) * slope
    figures = {
        "from": [float(ours[0]), float(ours[-1])],
        "to": [float(theirs[0]), float(theirs[-1])],
    }
    return mapped, figures


def _cleared(mapped: Values, before: NDArray[Any], inside: Mask) -> Values:
    """Keep a background that was cleared before the darkest part of the picture."""
    around = ~inside
    empty = around & (before == background_value(before))
    if not around.any() or empty.sum() < _CUT_OUT_SHARE * around.sum():
        return mapped
    mapped[empty] = min(0.0, float(mapped[~empty].min()))
    return mapped

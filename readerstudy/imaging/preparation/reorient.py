"""Axis order: x to the patient's left, y to posterior, z to superior."""

from __future__ import annotations

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.orientation import axis_letters, is_oblique, to_lps
from readerstudy.imaging.preparation.records import Prepared, StepRecord, timed, version_of


def reorient(volume: Volume) -> Prepared:
    """Permute and flip axes to LPS; no value is touched, a tilt stays in the geometry."""
    with timed() as watch:
        result = to_lps(volume)
    figures = {
        "axes_before": axis_letters(volume),
        "axes": axis_letters(result),
        "oblique": is_oblique(result),
    }
    return Prepared(
        result, StepRecord("reorient", {}, "nibabel", version_of("nibabel"), watch.seconds, figures)
    )

"""Evening out the slow brightness of receive coils: N4."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.preparation.alignment import one_thread
from readerstudy.imaging.preparation.itk import place, to_image
from readerstudy.imaging.preparation.records import (
    Mask,
    PreparationError,
    Prepared,
    StepRecord,
    timed,
    version_of,
)

WORKING_MM = 4.0
_FLOOR = 1e-3


def bias(
    volume: Volume,
    *,
    mask: Mask | None = None,
    iterations: tuple[int, ...] = (50, 50, 50, 50),
    fwhm: float = 0.15,
    spline_mm: float = 200.0,
    working_mm: float = WORKING_MM,
) -> Prepared:
    """Divide by the smooth field that sharpens the histogram most.

    Parameters
    ----------
    volume : Volume
    mask : ndarray of bool, optional
        Where the field is estimated; the foreground when left out. It is divided out everywhere.
    iterations : tuple of int
        At most, per level; each level halves the distance of the spline's knots.
    fwhm : float
        Full width at half maximum of the histogram deconvolution, log units.
    spline_mm : float
        Distance of the knots on the first level.
    working_mm : float
        Voxels on which the field is estimated.

    Returns
    -------
    Prepared
        32-bit floats with the mean inside the mask kept; background 0 stays 0.

    Raises
    ------
    PreparationError
        Empty mask, values below zero, or parameters without meaning.

    Notes
    -----
    Tustison et al., IEEE Trans Med Imaging 2010; 29:1310-1320. Computed by SimpleITK with one
    thread, so that a run repeats to the bit.
    """
    if not iterations or min(iterations) < 1 or fwhm <= 0 or spline_mm <= 0 or working_mm <= 0:
        raise PreparationError("N4 needs positive parameters", "Leave them at their defaults.")
    inside = foreground(volume.array) if mask is None else mask
    if not inside.any():
        raise PreparationError("the mask is empty", "Check that the image shows a head or brain.")
    values = volume.array.astype(np.float32)
    if float(values[inside].min()) < 0:
        advice = "Do this step before intensities are normalised."
        raise PreparationError("N4 takes no values below zero", advice)
    with timed() as watch, one_thread():
        image, small, small_mask = _images(volume, values, inside, working_mm)
        n4 = _filter(small, iterations, fwhm, spline_mm)
        n4.Execute(small, small_mask)
        field = np.exp(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)))
        corrected = values / field
        corrected *= float(values[inside].mean()) / max(float(corrected[inside].mean()), _FLOOR)
    figures = {
        "field_lowest": round(float(field[inside].min()), 4),
        "field_highest": round(float(field[inside].max()), 4),
        "variation_before": round(_variation(values[inside]), 4),
        "variation": round(_variation(corrected[inside]), 4),
    }
    parameters = {
        "iterations": list(iterations),
        "fwhm": fwhm,
        "spline_mm": spline_mm,
        "working_mm": working_mm,
    }
    tool = ("SimpleITK", version_of("SimpleITK"))
    record = StepRecord("bias", parameters, *tool, watch.seconds, figures)
    return Prepared(replace(volume, array=corrected.astype(np.float32)), record, mask)


def _images(
    volume: Volume, values: NDArray[np.float32], inside: Mask, working_mm: float
) -> tuple[Any, Any, Any]:
    """The image, and a coarse copy with its mask."""
    image = to_image(volume, np.maximum(values, _FLOOR))
    where = place(sitk.GetImageFromArray(inside.astype(np.uint8)), volume.affine_lps)
    factors = [
        max(1, min(ceil(working_mm / step - 0.25), length // 4))
        for step, length in zip(image.GetSpacing(), image.GetSize(), strict=True)
    ]
    small, small_mask = sitk.Shrink(image, factors), sitk.Shrink(where, factors)
    if not sitk.GetArrayViewFromImage(small_mask).any():
        raise PreparationError("the mask is too small for N4", "Use a mask of the whole brain.")
    return image, small, small_mask


def _filter(small: Any, iterations: tuple[int, ...], fwhm: float, spline_mm: float) -> Any:
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([int(count) for count in iterations])
    n4.SetBiasFieldFullWidthAtHalfMaximum(float(fwhm))
    extent = [size * step for size, step in zip(small.GetSize(), small.GetSpacing(), strict=True)]
    n4.SetNumberOfControlPoints([max(4, round(length / spline_mm) + 3) for length in extent])
    return n4


def _variation(values: NDArray[np.float32]) -> float:
    """Coefficient of variation."""
    return float(values.std() / values.mean()) if values.mean() else float("nan")

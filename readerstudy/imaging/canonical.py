"""The one road from a loaded volume to the array that is encoded for display."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.orientation import to_lps
from readerstudy.imaging.resampling import brain_centre, to_grid


@dataclass(frozen=True, eq=False)
class Canonical:
    """A volume on the grid of a study, and its foreground.

    Attributes
    ----------
    volume : Volume
        LPS order; zero outside the mask.
    mask : ndarray of bool, shape (z, y, x)
    """

    volume: Volume
    mask: NDArray[np.bool_]


def canonicalise(
    volume: Volume,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    *,
    mask: NDArray[np.bool_] | None = None,
    centre_mm: NDArray[np.float64] | None = None,
    whole_voxels: bool | None = None,
) -> Canonical:
    """Put a volume on the grid of a study and clear its background.

    Parameters
    ----------
    volume : Volume
        Any orientation.
    shape, spacing_mm : tuple
        Grid of the study along (z, y, x).
    mask : ndarray of bool, shape of the volume, optional
        Foreground in the voxels of `volume`, for example that of another sequence of the case;
        found with `foreground` when left out.
    centre_mm : ndarray, shape (3,), optional
        As for `to_grid`: pass one centre for all sequences of a case.
    whole_voxels : bool, optional
        As for `to_grid`.

    Returns
    -------
    Canonical
        The mask is found at the native resolution. Where interpolation is needed, values are
        weighted by the mask, so that the background does not darken the rim of the brain.
    """
    native = to_lps(volume)
    given = None if mask is None else to_lps(replace(volume, array=mask)).array
    inside = foreground(native.array) if given is None else given
    centre = brain_centre(native, inside) if centre_mm is None else centre_mm
    cleared = np.where(inside, native.array, native.array.dtype.type(0))
    put = partial(
        to_grid, shape=shape, spacing_mm=spacing_mm, centre_mm=centre, whole_voxels=whole_voxels
    )
    values = put(replace(native, array=cleared))
    share = put(replace(native, array=inside.astype(np.float32))).array
    covered = share >= 0.5
    array = np.where(covered, values.array, values.array.dtype.type(0))
    if array.dtype.kind == "f":
        array[covered] /= share[covered]
    return Canonical(replace(values, array=array), covered)

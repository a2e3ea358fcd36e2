"""The canonical form of a series: exact values in LPS axis order, stored by content."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from readerstudy.cases import storage
from readerstudy.cases.models import Series
from readerstudy.imaging.flags import MONOCHROME1
from readerstudy.imaging.geometry import Volume

COMPRESSION_LEVEL = 3


def store_volume(volume: Volume) -> dict[str, Any]:
    """Store the array of an LPS volume; return the columns of a Series that describe it."""
    array = little_endian(volume.array)
    content = array.tobytes()
    return {
        "object_name": storage.put(zstandard.compress(content, COMPRESSION_LEVEL)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "spacing_mm": [float(value) for value in volume.spacing_mm],
        "affine_lps": volume.affine_lps.tolist(),
        "facts": dict(volume.facts),
        "source_sha256": volume.source_sha256,
    }


def little_endian(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array C-ordered and little-endian, as int16 where that holds every value."""
    whole = array.dtype.kind in "iu"
    if whole and array.min() >= -32768 and array.max() <= 32767:
        array = array.astype(np.int16)
    elif not whole:
        array = array.astype(np.float32)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def load_array(series: Series) -> npt.NDArray[Any]:
    """Return the canonical array (z, y, x) of a series, checked against its SHA-256."""
    content = zstandard.decompress(storage.read(series.object_name))
    if hashlib.sha256(content).hexdigest() != series.sha256:
        raise storage.DamagedObject(
            f"Series {series.role} of case {series.case} is damaged. Restore it from a backup."
        )
    return np.frombuffer(content, dtype=series.dtype).reshape(series.shape)


def load_volume(series: Series) -> Volume:
    """Return a series as a volume with its geometry."""
    return Volume(
        array=load_array(series),
        affine_lps=np.asarray(series.affine_lps, dtype=float),
        kind="nifti",
        facts=series.facts,
        source_sha256=series.source_sha256,
    )


def load_shown(series: Series) -> Volume:
    """Return a series as a volume in which bright is bright, as it is put before people.

    Values of a series that was stored inverted (MONOCHROME1) are mirrored within their range:
    they stay whole, and air is the darkest. A map keeps its values: they have a unit.
    """
    volume = load_volume(series)
    if MONOCHROME1 not in series.flags or series.unit:
        return volume
    wide = volume.array.astype(np.int64 if volume.array.dtype.kind in "iu" else np.float64)
    mirrored = wide.min() + wide.max() - wide
    return replace(volume, array=mirrored.astype(volume.array.dtype))

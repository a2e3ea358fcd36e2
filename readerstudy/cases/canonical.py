"""The canonical form of a series: exact values in LPS axis order, stored by content."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from readerstudy.cases import storage
from readerstudy.cases.models import Series
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
